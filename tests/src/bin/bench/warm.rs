//! Warm pools, through the real binary: a call in an instance that is kept, beside one in a fresh instance.

use anyhow::{Result, ensure};
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::paths;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::floor::timed;
use crate::guests::{self, Guest};
use crate::rounds::{Effort, Series};
use crate::servers;
use crate::table::{Row, Table};

/// The key that turns a plugin's warm pool on, and its value here: what `coinop new` writes says nothing of being kept.
const WARM: &str = "warm = { instances = 4, calls = 1_000, idle_s = 60, undeclared = true }";

/// Measures a guest of every language, where this host has warm pools.
///
/// # Errors
/// When a host does not start or a guest does not answer.
pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if !runtime.block_on(takes(WARM))? {
        table.miss("calls in warm instances, since the configuration has no key `warm`");
        return Ok(());
    }
    for (guest, file) in guests::built(&mut Table::default()) {
        let home = |rules: &str| {
            let plugin = guest.component;
            let home =
                servers::home_with(&format!("[plugins.{plugin}]\nprice = \"free\"\n{rules}\n"));
            home.put_file(&file, plugin);
            home
        };
        let (fresh, warm) = measure_one(&runtime, &guest, [home(""), home(WARM)], effort)?;
        let what = format!(
            "{}: call, warm instance, p50 µs (floor: fresh)",
            guest.language
        );
        let row = Row::about(&what, "stdio").values(fresh.median(), warm.median());
        table.add(row.ratio(warm.ratio(&fresh)));
    }
    Ok(())
}

/// Whether a plugin may have that key.
async fn takes(rules: &str) -> Result<bool> {
    let home = servers::home_with(&format!("[plugins.echo]\n{rules}\n")).plugin("echo");
    let mut check = home.coinop(&["check"]);
    check.arg("--config").arg(home.path("coinop.toml"));
    check.arg("--state").arg(home.ledger());
    check.arg("--cache").arg(paths::shared_cache());
    let said = check.arg(home.plugin_path("echo")).output().await?;
    let said = [said.stdout, said.stderr].concat();
    Ok(!String::from_utf8_lossy(&said).contains("warm: unknown key"))
}

fn measure_one(
    runtime: &Runtime,
    guest: &Guest,
    homes: [Home; 2],
    effort: Effort,
) -> Result<(Series, Series)> {
    let arguments: Value = serde_json::from_str(guest.arguments)?;
    runtime.block_on(async {
        let clients = [
            homes[0].stdio(Era::Legacy).await,
            homes[1].stdio(Era::Legacy).await,
        ];
        let mut series = (Series::default(), Series::default());
        for _ in 0..effort.rounds {
            for (client, series) in clients.iter().zip([&mut series.0, &mut series.1]) {
                let call = async || {
                    let answer = client.call(guest.tool, arguments.clone()).await;
                    ensure!(
                        answer.0["result"]["isError"] != true,
                        "{} failed",
                        guest.tool
                    );
                    Ok(())
                };
                series.push(timed(effort.time, call).await?);
            }
        }
        Ok(series)
    })
}
