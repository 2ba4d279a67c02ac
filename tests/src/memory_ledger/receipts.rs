//! Receipts and secrets in memory. Keys come of their number, not of randomness: nothing here proves anything to anybody.

use std::sync::Arc;

use coinop_core::Millis;
use coinop_core::call::Call;
use coinop_core::digest::Digest;
use coinop_core::receipt::{Chain, KeySet, SigningKey};

use super::ID;
use super::store::Store;

/// Secrets of one name that count at a time: the present one and the one before.
const SECRETS_MAX: usize = 2;

/// A chain with its receipts.
pub(super) struct Issued {
    chain: Chain,
    texts: Vec<Arc<str>>,
}

impl Store {
    /// Issues the next receipt of `chain`.
    pub(super) fn issue(
        &mut self,
        call: &Call,
        result: Digest,
        chain: &str,
        at: Millis,
    ) -> Arc<str> {
        let issued = self
            .chains
            .entry(chain.to_owned())
            .or_insert_with(|| Issued {
                chain: Chain::new(chain.to_owned()),
                texts: Vec::new(),
            });
        let key = &self.keys[self.keys.len() - 1];
        let text: Arc<str> = issued.chain.issue(key, ID, call, result, at).into();
        issued.texts.push(Arc::clone(&text));
        text
    }

    pub(super) fn chains(&self) -> Vec<Chain> {
        self.chains
            .values()
            .map(|issued| issued.chain.clone())
            .collect()
    }

    pub(super) fn receipts(&self, chain: &str, after: u64, limit: u32) -> Vec<String> {
        let texts = self
            .chains
            .get(chain)
            .map_or(&[][..], |issued| &issued.texts);
        let later = texts.iter().skip(after as usize).take(limit as usize);
        later.map(|text| text.to_string()).collect()
    }

    pub(super) fn receipt_keys(&self) -> KeySet {
        self.keys.iter().map(SigningKey::public).collect()
    }

    pub(super) fn rotate_receipt_key(&mut self) -> String {
        let key = SigningKey::from_secret(&secret("receipts", self.keys.len()));
        let id = key.id().to_owned();
        self.keys.push(key);
        id
    }

    /// The latest secrets of a name, the latest first; the first is made.
    pub(super) fn secrets(&mut self, name: String) -> Vec<Vec<u8>> {
        let all = self.secrets.entry(name.clone()).or_default();
        if all.is_empty() {
            all.push(secret(&name, 0).to_vec());
        }
        all.iter().rev().take(SECRETS_MAX).cloned().collect()
    }

    pub(super) fn rotate_secret(&mut self, name: String) {
        let all = self.secrets.entry(name.clone()).or_default();
        all.push(secret(&name, all.len()).to_vec());
    }

    pub(super) fn webhook_seen(&self, account: String, event_id: String) -> bool {
        self.webhooks.contains_key(&(account, event_id))
    }

    pub(super) fn note_webhook(&mut self, account: String, event_id: String, at: Millis) {
        self.webhooks.entry((account, event_id)).or_insert(at);
    }
}

/// 32 bytes that are the same in every run.
fn secret(name: &str, number: usize) -> [u8; 32] {
    let text = Digest::of(format!("{name} {number}").as_bytes()).to_string();
    let mut bytes = [0; 32];
    let len = text.len().min(32);
    bytes[..len].copy_from_slice(&text.as_bytes()[text.len() - len..]);
    bytes
}
