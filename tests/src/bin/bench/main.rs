//! `cargo xtask bench`: one table from one run, coinop against its floors.
//!
//! `--quick` takes less than a minute, at the price of noise; sections may be named. The floors are a bare rmcp server (`bare`) and wasmtime
//! itself; rounds alternate, and what is shown are medians.

mod disk;
mod floor;
mod gate;
mod guests;
mod http_load;
mod ledger;
mod load;
mod many;
mod neighbours;
mod process_cost;
mod rates;
mod raw;
mod reloads;
mod rounds;
mod servers;
mod stdio_load;
mod table;
mod tasks;
mod variant;
mod warm;
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
    finished: &[100_000, 1_000_000],
    loads: 5,
    plugins: &[1, 100, 1000],
    reloads: 30,
};
const QUICK: Effort = Effort {
    rounds: 3,
    time: Duration::from_millis(300),
    starts: 5,
    calls: 20_000,
    finished: &[20_000],
    loads: 3,
    plugins: &[1, 100],
    reloads: 10,
};

/// A part of the table that can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Calls and pairs on every transport.
    Calls,
    /// Starts and memory.
    Process,
    /// The sandbox, in every language.
    Sandbox,
    /// Calls a second with ever more in flight.
    Rates,
    /// Ever more plugins.
    Plugins,
    /// How soon a replaced plugin is seen.
    Reload,
    /// A good tool beside hostile ones.
    Neighbours,
    /// What the ledger's store costs.
    Ledger,
}

impl Section {
    const ALL: [(&str, Self); 8] = [
        ("calls", Self::Calls),
        ("process", Self::Process),
        ("sandbox", Self::Sandbox),
        ("rates", Self::Rates),
        ("plugins", Self::Plugins),
        ("reload", Self::Reload),
        ("neighbours", Self::Neighbours),
        ("ledger", Self::Ledger),
    ];

    fn measure(self, effort: Effort, table: &mut Table) -> Result<()> {
        match self {
            Self::Calls => Wire::ALL.into_iter().try_for_each(|wire| {
                eprintln!("measuring {}", wire.name());
                rounds::measure(wire, effort, table)
            }),
            Self::Process => {
                eprintln!("measuring starts and memory");
                process_cost::cold_start(effort, table)?;
                process_cost::memory(effort, table)
            }
            Self::Sandbox => {
                eprintln!("measuring the sandbox");
                floor::measure(effort, table)?;
                tasks::measure(effort, table)?;
                warm::measure(effort, table)
            }
            Self::Rates => {
                eprintln!("measuring calls a second");
                rates::measure(effort, table)
            }
            Self::Plugins => many::measure(effort, table),
            Self::Reload => {
                eprintln!("measuring reloads");
                reloads::measure(effort, table)
            }
            Self::Neighbours => {
                eprintln!("measuring a good tool beside hostile ones");
                neighbours::measure(effort, table)
            }
            Self::Ledger => ledger::measure(effort, table),
        }
    }
}

fn main() -> Result<()> {
    let mut effort = FULL;
    let mut named = Vec::new();
    for argument in std::env::args().skip(1) {
        let section = Section::ALL.iter().find(|(name, _)| *name == argument);
        match section {
            Some((_, section)) => named.push(*section),
            None if argument == "--quick" => effort = QUICK,
            None => bail!(
                "unknown argument {argument:?}: there are --quick, {}",
                Section::ALL.map(|(name, _)| name).join(", ")
            ),
        }
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: not a release build; run `cargo xtask bench`");
    }
    let mut table = Table::default();
    for (_, section) in Section::ALL {
        if named.is_empty() || named.contains(&section) {
            section.measure(effort, &mut table)?;
        }
    }
    show(&table);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn show(table: &Table) {
    print!("{}", table.text());
}
