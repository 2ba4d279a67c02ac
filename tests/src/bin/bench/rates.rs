//! Calls a second with few and many in flight: through the real binary over HTTP, through the gate without a transport,
//! and in the sandbox alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use coinop_tests::paths;
use tokio::task::JoinSet;

use crate::floor;
use crate::gate::Shop;
use crate::guests::Guest;
use crate::load::Plan;
use crate::raw::Raw;
use crate::rounds::{Effort, Series};
use crate::servers::{self, Wire};
use crate::table::{Row, Table};
use crate::work::Work;

const IN_FLIGHT: [usize; 3] = [1, 16, 256];
const GUEST: Guest = Guest {
    language: "Rust",
    component: "echo",
    tool: "echo",
    arguments: r#"{"text":"thirty-two bytes, 00000000000000"}"#,
};

/// Measures all three.
///
/// # Errors
/// When a server ends or answers wrongly.
pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    over_http(effort, table)?;
    let runtime = coinop::cli::runtime()?;
    runtime.block_on(in_process(effort, table))
}

fn over_http(effort: Effort, table: &mut Table) -> Result<()> {
    let wire = Wire::HttpJson;
    let home = servers::home_for(wire).plugin("echo");
    let (mut bare, mut coinop) = (servers::bare(wire)?, servers::coinop(&home, wire)?);
    let plan = |work, in_flight| Plan {
        work,
        in_flight,
        time: effort.time,
    };
    for in_flight in IN_FLIGHT {
        let mut rates: [Series; 3] = Default::default();
        for _ in 0..effort.rounds {
            rates[0].push(bare.run(plan(Work::Free, in_flight))?.rate());
            rates[1].push(coinop.run(plan(Work::Free, in_flight))?.rate());
            rates[2].push(coinop.run(plan(Work::Pair, in_flight))?.rate());
        }
        let [floor, free, pairs] = rates;
        let row = |what| Row::new(what, wire.name(), in_flight);
        table.add(
            row("free calls/s (floor: bare server)")
                .values(floor.median(), free.median())
                .ratio(free.ratio(&floor)),
        );
        table.add(row("paid pairs/s").only(pairs.median()));
    }
    Ok(())
}

async fn in_process(effort: Effort, table: &mut Table) -> Result<()> {
    let home = servers::home().plugin(GUEST.component);
    let file = paths::guest(GUEST.component);
    let raw = Arc::new(Raw::load(&file)?);
    let component = floor::load(&file).await?;
    let shop = Arc::new(Shop::open(&home).await?);
    let next = Arc::new(AtomicU64::new(0));
    // One caller's equal calls share a payment.
    let text = move || {
        format!(
            "thirty-two bytes, {:014}",
            next.fetch_add(1, Ordering::Relaxed)
        )
    };
    for in_flight in IN_FLIGHT {
        let mut rates: [Series; 4] = Default::default();
        for _ in 0..effort.rounds {
            let raw = Arc::clone(&raw);
            let floor = move || {
                let raw = Arc::clone(&raw);
                async move { raw.call(GUEST.tool, GUEST.arguments).await }
            };
            let component = Arc::clone(&component);
            let alone = move || {
                let component = Arc::clone(&component);
                async move { floor::run(&component, &GUEST).await }
            };
            let (seller, words) = (Arc::clone(&shop), text.clone());
            let free = move || {
                let (shop, text) = (Arc::clone(&seller), words());
                async move { shop.free(&text).await }
            };
            let (seller, words) = (Arc::clone(&shop), text.clone());
            let pair = move || {
                let (shop, text) = (Arc::clone(&seller), words());
                async move { shop.pair(&text).await }
            };
            rates[0].push(rate(in_flight, effort.time, floor).await?);
            rates[1].push(rate(in_flight, effort.time, alone).await?);
            rates[2].push(rate(in_flight, effort.time, free).await?);
            rates[3].push(rate(in_flight, effort.time, pair).await?);
        }
        let [floor, alone, free, pairs] = rates;
        let row = |what| Row::new(what, "in process", in_flight);
        table.add(
            row("sandbox runs/s (floor: wasmtime)")
                .values(floor.median(), alone.median())
                .ratio(alone.ratio(&floor)),
        );
        table.add(row("free calls/s through the gate").only(free.median()));
        table.add(row("paid pairs/s through the gate").only(pairs.median()));
    }
    Ok(())
}

/// Units a second, so many at a time, each a task.
async fn rate<F>(
    in_flight: usize,
    time: Duration,
    unit: impl Fn() -> F + Clone + Send + 'static,
) -> Result<f64>
where
    F: Future<Output = Result<()>> + Send,
{
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..in_flight {
        let unit = unit.clone();
        workers.spawn(async move {
            let mut units = 0u64;
            while begun.elapsed() < time {
                unit().await?;
                units += 1;
                // Others are in flight, too.
                tokio::task::yield_now().await;
            }
            anyhow::Ok(units)
        });
    }
    let mut units = 0;
    while let Some(worker) = workers.join_next().await {
        units += worker??;
    }
    Ok(units as f64 / begun.elapsed().as_secs_f64())
}
