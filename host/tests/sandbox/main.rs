//! The sandbox through its public face: what each way to misbehave costs its caller, and that it costs nobody else
//! anything.

// Clippy knows `#[test]` functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod concurrent;
mod derived;
mod fuel;
mod grants;
mod hostile;
mod keyvalue;
mod loading;
mod neighbours;
mod reach;
mod runs;
mod servers;
mod support;
mod warm;
