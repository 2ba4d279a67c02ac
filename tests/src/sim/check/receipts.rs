//! Receipts: every delivery has one, every chain is whole, every text is what was signed.

use std::collections::BTreeMap;

use coinop::ledger::{Audited, CallKey, Ledger as _};
use coinop_core::call::CallState;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;

use crate::sim::world::World;

pub(super) async fn check(world: &World, audited: &[Audited]) {
    let keys = world.ledger.receipt_keys().await.expect("memory is read");
    let mut issued = BTreeMap::<CallId, String>::new();
    for chain in world.ledger.chains().await.expect("memory is read") {
        let texts = world.ledger.receipts(chain.id.clone(), 0, u32::MAX).await;
        let mut previous = None;
        let mut count = 0;
        for text in texts.expect("memory is read") {
            count += 1;
            match keys.verify(&text) {
                Ok(receipt) => {
                    let in_line = (receipt.number, receipt.previous) == (count, previous);
                    if !in_line || receipt.chain != chain.id {
                        world.broken(format_args!(
                            "receipt {count} of {} is out of line",
                            chain.id
                        ));
                    }
                    check_result(world, &receipt.call, receipt.result);
                    previous = Some(Digest::of(text.as_bytes()));
                    if issued.insert(receipt.call, text).is_some() {
                        world.broken(format_args!("a call has two receipts"));
                    }
                }
                Err(error) => world.broken(format_args!("a receipt of {}: {error}", chain.id)),
            }
        }
        if (chain.count, chain.head) != (count, previous) {
            world.broken(format_args!("the chain {} ends elsewhere", chain.id));
        }
    }
    for call in audited {
        let id = &call.record.call.id;
        let delivered = call.record.call.state == CallState::Deliverable;
        let receipt = issued.get(id);
        if delivered != receipt.is_some() || receipt != call.receipt.as_ref() {
            world.broken(format_args!("{id} has the receipt {:?}", call.receipt));
        }
    }
}

fn check_result(world: &World, call: &CallId, result: Digest) {
    let stored = world.ledger.peek_delivery(&CallKey::Call(call.clone()));
    if stored.is_none_or(|stored| stored.outcome.digest() != result) {
        world.broken(format_args!("the receipt of {call} is for another result"));
    }
}
