//! coinop: a WebAssembly plugin host for paid tools, served over MCP. See `ARCHITECTURE.md`.

pub mod app;
pub mod audit;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
mod descriptors;
pub mod failpoint;
#[cfg(test)]
mod fuzz;
pub mod gate;
pub mod grants;
pub mod jwks;
pub mod keyvalue;
pub mod ledger;
pub mod limits;
pub mod outbound;
pub mod plugin;
mod project;
pub mod provider;
pub mod quarantine;
pub mod random;
pub mod reconcile;
pub mod reload;
pub mod sandbox;
pub mod server;
pub mod trust;
mod unruly;
pub mod wire;
