//! Receipts in their chains: each names the digest of the one before, so that none can be changed, put in or taken out
//! from between without its being seen. Pure.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::receipt::{Chain, Receipt};

use super::source::Place;
use crate::unruly::tame;

/// Longest name of a chain shown.
const NAME_CHARS_MAX: usize = 64;

/// The receipts seen so far.
#[derive(Default)]
pub(super) struct Chains {
    chains: BTreeMap<(String, String), BTreeMap<u64, Link>>,
    calls: HashMap<CallId, Place>,
}

struct Link {
    at: Place,
    digest: Digest,
    previous: Option<Digest>,
}

/// Receipts of a chain that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The chain.
    pub chain: String,
    /// The first missing number.
    pub from: u64,
    /// The last missing number.
    pub to: u64,
}

impl Gap {
    /// How many are missing.
    pub(super) fn length(&self) -> u64 {
        self.to - self.from + 1
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = tame(&self.chain, NAME_CHARS_MAX);
        match self.from == self.to {
            true => write!(f, "receipt {} of the chain {chain} is not here", self.from),
            false => write!(
                f,
                "receipts {} to {} of the chain {chain} are not here",
                self.from, self.to
            ),
        }
    }
}

impl Chains {
    /// How many chains there are.
    pub(super) fn count(&self) -> usize {
        self.chains.len()
    }

    /// Takes a receipt whose signature holds.
    ///
    /// # Errors
    /// What another receipt has already.
    pub(super) fn add(&mut self, at: Place, receipt: &Receipt, jws: &str) -> Result<(), String> {
        let digest = Digest::of(jws.as_bytes());
        let name = (receipt.ledger.clone(), receipt.chain.clone());
        let chain = self.chains.entry(name).or_default();
        if let Some(other) = chain.get(&receipt.number) {
            return Err(match other.digest == digest {
                true => format!("the same receipt again: it is on {}", other.at),
                false => format!(
                    "its number, {}, is that of another receipt, on {}",
                    receipt.number, other.at
                ),
            });
        }
        if let Some(other) = self.calls.get(&receipt.call) {
            return Err(format!("its call has another receipt, on {other}"));
        }
        self.calls.insert(receipt.call.clone(), at);
        let previous = receipt.previous;
        chain.insert(
            receipt.number,
            Link {
                at,
                digest,
                previous,
            },
        );
        Ok(())
    }

    /// Receipts that do not follow the one before them.
    pub(super) fn broken(&self) -> impl Iterator<Item = (Place, String)> {
        self.chains.values().flat_map(|chain| {
            let before = |number: &u64| chain.get(&number.checked_sub(1)?);
            chain.iter().filter_map(move |(number, link)| {
                let is_first = *number <= 1;
                let follows = match before(number) {
                    Some(before) => link.previous == Some(before.digest),
                    None => link.previous.is_none() == is_first,
                };
                (!follows).then(|| (link.at, broken(*number, before(number))))
            })
        })
    }

    /// Numbers that are missing before the last receipt of each chain.
    pub(super) fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.chains.iter().flat_map(|((_, name), chain)| {
            let mut next = 1;
            chain.keys().filter_map(move |number| {
                let from = std::mem::replace(&mut next, number.saturating_add(1));
                (*number > from).then(|| Gap {
                    chain: name.clone(),
                    from,
                    to: number - 1,
                })
            })
        })
    }

    /// What is missing after the last receipt of each chain, going by the ledger's own word of where its chains stand.
    pub(super) fn missing_at_the_end(&self, ledger: &str, ends: &[Chain]) -> Vec<Gap> {
        let last = |end: &Chain| {
            let chain = self.chains.get(&(ledger.to_owned(), end.id.clone()))?;
            chain.keys().next_back().copied()
        };
        let gap = |end: &Chain| Gap {
            chain: end.id.clone(),
            from: last(end).unwrap_or(0).saturating_add(1),
            to: end.count,
        };
        ends.iter()
            .map(gap)
            .filter(|gap| gap.from <= gap.to)
            .collect()
    }
}

fn broken(number: u64, before: Option<&Link>) -> String {
    match before {
        Some(before) => format!("it does not follow the receipt before it, on {}", before.at),
        None if number <= 1 => "it is the first of its chain, and names one before it".to_owned(),
        None => "it is not the first of its chain, and names none before it".to_owned(),
    }
}
