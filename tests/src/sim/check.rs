//! What must hold when a world has come to rest: the ledger against itself, the banks, and what callers saw.

mod books;
mod calls;
mod receipts;

use coinop::ledger::{Audited, Ledger as _};

use super::world::World;

/// Checks every promise.
pub(crate) async fn check(world: &World) {
    let audited = world.ledger.audit(None, u32::MAX).await;
    let audited: Vec<Audited> = audited.expect("memory is read");
    for call in &audited {
        calls::check(world, call);
        books::check_entries(world, call);
    }
    books::check_balances(world, &audited).await;
    books::check_banks(world, &audited);
    receipts::check(world, &audited).await;
}
