//! The table of cells, as it is printed and kept in the documentation.

use std::collections::BTreeMap;

use super::terms::Row;
use super::wallets::{WALLETS, Wallet};
use super::{CLIENTS, Cell, Client, Transport};

/// What came of the cells.
pub struct Table {
    rows: Vec<Row>,
    cells: Vec<(Row, Client, Transport, Cell)>,
    wallets: Vec<(Wallet, Transport, Cell)>,
    wallet_names: BTreeMap<&'static str, String>,
    versions: BTreeMap<&'static str, String>,
}

impl Table {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self {
            rows,
            cells: Vec::new(),
            wallets: Vec::new(),
            wallet_names: BTreeMap::new(),
            versions: BTreeMap::new(),
        }
    }

    pub(super) fn put(&mut self, row: Row, client: Client, transport: Transport, cell: Cell) {
        self.cells.push((row, client, transport, cell));
    }

    pub(super) fn put_wallet(
        &mut self,
        wallet: Wallet,
        transport: Transport,
        cell: Cell,
        told: Option<&str>,
    ) {
        self.wallets.push((wallet, transport, cell));
        if told.is_some() {
            self.wallet_names.insert(wallet.title, wallet.name(told));
        }
    }

    /// Notes the version of a client, which the driver tells behind the package's name.
    pub(super) fn name(&mut self, client: Client, told: &str) {
        self.versions.insert(client.package, minor(told));
    }

    /// How many cells of this mode, so configured, were run; without those that are `apart`.
    pub(super) fn visits(
        &self,
        mode: (&str, Option<&str>),
        apart: impl Fn(Row, Transport) -> bool,
    ) -> u64 {
        let of_mode = self.cells.iter().filter(|(row, _, transport, cell)| {
            (row.mode, row.setting) == mode
                && !apart(*row, *transport)
                && !matches!(cell, Cell::NotApplicable(_))
        });
        of_mode.count() as u64
    }

    /// The cells that did not go as promised, one a paragraph.
    pub fn failures(&self) -> Vec<String> {
        let failed = self
            .cells
            .iter()
            .filter_map(|(row, client, transport, cell)| match cell {
                Cell::Failed(why) => Some(format!(
                    "{} ({}) with {} {} over {}: {why}",
                    row.mode,
                    row.shows.words(),
                    client.side,
                    client.era.name(),
                    transport.name()
                )),
                _ => None,
            });
        let wallets = self
            .wallets
            .iter()
            .filter_map(|(wallet, transport, cell)| match cell {
                Cell::Failed(why) => Some(format!(
                    "x402 with {} {} over {}: {why}",
                    wallet.name(None),
                    wallet.era.name(),
                    transport.name()
                )),
                _ => None,
            });
        failed.chain(wallets).collect()
    }

    /// The whole as Markdown: a table a transport, the reasons for what is not applicable, the wallets.
    pub fn markdown(&self) -> String {
        let tables = Transport::ALL.map(|transport| self.of(transport));
        format!(
            "{}\n{}{}",
            tables.join("\n"),
            self.reasons(),
            self.of_wallets()
        )
    }

    fn of_wallets(&self) -> String {
        if self.wallets.is_empty() {
            return String::new();
        }
        let mut text = "\nMode `x402`:\n\n| wallet | era |".to_owned();
        for transport in Transport::ALL {
            text += &format!(" {} |", transport.name());
        }
        text += "\n|---|---|---|---|\n";
        for wallet in WALLETS {
            let name = self.wallet_names.get(wallet.title);
            let name = name.map_or_else(|| wallet.name(None), Clone::clone);
            text += &format!("| {name} | {} |", wallet.era.name());
            let mine = self.wallets.iter().filter(|(other, ..)| *other == wallet);
            for (.., cell) in mine {
                text += &format!(" {} |", word(cell));
            }
            text.push('\n');
        }
        text
    }

    fn of(&self, transport: Transport) -> String {
        let mut text = format!("Over {}:\n\n| mode | the client shows |", transport.name());
        for client in CLIENTS {
            let version = self.versions.get(client.package).map_or("", String::as_str);
            text += &format!(" {} {version}, {} |", client.package, client.era.name());
        }
        text += &format!("\n|---|---|{}\n", "---|".repeat(CLIENTS.len()));
        for row in &self.rows {
            text += &format!("| {} |", row.title());
            for client in CLIENTS {
                let cell = self
                    .cells
                    .iter()
                    .find(|(r, c, t, _)| (*r, *c, *t) == (*row, client, transport));
                let word = cell.map_or_else(String::new, |(.., cell)| match cell {
                    Cell::NotApplicable(why) => format!("n.a. {}", self.number(why)),
                    cell => word(cell),
                });
                text += &format!(" {word} |");
            }
            text.push('\n');
        }
        text
    }

    fn reasons(&self) -> String {
        let listed = self.distinct_reasons().into_iter().enumerate();
        listed
            .map(|(at, why)| format!("({}) {why}.\n", at + 1))
            .collect()
    }

    fn number(&self, why: &str) -> String {
        let at = self
            .distinct_reasons()
            .iter()
            .position(|reason| *reason == why);
        format!("({})", at.map_or(0, |at| at + 1))
    }

    fn distinct_reasons(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        for (.., cell) in &self.cells {
            if let Cell::NotApplicable(why) = cell
                && !reasons.contains(why)
            {
                reasons.push(*why);
            }
        }
        reasons
    }
}

/// The first two numbers of the version that a driver tells behind a package's name.
pub(super) fn minor(told: &str) -> String {
    let version = told.rsplit(' ').next().unwrap_or_default();
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// A cell in a word or two.
pub(super) fn word(cell: &Cell) -> String {
    match cell {
        Cell::Ok(way) => format!("ok: {}", way.name()),
        Cell::Fallback(way) => format!("fallback: {}", way.name()),
        Cell::Paid => "ok".to_owned(),
        Cell::NotApplicable(_) => "n.a.".to_owned(),
        Cell::Failed(_) => "FAILED".to_owned(),
    }
}
