//! One cell: a driver is run, and what it and the ledger tell is compared with what was promised.

use serde_json::Value;
use tokio::process::Command;

use super::drive::{same, told, visits};
use super::terms::{Row, Way};
use super::{Cell, Client, Transport};
use crate::books::Books;
use crate::home::Home;
use crate::host::HttpHost;
use crate::paths;
use crate::script::Language;

/// What the driver does, in this order, a call each.
const BEHAVIOURS: [&str; 2] = ["decline", "pay"];
const TOOL: &str = "echo_paid";
/// The tool's price, in billionths of a dollar.
const PRICE: u64 = 10_000_000;

/// Where the cell's host is.
pub(super) struct Place<'a> {
    pub(super) home: &'a Home,
    pub(super) host: &'a HttpHost,
}

/// A cell that was run, and the client's version as the driver tells it.
pub(super) struct Visited {
    pub(super) cell: Cell,
    pub(super) version: Option<String>,
}

/// Runs the cell.
pub(super) async fn visit(
    place: &Place<'_>,
    row: Row,
    client: Client,
    transport: Transport,
) -> Visited {
    if let Some(reason) = row.unavailable(client) {
        let cell = Cell::NotApplicable(reason);
        return Visited {
            cell,
            version: None,
        };
    }
    let text = format!("{row:?} {client:?} {transport:?}");
    let told = match drive(place, row, client, transport, &text).await {
        Ok(told) => told,
        Err(failure) => {
            let cell = Cell::Failed(failure);
            return Visited {
                cell,
                version: None,
            };
        }
    };
    let way = row.way(client, transport);
    let cell = match judge(&told, client, way, &text, &Books::of(place.home)) {
        Err(failure) => Cell::Failed(format!("{failure}\n  told: {told}")),
        Ok(()) if row.own_way().is_none_or(|own| own == way) => Cell::Ok(way),
        Ok(()) => Cell::Fallback(way),
    };
    let version = told["client"].as_str().map(str::to_owned);
    Visited { cell, version }
}

/// Runs the driver to its end: the line it printed.
async fn drive(
    place: &Place<'_>,
    row: Row,
    client: Client,
    transport: Transport,
    text: &str,
) -> Result<Value, String> {
    let mut command = program(client.language);
    command.args([client.side, client.era.name(), row.shows.words()]);
    command.args([&BEHAVIOURS.join(","), TOOL, text]);
    match transport {
        Transport::Http => command.args(["http", &place.host.url()]),
        Transport::Stdio => command.arg("stdio").args(place.home.command_line()),
    };
    told(command).await
}

fn program(language: Language) -> Command {
    let (interpreter, script) = match language {
        Language::Python => (paths::python(), "python/buyer.py"),
        Language::Node => {
            paths::node_packages();
            ("node".into(), "node/buyer.mjs")
        }
    };
    let mut command = Command::new(interpreter);
    command.arg(paths::client_script(script));
    command
}

/// Compares with what was promised.
fn judge(told: &Value, client: Client, way: Way, text: &str, books: &Books) -> Result<(), String> {
    same(
        "protocol",
        told["protocol"].as_str(),
        Some(client.era.version()),
    )?;
    let visits = visits(told)?;
    same("calls", Some(visits.len()), Some(BEHAVIOURS.len()))?;
    for (behaviour, visit) in BEHAVIOURS.iter().zip(visits) {
        let promised = format!("{text} {behaviour}");
        one(visit, behaviour, way, &promised, books)
            .map_err(|difference| format!("{behaviour}: {difference}"))?;
    }
    Ok(())
}

fn one(
    visit: &Value,
    behaviour: &str,
    way: Way,
    promised: &str,
    books: &Books,
) -> Result<(), String> {
    same(
        "way",
        Some(&visit["ways"]),
        Some(&Value::from(vec![way.name()])),
    )?;
    let links = visit["links"]
        .as_array()
        .map_or(&[] as &[Value], Vec::as_slice);
    let [link] = links else {
        return Err(format!(
            "there is one link a call, and there were {links:?}"
        ));
    };
    let link = link.as_str().and_then(|link| link.rsplit('/').next());
    let call = books.call_behind(link.unwrap_or_default());
    let received = call["payment"]["received"]["amount"].as_u64();
    let text = visit["text"].as_str();
    if behaviour == "pay" {
        same("answer", text, Some(promised))?;
        if let Some(again) = visit["again"].as_str() {
            same("second answer", Some(again), Some(promised))?;
        }
        same("runs", call["epoch"].as_u64(), Some(1))?;
        same("received", received, Some(PRICE))?;
    } else {
        if text.is_none_or(|text| text.contains(promised)) {
            return Err(format!("answered with {text:?}"));
        }
        same("runs", call["epoch"].as_u64(), Some(0))?;
        same("received", received, None)?;
    }
    if let Some(tools) = visit["tools"].as_array() {
        same(
            "the tool is listed again",
            Some(tools.contains(&TOOL.into())),
            Some(true),
        )?;
    }
    Ok(())
}
