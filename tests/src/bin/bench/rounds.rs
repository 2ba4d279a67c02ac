//! Loads in alternating rounds: the bare server and coinop side by side, so that a noisy moment hits both.

use std::time::Duration;

use anyhow::Result;

use crate::disk;
use crate::load::{Load, Plan, Subject};
use crate::servers::{self, Wire};
use crate::table::{Row, Table};
use crate::work::Work;

/// How thorough to be.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Rounds of every load.
    pub(crate) rounds: usize,
    /// Time of one load.
    pub(crate) time: Duration,
    /// Starts of each server for the cold start.
    pub(crate) starts: usize,
    /// Calls after which memory is read again.
    pub(crate) calls: usize,
    /// Finished calls in a ledger that has grown, one size after the other.
    pub(crate) finished: &'static [u64],
    /// Loads of each guest.
    pub(crate) loads: usize,
    /// Plugins in one host, one number after the other.
    pub(crate) plugins: &'static [usize],
    /// Replacements of a plugin.
    pub(crate) reloads: usize,
}

/// Values of one quantity, a round each.
#[derive(Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    /// Adds a round's value.
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The middle value.
    pub(crate) fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// The median of the ratios within a round.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        median(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(one, other)| one / other)
                .collect(),
        )
    }
}

impl Series {
    /// The largest of the ratios within a round.
    pub(crate) fn worst_ratio(&self, other: &Self) -> f64 {
        let rounds = self.0.iter().zip(&other.0);
        rounds.map(|(one, other)| one / other).fold(0.0, f64::max)
    }
}

/// The middle value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[derive(Default)]
struct Measured {
    bare_p50: Series,
    bare_rate: Series,
    free_p50: Series,
    free_rate: Series,
    bare_cpu: Series,
    free_cpu: Series,
    unpaid_p50: Series,
    unpaid_rate: Series,
    /// With 1, 16 and 64 in flight.
    pair_rate: [Series; 3],
    pair_p50: [Series; 3],
    commits: [Series; 3],
}

const IN_FLIGHT: [usize; 3] = [1, 16, 64];

/// Measures one transport and adds its rows.
///
/// # Errors
/// When a server ends or answers wrongly.
pub(crate) fn measure(wire: Wire, effort: Effort, table: &mut Table) -> Result<()> {
    let home = servers::home_for(wire).plugin("echo");
    let (mut bare, mut coinop) = (servers::bare(wire)?, servers::coinop(&home, wire)?);
    let mut measured = Measured::default();
    // The first loads warm both up.
    for subject in [&mut bare, &mut coinop] {
        subject.run(plan(Work::Free, 16, effort.time / 4))?;
    }
    for _ in 0..effort.rounds {
        measured.round(&mut bare, &mut coinop, effort.time)?;
    }
    measured.tell(wire, table);
    if wire == Wire::Stdio {
        disk::measure(&home, table)?;
    }
    Ok(())
}

fn plan(work: Work, in_flight: usize, time: Duration) -> Plan {
    Plan {
        work,
        in_flight,
        time,
    }
}

impl Measured {
    fn round(&mut self, bare: &mut Subject, coinop: &mut Subject, time: Duration) -> Result<()> {
        let load = bare.run(plan(Work::Free, 1, time))?;
        self.bare_p50.push(load.p50_us());
        self.free_p50
            .0
            .push(coinop.run(plan(Work::Free, 1, time))?.p50_us());
        let load = bare.run(plan(Work::Free, 16, time))?;
        self.bare_rate.push(load.rate());
        self.bare_cpu.push(load.cpu_us());
        let load = coinop.run(plan(Work::Free, 16, time))?;
        self.free_rate.push(load.rate());
        self.free_cpu.push(load.cpu_us());
        self.unpaid_p50
            .0
            .push(coinop.run(plan(Work::Unpaid, 1, time))?.p50_us());
        self.unpaid_rate
            .0
            .push(coinop.run(plan(Work::Unpaid, 16, time))?.rate());
        for (n, in_flight) in IN_FLIGHT.into_iter().enumerate() {
            let before = commits(coinop);
            let load = coinop.run(plan(Work::Pair, in_flight, time))?;
            self.pair_rate[n].push(load.rate());
            self.pair_p50[n].push(load.p50_us());
            self.commits[n]
                .0
                .extend(commits_per_unit(before, commits(coinop), &load));
        }
        Ok(())
    }

    fn tell(&self, wire: Wire, table: &mut Table) {
        let wire = wire.name();
        let row = |what: &str, in_flight| Row::new(what, wire, in_flight);
        table.add(
            row("free call, p50 µs", 1)
                .values(self.bare_p50.median(), self.free_p50.median())
                .at_most(self.free_p50.ratio(&self.bare_p50), 1.3),
        );
        table.add(
            row("free call, calls/s", 16)
                .values(self.bare_rate.median(), self.free_rate.median())
                .at_least(self.free_rate.ratio(&self.bare_rate), 0.8),
        );
        table.add(
            row("free call, CPU µs", 16)
                .values(self.bare_cpu.median(), self.free_cpu.median())
                .ratio(self.free_cpu.ratio(&self.bare_cpu)),
        );
        table.add(
            row("unpaid answer, p50 µs", 1)
                .values(self.bare_p50.median(), self.unpaid_p50.median())
                .ratio(self.unpaid_p50.ratio(&self.bare_p50)),
        );
        table.add(
            row("unpaid answer, calls/s", 16)
                .values(self.bare_rate.median(), self.unpaid_rate.median())
                .ratio(self.unpaid_rate.ratio(&self.bare_rate)),
        );
        let half = Series(self.bare_rate.0.iter().map(|rate| rate / 2.0).collect());
        for (n, in_flight) in IN_FLIGHT.into_iter().enumerate() {
            let pairs = row("pair, pairs/s (bare: half its calls/s)", in_flight)
                .values(half.median(), self.pair_rate[n].median());
            let ratio = self.pair_rate[n].ratio(&half);
            table.add(if in_flight == 16 {
                pairs.at_least(ratio, 0.4)
            } else {
                pairs.ratio(ratio)
            });
            table.add(row("pair, p50 µs", in_flight).only(self.pair_p50[n].median()));
            if !self.commits[n].0.is_empty() {
                table.add(row("commits per pair", in_flight).only(self.commits[n].median()));
            }
        }
    }
}

fn commits(subject: &Subject) -> Option<u64> {
    match subject {
        Subject::Http(subject) => subject.commits(),
        Subject::Stdio(_) => None,
    }
}

fn commits_per_unit(before: Option<u64>, after: Option<u64>, load: &Load) -> Option<f64> {
    Some((after? - before?) as f64 / load.units() as f64)
}
