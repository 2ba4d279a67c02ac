//! What the ledger in memory holds, and how a call is found in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coinop::ledger::transition::{brought, named};
use coinop::ledger::{CallKey, NewCall, Posted, Record};
use coinop_core::Millis;
use coinop_core::call::Call;
use coinop_core::digest::Digest;
use coinop_core::ids::{CallId, LinkToken, PaymentId};
use coinop_core::money::Currency;
use coinop_core::outcome::Outcome;
use coinop_core::principal::Principal;
use coinop_core::receipt::SigningKey;

use super::receipts::Issued;

/// A call with everything that is recorded of it.
pub(super) struct Row {
    pub(super) record: Record,
    /// Counts up with every call opened: the order of those made in one millisecond.
    pub(super) number: u64,
    pub(super) due_at: Option<Millis>,
    pub(super) entries: Vec<Posted>,
    pub(super) outcome: Option<Kept>,
    pub(super) receipt: Option<Arc<str>>,
}

/// A stored outcome.
pub(super) struct Kept {
    pub(super) outcome: Arc<Outcome>,
    pub(super) at: Millis,
}

/// A component.
pub(super) struct Component {
    pub(super) bytes: Arc<[u8]>,
    pub(super) kept_at: Millis,
}

/// Everything. Ordered maps throughout, so that nothing depends on how a hash falls.
pub(super) struct Store {
    pub(super) calls: BTreeMap<CallId, Row>,
    pub(super) payments: BTreeMap<PaymentId, CallId>,
    pub(super) links: BTreeMap<LinkToken, CallId>,
    /// Account and provider's reference: unique.
    pub(super) references: BTreeMap<(String, String), CallId>,
    /// References of payments that came with their calls: unique.
    pub(super) brought: BTreeMap<String, CallId>,
    /// What payers call their purchases: unique.
    pub(super) named: BTreeMap<String, CallId>,
    /// What makes two open calls the same: unique.
    pub(super) open_keys: BTreeMap<String, CallId>,
    pub(super) due: BTreeSet<(Millis, CallId)>,
    pub(super) components: BTreeMap<Digest, Component>,
    pub(super) blocked: BTreeSet<Digest>,
    /// Balances by principal, account and currency, 10^-9 units; never negative.
    pub(super) credit: BTreeMap<(Principal, String, Currency), i64>,
    pub(super) webhooks: BTreeMap<(String, String), Millis>,
    pub(super) secrets: BTreeMap<String, Vec<Vec<u8>>>,
    pub(super) keys: Vec<SigningKey>,
    pub(super) chains: BTreeMap<String, Issued>,
    pub(super) commits: u64,
}

impl Store {
    pub(super) fn new() -> Self {
        let mut store = Self {
            calls: BTreeMap::new(),
            payments: BTreeMap::new(),
            links: BTreeMap::new(),
            references: BTreeMap::new(),
            brought: BTreeMap::new(),
            named: BTreeMap::new(),
            open_keys: BTreeMap::new(),
            due: BTreeSet::new(),
            components: BTreeMap::new(),
            blocked: BTreeSet::new(),
            credit: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            secrets: BTreeMap::new(),
            keys: Vec::new(),
            chains: BTreeMap::new(),
            commits: 0,
        };
        store.rotate_receipt_key();
        store
    }

    pub(super) fn id_of(&self, key: &CallKey) -> Option<CallId> {
        match key {
            CallKey::Call(id) => Some(id.clone()),
            CallKey::Payment(id) => self.payments.get(id).cloned(),
            CallKey::Link(token) => self.links.get(token).cloned(),
            CallKey::Reference { account, reference } => {
                let key = (account.clone(), reference.clone());
                self.references.get(&key).cloned()
            }
            CallKey::Brought(reference) => self.brought.get(reference).cloned(),
        }
    }

    pub(super) fn find(&self, key: &CallKey) -> Option<Record> {
        let row = self.calls.get(&self.id_of(key)?)?;
        Some(row.record.clone())
    }

    /// Records a new row under its unique keys.
    pub(super) fn insert(&mut self, new: NewCall, due_at: Option<Millis>, entries: Vec<Posted>) {
        let id = new.call.id.clone();
        let record = Record {
            updated_at: new.call.created_at,
            call: new.call,
            arguments: Some(new.arguments),
            run_spec: Some(new.run_spec),
            version: 1,
        };
        let call = &record.call;
        self.payments.insert(call.payment.id.clone(), id.clone());
        self.links.insert(call.payment.link.clone(), id.clone());
        if let Some(reference) = reference(call) {
            self.references.insert(reference, id.clone());
        }
        if let Some(reference) = brought(call) {
            self.brought.insert(reference.to_owned(), id.clone());
        }
        if let Some(name) = named(call) {
            self.named.insert(name, id.clone());
        }
        let row = Row {
            record,
            number: self.calls.len() as u64,
            due_at: None,
            entries,
            outcome: None,
            receipt: None,
        };
        self.calls.insert(id.clone(), row);
        self.set_due(&id, due_at);
    }

    /// Moves a call in the queue of what is due.
    pub(super) fn set_due(&mut self, id: &CallId, due_at: Option<Millis>) {
        let Some(row) = self.calls.get_mut(id) else {
            return;
        };
        if let Some(before) = row.due_at.take() {
            self.due.remove(&(before, id.clone()));
        }
        row.due_at = due_at;
        if let Some(due_at) = due_at {
            self.due.insert((due_at, id.clone()));
        }
    }

    pub(super) fn next_due(&self) -> Option<Millis> {
        self.due.first().map(|(at, _)| *at)
    }
}

/// By what the provider knows a call's payment, once it does.
pub(super) fn reference(call: &Call) -> Option<(String, String)> {
    let reference = call.payment.reference.clone()?;
    Some((call.quote.account.clone(), reference))
}
