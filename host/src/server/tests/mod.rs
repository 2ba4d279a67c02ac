//! The server from outside: raw JSON lines, raw HTTP and rmcp's own client.

mod client;
mod conversations;
mod http;
pub(super) mod lines;
mod lists;
mod notifications;
mod payments;
mod tokens;
mod tools;
