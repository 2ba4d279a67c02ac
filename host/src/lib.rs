//! coinop: a WebAssembly plugin host for paid tools, served over MCP. See `ARCHITECTURE.md`.

pub mod catalog;
pub mod clock;
pub mod failpoint;
pub mod gate;
pub mod ledger;
pub mod limits;
pub mod plugin;
pub mod provider;
pub mod random;
pub mod sandbox;
pub mod server;
pub mod wire;
