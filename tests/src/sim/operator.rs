//! The operator: blocks a component for a while, orders refunds, and takes stuck calls up again.

use std::sync::Arc;

use coinop::ledger::{Change, Components as _, Ledger as _, Record};
use coinop_core::call::{CallState, Event, RefundOrder, Remedy};
use coinop_core::money::Amount;

use super::client::OPENING_MS;
use super::shop;
use super::world::World;

/// Does something now and then.
pub(crate) async fn operate(world: Arc<World>) {
    let dice = &world.dice;
    for _ in 0..dice.below(4) {
        world.time.sleep(dice.between(0, OPENING_MS)).await;
        match dice.below(3) {
            0 => block(&world).await,
            1 => order_a_refund(&world).await,
            _ => hurry(&world).await,
        }
    }
}

async fn block(world: &World) {
    let components: Vec<_> = shop::components().collect();
    let component = *world.dice.pick(&components);
    world.note(format_args!("{component} is blocked"));
    let now = world.time.now();
    let _ = world.ledger.set_blocked(component, true, now).await;
    world.time.sleep(world.dice.between(1_000, 60_000)).await;
    let _ = world.ledger.set_blocked(component, false, now).await;
    world.note(format_args!("{component} is not blocked any more"));
    world.count("blocks");
}

async fn order_a_refund(world: &World) {
    let delivered = some_call(world, |state| *state == CallState::Deliverable);
    let Some(record) = delivered else {
        return;
    };
    let held = record.call.held();
    let nanos = match world.dice.chance(500) {
        true => held.nanos(),
        false => world.dice.between(1, held.nanos().max(1)),
    };
    let refund = RefundOrder {
        key: record.call.next_refund_key(),
        amount: Amount::from_nanos(nanos),
        reason: "goodwill".to_owned(),
        at: world.time.now(),
    };
    if change(world, &record, Event::RefundOrdered { refund }).await {
        world.count("refund orders");
    }
}

/// Has a call that is owed made good at once, or otherwise than the seller said.
async fn hurry(world: &World) {
    let owed = |state: &CallState| {
        matches!(
            state,
            CallState::CompensationDue { .. } | CallState::Attention { .. }
        )
    };
    if let Some(record) = some_call(world, owed) {
        let remedy = *world.dice.pick(&[Remedy::Refund, Remedy::Credit]);
        let known = record.call.quote.principal.is_known();
        let event = match &record.call.state {
            CallState::Attention { .. } => Event::TakenUp,
            _ if remedy == Remedy::Credit && !known => return,
            _ => Event::RemedyOrdered { remedy },
        };
        if change(world, &record, event).await {
            world.count("remedy orders");
        }
    }
}

fn some_call(world: &World, fits: impl Fn(&CallState) -> bool) -> Option<Record> {
    let all = world.ledger.peek_all();
    let fitting: Vec<Record> = all.into_iter().filter(|r| fits(&r.call.state)).collect();
    match fitting.is_empty() {
        true => None,
        false => Some(world.dice.pick(&fitting).clone()),
    }
}

/// Records what the operator decided. Whether it could be.
pub(crate) async fn change(world: &World, record: &Record, event: Event) -> bool {
    let call = record.call.id.clone();
    world.note(format_args!("operator: {call} {event:?}"));
    let change = Change {
        call,
        events: vec![event],
        outcome: None,
        at: world.time.now(),
    };
    world.ledger.advance(change).await.is_ok()
}
