//! The server from outside: raw JSON lines, raw HTTP and rmcp's own client.

mod http;
mod lines;
mod notifications;
