//! What each hostile behaviour costs somebody else: the latency of a good tool while it goes on, beside that of a quiet host.

#[path = "../../../guests/hostile/src/behaviours.rs"]
mod behaviours;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use behaviours::Behaviour;
use coinop::limits::Limits;
use coinop::sandbox::{Component, Run, RunReport, Sandbox, SandboxSettings};
use coinop_tests::paths;
use tokio::task::JoinSet;

use crate::floor::timed;
use crate::rounds::{Effort, Series};
use crate::servers;
use crate::table::{Row, Table};

/// Hostile runs at a time: more than there are processors to run them on.
const AT_A_TIME: usize = 4;
/// How long they go on before the good tool is looked at.
const LEAD: Duration = Duration::from_millis(20);
/// What another tool's median may become.
const AIM: f64 = 2.0;

/// Measures a good tool beside every hostile behaviour, in turns with a quiet host.
///
/// # Errors
/// When a guest does not load or the good one does not answer.
pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    let runtime = coinop::cli::runtime()?;
    runtime.block_on(every_behaviour(effort, table))
}

async fn every_behaviour(effort: Effort, table: &mut Table) -> Result<()> {
    let home = servers::home();
    let sandbox = Sandbox::new(SandboxSettings::new(home.path("sandbox-cache")))?;
    let load = async |name: &str| -> Result<Arc<Component>> {
        let bytes = std::fs::read(paths::guest(name)).context("a guest")?;
        Ok(sandbox.load(name, bytes.into()).await?)
    };
    let (good, hostile) = (load("echo").await?, load("hostile").await?);
    for behaviour in Behaviour::ALL {
        let (mut quiet, mut beside) = (Series::default(), Series::default());
        // Which threads the hostile runs settle on is chance: the worst round counts.
        for _ in 0..effort.rounds {
            quiet.push(timed(effort.time, async || arrive(&good).await).await?);
            let bad = keep_at(&hostile, *behaviour);
            tokio::time::sleep(LEAD).await;
            beside.push(timed(effort.time, async || arrive(&good).await).await?);
            // Dropped, they stop.
            drop(bad);
        }
        let what = format!("echo beside {AT_A_TIME} × {}, µs", behaviour.name());
        let row = Row::about(&what, "in process").values(quiet.median(), beside.median());
        table.add(row.at_most(beside.worst_ratio(&quiet), AIM));
    }
    Ok(())
}

/// Calls the hostile tool again and again, several at a time, until it is dropped.
fn keep_at(hostile: &Arc<Component>, behaviour: Behaviour) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    for _ in 0..AT_A_TIME {
        let hostile = Arc::clone(hostile);
        calls.spawn(async move {
            loop {
                run(&hostile, behaviour.name(), "{}").await;
                tokio::task::yield_now().await;
            }
        });
    }
    calls
}

/// A call as it arrives at a host: a task that stands in line with all the others.
async fn arrive(good: &Arc<Component>) -> Result<()> {
    let good = Arc::clone(good);
    tokio::spawn(async move { echo(&good).await }).await?
}

async fn echo(good: &Component) -> Result<()> {
    let arguments = r#"{"text":"thirty-two bytes, 00000000000000"}"#;
    let report = run(good, "echo", arguments).await;
    report.result.map(drop).map_err(|error| anyhow!("{error}"))
}

async fn run(component: &Component, tool: &str, arguments: &str) -> RunReport {
    component
        .run(Run {
            tool,
            arguments,
            execution_id: "call",
            caller: None,
            grants: &Default::default(),
            bucket: None,
            limits: &Limits::default(),
            settings: &BTreeMap::new(),
            progress: None,
            share: None,
        })
        .await
}
