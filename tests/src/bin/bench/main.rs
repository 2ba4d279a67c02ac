//! `cargo xtask bench`: one table from one run, coinop against its floors.
//!
//! `--quick` takes less than a minute, at the price of noise. The floors are a bare rmcp server (`bare`) and wasmtime
//! itself; rounds alternate, and what is shown are medians.

mod disk;
mod floor;
mod http_load;
mod load;
mod process_cost;
mod raw;
mod rounds;
mod servers;
mod stdio_load;
mod table;
mod work;

use std::time::Duration;

use anyhow::{Result, bail};
use rounds::Effort;
use servers::Wire;
use table::Table;

const FULL: Effort = Effort {
    rounds: 5,
    time: Duration::from_millis(800),
    starts: 15,
    calls: 20_000,
};
const QUICK: Effort = Effort {
    rounds: 3,
    time: Duration::from_millis(300),
    starts: 5,
    calls: 20_000,
};

fn main() -> Result<()> {
    let effort = match std::env::args().nth(1).as_deref() {
        None => FULL,
        Some("--quick") => QUICK,
        Some(other) => bail!("unknown argument {other:?}: there is --quick"),
    };
    if cfg!(debug_assertions) {
        eprintln!("warning: not a release build; run `cargo xtask bench`");
    }
    let mut table = Table::default();
    for wire in Wire::ALL {
        eprintln!("measuring {}", wire.name());
        rounds::measure(wire, effort, &mut table)?;
    }
    eprintln!("measuring starts and memory");
    process_cost::cold_start(effort, &mut table)?;
    process_cost::memory(effort, &mut table)?;
    eprintln!("measuring the sandbox");
    floor::measure(effort, &mut table)?;
    show(&table);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn show(table: &Table) {
    print!("{}", table.text());
}
