//! Components and outcomes in memory: kept, given back, forgotten.

use std::sync::Arc;

use coinop::ledger::Delivery;
use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::ids::CallId;
use coinop_core::outcome::Outcome;

use super::store::{Component, Store};

/// Outcomes forgotten in one go.
const FORGET_MAX: usize = 200;

impl Store {
    pub(super) fn keep_component(&mut self, digest: Digest, bytes: Arc<[u8]>, at: Millis) {
        if !self.touch_component(digest, at) {
            let kept_at = at;
            self.components.insert(digest, Component { bytes, kept_at });
        }
    }

    pub(super) fn touch_component(&mut self, digest: Digest, at: Millis) -> bool {
        let component = self.components.get_mut(&digest);
        component
            .map(|component| component.kept_at = component.kept_at.max(at))
            .is_some()
    }

    pub(super) fn component(&self, digest: Digest) -> Option<Arc<[u8]>> {
        let component = self.components.get(&digest)?;
        Some(Arc::clone(&component.bytes))
    }

    pub(super) fn set_blocked(&mut self, digest: Digest, blocked: bool) {
        match blocked {
            true => self.blocked.insert(digest),
            false => self.blocked.remove(&digest),
        };
    }

    pub(super) fn blocked(&self) -> Vec<Digest> {
        self.blocked.iter().copied().collect()
    }

    pub(super) fn kept_outcome(&self, call: &CallId) -> Option<&Arc<Outcome>> {
        Some(&self.calls.get(call)?.outcome.as_ref()?.outcome)
    }

    pub(super) fn delivery(&self, call: &CallId) -> Option<Delivery> {
        let outcome = Arc::clone(self.kept_outcome(call)?);
        let receipt = self.calls.get(call)?.receipt.clone();
        Some(Delivery { outcome, receipt })
    }

    /// The receipt of a call.
    pub(super) fn receipt(&self, call: &CallId) -> Option<Arc<str>> {
        self.calls.get(call)?.receipt.clone()
    }

    /// Forgets outcomes of calls at rest, components that no call on its way names, and notes, older than `before`.
    pub(super) fn forget(&mut self, before: Millis) -> u64 {
        let mut old: Vec<(Millis, CallId)> = Vec::new();
        for (id, row) in &self.calls {
            if let Some(kept) = &row.outcome
                && kept.at < before
                && row.record.updated_at < before
                && row.due_at.is_none()
                && row.record.call.state.name() != "attention"
            {
                old.push((kept.at, id.clone()));
            }
        }
        old.sort();
        old.truncate(FORGET_MAX);
        for (_, id) in &old {
            if let Some(row) = self.calls.get_mut(id) {
                row.outcome = None;
            }
        }
        let calls = &self.calls;
        let named = |digest: &Digest| {
            let mut on_their_way = calls.values().filter(|row| row.due_at.is_some());
            on_their_way.any(|row| row.record.call.quote.component == *digest)
        };
        self.components
            .retain(|digest, component| component.kept_at >= before || named(digest));
        self.webhooks.retain(|_, at| *at >= before);
        old.len() as u64
    }
}
