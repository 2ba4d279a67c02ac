//! coinop: a WebAssembly plugin host for paid tools, served over MCP. See `ARCHITECTURE.md`.

pub mod limits;
pub mod plugin;
pub mod sandbox;
