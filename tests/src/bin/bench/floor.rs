//! The sandbox against wasmtime itself: a fresh instance and one call, in this process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use coinop::limits::Limits;
use coinop::sandbox::{Component, Run, Sandbox, SandboxSettings};
use coinop_tests::home::Home;
use coinop_tests::paths;

use crate::raw::Raw;
use crate::rounds::{Effort, Series};
use crate::servers;
use crate::table::{Row, Table};

/// A tool with arguments, and the language for the table.
struct Guest {
    language: &'static str,
    plugin: &'static str,
    tool: &'static str,
    arguments: &'static str,
}

const GUESTS: [Guest; 2] = [
    Guest {
        language: "Rust",
        plugin: "echo",
        tool: "echo",
        arguments: r#"{"text":"thirty-two bytes, 00000000000000"}"#,
    },
    Guest {
        language: "Python",
        plugin: "smart-summary",
        tool: "summarize",
        arguments: r#"{"text":"The cat sat. The dog ran after the cat."}"#,
    },
];

/// Measures both guests, with raw wasmtime and coinop's sandbox in turns.
///
/// # Errors
/// When a guest does not load or does not answer.
pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let home = servers::home();
    for guest in GUESTS {
        runtime.block_on(one(&guest, &home, effort, table))?;
    }
    Ok(())
}

async fn one(guest: &Guest, home: &Home, effort: Effort, table: &mut Table) -> Result<()> {
    let file = paths::guest(guest.plugin);
    let raw = Raw::load(&file)?;
    let component = load(&file, home).await?;
    let (mut floor, mut ours) = (Series::default(), Series::default());
    for _ in 0..effort.rounds {
        floor.push(
            timed(effort.time, async || {
                raw.call(guest.tool, guest.arguments).await
            })
            .await?,
        );
        ours.push(timed(effort.time, async || run(&component, guest).await).await?);
    }
    table.add(
        Row::about(
            &format!("fresh {} instance and call, µs", guest.language),
            "in process",
        )
        .values(floor.median(), ours.median())
        .at_most(ours.ratio(&floor), 1.5),
    );
    Ok(())
}

async fn load(file: &Path, home: &Home) -> Result<Arc<Component>> {
    let sandbox = Sandbox::new(SandboxSettings::new(home.path("sandbox-cache")))?;
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .context("a plugin has a name")?;
    Ok(sandbox.load(name, std::fs::read(file)?.into()).await?)
}

async fn run(component: &Component, guest: &Guest) -> Result<()> {
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
