//! What every ledger promises, as tests that know a store by its traits only. [`crate::ledger_contract!`] runs all of
//! them on one store.
//!
//! Stores differ where the trait lets them: a SQLite file has one chain of receipts and takes the caller's word for the
//! time, a PostgreSQL database has chains for each process and a clock of its own. So a test here asks the place for
//! the time, lets time pass there, and expects of chains only that each is whole.

pub mod accounts;
pub mod changes;
pub mod due;
pub mod limits;
pub mod lists;
pub mod opening;
pub mod outcomes;
pub mod purse;
pub mod shared;
pub mod viewers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use coinop::app::Store;
use coinop::ledger::{AdvanceError, Advanced, CallKey, Caps, Change, NewCall, Opened, Record};
use coinop_core::Millis;
use coinop_core::call::{Call, Event, Failure, Remedy};
use coinop_core::digest::Digest;
use coinop_core::ids::{CallId, LinkToken, PaymentId};
use coinop_core::money::{Amount, Money};
use coinop_core::outcome::{Content, Outcome};
use coinop_core::payment::{Payment, PaymentEvent};
use coinop_core::principal::Principal;
use coinop_core::quote::Quote;
use futures::future::BoxFuture;

/// A place where a store is, empty at first.
pub trait Place: Send + Sync {
    /// Opens the store as one more host would.
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>>;

    /// The store's time.
    fn now(&self) -> Millis;

    /// Lets time pass for everything that is stored. Whole days move what was spent on a day.
    fn pass(&self, ms: Millis) -> BoxFuture<'_, ()>;
}

/// Runs the whole contract: `ledger_contract!(name, place)` makes a module of tests, each with a place of its own.
#[macro_export]
macro_rules! ledger_contract {
    ($store:ident, $place:expr) => {
        $crate::ledger_contract!(@ $store, $place,
            accounts: entries_of_every_change_sum_to_zero,
            accounts: what_is_credited_can_be_spent_once,
            accounts: a_balance_is_never_spent_twice_at_once,
            changes: a_change_is_stored_whole_and_counted,
            changes: what_is_not_legal_changes_nothing,
            changes: of_fifty_claims_one_wins,
            changes: a_blocked_component_is_not_claimed,
            due: two_hosts_never_take_the_same_call,
            due: a_host_takes_what_is_due_in_its_accounts,
            due: what_was_looked_at_is_put_off_unless_it_changed,
            limits: payments_that_wait_are_counted_until_they_end,
            limits: links_are_counted_for_a_minute,
            limits: a_call_has_a_highest_price,
            limits: a_day_has_a_budget_and_gives_back_what_was_made_whole,
            limits: hosts_enforce_caps_together,
            lists: the_latest_calls_of_a_filter_come_first,
            lists: an_audit_pages_through_everything,
            opening: a_known_caller_gets_its_open_call_again,
            opening: opened_at_once_it_is_one_call,
            opening: strangers_never_share,
            opening: an_ended_call_makes_room,
            opening: what_the_balance_covered_is_given_again_for_a_while,
            opening: what_is_not_kept_or_is_blocked_is_not_sold,
            opening: a_call_is_found_by_every_key_it_has,
            opening: a_reference_means_one_payment,
            opening: a_payment_that_came_with_its_call_is_one_call,
            opening: a_named_purchase_has_one_payment,
            opening: a_spent_payment_is_found_for_ever,
            outcomes: an_outcome_is_delivered_with_its_receipt,
            outcomes: receipts_issued_at_once_form_whole_chains,
            outcomes: receipts_outlive_the_keys_rotation,
            outcomes: only_what_is_at_rest_is_forgotten,
            outcomes: forgetting_is_bounded,
            purse: an_event_is_taken_by_one_host_until_it_is_sent,
            purse: the_statement_has_what_was_taken,
            purse: the_first_decision_stands,
            purse: a_refund_goes_out_once_a_key,
            purse: decided_and_refunded_at_once_it_is_once,
            shared: secrets_are_shared_and_rotate,
            shared: webhooks_are_noted_once,
            shared: components_are_kept_while_somebody_may_need_them,
            shared: a_block_holds_for_every_host,
            shared: every_host_knows_the_ledger_by_one_name,
            viewers: a_viewer_has_the_tools_of_its_open_calls,
            viewers: an_open_call_is_a_viewers_until_it_ends,
            viewers: strangers_share_within_one_viewer,
            viewers: an_open_call_moves_to_who_came_for_it,
        );
    };
    (@ $store:ident, $place:expr, $($subject:ident: $promise:ident),* $(,)?) => {
        mod $store {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    let place = $place;
                    let desk = $crate::contract::Desk::at(&place).await;
                    $crate::contract::$subject::$promise(&desk).await;
                }
            )*
        }
    };
}

/// Two hosts on one store, and what tests ask of them.
pub struct Desk<'a> {
    place: &'a dyn Place,
    /// One host's handle.
    pub here: Arc<dyn Store>,
    /// Another host's.
    pub there: Arc<dyn Store>,
    calls: AtomicU64,
}

/// The component of every call.
pub fn component() -> Digest {
    Digest::of(COMPONENT)
}

const COMPONENT: &[u8] = b"component";
/// The account of every call that does not say another.
pub const ACCOUNT: &str = "main";

/// A dollar amount.
pub fn usd(amount: &str) -> Money {
    Money::parse(amount, "USD").unwrap()
}

/// A caller with an API key of this name.
pub fn caller(name: &str) -> Principal {
    Principal::api_key(name)
}

impl<'a> Desk<'a> {
    /// Opens the store twice and keeps the component there.
    pub async fn at(place: &'a dyn Place) -> Self {
        let (here, there) = (place.open().await, place.open().await);
        let kept = here.keep_component(component(), Arc::from(COMPONENT), place.now());
        kept.await.unwrap();
        Self {
            place,
            here,
            there,
            calls: AtomicU64::new(0),
        }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.place.now()
    }

    /// Lets time pass.
    pub async fn pass(&self, ms: Millis) {
        self.place.pass(ms).await;
    }

    /// A further handle on the store.
    pub async fn another(&self) -> Arc<dyn Store> {
        self.place.open().await
    }

    /// A call that waits for its payer, with arguments that no other has.
    pub fn draft(&self, principal: &Principal) -> NewCall {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        self.draft_of(principal, &format!("{{\"n\":{number}}}"), usd("1"))
    }

    /// A call of these arguments at this price.
    pub fn draft_of(&self, principal: &Principal, arguments: &str, price: Money) -> NewCall {
        let now = self.now();
        let quote = Quote {
            principal: principal.clone(),
            tool: "forecast".into(),
            plugin: "weather".into(),
            component: component(),
            arguments: Digest::of(arguments.as_bytes()),
            payment_id_argument: "payment_id".into(),
            confirm_tool: None,
            upfront: false,
            price,
            account: ACCOUNT.into(),
            claim_window_ms: 3_600_000,
            on_failure: Remedy::Refund,
            retries: 0,
            late_window_ms: 0,
            expires_at: now + 600_000,
        };
        let payment = Payment::creating(
            PaymentId::from_random(random()),
            LinkToken::from_random(random()),
            "bank".into(),
        );
        let id = CallId::from_random(random());
        let mut call = Call::quoted(id, quote, "two_step", now, payment);
        let created = PaymentEvent::Created {
            reference: format!("ref-{}", call.payment.id),
            url: None,
        };
        call.apply(&created.into()).unwrap();
        NewCall {
            call,
            arguments: arguments.into(),
            run_spec: "{}".into(),
        }
    }

    /// A call whose payment came with it: reserved, and one claim away from running.
    pub fn draft_with_payment(
        &self,
        payer: &Principal,
        reference: &str,
        arguments: &str,
        price: Money,
    ) -> NewCall {
        let mut new = self.draft_of(payer, arguments, price);
        let call = &mut new.call;
        call.payment.reference = Some(reference.to_owned());
        call.payment.credential = Some(Digest::of(reference.as_bytes()));
        let reserved = call.due();
        call.apply(&PaymentEvent::Authorized { reserved }.into())
            .unwrap();
        new
    }

    /// A call that the caller's balance pays for.
    pub fn draft_from_balance(&self, principal: &Principal, price: Money) -> NewCall {
        let mut new = self.draft(principal);
        let quote = Quote {
            price,
            ..new.call.quote
        };
        let payment =
            Payment::creating(new.call.payment.id, new.call.payment.link, "credit".into());
        let mut call = Call::quoted(new.call.id, quote, "two_step", new.call.created_at, payment);
        call.credit = price.amount;
        call.apply(&PaymentEvent::Covered.into()).unwrap();
        new.call = call;
        new
    }

    /// Opens a fresh call of `principal`.
    pub async fn opened(&self, principal: &Principal) -> Record {
        self.open(self.draft(principal)).await.unwrap().record
    }

    /// Opens a call without caps.
    pub async fn open(&self, new: NewCall) -> Result<Opened, AdvanceError> {
        self.here.open(new, Caps::default()).await
    }

    /// A change by these events, now.
    pub fn change(&self, record: &Record, events: Vec<Event>) -> Change {
        Change {
            call: record.call.id.clone(),
            events,
            outcome: None,
            at: self.now(),
        }
    }

    /// Makes a change that must be legal.
    pub async fn advanced(&self, record: &Record, events: Vec<Event>) -> Record {
        let change = self.change(record, events);
        self.here.advance(change).await.unwrap().record
    }

    /// Pays a call in full.
    pub async fn paid(&self, record: &Record) -> Record {
        let received = record.call.due();
        self.advanced(record, vec![PaymentEvent::Paid { received }.into()])
            .await
    }

    /// The claim of a run, in the name of `owner`.
    pub fn claim(&self, record: &Record, owner: &str) -> Change {
        let at = self.now();
        let claimed = Event::Claimed {
            owner: owner.into(),
            at,
            lease_until: at + 60_000,
            rerun: true,
        };
        Change {
            at,
            ..self.change(record, vec![claimed])
        }
    }

    /// Claims a paid call, runs it, and delivers `text`.
    pub async fn delivered(&self, record: &Record, text: &str) -> Advanced {
        self.delivered_on(&self.here, record, text).await
    }

    /// As [`Desk::delivered`], by another host.
    pub async fn delivered_on(
        &self,
        store: &Arc<dyn Store>,
        record: &Record,
        text: &str,
    ) -> Advanced {
        let claimed = store
            .advance(self.claim(record, "host"))
            .await
            .unwrap()
            .record;
        let epoch = claimed.call.epoch;
        let change = Change {
            outcome: Some(Arc::new(outcome(text))),
            ..self.change(&claimed, vec![Event::Executed { epoch }, Event::Concluded])
        };
        store.advance(change).await.unwrap()
    }

    /// Claims a paid call, has it fail, and makes its caller whole by balance.
    pub async fn credited(&self, record: &Record) -> Record {
        let claimed = self
            .here
            .advance(self.claim(record, "host"))
            .await
            .unwrap()
            .record;
        let failure = Failure {
            kind: "trap".into(),
            message: "it trapped".into(),
        };
        let epoch = claimed.call.epoch;
        let events = vec![
            Event::ToolFailed { epoch, failure },
            Event::CompensationDue {
                cause: coinop_core::call::Cause::ToolFailed,
            },
            Event::CompensationStarted {
                remedy: Remedy::Credit,
                at: self.now(),
            },
            Event::Credited,
        ];
        self.advanced(&claimed, events).await
    }

    /// What `principal` holds in dollars.
    pub async fn credit(&self, principal: &Principal) -> Amount {
        let held = self
            .there
            .credit(principal.clone(), ACCOUNT.into(), usd("1").currency);
        held.await.unwrap()
    }

    /// The call as stored, read by the other host.
    pub async fn stored(&self, record: &Record) -> Record {
        let key = CallKey::Call(record.call.id.clone());
        self.there
            .find(key)
            .await
            .unwrap()
            .expect("the call is stored")
    }
}

/// An outcome that says `text`.
pub fn outcome(text: &str) -> Outcome {
    Outcome {
        content: vec![Content::text(text)],
        ..Outcome::default()
    }
}

fn random() -> [u8; 16] {
    coinop::random::bytes()
}
