//! What is seen from outside while a world runs: starts of tools, outcomes in callers' hands.

use std::collections::BTreeMap;

use coinop::ledger::{CallKey, Delivery};
use coinop_core::call::{Call, CallState};
use coinop_core::ids::CallId;
use coinop_core::outcome::Content;
use coinop_core::principal::Principal;
use serde_json::Value;

use super::bank::State;
use super::shop;
use super::world::World;

/// Runs of one call at most, tries after failures aside: what core allows.
const RUNS_MAX: u32 = 3;

/// What was seen.
#[derive(Default)]
pub(crate) struct Witness {
    /// Promises that were broken.
    pub broken: Vec<String>,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u32>,
    /// How often each call's tool was started.
    pub starts: BTreeMap<CallId, u32>,
    /// What callers hold.
    pub delivered: BTreeMap<CallId, Held>,
}

/// An outcome in a caller's hands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    /// What the tool said.
    pub content: Vec<Content>,
    /// Its receipt.
    pub receipt: Option<String>,
}

impl Witness {
    /// Counts how a call ended.
    pub(crate) fn count_end(&mut self, state: &'static str) {
        *self.counts.entry(state).or_default() += 1;
    }
}

impl World {
    /// A tool starts: is it paid for, and may it start again? Returns the number of this start.
    pub(crate) fn witness_start(&self, host: &str, id: &CallId, epoch: u32) -> u32 {
        let run = {
            let mut seen = self.seen();
            let starts = seen.starts.entry(id.clone()).or_default();
            *starts += 1;
            *starts
        };
        self.note(format_args!("{host} starts {id} e{epoch}, start {run}"));
        self.count("starts");
        let Some(record) = self.ledger.peek(&CallKey::Call(id.clone())) else {
            self.broken(format_args!("{id} is run and in no ledger"));
            return run;
        };
        let call = &record.call;
        if let Some(what) = self.unpaid(call) {
            self.broken(format_args!("{id} starts {what}"));
        }
        let running = matches!(call.state, CallState::Running { .. });
        if !running || call.epoch != epoch {
            let (state, now) = (call.state.name(), call.epoch);
            self.broken(format_args!(
                "{id} starts under epoch {epoch} while it is {state} in epoch {now}"
            ));
        }
        let allowed = match shop::is_effectful(&call.quote.tool) {
            true => 1,
            false => RUNS_MAX + call.quote.retries,
        };
        if run > allowed {
            self.broken(format_args!("{id} starts {run} times"));
        }
        run
    }

    /// How the bank sees that a call is not paid for, if it does.
    fn unpaid(&self, call: &Call) -> Option<String> {
        let due = call.due();
        if due.amount.is_zero() {
            return None;
        }
        let Some(reference) = &call.payment.reference else {
            return Some("without a payment".to_owned());
        };
        let books = self.bank(&call.quote.account).books();
        let Some(entry) = books.payments.get(reference) else {
            return Some(format!("on {reference}, which the bank does not know"));
        };
        let there = match entry.state {
            State::Paid => entry.held() == due.amount.nanos(),
            State::Authorized => true,
            // A signature is for what it says, and good enough where the seller does not want the money first.
            State::Signed => !call.quote.upfront && entry.price == due,
            _ => false,
        };
        let fits = there && (entry.state == State::Signed || entry.received == Some(due));
        (!fits).then(|| format!("on {entry:?} for {due}"))
    }

    /// A call was recorded: nobody may have more open than the cap says.
    pub(crate) fn witness_open(&self, open_max: Option<u32>) {
        let Some(max) = open_max else {
            return;
        };
        let mut open = BTreeMap::<Principal, u32>::new();
        for record in self.ledger.peek_all() {
            if matches!(record.call.state, CallState::Quoted | CallState::Awaiting) {
                *open.entry(record.call.quote.principal).or_default() += 1;
            }
        }
        for (principal, count) in open {
            if principal.is_known() && count > max {
                self.broken(format_args!(
                    "{principal} has {count} open payments of {max}"
                ));
            }
        }
    }

    /// A caller is given an outcome for `arguments` of `tool`.
    pub(crate) fn witness_outcome(&self, tool: &str, arguments: &Value, delivery: &Delivery) {
        let content = delivery.outcome.content.clone();
        let Some(Content::Text { text }) = content.first() else {
            return self.broken(format_args!("an outcome says nothing: {content:?}"));
        };
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let Some(Ok(id)) = said["call"].as_str().map(str::parse::<CallId>) else {
            return self.broken(format_args!("an outcome names no call: {text}"));
        };
        let ran: Option<Value> = said["arguments"]
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok());
        if ran.as_ref() != Some(arguments) || said["tool"] != tool {
            self.broken(format_args!("{tool} {arguments} is answered with {text}"));
        }
        if delivery.receipt.is_none() {
            self.broken(format_args!("{id} is delivered without a receipt"));
        }
        self.note(format_args!("delivered {id}"));
        let held = Held {
            content,
            receipt: delivery.receipt.as_deref().map(str::to_owned),
        };
        let before = self.seen().delivered.insert(id.clone(), held.clone());
        if before.is_some_and(|before| before != held) {
            self.broken(format_args!("{id} is delivered with another outcome"));
        }
    }
}
