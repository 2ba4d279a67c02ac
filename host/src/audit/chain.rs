//! A chain of receipts from its first to its head: no gap, no foreign link. Pure.

use coinop_core::digest::Digest;
use coinop_core::receipt::{Chain, KeySet};

/// How far a chain was followed.
#[derive(Clone, Debug)]
pub struct Link {
    keys: KeySet,
    chain: String,
    /// Receipts followed.
    pub count: u64,
    head: Option<Digest>,
}

impl Link {
    /// The begin of a chain.
    pub fn first(chain: &Chain, keys: KeySet) -> Self {
        Self {
            keys,
            chain: chain.id.clone(),
            count: 0,
            head: None,
        }
    }

    /// Follows the chain by one receipt; what is wrong with it.
    pub fn follow(&mut self, text: &str) -> Option<String> {
        self.count += 1;
        let number = self.count;
        let previous = self.head.replace(Digest::of(text.as_bytes()));
        let receipt = match self.keys.verify(text) {
            Ok(receipt) => receipt,
            Err(error) => return Some(format!("the receipt at place {number}: {error}")),
        };
        let call = &receipt.call;
        if receipt.chain != self.chain {
            return Some(format!("the receipt of {call} belongs to another chain"));
        }
        if receipt.number != number {
            // Whatever follows is counted on from here, so that one gap is one fault. Never back: the way has an end.
            self.count = self.count.max(receipt.number);
            return Some(format!(
                "the receipt of {call} is number {}, where number {number} is expected",
                receipt.number
            ));
        }
        (receipt.previous != previous)
            .then(|| format!("the receipt of {call} does not follow the one before it"))
    }

    /// What is wrong with where the chain ended, against what the ledger says.
    pub fn end(&self, chain: &Chain) -> Option<String> {
        if self.count != chain.count {
            return Some(format!(
                "it ends with receipt {}, where the ledger has {}",
                self.count, chain.count
            ));
        }
        (self.head != chain.head).then(|| "its last receipt is not its head".to_owned())
    }
}
