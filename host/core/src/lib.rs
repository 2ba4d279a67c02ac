//! The pure core of coinop: what a paid call *is* and which step comes next.
//!
//! Nothing here performs input or output, reads a clock, draws randomness or waits. Times are
//! milliseconds since the Unix epoch and arrive as arguments; random bytes arrive as arguments too.
//! Every decision that moves money is therefore a plain function that a table can test.

pub mod arguments;
pub mod call;
pub mod digest;
pub mod entry;
pub mod ids;
pub mod mode;
pub mod money;
pub mod outcome;
pub mod payment;
pub mod peer;
pub mod price;
pub mod principal;
pub mod quote;
pub mod receipt;
pub mod step;

/// Milliseconds since the Unix epoch, UTC. The host reads the clock; core only compares.
pub type Millis = i64;
