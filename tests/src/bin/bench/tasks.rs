//! What it would cost a synchronous call if every store could carry tasks that wait side by side: the same component, on
//! the engine that it gets and on the one that asynchronous components get.

use anyhow::Result;
use coinop::sandbox::{Sandbox, SandboxSettings};
use coinop_tests::paths;

use crate::floor::{run, timed};
use crate::guests::Guest;
use crate::rounds::{Effort, Series};
use crate::servers;
use crate::table::{Row, Table};

const GUEST: Guest = Guest {
    language: "Rust",
    component: "echo",
    tool: "echo",
    arguments: r#"{"text":"thirty-two bytes, 00000000000000"}"#,
};
/// A section of component types with one, `future`: nothing uses it, but a component that has it needs such an engine.
const NAMES_A_FUTURE: [u8; 5] = [0x07, 0x03, 0x01, 0x65, 0x00];

/// Measures both engines in turns.
///
/// # Errors
/// When the component does not load or does not answer.
pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(both(effort, table))
}

async fn both(effort: Effort, table: &mut Table) -> Result<()> {
    let home = servers::home();
    let sandbox = Sandbox::new(SandboxSettings::new(home.path("sandbox-cache")))?;
    let plain = std::fs::read(paths::guest(GUEST.component))?;
    let mut marked = plain.clone();
    marked.extend(NAMES_A_FUTURE);
    let plain = sandbox.load("plain.wasm", plain.into()).await?;
    let marked = sandbox.load("marked.wasm", marked.into()).await?;
    let (mut without, mut with) = (Series::default(), Series::default());
    for _ in 0..effort.rounds {
        without.push(timed(effort.time, async || run(&plain, &GUEST).await).await?);
        with.push(timed(effort.time, async || run(&marked, &GUEST).await).await?);
    }
    table.add(
        Row::about(
            "fresh Rust instance and call, µs, in a store with room for tasks (bare: without)",
            "in process",
        )
        .values(without.median(), with.median())
        .ratio(with.ratio(&without)),
    );
    Ok(())
}
