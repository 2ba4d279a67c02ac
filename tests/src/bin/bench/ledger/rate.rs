//! Durable pairs a second with one, two and three hosts on one ledger.

use std::time::Instant;

use anyhow::{Result, anyhow};

use super::store::Store;
use crate::http_load::HttpSubject;
use crate::load::{Load, Plan};
use crate::rounds::{Effort, Series};
use crate::table::{Row, Table};
use crate::work::Work;

/// Hosts at most.
const HOSTS: usize = 3;
/// Pairs under way at a time, over all hosts: they divide by one, two and three.
const IN_FLIGHT: usize = 48;

/// All hosts are up all the time; rounds with one, two and three under load alternate.
pub(super) fn measure(store: &Store, effort: Effort, table: &mut Table) -> Result<()> {
    let place = store.place();
    let mut hosts = Vec::new();
    for _ in 0..HOSTS {
        hosts.push(super::host(&place.home)?);
    }
    load_all(&mut hosts, effort.time.as_millis() as u64 / 4)?;
    let mut rates: [Series; HOSTS] = Default::default();
    let mut commits: [Series; HOSTS] = Default::default();
    let mut p99: [Series; HOSTS] = Default::default();
    for _ in 0..effort.rounds {
        for count in 1..=HOSTS {
            let loaded = load_all(&mut hosts[..count], effort.time.as_millis() as u64)?;
            rates[count - 1].push(loaded.rate);
            commits[count - 1].push(loaded.commits_per_pair);
            p99[count - 1].push(loaded.p99_us);
        }
    }
    for count in 1..=HOSTS {
        let hosts = match count {
            1 => "1 host".to_owned(),
            more => format!("{more} hosts"),
        };
        let row = |what: String| Row::new(&what, store.kind.name(), IN_FLIGHT);
        let (one, these) = (&rates[0], &rates[count - 1]);
        table.add(match count {
            1 => row(format!("durable pairs/s, {hosts}")).only(one.median()),
            _ => row(format!("durable pairs/s, {hosts} (floor: 1)"))
                .values(one.median(), these.median())
                .ratio(these.ratio(one)),
        });
        table.add(row(format!("pair, p99 µs, {hosts}")).only(p99[count - 1].median()));
        table.add(row(format!("commits per pair, {hosts}")).only(commits[count - 1].median()));
    }
    Ok(())
}

struct Loaded {
    rate: f64,
    commits_per_pair: f64,
    p99_us: f64,
}

/// The same load over these hosts at the same time, each from a thread of its own.
fn load_all(hosts: &mut [HttpSubject], ms: u64) -> Result<Loaded> {
    let plan = Plan {
        work: Work::Pair,
        in_flight: IN_FLIGHT / hosts.len(),
        time: std::time::Duration::from_millis(ms),
    };
    let before = commits(hosts);
    let started = Instant::now();
    let loads: Vec<Result<Load>> = std::thread::scope(|scope| {
        let running: Vec<_> = hosts
            .iter_mut()
            .map(|host| scope.spawn(move || host.run(plan)))
            .collect();
        let ended = running.into_iter().map(|thread| thread.join());
        ended
            .map(|load| load.map_err(|_| anyhow!("a load panicked"))?)
            .collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    let loads = loads.into_iter().collect::<Result<Vec<Load>>>()?;
    let pairs: usize = loads.iter().map(Load::units).sum();
    let worst = loads.iter().map(Load::p99_us).fold(0.0, f64::max);
    Ok(Loaded {
        rate: pairs as f64 / seconds,
        commits_per_pair: (commits(hosts) - before) as f64 / pairs as f64,
        p99_us: worst,
    })
}

fn commits(hosts: &[HttpSubject]) -> u64 {
    hosts.iter().filter_map(HttpSubject::commits).sum()
}
