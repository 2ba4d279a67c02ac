//! Hosts of a simulated world: a gate each, behind ports that may stop answering at any await.

mod ledger_port;
mod life;
mod runner_port;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use coinop::clock::Clock;
use coinop::gate::{Accounts, Gate, Parts};
use coinop_core::Millis;
use futures::future::BoxFuture;

pub(crate) use life::Life;

use super::bank::Line;
use super::world::World;
use ledger_port::LedgerPort;
use runner_port::RunnerPort;

/// A host that is up.
#[derive(Clone)]
pub(crate) struct Host {
    /// Its gate.
    pub gate: Gate,
    /// Whether it lives.
    pub life: Arc<Life>,
}

impl Host {
    /// Starts a host whose clock is off by `skew` milliseconds.
    pub(crate) fn start(world: &Arc<World>, name: String, skew: Millis) -> Self {
        let life = Arc::new(Life::new(world, name, skew));
        let mut accounts = Accounts::new();
        for (name, bank) in &world.banks {
            let line = Line {
                account: name,
                has_rail: bank.books().terms.rail,
                bank: bank.clone(),
                life: Arc::clone(&life),
                world: Arc::clone(world),
            };
            accounts.insert((*name).to_owned(), Arc::new(line));
        }
        let gate = Gate::new(Parts {
            ledger: Arc::new(LedgerPort::new(world, &life)),
            runner: Arc::new(RunnerPort::new(world, &life)),
            accounts,
            clock: Arc::new(HostClock(Arc::clone(&life))),
            pay_base: Arc::new(ArcSwap::from_pointee("http://host.test".into())),
            quote_lifetime: world.habits.quote_lifetime,
            claim_window: world.habits.claim_window,
            retention: Duration::from_secs(90 * 86_400),
            caps: world.habits.caps.clone(),
        });
        let gate = gate.with_random(world.dice.clone());
        Self { gate, life }
    }
}

/// A host's clock: off by its skew, and stopped with the host.
struct HostClock(Arc<Life>);

impl Clock for HostClock {
    fn now(&self) -> Millis {
        self.0.now()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let life = Arc::clone(&self.0);
        let ms = Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX);
        Box::pin(async move {
            life.sleep(ms).await;
        })
    }
}
