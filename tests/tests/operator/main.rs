//! What an operator does from the command line, beside a running host.

mod desk;
mod ledger;
mod queue;
mod reconcile;
mod refunds;
