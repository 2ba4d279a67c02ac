//! What a process costs: its start and its memory.

use anyhow::Result;
use coinop_tests::home::Home;

use crate::load::Plan;
use crate::rounds::{Effort, median};
use crate::servers;
use crate::stdio_load::StdioSubject;
use crate::table::{Row, Table};
use crate::work::Work;

/// From before the spawn to the answer to `initialize`, with the shipped plugins compiled before.
///
/// # Errors
/// When a server does not start.
pub(crate) fn cold_start(effort: Effort, table: &mut Table) -> Result<()> {
    let home = servers::home().plugin("weather").plugin("smart-summary");
    compile(&home)?;
    let (mut bare, mut coinop, mut more) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.starts {
        let floor = servers::bare_on_stdio()?.1.as_secs_f64() * 1e3;
        let ours = servers::coinop_on_stdio(&home)?.1.as_secs_f64() * 1e3;
        bare.push(floor);
        coinop.push(ours);
        more.push(ours - floor);
    }
    table.add(Row::about("spawn to initialize, ms", "stdio").values(median(bare), median(coinop)));
    table.add(Row::about("  ms more than bare (aim: 15)", "stdio").only(median(more)));
    Ok(())
}

/// Starts once and waits until the list holds the slowest plugin's tool, so that its code is cached.
fn compile(home: &Home) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = home.stdio(coinop_tests::era::Era::Legacy).await;
        coinop_tests::wait::until("the plugins to compile", async || {
            client
                .tools()
                .await
                .contains(&"summarize".to_owned())
                .then_some(())
        })
        .await;
    });
    Ok(())
}

/// Resident memory after the first thousand calls and after many.
///
/// # Errors
/// When a server ends or answers wrongly.
pub(crate) fn memory(effort: Effort, table: &mut Table) -> Result<()> {
    let home = servers::home().plugin("echo");
    let mut subjects = [
        servers::bare_on_stdio()?.0,
        servers::coinop_on_stdio(&home)?.0,
    ];
    let mut first = Vec::new();
    let mut last = Vec::new();
    for subject in &mut subjects {
        first.push(mib_after(subject, 1000)?);
        last.push(mib_after(subject, effort.calls - 1000)?);
    }
    table.add(Row::about("RSS after 1,000 calls, MiB", "stdio").values(first[0], first[1]));
    let what = format!("RSS after {} calls, MiB", effort.calls);
    table.add(Row::about(&what, "stdio").values(last[0], last[1]));
    let what = "  coinop's RSS, late to early";
    table.add(Row::about(what, "stdio").at_most(last[1] / first[1], 1.05));
    Ok(())
}

fn mib_after(subject: &mut StdioSubject, calls: usize) -> Result<f64> {
    let plan = Plan {
        work: Work::Free,
        in_flight: 16,
        time: std::time::Duration::ZERO,
    };
    subject.run_units(plan, calls)?;
    Ok(subject.resident_bytes() as f64 / f64::from(1 << 20))
}
