//! Proof by `kill -9`: scenarios of a sale are played with the real host, which is killed at every place it visits.
//!
//! A scenario is played once without a kill, and its trace lists the places; then it is played again for each of them,
//! with a kill there. After a kill a new host starts, later by the clock, and the client goes on as a real one would:
//! what got no answer is asked again. When everything is at rest the invariants are checked, from the ledger's file, the
//! provider's books, the trace (what was really started, whatever the ledger says) and what the client saw.

pub mod aim;
pub mod campaign;
pub mod clerk;
pub mod play;
pub mod random;
pub mod scenario;
pub mod tally;
pub mod trace;
pub mod verdict;
