//! What a change of a call writes, decided from the call as stored: the same in every store.
//!
//! A store reads the call under its lock, asks [`Transition::of`], and writes what it says in the same transaction.

use coinop_core::Millis;
use coinop_core::call::{Call, CallState, Event};
use coinop_core::digest::Digest;
use coinop_core::entry::{Entry, entries};
use coinop_core::money::{Amount, Currency, Money};
use coinop_core::payment::PaymentState;
use coinop_core::principal::Principal;
use coinop_core::step::due_at;

use super::{AdvanceError, Change, LimitReached, NewCall, Record};
use crate::ledger::Caps;

const MINUTE_MS: Millis = 60_000;
const DAY_MS: Millis = 86_400_000;

/// How long after its delivery a call that the balance covered is what its caller means by asking for the same again,
/// milliseconds: about what clients wait before they give up on an answer and ask anew.
pub const GIVEN_AGAIN_MS: Millis = 60_000;

/// What one change writes.
pub struct Transition {
    /// The call afterwards.
    pub record: Record,
    /// Its entries: they sum to zero in each currency.
    pub entries: Vec<Entry>,
    /// What it does to the principal's balance with the account.
    pub credit: Vec<Money>,
    /// What it does to what counts as spent on the day of the call.
    pub spent: Amount,
    /// Whether a receipt is due: the call has become deliverable.
    pub delivers: bool,
}

impl Transition {
    /// Decides what `change` writes over `stored`.
    ///
    /// # Errors
    /// [`AdvanceError::Illegal`] with the call as stored.
    pub fn of(stored: Record, change: &Change) -> Result<Self, AdvanceError> {
        let before = stored.call.clone();
        let mut record = stored;
        let mut all = Vec::new();
        for event in &change.events {
            let last = record.call.clone();
            if let Err(error) = record.call.apply(event) {
                record.call = before;
                let record = Box::new(record);
                return Err(AdvanceError::Illegal { error, record });
            }
            all.extend(entries(Some(&last), &record.call));
        }
        if erases(&record.call) {
            record.arguments = None;
            record.run_spec = None;
        }
        record.updated_at = change.at;
        record.version += 1;
        let delivered = |call: &Call| call.state == CallState::Deliverable;
        Ok(Self {
            credit: credited(&all),
            spent: difference(counted(&record.call), counted(&before)),
            delivers: delivered(&record.call) && !delivered(&before),
            entries: all,
            record,
        })
    }

    /// What the recording of a new call writes.
    pub fn opening(call: &Call) -> (Vec<Entry>, Vec<Money>, Amount) {
        let entries = entries(None, call);
        let credit = credited(&entries);
        (entries, credit, counted(call))
    }

    /// When a host should look at the call afterwards.
    pub fn due_at(&self) -> Option<Millis> {
        due_at(&self.record.call, self.record.updated_at)
    }
}

/// Whether nothing can make the call run any more.
fn erases(call: &Call) -> bool {
    call.state.is_end()
}

/// What entries do to the principal's balance: an account of ours that grows on the credit side.
fn credited(entries: &[Entry]) -> Vec<Money> {
    let of_credit = entries
        .iter()
        .filter(|entry| entry.book == coinop_core::entry::Book::Credit);
    of_credit
        .map(|entry| Money {
            amount: entry.amount.checked_neg().unwrap_or(Amount::ZERO),
            currency: entry.currency,
        })
        .collect()
}

/// What of the call counts as spent: its price, unless it ended unpaid or its caller was made whole.
pub fn counted(call: &Call) -> Amount {
    match call.state {
        // Nobody in particular has no day of their own.
        _ if !call.quote.principal.is_known() => Amount::ZERO,
        CallState::Declined
        | CallState::Expired
        | CallState::Withheld
        | CallState::Refunded { .. }
        | CallState::Credited { .. } => Amount::ZERO,
        _ => call.quote.price.amount,
    }
}

fn difference(after: Amount, before: Amount) -> Amount {
    after.checked_sub(before).unwrap_or(Amount::ZERO)
}

/// The day (UTC) on which a call counts, in days since the Unix epoch.
pub fn day_of(at: Millis) -> i64 {
    at.div_euclid(DAY_MS)
}

/// What a store knows of a principal when a call is to be opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Payments that wait for their payer: how many (counted up to the cap), and when the first of them ends.
    pub open: (u32, Millis),
    /// Links made within the last minute: how many (counted up to the cap), and when the oldest was made.
    pub links: (u32, Millis),
    /// What counts as spent today in the price's currency.
    pub spent_today: Amount,
}

/// Where the last minute begins.
pub fn minute_before(now: Millis) -> Millis {
    now - MINUTE_MS
}

/// Whether a call of `price` at `now` is within `caps`.
///
/// # Errors
/// Which cap, and when it frees.
pub fn within(caps: &Caps, price: Money, usage: &Usage, now: Millis) -> Result<(), LimitReached> {
    if let Some(max) = cap_in(&caps.per_call_max, price.currency)
        && price.amount > max.amount
    {
        return Err(LimitReached::PerCall { max });
    }
    if let Some(max) = caps.open_max
        && usage.open.0 >= max
    {
        // One that has expired and that nobody has looked at yet is about to be.
        let frees_at = usage.open.1.max(now);
        return Err(LimitReached::Open { max, frees_at });
    }
    if let Some(max) = caps.links_per_minute_max
        && usage.links.0 >= max
    {
        let frees_at = usage.links.1 + MINUTE_MS;
        return Err(LimitReached::Links { max, frees_at });
    }
    if let Some(max) = cap_in(&caps.per_day_max, price.currency) {
        let total = usage.spent_today.checked_add(price.amount);
        if total.is_none_or(|total| total > max.amount) {
            let spent = Money {
                amount: usage.spent_today,
                ..price
            };
            let frees_at = (day_of(now) + 1) * DAY_MS;
            return Err(LimitReached::PerDay {
                max,
                spent,
                frees_at,
            });
        }
    }
    Ok(())
}

/// The cap in a currency.
pub fn cap_in(caps: &[Money], currency: Currency) -> Option<Money> {
    caps.iter().copied().find(|cap| cap.currency == currency)
}

impl Change {
    /// The change as seen by a store whose time is `now`: every time in it is moved by as much.
    #[must_use]
    pub fn at_time(mut self, now: Millis) -> Self {
        let shift = now - self.at;
        self.at = now;
        for event in &mut self.events {
            match event {
                Event::Claimed {
                    at, lease_until, ..
                } => {
                    *at += shift;
                    *lease_until += shift;
                }
                Event::RunLost { at, .. } | Event::CompensationStarted { at, .. } => *at += shift,
                Event::RefundOrdered { refund } => refund.at += shift,
                _ => {}
            }
        }
        self
    }
}

impl NewCall {
    /// The call as seen by a store whose time is `now`: every time in it is moved by as much.
    #[must_use]
    pub fn at_time(mut self, now: Millis) -> Self {
        let shift = now - self.call.created_at;
        self.call.created_at = now;
        self.call.quote.expires_at += shift;
        self
    }
}

/// The word of a payment's state in the store.
pub fn payment_state(state: PaymentState) -> String {
    // The serde name without its quotes: one word for both.
    serde_json::to_string(&state)
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned()
}

/// The text by which a store knows a principal: unambiguous, whatever its parts hold.
pub fn principal_key(principal: &Principal) -> String {
    serde_json::to_string(principal).unwrap_or_default()
}

/// What makes two open calls the same: a known principal's same tool, component, arguments, price and account; and of
/// anonymous callers' those of one viewer, who is one session. `None` for other anonymous callers and for calls that came
/// with their payment, which never share, and for calls that are no longer open; one that
/// [is given again](is_given_again) keeps its key until the next such call needs it.
pub fn open_key(call: &Call) -> Option<String> {
    let quote = &call.quote;
    let viewer = match quote.principal.is_known() {
        true => None,
        false => Some(call.viewer.as_deref()?),
    };
    let came_paid = call.payment.credential.is_some();
    if came_paid || !(call.state.is_open() || is_given_again(call)) {
        return None;
    }
    let parts = (
        &quote.principal,
        &quote.tool,
        quote.component,
        quote.arguments,
        quote.price,
        &quote.account,
    );
    let bytes = match viewer {
        None => serde_json::to_vec(&parts),
        Some(viewer) => serde_json::to_vec(&(parts, viewer)),
    };
    bytes.ok().map(|bytes| Digest::of(&bytes).to_string())
}

/// Whose list of tools the call changes, `None` once it is no longer open.
pub fn open_viewer(call: &Call) -> Option<&str> {
    call.viewer.as_deref().filter(|_| call.state.is_open())
}

/// Whether a call is given once more to a caller that asks for the same: the balance covered it, so its caller was never
/// asked to pay, knows no payment's id to come back with when the answer is lost, and would be charged twice.
fn is_given_again(call: &Call) -> bool {
    call.payment.credential.is_none()
        && call.state == CallState::Deliverable
        && call.payment.state == PaymentState::Paid
        && call.due().amount.is_zero()
}

/// By what a call is found again where its caller brought the payment: its reference, whichever account took it, since two
/// accounts may take the same transfer. A payment that is presented to two hosts at once is one call, the one that was
/// recorded first.
pub fn brought(call: &Call) -> Option<&str> {
    call.payment.credential?;
    call.payment.reference.as_deref()
}

/// What the payer of a call that came with its payment calls the purchase, for as long as that may have taken money: a
/// second payment under the same name finds the first.
pub fn named(call: &Call) -> Option<String> {
    call.payment.credential?;
    let identifier = call.payment.identifier.as_deref()?;
    let principal = &call.quote.principal;
    let stands = principal.is_known() && call.state != CallState::Withheld;
    stands.then(|| format!("{identifier} {}", principal_key(principal)))
}

/// Whether the money of a new call is here already, by whatever way its payer had. It is recorded even where nothing may
/// run: what is not recorded cannot be owed.
pub fn is_paid_for(call: &Call) -> bool {
    call.payment.state == PaymentState::Paid && call.payment.received.is_some()
}

/// Whether a call found under its key is, at `now`, still what asking for the same means.
pub fn is_meant(found: &Record, now: Millis) -> bool {
    !is_given_again(&found.call) || now.saturating_sub(found.updated_at) < GIVEN_AGAIN_MS
}
