//! Calls in memory: opened, advanced, listed, taken when due.

use std::collections::BTreeMap;

use coinop::ledger::transition::{
    Transition, brought, is_meant, is_paid_for, named, open_key, open_viewer, within,
};
use coinop::ledger::{
    AdvanceError, Advanced, Audited, Caps, Change, Filter, LedgerError, NewCall, OPEN_TOOLS_MAX,
    OpenTool, Opened, Record, TakeDue,
};
use coinop_core::Millis;
use coinop_core::call::Event;
use coinop_core::ids::CallId;
use coinop_core::step::due_at;

use super::store::{Kept, Store, reference};

impl Store {
    /// Records a call within `caps`, or finds the open one that it would repeat. Its times are moved to the store's.
    pub(super) fn open(
        &mut self,
        mut new: NewCall,
        caps: &Caps,
        now: Millis,
    ) -> Result<Opened, AdvanceError> {
        let component = new.call.quote.component;
        if self.blocked.contains(&component) && !is_paid_for(&new.call) {
            return Err(AdvanceError::Blocked);
        }
        if !self.components.contains_key(&component) {
            return Err(unavailable("the component is not kept").into());
        }
        if let Some(id) = brought(&new.call).and_then(|reference| self.brought.get(reference)) {
            return Ok(Opened {
                record: self.calls[id].record.clone(),
                existing: true,
            });
        }
        if let Some(id) = named(&new.call).and_then(|name| self.named.get(&name)) {
            return Ok(Opened {
                record: self.calls[id].record.clone(),
                existing: true,
            });
        }
        let key = open_key(&new.call);
        let found = key.as_ref().and_then(|key| self.open_keys.get(key));
        let found = found.map(|id| self.calls[id].record.clone());
        if let Some(record) = found.filter(|found| is_meant(found, now)) {
            return Ok(Opened {
                record,
                existing: true,
            });
        }
        let shift = now - new.call.created_at;
        new.call.created_at += shift;
        new.call.quote.expires_at += shift;
        let call = &new.call;
        within(caps, call.quote.price, &self.usage(call, caps), now)?;
        self.refuse_known_ids(&new)?;
        let (entries, credit, _) = Transition::opening(call);
        self.move_credit(call, &credit)?;
        let (id, due) = (call.id.clone(), due_at(call, now));
        let posted = super::accounts::posted(&entries, 1, now);
        self.insert(new, due, posted);
        if let Some(key) = key {
            self.open_keys.insert(key, id.clone());
        }
        self.commits += 1;
        let record = self.calls[&id].record.clone();
        Ok(Opened {
            record,
            existing: false,
        })
    }

    fn refuse_known_ids(&self, new: &NewCall) -> Result<(), LedgerError> {
        let call = &new.call;
        let taken = self.calls.contains_key(&call.id)
            || self.payments.contains_key(&call.payment.id)
            || self.links.contains_key(&call.payment.link)
            || reference(call).is_some_and(|key| self.references.contains_key(&key));
        match taken {
            true => Err(unavailable("an id is not unique")),
            false => Ok(()),
        }
    }

    /// Applies a change, all or nothing, and issues the receipt of `chain` when the call becomes deliverable.
    pub(super) fn advance(
        &mut self,
        change: &Change,
        chain: &str,
    ) -> Result<Advanced, AdvanceError> {
        let row = self.calls.get(&change.call).ok_or(AdvanceError::Missing)?;
        let stored = row.record.clone();
        let claims = |event: &Event| matches!(event, Event::Claimed { .. });
        if change.events.iter().any(claims) && self.blocked.contains(&stored.call.quote.component) {
            return Err(AdvanceError::Blocked);
        }
        if change.outcome.is_some() && row.outcome.is_some() {
            return Err(unavailable("the call has an outcome already").into());
        }
        let (before, key_before) = (reference(&stored.call), open_key(&stored.call));
        let name_before = named(&stored.call);
        let transition = Transition::of(stored, change)?;
        let (call, due) = (&transition.record.call, transition.due_at());
        let (after, key_after) = (reference(call), open_key(call));
        let name_after = named(call);
        if after != before
            && after
                .as_ref()
                .is_some_and(|r| self.references.contains_key(r))
        {
            return Err(unavailable("the provider's reference means another payment").into());
        }
        if key_after != key_before
            && key_after
                .as_ref()
                .is_some_and(|k| self.open_keys.contains_key(k))
        {
            return Err(unavailable("the same call is open already").into());
        }
        self.move_credit(call, &transition.credit)?;
        // From here on nothing fails.
        let id = change.call.clone();
        rekey(&mut self.references, before, after, &id);
        rekey(&mut self.open_keys, key_before, key_after, &id);
        rekey(&mut self.named, name_before, name_after, &id);
        let result = match &change.outcome {
            Some(outcome) => Some(outcome.digest()),
            None => self.kept_outcome(&id).map(|outcome| outcome.digest()),
        };
        let receipt = match (transition.delivers, result) {
            (true, Some(result)) => Some(self.issue(call, result, chain, change.at)),
            _ => None,
        };
        let row = self.calls.get_mut(&id).ok_or(AdvanceError::Missing)?;
        let version = transition.record.version;
        row.entries.extend(super::accounts::posted(
            &transition.entries,
            version,
            change.at,
        ));
        if let Some(outcome) = change.outcome.clone() {
            let at = change.at;
            row.outcome = Some(Kept { outcome, at });
        }
        if receipt.is_some() {
            row.receipt.clone_from(&receipt);
        }
        row.record = transition.record.clone();
        self.set_due(&id, due);
        self.commits += 1;
        Ok(Advanced {
            record: transition.record,
            receipt,
        })
    }

    pub(super) fn list(&self, filter: &Filter, limit: u32) -> Vec<Record> {
        let fits = |record: &Record| {
            let call = &record.call;
            filter
                .state
                .as_deref()
                .is_none_or(|state| state == call.state.name())
                && filter
                    .account
                    .as_ref()
                    .is_none_or(|account| *account == call.quote.account)
                && filter.since.is_none_or(|since| call.created_at >= since)
                && filter.until.is_none_or(|until| call.created_at < until)
        };
        let mut rows: Vec<_> = self
            .calls
            .values()
            .filter(|row| fits(&row.record) && (!filter.due || row.due_at.is_some()))
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.record.call.created_at, row.number)));
        rows.truncate(limit as usize);
        rows.into_iter().map(|row| row.record.clone()).collect()
    }

    pub(super) fn open_tools(&self, viewer: &str, now: Millis) -> Vec<OpenTool> {
        let mut tools = BTreeMap::new();
        let calls = self.calls.values().map(|row| &row.record.call);
        let open = calls.filter(|call| open_viewer(call) == Some(viewer));
        for quote in open
            .map(|call| &call.quote)
            .filter(|quote| quote.expires_at > now)
        {
            let until: &mut Millis = tools.entry(quote.tool.clone()).or_default();
            *until = (*until).max(quote.expires_at);
        }
        let tools = tools.into_iter().take(OPEN_TOOLS_MAX as usize);
        tools
            .map(|(tool, until)| OpenTool { tool, until })
            .collect()
    }

    /// Takes what is due by the store's own time, the longest due first.
    pub(super) fn take_due(&mut self, take: &TakeDue, now: Millis) -> Vec<Record> {
        let until = now + (take.until - take.now);
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        let ours = |id: &CallId| {
            take.accounts
                .contains(&self.calls[id].record.call.quote.account)
        };
        let due = due.map(|(_, id)| id).filter(|id| ours(id));
        let taken: Vec<CallId> = due.take(take.limit as usize).cloned().collect();
        for id in &taken {
            self.set_due(id, Some(until));
        }
        taken
            .iter()
            .map(|id| self.calls[id].record.clone())
            .collect()
    }

    pub(super) fn postpone(&mut self, id: &CallId, version: i64, until: Option<Millis>) {
        if self
            .calls
            .get(id)
            .is_some_and(|row| row.record.version == version)
        {
            self.set_due(id, until);
        }
    }

    pub(super) fn audit(&self, after: Option<CallId>, limit: u32) -> Vec<Audited> {
        let later = |id: &CallId| after.as_ref().is_none_or(|after| id > after);
        let rows = self.calls.iter().filter(|(id, _)| later(id));
        rows.take(limit as usize)
            .map(|(_, row)| Audited {
                record: row.record.clone(),
                due_at: row.due_at,
                entries: row.entries.clone(),
                receipt: row.receipt.as_deref().map(str::to_owned),
                has_outcome: row.outcome.is_some(),
            })
            .collect()
    }
}

/// Replaces a unique key of a call.
fn rekey<K: Ord>(
    index: &mut BTreeMap<K, CallId>,
    before: Option<K>,
    after: Option<K>,
    id: &CallId,
) {
    if before == after {
        return;
    }
    if let Some(before) = before {
        index.remove(&before);
    }
    if let Some(after) = after {
        index.insert(after, id.clone());
    }
}

fn unavailable(reason: &str) -> LedgerError {
    LedgerError::Unavailable(reason.to_owned())
}
