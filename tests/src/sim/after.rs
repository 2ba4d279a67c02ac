//! After the storm: one healthy host, no faults, and as many days as it takes until nothing is due.

use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::call::{Call, CallState, Event};

use super::host::Host;
use super::operator;
use super::world::World;

/// Rounds of the last host at most: far more than any world needs.
const ROUNDS_MAX: u32 = 20_000;
/// Time between two rounds at least, milliseconds.
const ROUND_MS: Millis = 2_000;
/// How far a healthy host's clock is off at most, milliseconds.
const SKEW_MS_MAX: Millis = 2_000;
/// How long no host is up at most, milliseconds.
const OUTAGE_MS_MAX: Millis = 48 * 3_600_000;
/// After how long nothing may be due any more, milliseconds: what hosts take to give up, and then some.
const PATIENCE_MS: Millis = 10 * 86_400_000;

/// Lets everything come to rest.
pub(crate) async fn come_to_rest(world: &Arc<World>) {
    end_every_host(world);
    if world.dice.chance(300) {
        nobody_is_there(world).await;
    }
    let host = healthy_host(world);
    sweep_until_nothing_is_due(world, &host).await;
    let stuck = look_at_what_is_stuck(world);
    for record in stuck {
        operator::change(world, &record, Event::TakenUp).await;
    }
    sweep_until_nothing_is_due(world, &host).await;
}

fn end_every_host(world: &World) {
    world.weather.clear_up();
    let old = std::mem::take(&mut *world.hosts());
    for host in old.into_iter().flatten() {
        host.life.kill();
    }
}

/// Hours in which no host is up: keys are forgotten, and late money arrives.
async fn nobody_is_there(world: &World) {
    let until = world.time.now() + world.dice.between(1, OUTAGE_MS_MAX);
    world.note(format_args!("no host is up until {until}"));
    world.count("outages");
    while let Some(next) = world.next_late().filter(|next| *next < until) {
        world.time.until(next).await;
        world.make_late_payments();
    }
    world.time.until(until).await;
}

fn healthy_host(world: &Arc<World>) -> Host {
    // A healthy host follows the ledger's clock, if not to the moment.
    let skew_max = world.weather.skew_max.min(SKEW_MS_MAX);
    let skew = world.dice.between(-skew_max, skew_max);
    let host = Host::start(world, "last.0".to_owned(), skew);
    world.hosts().push(Some(host.clone()));
    host
}

async fn sweep_until_nothing_is_due(world: &Arc<World>, host: &Host) {
    let until = world.time.now() + PATIENCE_MS;
    for _ in 0..ROUNDS_MAX {
        let next = [world.ledger.next_due(), world.next_late()];
        let Some(next) = next.into_iter().flatten().min() else {
            return;
        };
        if next > until {
            break;
        }
        // Like the sweeper's own rounds: never one right after the other.
        world
            .time
            .until(next.max(world.time.now() + ROUND_MS))
            .await;
        world.make_late_payments();
        host.gate.sweep_once().await;
    }
    for audited in world.ledger.peek_due() {
        if !waits_for_ever(world, &audited.call) {
            let (id, state) = (&audited.call.id, audited.call.state.name());
            world.broken(format_args!("{id} is {state} and still due after days"));
        }
    }
}

/// Whether a call waits for a refund of which nobody will ever say what became of it: the order stands.
pub(crate) fn waits_for_ever(world: &World, call: &Call) -> bool {
    let terms = world.bank(&call.quote.account).books().terms.clone();
    let untold = !terms.tells_refunds && terms.key_window.is_some();
    untold && call.refund.is_some()
}

/// What only a person can finish must say a reason that the faults explain.
fn look_at_what_is_stuck(world: &World) -> Vec<coinop::ledger::Record> {
    let all = world.ledger.peek_all();
    let stuck = all.into_iter().filter(|record| {
        let CallState::Attention { reason, .. } = &record.call.state else {
            return false;
        };
        world.count("attention");
        if let Some(missing) = unexplained(world, record, reason) {
            let id = &record.call.id;
            world.broken(format_args!("{id} needs a person: {reason}, but {missing}"));
        }
        true
    });
    stuck.collect()
}

/// Why nothing explains that a call is stuck, if so.
fn unexplained(
    world: &World,
    record: &coinop::ledger::Record,
    reason: &str,
) -> Option<&'static str> {
    let call = &record.call;
    let books = world.bank(&call.quote.account).books();
    let entry = call.payment.reference.as_ref();
    let entry = entry.and_then(|reference| books.payments.get(reference));
    let troubles = entry.map_or(0, |entry| entry.refund_troubles);
    if reason.contains("every attempt") {
        // A key that may be forgotten must not be used again, and a bank that says nothing of refunds leaves no other way.
        let untold = !books.terms.tells_refunds && books.terms.key_window.is_some();
        return (troubles < 8 && !untold).then_some("fewer refunds went wrong than it tried");
    }
    if reason.contains("gives no refunds") {
        let able = books.terms.refunds || call.quote.principal.is_known();
        return able.then_some("something could have been done");
    }
    if reason.contains("does not say") {
        return books
            .terms
            .tells_refunds
            .then_some("the provider would have said it");
    }
    Some("no fault lasts for days")
}
