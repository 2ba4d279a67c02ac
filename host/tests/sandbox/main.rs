//! The sandbox through its public face: what each way to misbehave costs its caller, and that it costs nobody else
//! anything.

mod loading;
mod neighbours;
mod runs;
mod support;
