//! Hosts with one, a hundred and a thousand plugins: how soon they list, what a listing costs, what they hold.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use coinop_tests::home::Home;
use coinop_tests::paths;

use crate::rounds::{Effort, median};
use crate::servers;
use crate::stdio_load::StdioSubject;
use crate::table::{Row, Table};
use crate::variant;

/// A plugin with one tool, which costs a cent: two names in the list.
const PLUGIN: &str = "shout";
const NAMES_EACH: usize = 2;
/// The start with so many plugins has an aim, milliseconds.
const AIMED: (usize, f64) = (100, 300.0);
/// Longest that compiling all of them may take.
const PATIENCE: Duration = Duration::from_secs(900);
const LISTINGS: usize = 20;

/// Measures hosts with ever more plugins, whose code was compiled by an earlier start.
///
/// # Errors
/// When a host does not start or does not list them all.
pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    effort
        .plugins
        .iter()
        .try_for_each(|count| with(*count, effort, table))
}

fn with(count: usize, effort: Effort, table: &mut Table) -> Result<()> {
    eprintln!("measuring {count} plugins");
    let mut home = filled(count)?;
    let begun = Instant::now();
    drop(loaded(&mut home, count)?);
    let compiling = begun.elapsed();
    let (mut starts, mut listings) = (Vec::new(), Vec::new());
    for _ in 0..effort.starts {
        let begun = Instant::now();
        let (mut host, _) = servers::coinop_on_stdio(&home)?;
        ensure!(
            host.list_tools()? == count * NAMES_EACH,
            "not all of {count} plugins were listed"
        );
        starts.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let mut host = loaded(&mut home, count)?;
    for _ in 0..LISTINGS {
        let begun = Instant::now();
        host.list_tools()?;
        listings.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let row = |what: &str| Row::about(&format!("{count} plugins: {what}"), "stdio");
    let start = row("cached, spawn to tools/list, ms");
    let start = match AIMED {
        (aimed, within) if aimed == count => start.within(median(starts), within),
        _ => start.only(median(starts)),
    };
    table.add(start);
    table.add(row("first start until all are compiled, s").only(compiling.as_secs_f64()));
    table.add(row("tools/list, ms").only(median(listings)));
    table.add(row("RSS, MiB").only(host.resident_bytes() as f64 / f64::from(1 << 20)));
    Ok(())
}

/// A home with that many plugins and a cache of its own. Each has a prefix, or none of the equal names would be listed.
fn filled(count: usize) -> Result<Home> {
    let mut prefixes = String::new();
    for n in 0..count {
        let _ = writeln!(prefixes, "[plugins.p{n}]\nprefix = \"p{n}_\"");
    }
    let home = servers::home_with(&prefixes).own_cache();
    let component = std::fs::read(paths::guest(PLUGIN))?;
    for n in 0..count {
        let name = format!("p{n}");
        variant::put(&component, &name, &home.plugin_path(&name))?;
    }
    Ok(home)
}

/// A host that has loaded the code of all of them: until then each says so in its log.
fn loaded(home: &mut Home, count: usize) -> Result<StdioSubject> {
    home.env("COINOP_LOG", "coinop=info");
    let (host, _) = servers::coinop_on_stdio(home)?;
    home.clear_env();
    let begun = Instant::now();
    loop {
        let log = std::fs::read_to_string(servers::log(home))?;
        if log.lines().filter(|line| line.contains(" took ")).count() >= count {
            return Ok(host);
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "not all of them were loaded:\n{log}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
