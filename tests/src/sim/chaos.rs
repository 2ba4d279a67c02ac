//! What befalls hosts: killed between any two messages, stopped past their leases, started anew.

use std::sync::Arc;

use coinop_core::Millis;

use super::client::OPENING_MS;
use super::host::Host;
use super::world::World;

/// Starts the hosts of a world.
pub(crate) fn start_hosts(world: &Arc<World>) {
    let count = world.dice.between(2, 3) as usize;
    for place in 0..count {
        world.hosts().push(None);
        start(world, place, 0);
    }
}

fn start(world: &Arc<World>, place: usize, incarnation: u32) {
    let skew = world
        .dice
        .between(-world.weather.skew_max, world.weather.skew_max);
    let host = Host::start(world, format!("h{place}.{incarnation}"), skew);
    host.gate.start_sweeping();
    let name = &host.life.name;
    world.note(format_args!("{name} starts, {skew} ms off"));
    world.hosts()[place] = Some(host);
}

/// Kills and stops hosts as often as the weather says.
pub(crate) async fn strike(world: Arc<World>) {
    let kills = (0..world.weather.kills).map(|number| kill(Arc::clone(&world), number as u32 + 1));
    let freezes = (0..world.weather.freezes).map(|_| freeze(Arc::clone(&world)));
    futures::future::join(
        futures::future::join_all(kills),
        futures::future::join_all(freezes),
    )
    .await;
}

async fn kill(world: Arc<World>, number: u32) {
    let dice = &world.dice;
    world.time.sleep(dice.between(0, OPENING_MS + 60_000)).await;
    let place = dice.below(world.hosts().len() as u64) as usize;
    let Some(host) = world.hosts()[place].clone() else {
        return;
    };
    host.life.kill_after(dice.between(0, 40));
    let deadline = world.time.now() + dice.between(1, 60_000);
    while !host.life.is_killed() && world.time.now() < deadline {
        world.time.sleep(500).await;
    }
    host.life.kill();
    world.hosts()[place] = None;
    world.time.sleep(dice.between(100, 60_000)).await;
    let free = world.hosts()[place].is_none();
    if free {
        start(&world, place, number);
    }
}

async fn freeze(world: Arc<World>) {
    let dice = &world.dice;
    world.time.sleep(dice.between(0, OPENING_MS + 60_000)).await;
    let host = world.some_host();
    let ms: Millis = match dice.chance(500) {
        true => dice.between(12_000, 120_000),
        false => dice.between(100, 12_000),
    };
    if let Some(host) = host {
        host.life.freeze_after(dice.between(0, 20), ms);
    }
}
