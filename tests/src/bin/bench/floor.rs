//! The sandbox against wasmtime itself, in this process: loading a component, a fresh instance and one call.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use coinop::limits::Limits;
use coinop::sandbox::{Component, Run, Sandbox, SandboxSettings};
use coinop_tests::paths;

use crate::guests::{self, Guest};
use crate::raw::{Code, Raw, Workshop};
use crate::rounds::{Effort, Series};
use crate::table::{Row, Table};

/// How far above wasmtime's own time coinop's may be.
const AIM: f64 = 1.5;
/// No further load of a guest begins after so long: big ones take seconds to compile.
const LOADS_TIME: Duration = Duration::from_secs(20);

/// Measures a guest of every language, with raw wasmtime and coinop's sandbox in turns.
///
/// # Errors
/// When a guest does not load or does not answer.
pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    for (guest, file) in guests::built(table) {
        eprintln!("measuring {}", guest.language);
        let measured = runtime.block_on(one(&guest, &file, effort, table));
        measured.with_context(|| format!("measuring {}", guest.component))?;
    }
    Ok(())
}

async fn one(guest: &Guest, file: &Path, effort: Effort, table: &mut Table) -> Result<()> {
    let workshop = Workshop::open()?;
    let code = workshop.compile_to_file(&std::fs::read(file)?)?;
    calls(guest, file, &workshop.map(&code)?, effort, table).await?;
    loads(guest, file, (&workshop, &code), effort, table).await
}

async fn calls(
    guest: &Guest,
    file: &Path,
    raw: &Raw,
    effort: Effort,
    table: &mut Table,
) -> Result<()> {
    let component = load(file).await?;
    let mut kept = raw.instance().await?;
    let (mut floor, mut ours, mut again) =
        (Series::default(), Series::default(), Series::default());
    for _ in 0..effort.rounds {
        floor.push(
            timed(effort.time, async || {
                raw.call(guest.tool, guest.arguments).await
            })
            .await?,
        );
        ours.push(timed(effort.time, async || run(&component, guest).await).await?);
        let begun = Instant::now();
        let mut times = Vec::new();
        while begun.elapsed() < effort.time / 4 {
            let called = Instant::now();
            kept.call(guest.tool, guest.arguments).await?;
            times.push(called.elapsed().as_secs_f64() * 1e6);
        }
        again.push(crate::rounds::median(times));
    }
    let row = |what: &str| Row::about(&format!("{}: {what}", guest.language), "in process");
    table.add(
        row("fresh instance and call, µs")
            .values(floor.median(), ours.median())
            .at_most(ours.ratio(&floor), AIM),
    );
    table.add(row("call of an instance kept, µs").floor(again.median()));
    Ok(())
}

/// From the component's bytes with nothing compiled before, and from compiled code in a file.
async fn loads(
    guest: &Guest,
    file: &Path,
    (workshop, code): (&Workshop, &Code),
    effort: Effort,
    table: &mut Table,
) -> Result<()> {
    let language = guest.language;
    let bytes: Arc<[u8]> = std::fs::read(file)?.into();
    let mut source = (Series::default(), Series::default());
    let mut cached = (Series::default(), Series::default());
    let begun = Instant::now();
    for round in 0..effort.loads {
        if round > 0 && begun.elapsed() > LOADS_TIME {
            break;
        }
        let cache = tempfile::tempdir()?;
        let sandbox = Sandbox::new(SandboxSettings::new(cache.path().join("cache")))?;
        let load = async || Ok(sandbox.load(language, Arc::clone(&bytes)).await?);
        source
            .0
            .push(milliseconds(async || workshop.compile(&bytes)).await?);
        source.1.push(milliseconds(load).await?);
        cached
            .0
            .push(milliseconds(async || workshop.map(code)).await?);
        cached.1.push(milliseconds(load).await?);
    }
    let row = |what: &str| Row::about(&format!("{language}: {what}"), "in process");
    for (what, (floor, ours)) in [
        ("load from source bytes, ms", source),
        ("load from the cache, ms", cached),
    ] {
        let row = row(what).values(floor.median(), ours.median());
        table.add(row.ratio(ours.ratio(&floor)));
    }
    Ok(())
}

async fn milliseconds<T>(work: impl AsyncFnOnce() -> Result<T>) -> Result<f64> {
    let begun = Instant::now();
    let made = work().await?;
    let took = begun.elapsed().as_secs_f64() * 1e3;
    drop(made);
    Ok(took)
}

/// Loads a component in a sandbox of its own, compiled before where the tests did.
///
/// # Errors
/// When it does not load.
pub(crate) async fn load(file: &Path) -> Result<Arc<Component>> {
    let sandbox = Sandbox::new(SandboxSettings::new(paths::shared_cache()))?;
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .context("a plugin has a name")?;
    Ok(sandbox.load(name, std::fs::read(file)?.into()).await?)
}

/// One call in a fresh instance.
///
/// # Errors
/// When the guest does not answer.
pub(crate) async fn run(component: &Component, guest: &Guest) -> Result<()> {
    let report = component
        .run(Run {
            tool: guest.tool,
            arguments: guest.arguments,
            execution_id: "call",
            caller: None,
            grants: &Default::default(),
            bucket: None,
            limits: &Limits::default(),
            settings: &BTreeMap::new(),
            progress: None,
            share: None,
        })
        .await;
    let outcome = report.result.map_err(|error| anyhow!("{error}"))?;
    outcome
        .content
        .first()
        .context("the guest answered nothing")?;
    Ok(())
}

/// The median time of `call`, microseconds.
pub(crate) async fn timed(time: Duration, call: impl AsyncFn() -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    let mut times = Vec::new();
    while started.elapsed() < time {
        let begun = Instant::now();
        call().await?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(crate::rounds::median(times))
}
