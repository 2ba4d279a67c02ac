//! What finished calls in the ledger cost: a pair, a sweeper's round, and forgetting while payments go on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use coinop::clock::{Clock, SystemClock};
use coinop::ledger::{Ledger, TakeDue};

use super::fill::{AGE_DAYS, fill};
use super::store::{Place, Store};
use crate::http_load::HttpSubject;
use crate::load::{Load, Plan};
use crate::rounds::{Effort, Series, median};
use crate::table::{Row, Table};
use crate::work::Work;

/// Between two batches of outcomes that are forgotten: hundreds of times a host's own pace.
const FORGET_PAUSE: Duration = Duration::from_millis(10);
const DAY_MS: i64 = 86_400_000;

/// A host on a ledger.
struct Side {
    place: Place,
    host: HttpSubject,
    ledger: std::sync::Arc<dyn Ledger>,
}

/// What one side gave, a value a round.
#[derive(Default)]
struct Measured {
    p50: Series,
    rate: Series,
    sweep_us: Series,
}

/// An empty ledger and one that grows, in turns, so that a noisy moment hits both.
pub(super) fn measure(store: &Store, effort: Effort, table: &mut Table) -> Result<()> {
    let (mut empty, mut full) = (Side::start(store)?, Side::start(store)?);
    let mut there = 0;
    for &finished in effort.finished {
        eprintln!("filling the ledger to {finished} finished calls");
        let took = fill(store, &full.place, finished - there)?;
        let what = format!("filling from {there} to {finished} calls, s");
        there = finished;
        table.add(Row::about(&what, store.kind.name()).only(took.as_secs_f64()));
        empty.host.hang_up();
        full.host.hang_up();
        let (mut floor, mut ours) = (Measured::default(), Measured::default());
        for _ in 0..effort.rounds {
            empty.round(store, effort.time, &mut floor)?;
            full.round(store, effort.time, &mut ours)?;
        }
        tell(store, finished, &floor, &ours, table);
    }
    retention(store, &mut full, effort, table)
}

impl Side {
    fn start(store: &Store) -> Result<Self> {
        let place = store.place();
        let mut host = super::host(&place.home)?;
        host.run(pairs(16, Duration::from_millis(200)))?;
        let ledger = store.open(&place)?;
        Ok(Self {
            place,
            host,
            ledger,
        })
    }

    fn round(&mut self, store: &Store, time: Duration, measured: &mut Measured) -> Result<()> {
        measured.p50.push(self.host.run(pairs(1, time))?.p50_us());
        measured.rate.push(self.host.run(pairs(16, time))?.rate());
        let (started, mut sweeps) = (Instant::now(), Vec::new());
        while started.elapsed() < time / 2 {
            sweeps.push(self.sweep(store)?);
        }
        measured.sweep_us.push(median(sweeps));
        Ok(())
    }

    /// What a round of the sweeper asks when nothing is due, microseconds.
    fn sweep(&self, store: &Store) -> Result<f64> {
        let now = SystemClock.now();
        let take = TakeDue {
            now: now - DAY_MS,
            until: now,
            accounts: vec!["instant".to_owned()],
            limit: 64,
        };
        let began = Instant::now();
        let due = store.runtime.block_on(self.ledger.take_due(take))?;
        ensure!(due.is_empty(), "finished calls are not due");
        Ok(began.elapsed().as_secs_f64() * 1e6)
    }
}

fn pairs(in_flight: usize, time: Duration) -> Plan {
    Plan {
        work: Work::Pair,
        in_flight,
        time,
    }
}

fn tell(store: &Store, finished: u64, floor: &Measured, ours: &Measured, table: &mut Table) {
    let name = store.kind.name();
    let what = |what: &str| format!("{what}, {finished} finished (floor: 0)");
    table.add(
        Row::new(&what("pair, p50 µs"), name, 1)
            .values(floor.p50.median(), ours.p50.median())
            .at_most(ours.p50.ratio(&floor.p50), 1.1),
    );
    table.add(
        Row::new(&what("pairs/s"), name, 16)
            .values(floor.rate.median(), ours.rate.median())
            .at_least(ours.rate.ratio(&floor.rate), 0.9),
    );
    table.add(
        Row::about(&what("sweep, µs"), name)
            .values(floor.sweep_us.median(), ours.sweep_us.median())
            .ratio(ours.sweep_us.ratio(&floor.sweep_us)),
    );
}

/// Pairs while another process forgets old outcomes, batch after batch, compared with pairs alone.
fn retention(store: &Store, side: &mut Side, effort: Effort, table: &mut Table) -> Result<()> {
    let before = SystemClock.now() - (AGE_DAYS.start - 5) * DAY_MS;
    let (mut alone, mut beside) = (Series::default(), Series::default());
    let mut forgotten = Series::default();
    for _ in 0..effort.rounds {
        alone.push(side.host.run(pairs(16, effort.time))?.p99_us());
        let (load, rate) = while_forgetting(store, side, effort.time, before)?;
        beside.push(load.p99_us());
        forgotten.push(rate);
    }
    let name = store.kind.name();
    table.add(
        Row::new("pair, p99 µs, while forgetting (floor: alone)", name, 16)
            .values(alone.median(), beside.median())
            .ratio(beside.ratio(&alone)),
    );
    table.add(Row::about("  outcomes forgotten a second meanwhile", name).only(forgotten.median()));
    Ok(())
}

fn while_forgetting(
    store: &Store,
    side: &mut Side,
    time: Duration,
    before: i64,
) -> Result<(Load, f64)> {
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let (ledger, host) = (&side.ledger, &mut side.host);
    std::thread::scope(|scope| {
        let forgetting = scope.spawn(|| {
            let began = Instant::now();
            while !stop.load(Ordering::Relaxed) {
                let gone = store.runtime.block_on(ledger.forget(before))?;
                ensure!(gone > 0, "there is nothing left to forget");
                count.fetch_add(gone, Ordering::Relaxed);
                std::thread::sleep(FORGET_PAUSE);
            }
            Ok(count.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64())
        });
        let load = host.run(pairs(16, time));
        stop.store(true, Ordering::Relaxed);
        let rate = forgetting.join().ok().context("forgetting panicked")??;
        Ok((load?, rate))
    })
}
