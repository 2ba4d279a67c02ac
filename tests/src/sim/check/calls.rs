//! Each call: how it ended, what the bank holds for it, how often it ran.

use coinop::ledger::Audited;
use coinop_core::call::{Call, CallState};
use serde_json::Value;

use crate::sim::after::waits_for_ever;
use crate::sim::bank::{Entry, State};
use crate::sim::world::World;
use coinop::ledger::CallKey;
use coinop_core::outcome::Content;

pub(super) fn check(world: &World, audited: &Audited) {
    let call = &audited.record.call;
    let (id, state) = (&call.id, call.state.name());
    world.seen().count_end(state);
    let broken = |what: String| world.broken(format_args!("{id} is {state}: {what}"));
    if !call.state.is_end() && !matches!(call.state, CallState::Attention { .. }) {
        broken("it has not ended".to_owned());
    }
    let starts = world.seen().starts.get(id).copied().unwrap_or(0);
    if starts > call.epoch {
        broken(format!("{starts} starts of {} claims", call.epoch));
    }
    if audited.has_outcome != (call.state == CallState::Deliverable) && !may_keep_outcome(call) {
        broken(format!("has an outcome: {}", audited.has_outcome));
    }
    let books = world.bank(&call.quote.account).books();
    let reference = call.payment.reference.as_ref();
    let entry = reference.and_then(|reference| books.payments.get(reference));
    let wrong = money_at_the_bank(call, entry);
    drop(books);
    if let Some(what) = wrong
        && !waits_for_ever(world, call)
    {
        broken(what);
    }
    check_outcome(world, call);
}

/// An outcome that was stored before the money turned out not to come is kept, and never delivered.
fn may_keep_outcome(call: &Call) -> bool {
    matches!(
        call.state,
        CallState::Withheld
            | CallState::Refunded { .. }
            | CallState::Credited { .. }
            | CallState::Attention { .. }
    )
}

/// How the bank contradicts the end of a call, if it does.
fn money_at_the_bank(call: &Call, entry: Option<&Entry>) -> Option<String> {
    let held = entry.map_or(0, Entry::held);
    let reserved = entry.is_some_and(|entry| entry.state == State::Authorized);
    let wanted = match &call.state {
        CallState::Deliverable => call.due().amount.nanos() - call.payment.refunded.nanos(),
        CallState::Credited { .. } => call.held().nanos(),
        CallState::Attention { .. } => return None,
        _ => 0,
    };
    if reserved {
        return Some(format!("the bank still reserves: {entry:?}"));
    }
    if held != wanted {
        return Some(format!("the bank holds {held}, not {wanted}: {entry:?}"));
    }
    let sent = entry.map_or(0, Entry::refunded);
    let refunded = call.payment.refunded.nanos();
    (sent != refunded).then(|| format!("the bank sent {sent} back, not {refunded}: {entry:?}"))
}

/// What callers hold is what is stored, made under the last claim.
fn check_outcome(world: &World, call: &Call) {
    let held = world.seen().delivered.get(&call.id).cloned();
    if held.is_some() && call.state != CallState::Deliverable {
        let (id, state) = (&call.id, call.state.name());
        world.broken(format_args!("{id} was delivered and is {state}"));
    }
    let stored = world.ledger.peek_delivery(&CallKey::Call(call.id.clone()));
    let Some(stored) = stored else {
        return;
    };
    if let Some(held) = held {
        let same = held.content == stored.outcome.content
            && held.receipt.as_deref() == stored.receipt.as_deref();
        if !same {
            world.broken(format_args!(
                "{} was delivered as {held:?}, and is {stored:?}",
                call.id
            ));
        }
    }
    if let Some(Content::Text { text }) = stored.outcome.content.first() {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        if said["epoch"] != call.epoch || said["call"] != call.id.as_str() {
            let (id, epoch) = (&call.id, call.epoch);
            world.broken(format_args!("{id} in epoch {epoch} has the outcome {text}"));
        }
    }
}
