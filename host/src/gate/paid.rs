//! Paid tools: quoted on the first call, redeemed by a payment's id afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use coinop_core::arguments::Arguments;
use coinop_core::call::Call;
use coinop_core::ids::{CallId, LinkToken, PaymentId};
use coinop_core::mode::{
    CONFIRM_PAYMENT, CONFIRM_PREFIX, Mode, PAYMENT_ID_ARGUMENT, PAYMENT_ID_ARGUMENT_RENAMED,
};
use coinop_core::money::{Amount, Money};
use coinop_core::payment::{Payment, PaymentEvent};
use coinop_core::peer::Dialog;
use coinop_core::principal::Principal;
use coinop_core::quote::{Mismatch, Presented, Quote};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::drive::{Drive, Purpose};
use super::{CapScope, Capped, Gate, Invocation, Refusal, Reply, Resumption, free};
use crate::catalog::Listing;
use crate::ledger::{AdvanceError, CallKey, Caps, LedgerError, LimitReached, NewCall, Record};
use crate::limits::Limits;
use crate::plugin::Effects;
use crate::provider::{CreatePayment, Provider};
use crate::quarantine::SetAside;
use crate::sandbox::ProgressSink;

/// Attempts at recording a call.
const DRAFTS_MAX: u32 = 4;

/// How a quoted call runs, frozen with the quote and erased with its arguments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RunSpec {
    /// The tool, by the plugin's own name.
    pub(super) tool: String,
    /// What the run may use.
    pub(super) limits: Limits,
    /// The plugin's settings.
    pub(super) settings: Arc<BTreeMap<String, String>>,
    /// Whether a lost run could be repeated when the quote was made.
    pub(super) repeatable: bool,
    /// What the tool says of its effects: grants may have changed since.
    #[serde(default)]
    pub(super) effects: Effects,
    /// What the provider needs to take the money that the caller brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) credential: Option<String>,
}

/// What a caller brings along, whatever it asks for.
pub(super) struct Caller {
    pub(super) principal: Principal,
    pub(super) progress: Option<Arc<dyn ProgressSink>>,
    pub(super) cancel: CancellationToken,
    /// How far the conversation with its client has come.
    pub(super) dialog: Dialog,
    /// The operator's choice for this client, where the tool's mode leaves one.
    pub(super) mode: Option<&'static dyn Mode>,
    /// Whose list of tools an open call changes.
    pub(super) viewer: Option<String>,
}

/// Who pays for a call, and into which account.
pub(super) struct Payer<'a> {
    pub(super) principal: &'a Principal,
    pub(super) account: &'a str,
    pub(super) provider: &'a dyn Provider,
}

impl Gate {
    /// `confirm_<tool>(payment_id)`: runs the stored arguments.
    pub(super) async fn confirm(&self, listing: &Listing, invocation: Invocation) -> Reply {
        let id = match payment_id(&invocation.arguments, PAYMENT_ID_ARGUMENT) {
            Some(id) => id,
            None => return missing_payment_id(),
        };
        let (_, caller) = split(invocation);
        self.redeem(&id, Some(&listing.name), None, caller).await
    }

    /// `confirm_payment(payment_id)`: as [`Gate::confirm`], of whatever tool the payment is for.
    pub(super) async fn confirm_payment(&self, invocation: Invocation) -> Reply {
        let Some(id) = payment_id(&invocation.arguments, PAYMENT_ID_ARGUMENT) else {
            return missing_payment_id();
        };
        let (_, caller) = split(invocation);
        self.redeem(&id, None, None, caller).await
    }

    /// The same call of a tool once more, with what the user answered.
    pub(super) async fn resume(
        &self,
        listing: &Listing,
        resumption: Resumption,
        mut invocation: Invocation,
    ) -> Reply {
        invocation.dialog.answer = Some(resumption.answer);
        invocation.dialog.asked = resumption.asked;
        let (arguments, caller) = split(invocation);
        let arguments = match Arguments::from_map(&arguments) {
            Ok(arguments) => arguments,
            Err(error) => return Reply::Refused(Refusal::InvalidArguments(error.to_string())),
        };
        let id = resumption.payment.as_str();
        self.redeem(id, Some(&listing.name), Some(&arguments), caller)
            .await
    }

    /// The first call of a paid tool: quote it, or show the open payment for the same call.
    pub(super) async fn quote(
        &self,
        listing: &Arc<Listing>,
        invocation: Invocation,
        price: Money,
    ) -> Reply {
        let (arguments, caller) = split(invocation);
        self.quote_for(listing, &arguments, price, caller).await
    }

    /// A call of a tool that takes the payment's id as an argument: with it redeem, without it quote.
    pub(super) async fn quote_or_redeem(
        &self,
        listing: &Arc<Listing>,
        invocation: Invocation,
        price: Money,
    ) -> Reply {
        let (mut arguments, caller) = split(invocation);
        match arguments.remove(&listing.payment_id_argument) {
            None | Some(Value::Null) => self.quote_for(listing, &arguments, price, caller).await,
            Some(Value::String(id)) => match Arguments::from_map(&arguments) {
                Ok(arguments) => {
                    self.redeem(&id, Some(&listing.name), Some(&arguments), caller)
                        .await
                }
                Err(error) => Reply::Refused(Refusal::InvalidArguments(error.to_string())),
            },
            Some(_) => missing_payment_id(),
        }
    }

    /// A name that is not listed any more may still be owed: answers it when the arguments carry a payment of this
    /// principal for it, `None` otherwise.
    pub async fn call_unlisted(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        principal: Principal,
        cancel: CancellationToken,
    ) -> Option<Reply> {
        let mut rest = arguments.clone();
        let id = [PAYMENT_ID_ARGUMENT_RENAMED, PAYMENT_ID_ARGUMENT]
            .iter()
            .find_map(|key| rest.remove(*key))?;
        let id: PaymentId = id.as_str()?.parse().ok()?;
        let record = self
            .parts
            .ledger
            .find(CallKey::Payment(id.clone()))
            .await
            .ok()??;
        let tool = record.call.quote.tool.clone();
        let own = name.strip_prefix(CONFIRM_PREFIX) == Some(&tool);
        let confirms = own || name == CONFIRM_PAYMENT;
        let resubmitted = match confirms {
            true => None,
            false => Some(Arguments::from_map(&rest).ok()?),
        };
        let tool = if confirms { tool } else { name.to_owned() };
        let presented = Presented {
            principal: &principal,
            tool: &tool,
            arguments: resubmitted.as_ref(),
        };
        record.call.quote.admits(&presented).ok()?;
        let caller = Caller {
            principal: principal.clone(),
            progress: None,
            cancel,
            dialog: Dialog::default(),
            mode: None,
            viewer: None,
        };
        Some(
            self.redeem(id.as_str(), Some(&tool), resubmitted.as_ref(), caller)
                .await,
        )
    }

    /// Refuses a new call of a plugin that keeps failing, before anybody pays for it.
    pub(super) fn refused(&self, listing: &Listing) -> Option<Reply> {
        let component = &listing.manifest.digest;
        let aside = self.parts.runner.refuses(component, &listing.plugin)?;
        Some(set_aside(&aside))
    }

    async fn quote_for(
        &self,
        listing: &Arc<Listing>,
        arguments: &Map<String, Value>,
        price: Money,
        caller: Caller,
    ) -> Reply {
        let arguments = match free::checked(listing, arguments) {
            Ok(arguments) => arguments,
            Err(refusal) => return Reply::Refused(refusal),
        };
        let Some(provider) = self.account(&listing.account) else {
            return no_account(&listing.account);
        };
        // An open call that turns out to have ended makes room for a new one, and so does a balance that somebody else
        // has just spent: a few times around.
        for _ in 0..DRAFTS_MAX {
            let credit = match self
                .credit_for(listing, price, &caller, provider.as_ref())
                .await
            {
                Ok(credit) => credit,
                Err(error) => return not_recorded(&error.into()),
            };
            let new = match self.draft(
                listing,
                &arguments,
                price,
                credit,
                &caller,
                provider.as_ref(),
            ) {
                Ok(new) => new,
                Err(error) => {
                    return unavailable(format!("The call cannot be recorded ({error})."));
                }
            };
            // Nothing new is opened for a plugin that keeps failing; what is open already is found, and may be paid.
            let refused = self.refused(listing);
            let caps = match refused {
                Some(_) => Caps {
                    open_max: Some(0),
                    ..Caps::default()
                },
                None => self.caps_of(&new.call),
            };
            let opened = match (self.parts.ledger.open(new, caps).await, refused) {
                (Err(AdvanceError::Limit(_)), Some(refused)) => return refused,
                (opened, _) => opened,
            };
            let opened = match opened {
                Ok(opened) => opened,
                Err(AdvanceError::Limit(limit)) => {
                    return Reply::Refused(capped(limit, price, &caller.principal));
                }
                // Another call was faster to spend it.
                Err(AdvanceError::CreditSpent) => continue,
                Err(AdvanceError::Blocked) => return Reply::Refused(Refusal::Blocked),
                Err(error) => return not_recorded(&error),
            };
            let existing = opened.existing;
            if !existing {
                self.tell_viewers(None, &opened.record.call);
            }
            let mut drive = Drive::new(self, opened.record, Purpose::Ask);
            match existing {
                false => drive.take_for_new(),
                true => drive.come_from(viewer_of(listing, &caller)),
            }
            let reply = drive.reply(&caller).await;
            match reply {
                Reply::Refused(Refusal::Declined | Refusal::Expired) if existing => {}
                reply => return reply,
            }
        }
        unavailable("The payment keeps changing.".to_owned())
    }

    /// The caps on a new call. One that the balance covers makes no link and keeps nobody waiting.
    fn caps_of(&self, call: &Call) -> Caps {
        let caps = self.parts.caps.of(&call.quote.principal);
        match call.due().amount.is_zero() {
            false => caps,
            true => Caps {
                open_max: None,
                links_per_minute_max: None,
                ..caps
            },
        }
    }

    /// What of the price comes from the caller's balance: as much as there is, unless the provider could not charge the
    /// rest.
    async fn credit_for(
        &self,
        listing: &Listing,
        price: Money,
        caller: &Caller,
        provider: &dyn Provider,
    ) -> Result<Amount, LedgerError> {
        if !caller.principal.is_known() {
            return Ok(Amount::ZERO);
        }
        let balance = self.parts.ledger.credit(
            caller.principal.clone(),
            listing.account.clone(),
            price.currency,
        );
        let credit = balance.await?.min(price.amount);
        let rest = Money {
            amount: price.amount.checked_sub(credit).unwrap_or(price.amount),
            ..price
        };
        let chargeable = rest.amount.is_zero() || provider.chargeable(&rest).is_ok();
        Ok(if chargeable { credit } else { Amount::ZERO })
    }

    fn draft(
        &self,
        listing: &Listing,
        arguments: &Arguments,
        price: Money,
        credit: Amount,
        caller: &Caller,
        provider: &dyn Provider,
    ) -> Result<NewCall, serde_json::Error> {
        let payer = Payer {
            principal: &caller.principal,
            account: &listing.account,
            provider,
        };
        let (mut call, spec) = self.quoted(listing, arguments, price, &payer);
        call.viewer = viewer_of(listing, caller).cloned();
        call.credit = credit;
        if call.due().amount.is_zero() {
            // Legal by construction, like the event below.
            call.payment.provider = "credit".to_owned();
            let _ = call.apply(&PaymentEvent::Covered.into());
        } else if let Some(created) = provider.create_offline(&create_payment(&call)) {
            let event = PaymentEvent::Created {
                reference: created.reference,
                url: created.url,
            };
            // Legal by construction: a fresh call is `Quoted` and its payment `Creating`.
            let _ = call.apply(&event.into());
        }
        Ok(NewCall {
            call,
            arguments: arguments.as_json().to_owned(),
            run_spec: serde_json::to_string(&spec)?,
        })
    }

    /// The call as it is offered to `payer`, with how it will run.
    pub(super) fn quoted(
        &self,
        listing: &Listing,
        arguments: &Arguments,
        price: Money,
        payer: &Payer<'_>,
    ) -> (Call, RunSpec) {
        let now = self.parts.clock.now();
        let lifetime = self
            .parts
            .quote_lifetime
            .min(payer.provider.capabilities().lifetime_max);
        let repeatable = listing.repeatable;
        let quote = Quote {
            principal: payer.principal.clone(),
            tool: listing.name.clone(),
            plugin: listing.plugin.clone(),
            component: listing.manifest.digest,
            arguments: arguments.digest(),
            payment_id_argument: listing.payment_id_argument.clone(),
            confirm_tool: listing.confirm_tool(),
            upfront: false,
            price,
            account: payer.account.to_owned(),
            claim_window_ms: self.parts.claim_window.as_millis() as i64,
            on_failure: listing.on_failure,
            retries: if repeatable { listing.retries } else { 0 },
            late_window_ms: payer.provider.capabilities().late_window.as_millis() as i64,
            expires_at: now + lifetime.as_millis() as i64,
        };
        let payment = Payment::creating(
            PaymentId::from_random(self.random.bytes()),
            LinkToken::from_random(self.random.bytes()),
            payer.provider.kind().to_owned(),
        );
        let id = CallId::from_random(self.random.bytes());
        let call = Call::quoted(id, quote, listing.mode.name(), now, payment);
        let spec = RunSpec {
            tool: listing.tool.name.clone(),
            limits: listing.limits,
            settings: listing.settings.clone(),
            repeatable,
            effects: listing.tool.effects,
            credential: None,
        };
        (call, spec)
    }

    pub(super) async fn redeem(
        &self,
        id: &str,
        tool: Option<&str>,
        arguments: Option<&Arguments>,
        caller: Caller,
    ) -> Reply {
        let Ok(id) = id.parse::<PaymentId>() else {
            return Reply::Refused(Refusal::UnknownPayment);
        };
        let record = match self.parts.ledger.find(CallKey::Payment(id)).await {
            Ok(Some(record)) => record,
            Ok(None) => return Reply::Refused(Refusal::UnknownPayment),
            Err(error) => return not_recorded(&error.into()),
        };
        let presented = Presented {
            principal: &caller.principal,
            tool: tool.unwrap_or(&record.call.quote.tool),
            arguments,
        };
        if let Err(mismatch) = record.call.quote.admits(&presented) {
            return Reply::Refused(mismatched(mismatch, &record, arguments));
        }
        Drive::new(self, record, Purpose::Redeem)
            .reply(&caller)
            .await
    }
}

/// Whose list an open call of the tool changes, where it changes any.
fn viewer_of<'a>(listing: &Listing, caller: &'a Caller) -> Option<&'a String> {
    caller.viewer.as_ref().filter(|_| listing.takes_turns())
}

/// What a provider is asked for.
pub(super) fn create_payment(call: &Call) -> CreatePayment {
    CreatePayment {
        key: call.payment.id.clone(),
        link: call.payment.link.clone(),
        price: call.due(),
        description: format!("{} ({})", call.quote.tool, call.quote.plugin),
        expires_at: call.quote.expires_at,
    }
}

pub(super) fn capped(limit: LimitReached, price: Money, principal: &Principal) -> Refusal {
    let scope = match principal.is_known() {
        true => CapScope::Caller,
        false => CapScope::Anonymous,
    };
    Refusal::Limit(Box::new(Capped {
        limit,
        price,
        scope,
    }))
}

fn mismatched(mismatch: Mismatch, record: &Record, sent: Option<&Arguments>) -> Refusal {
    match mismatch {
        Mismatch::Principal => Refusal::UnknownPayment,
        Mismatch::Tool => Refusal::OtherTool {
            paid_for: record.call.quote.tool.clone(),
        },
        Mismatch::Arguments => {
            let fields = match (&record.arguments, sent) {
                (Some(paid), Some(sent)) => Arguments::stored(paid.clone()).differing_fields(sent),
                // The arguments were erased when the call ended; their digest still tells that they differ.
                _ => vec!["the arguments".to_owned()],
            };
            Refusal::OtherArguments { fields }
        }
    }
}

pub(super) fn split(invocation: Invocation) -> (Map<String, Value>, Caller) {
    let caller = Caller {
        principal: invocation.principal,
        progress: invocation.progress,
        cancel: invocation.cancel,
        dialog: invocation.dialog,
        mode: invocation.mode,
        viewer: invocation.viewer,
    };
    (invocation.arguments, caller)
}

fn payment_id(arguments: &Map<String, Value>, name: &str) -> Option<String> {
    arguments.get(name)?.as_str().map(str::to_owned)
}

fn missing_payment_id() -> Reply {
    let message =
        format!("{PAYMENT_ID_ARGUMENT}: the payment's id, a string such as \"pay_…\", is required");
    Reply::Refused(Refusal::InvalidArguments(message))
}

pub(super) fn no_account(name: &str) -> Reply {
    unavailable(format!(
        "The payment account {name:?} is not configured on this host."
    ))
}

pub(super) fn not_recorded(error: &AdvanceError) -> Reply {
    tracing::error!(%error, "the ledger did not answer");
    unavailable("The host's ledger is not available.".to_owned())
}

/// No, because the plugin keeps failing.
pub(super) fn set_aside(aside: &SetAside) -> Reply {
    Reply::Refused(Refusal::Unavailable {
        message: format!(
            "The plugin {} keeps failing, so it is not called for the moment.",
            aside.plugin
        ),
        retry_after_s: aside.retry_after_s,
    })
}

pub(super) fn unavailable(message: String) -> Reply {
    Reply::Refused(Refusal::Unavailable {
        message,
        retry_after_s: coinop_core::mode::RETRY_AFTER_S,
    })
}
