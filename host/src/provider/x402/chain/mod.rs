//! What a chain says of a payment that a facilitator was asked to take. It alone can say that nothing moved.

mod evidence;
pub mod rpc;

use tokio::sync::OnceCell;

pub use self::evidence::Evidence;
use self::evidence::{authorization_state, events, nonce_bitmap, transferred, used_by};
use self::rpc::{Block, Filter, Log, Node};
use super::evm::{Address, Transfer};
use super::kept::{Kept, Trace};
use super::payload::Permit;
use super::terms::Recipient;
use crate::config::Secret;

/// How many blocks deep a block counts as final for saying that something will never happen. A reorganisation as deep has
/// not been seen on the networks of x402.
const FINAL_DEPTH: u64 = 12;
/// How much earlier than it was verified a payment's transaction is looked for, seconds: clocks differ.
const CLOCKS_DIFFER_S: i64 = 600;
/// Most blocks that are searched.
const SEARCH_BLOCKS_MAX: u64 = 50_000;
/// Blocks of one question: public nodes refuse more.
const PAGE_BLOCKS: u64 = 1_000;
/// How far back the first look for the begin of a search goes.
const FIRST_LOOK_BLOCKS: u64 = 128;

/// The chain of an account, by a node.
pub struct Chain {
    node: Node,
    chain_id: u64,
    confirmations: u64,
    /// Set once the node was seen to serve this chain: another chain knows nothing of any payment, and would say so.
    known: OnceCell<()>,
}

impl Chain {
    /// The chain of `chain_id` by the node at `url`. A payment counts as made in `confirmations` blocks.
    ///
    /// # Errors
    /// What keeps TLS from being set up.
    pub fn new(url: Secret, chain_id: u64, confirmations: u64) -> Result<Self, String> {
        Ok(Self {
            node: Node::new(url)?,
            chain_id,
            confirmations,
            known: OnceCell::new(),
        })
    }

    /// Whether a facilitator's word that a payment was made is looked up as well.
    pub fn doubts_success(&self) -> bool {
        self.confirmations > 1
    }

    /// What became of a payment, `transaction` being where a facilitator says it may be.
    pub async fn evidence(
        &self,
        kept: &Kept,
        trace: &Trace,
        transaction: Option<&str>,
    ) -> Evidence {
        let found = match trace {
            Trace::Eip3009(to, transfer) => self.of_transfer(kept, to, transfer).await,
            Trace::Permit2(to, permit) => self.of_permit(kept, to, permit, transaction).await,
        };
        found.unwrap_or_else(Evidence::Unknown)
    }

    /// Whether nothing has moved yet, as of now: for what was never sent anywhere.
    ///
    /// # Errors
    /// Why the node does not say.
    pub async fn is_untouched(&self, trace: &Trace) -> Result<bool, String> {
        let now = self.now().await?;
        Ok(!self.is_used(trace, now.number).await?)
    }

    async fn now(&self) -> Result<Block, String> {
        self.known.get_or_try_init(|| self.check_chain()).await?;
        self.node.latest().await
    }

    async fn check_chain(&self) -> Result<(), String> {
        match self.node.chain_id().await? {
            id if id == self.chain_id => Ok(()),
            other => Err(format!(
                "the node of the setting rpc serves chain {other}, not {}",
                self.chain_id
            )),
        }
    }

    async fn is_used(&self, trace: &Trace, block: u64) -> Result<bool, String> {
        match trace {
            Trace::Eip3009(to, transfer) => {
                let call = authorization_state(transfer);
                let used = self.node.view(to.asset, &call, block).await?;
                Ok(used.as_word() != &[0; 32])
            }
            Trace::Permit2(_, permit) => {
                let (call, bit) = nonce_bitmap(permit);
                let word = self.node.view(evidence::PERMIT2, &call, block).await?;
                Ok(word.as_word()[31 - usize::from(bit / 8)] >> (bit % 8) & 1 == 1)
            }
        }
    }

    /// Nothing was used in the latest block: whether it never will be.
    async fn of_unused(&self, kept: &Kept, trace: &Trace, now: Block) -> Result<Evidence, String> {
        let Some(settled) = now.number.checked_sub(FINAL_DEPTH.max(self.confirmations)) else {
            return Ok(Evidence::Open);
        };
        let block = self.node.block(settled).await?;
        let over = block.at_s >= kept.valid_until_s;
        // Asked of the very block whose time counts: no later one can take what is over.
        Ok(match over && !self.is_used(trace, block.number).await? {
            true => Evidence::Never,
            false => Evidence::Open,
        })
    }

    async fn of_transfer(
        &self,
        kept: &Kept,
        to: &Recipient,
        transfer: &Transfer,
    ) -> Result<Evidence, String> {
        let trace = Trace::Eip3009(*to, *transfer);
        let now = self.now().await?;
        if !self.is_used(&trace, now.number).await? {
            return self.of_unused(kept, &trace, now).await;
        }
        let Some(log) = self.end_of_nonce(kept, to.asset, transfer, now).await? else {
            return Ok(Evidence::Used);
        };
        let name = evm_hash(&log.transaction);
        let Some(receipt) = self.node.receipt(&name).await? else {
            return Ok(Evidence::Moving(name));
        };
        let paid = receipt.succeeded && used_by(&receipt.logs, to, transfer);
        let depth = (now.number + 1).saturating_sub(receipt.block);
        Ok(match paid {
            true if depth >= self.confirmations => Evidence::Moved(name),
            true => Evidence::Moving(name),
            // Cancelled by its payer, or spent on something else: it can never pay us.
            false if depth >= FINAL_DEPTH.max(self.confirmations) => Evidence::Never,
            false => Evidence::Open,
        })
    }

    /// The log that says what ended a nonce: used, or cancelled.
    async fn end_of_nonce(
        &self,
        kept: &Kept,
        asset: Address,
        transfer: &Transfer,
        now: Block,
    ) -> Result<Option<Log>, String> {
        let mut from = self.first_block(kept, now).await?;
        while from <= now.number {
            let to = (from + PAGE_BLOCKS - 1).min(now.number);
            let filter = Filter {
                from,
                to,
                contract: asset,
                events: &events(),
                topics: [transfer.from.as_word(), transfer.nonce],
            };
            if let Some(log) = self.node.logs(&filter).await?.into_iter().next() {
                return Ok(Some(log));
            }
            from = to + 1;
        }
        Ok(None)
    }

    /// A block before the payment was verified, found by looking back twice as far each time.
    async fn first_block(&self, kept: &Kept, now: Block) -> Result<u64, String> {
        let begin_s = kept.verified_at_s - CLOCKS_DIFFER_S;
        let mut back = FIRST_LOOK_BLOCKS;
        while back < SEARCH_BLOCKS_MAX {
            let number = now.number.saturating_sub(back);
            if number == 0 || self.node.block(number).await?.at_s <= begin_s {
                return Ok(number);
            }
            back *= 2;
        }
        Ok(now.number.saturating_sub(SEARCH_BLOCKS_MAX))
    }

    async fn of_permit(
        &self,
        kept: &Kept,
        to: &Recipient,
        permit: &Permit,
        transaction: Option<&str>,
    ) -> Result<Evidence, String> {
        let trace = Trace::Permit2(*to, *permit);
        let now = self.now().await?;
        if !self.is_used(&trace, now.number).await? {
            return self.of_unused(kept, &trace, now).await;
        }
        // Permit2 logs no nonces: without the transaction, only its payee's books can tell what it paid.
        let Some(transaction) = transaction else {
            return Ok(Evidence::Used);
        };
        let Some(receipt) = self.node.receipt(transaction).await? else {
            return Ok(Evidence::Moving(transaction.to_owned()));
        };
        let moved = transferred(&receipt.logs, to, permit.from, permit.amount);
        let deep = (now.number + 1).saturating_sub(receipt.block) >= self.confirmations;
        Ok(match receipt.succeeded && moved {
            true if deep => Evidence::Moved(transaction.to_owned()),
            true => Evidence::Moving(transaction.to_owned()),
            false => Evidence::Used,
        })
    }
}

fn evm_hash(bytes: &[u8; 32]) -> String {
    super::evm::address::hex(bytes)
}
