//! coinop: a WebAssembly plugin host for paid tools, served over MCP. See `ARCHITECTURE.md`.

pub mod catalog;
pub mod config;
pub mod gate;
pub mod ledger;
pub mod limits;
pub mod plugin;
pub mod provider;
pub mod reload;
pub mod sandbox;
