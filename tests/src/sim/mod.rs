//! A deterministic simulation of core, gate and ledger: hosts, banks, callers and time in one thread, and every fault
//! that a seed says.
//!
//! The same seed gives the same world, event for event: [`Run::hash`] tells.

mod after;
mod bank;
mod chaos;
mod check;
mod client;
mod dice;
mod host;
mod operator;
mod shop;
mod sweep;
mod timeline;
mod trace;
mod weather;
mod witness;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use client::Purchase;
pub use sweep::{Sweep, Swept, account_of};
use timeline::Timeline;
use world::World;

/// What became of one seed.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// A hash of everything that happened, in order.
    pub hash: u64,
    /// The promises that were broken.
    pub broken: Vec<String>,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u32>,
    /// Everything that happened, where it was kept.
    pub trace: Vec<String>,
}

/// Runs the world of a seed; `keep` the text of its trace?
pub fn run(seed: u64, keep: bool) -> Run {
    Timeline::run(|time| async move {
        let world = World::new(time, seed, keep).await;
        live(&world).await;
        after::come_to_rest(&world).await;
        check::check(&world).await;
        // Hosts hold the world that holds them.
        world.hosts().clear();
        let seen = std::mem::take(&mut *world.seen());
        Run {
            seed,
            hash: world.trace.hash(),
            broken: seen.broken,
            counts: seen.counts,
            trace: world.trace.lines(),
        }
    })
}

async fn live(world: &Arc<World>) {
    chaos::start_hosts(world);
    let purchases = 1 + world.dice.below(8);
    let buying = (0..purchases).map(|number| tokio::spawn(Purchase::new(world, number).make()));
    let others = [
        tokio::spawn(chaos::strike(Arc::clone(world))),
        tokio::spawn(operator::operate(Arc::clone(world))),
    ];
    for task in buying.collect::<Vec<_>>().into_iter().chain(others) {
        if let Err(error) = task.await {
            world.broken(format_args!("a task of the simulation failed: {error}"));
        }
    }
}
