//! The server: everything that speaks HTTP.

pub mod pay;
