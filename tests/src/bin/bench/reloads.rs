//! How soon clients see a plugin that was replaced: from before the file's rename until the new listing is there.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::paths;
use coinop_tests::stream::Stream;

use crate::rounds::{Effort, median};
use crate::servers;
use crate::table::{Row, Table};
use crate::variant;

const CHANGED: &str = "notifications/tools/list_changed";
const PLUGIN: &str = "echo";
/// The tool that only the second version lists.
const NEW_TOOL: &str = "shout";
/// Milliseconds.
const AIM: f64 = 200.0;

/// Which components replace each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contents {
    /// Two that were compiled before.
    Known,
    /// One after another that nobody has seen.
    New,
}

/// Measures reloads with code that is cached and with code that has to be compiled.
///
/// # Errors
/// When the host does not start or does not list what is there.
pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for (contents, what) in [
        (Contents::Known, "component known before"),
        (Contents::New, "component never seen"),
    ] {
        let times = runtime.block_on(times(contents, effort.reloads))?;
        let row = |kind: &str| {
            let what = format!("rename to list_changed and new list, {what}, {kind} ms");
            Row::about(&what, "HTTP, JSON")
        };
        let worst = times.iter().copied().fold(0.0, f64::max);
        table.add(row("median").within(median(times), AIM));
        table.add(row("worst").within(worst, AIM));
    }
    Ok(())
}

async fn times(contents: Contents, count: usize) -> Result<Vec<f64>> {
    let home = servers::home().plugin(PLUGIN).own_cache();
    let host = home.http().await;
    let client = host.client(Era::Modern).await;
    ensure!(
        !lists_new_tool(&client).await,
        "the first version is served"
    );
    let changes = client.list_changes().await;
    changes
        .nth("notifications/subscriptions/acknowledged", 1)
        .await;
    let mut times = Vec::new();
    // Both versions are seen once before it counts.
    for n in 0..count + 2 {
        let version = ["echo-v2", "echo"][n % 2];
        let component = std::fs::read(paths::guest(version))?;
        let mark = match contents {
            Contents::Known => version.to_owned(),
            Contents::New => n.to_string(),
        };
        let begun = replace(&home, &component, &mark)?;
        seen(&client, &changes, n + 1, version == "echo-v2").await?;
        if n >= 2 {
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(times)
}

/// When the rename began.
fn replace(home: &Home, component: &[u8], mark: &str) -> Result<Instant> {
    let ready = home.path("incoming.wasm");
    variant::put(component, mark, &ready)?;
    let place: &Path = &home.plugin_path(PLUGIN);
    let begun = Instant::now();
    std::fs::rename(ready, place)?;
    Ok(begun)
}

/// Waits for the `n`th word of a change, and for the list it was about.
async fn seen(client: &Client, changes: &Stream, n: usize, new_tool: bool) -> Result<()> {
    changes.nth(CHANGED, n).await;
    ensure!(
        lists_new_tool(client).await == new_tool,
        "the list is not the one that was told of"
    );
    Ok(())
}

async fn lists_new_tool(client: &Client) -> bool {
    client.tools().await.iter().any(|tool| tool == NEW_TOOL)
}
