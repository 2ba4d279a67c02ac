//! What the end-to-end tests and the benchmarks share: hosts to start, raw clients to drive them, payers.
//!
//! The raw clients know the wire and nothing of rmcp, so that a fault of rmcp's cannot hide behind itself.

pub mod acme;
pub mod answer;
pub mod books;
pub mod chain;
pub mod client;
pub mod conformance;
pub mod contract;
pub mod crash;
pub mod credential;
pub mod era;
pub mod facilitator;
pub mod fleet;
pub mod home;
pub mod host;
pub mod http;
pub mod http_client;
pub mod issuer;
pub mod keyvalue;
pub mod matrix;
pub mod memory_ledger;
pub mod mpp;
pub mod paths;
pub mod pay;
pub mod postgres;
pub mod process;
pub mod provider_contract;
pub mod registry;
pub mod script;
pub mod sim;
pub mod stdio;
pub mod stream;
pub mod talker;
pub mod wait;
pub mod wire;
