//! All cells: two at a time, on one home and one HTTP host for each mode as it is configured.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use futures::StreamExt as _;

use super::terms::{ROWS, Row};
use super::visit::{Place, visit};
use super::wallets::{Exchange, WALLETS};
use super::{CLIENTS, Cell, Table, Transport};
use crate::books::Books;
use crate::home::Home;
use crate::host::HttpHost;

/// Cells that run at a time. Most of one is the start of its client.
const AT_A_TIME: usize = 2;

struct Shop {
    home: Home,
    host: HttpHost,
}

/// Runs every cell of every row whose mode is one of `modes`, and of the wallets when `x402` is; all of them when there is
/// none.
///
/// # Panics
/// When a mode's ledger does not hold together at the end, or knows of other calls than were made.
pub async fn run(modes: &[String]) -> Table {
    let rows = ROWS.iter().copied();
    let rows: Vec<_> = rows
        .filter(|row| modes.is_empty() || modes.iter().any(|mode| mode == row.mode))
        .collect();
    let mut shops = BTreeMap::new();
    for row in &rows {
        if let Entry::Vacant(vacant) = shops.entry((row.mode, row.setting)) {
            vacant.insert(open(*row).await);
        }
    }
    let cells = rows.iter().flat_map(|row| {
        Transport::ALL
            .into_iter()
            .flat_map(move |transport| CLIENTS.map(|client| (*row, client, transport)))
    });
    let shops = &shops;
    let visited = futures::stream::iter(cells)
        .map(|(row, client, transport)| async move {
            let Shop { home, host } = &shops[&(row.mode, row.setting)];
            let own = shares_its_list(row, transport).then(|| home_of(row));
            let home = own.as_ref().unwrap_or(home);
            let visited = visit(&Place { home, host }, row, client, transport).await;
            eprintln!(
                "{:<16} {:<9} {:<8} {:<7} {:<6} {}",
                row.mode,
                row.shows.words(),
                client.side,
                client.era.name(),
                transport.name(),
                table_word(&visited.cell),
            );
            ((row, client, transport), visited)
        })
        .buffered(AT_A_TIME)
        .collect::<Vec<_>>()
        .await;
    let mut table = Table::new(rows);
    for ((row, client, transport), visited) in visited {
        table.put(row, client, transport, visited.cell);
        if let Some(version) = visited.version {
            table.name(client, &version);
        }
    }
    for (mode, shop) in shops {
        let books = Books::of(&shop.home);
        assert_eq!(
            books.imbalances(),
            0,
            "{mode:?}: the entries do not balance"
        );
        assert_eq!(
            books.calls(),
            2 * table.visits(*mode, shares_its_list),
            "{mode:?}: every cell makes two calls"
        );
    }
    if modes.is_empty() || modes.iter().any(|mode| mode == "x402") {
        wallets(&mut table).await;
    }
    table
}

async fn wallets(table: &mut Table) {
    let exchange = &Exchange::open().await;
    let cells = WALLETS.into_iter().flat_map(|wallet| {
        Transport::ALL
            .into_iter()
            .map(move |transport| (wallet, transport))
    });
    let visited = futures::stream::iter(cells)
        .map(|(wallet, transport)| async move {
            let (cell, version) = exchange.visit(wallet, transport).await;
            eprintln!(
                "{:<16} {} {} {} {}",
                "x402",
                wallet.name(version.as_deref()),
                wallet.era.name(),
                transport.name(),
                table_word(&cell)
            );
            (wallet, transport, cell, version)
        })
        .buffered(AT_A_TIME)
        .collect::<Vec<_>>()
        .await;
    let books = exchange.books();
    assert_eq!(books.imbalances(), 0, "x402: the entries do not balance");
    assert_eq!(
        books.calls(),
        visited.len() as u64,
        "x402: every cell pays for one call"
    );
    for (wallet, transport, cell, version) in visited {
        table.put_wallet(wallet, transport, cell, version.as_deref());
    }
}

/// Whether callers of one home would see each other's calls in their lists: everybody on stdio is this machine's user.
fn shares_its_list(row: Row, transport: Transport) -> bool {
    row.mode == "dynamic_tools" && transport == Transport::Stdio
}

async fn open(row: Row) -> Shop {
    let home = home_of(row);
    let host = home.http().await;
    Shop { home, host }
}

fn home_of(row: Row) -> Home {
    let setting = row
        .setting
        .map_or_else(String::new, |key| format!("[conversation]\n{key} = true\n"));
    Home::new().plugin("echo").mode(row.mode).config(&setting)
}

fn table_word(cell: &Cell) -> String {
    match cell {
        Cell::Failed(why) => format!("FAILED: {why}"),
        cell => super::table::word(cell),
    }
}
