//! How published clients pay: every mode with every client, era and transport, each cell a user who declines a call and
//! pays for another one.
//!
//! With sandbox money; x402's wallets sign, and a facilitator of our own notes what it is given to settle.
//!
//! What a cell must come to is decided beforehand, by what the client shows its user (`terms`); what it came to is read
//! from the client and from the ledger (`visit`).

pub mod docs;
mod drive;
mod run;
mod table;
pub mod terms;
mod visit;
pub mod wallets;

pub use run::run;
pub use table::Table;

use crate::era::Era;
use crate::script::Language;

/// A published client in one era: a column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// What it is written in.
    pub language: Language,
    /// How its driver calls it.
    pub side: &'static str,
    /// Its package, without the version.
    pub package: &'static str,
    /// The era it is told to speak.
    pub era: Era,
}

impl Client {
    const fn python(side: &'static str, package: &'static str, era: Era) -> Self {
        Self {
            language: Language::Python,
            side,
            package,
            era,
        }
    }

    const fn node(side: &'static str, package: &'static str, era: Era) -> Self {
        Self {
            language: Language::Node,
            side,
            package,
            era,
        }
    }
}

/// The clients, each in the eras it speaks.
pub const CLIENTS: [Client; 7] = [
    Client::python("mcp", "pip `mcp`", Era::Legacy),
    Client::python("mcp", "pip `mcp`", Era::Modern),
    Client::python("fastmcp", "pip `fastmcp`", Era::Legacy),
    Client::python("fastmcp", "pip `fastmcp`", Era::Modern),
    Client::node("client", "npm `@modelcontextprotocol/client`", Era::Legacy),
    Client::node("client", "npm `@modelcontextprotocol/client`", Era::Modern),
    Client::node("sdk", "npm `@modelcontextprotocol/sdk`", Era::Legacy),
];

/// How a client reaches the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// It starts the host itself.
    Stdio,
    /// A host that others use too.
    Http,
}

impl Transport {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Stdio, Self::Http];

    /// As the table says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "HTTP",
        }
    }
}

/// What came of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The user was asked in the mode's own way.
    Ok(terms::Way),
    /// The client does not show what the mode needs, and the user was asked in another way, as promised.
    Fallback(terms::Way),
    /// A wallet paid by itself.
    Paid,
    /// There is no such client.
    NotApplicable(&'static str),
    /// It did not go as promised.
    Failed(String),
}
