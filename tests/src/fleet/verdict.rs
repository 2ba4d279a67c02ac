//! Whether what clients were told, what the ledger says and what was really run agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use coinop::ledger::{Audited, Ledger};
use coinop_core::call::{Call, CallState};
use coinop_core::digest::Digest;
use coinop_core::entry::{Book, position};
use coinop_core::money::Currency;

use super::buyer::{Sale, Told};

/// Calls read at a time.
const PAGE: u32 = 500;

/// What a run of the test came to.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Broken promises.
    pub violations: Vec<String>,
    /// Paid calls that were delivered.
    pub delivered: usize,
    /// Paid calls whose money went back.
    pub refunded: usize,
    /// Runs that were started, repeated ones among them.
    pub runs: usize,
}

impl Verdict {
    /// Compares. `trace` is what the hosts appended: lines `PID before-run CALL EPOCH` among others.
    pub async fn of(ledger: &dyn Ledger, sales: &[Sale], trace: &str) -> Self {
        let mut verdict = Self::default();
        let calls = everything(ledger).await;
        let starts = verdict.starts(trace);
        let by_payment: HashMap<&str, &Audited> = calls
            .iter()
            .map(|audited| (audited.record.call.payment.id.as_str(), audited))
            .collect();
        for sale in sales {
            match by_payment.get(sale.payment.as_str()) {
                Some(audited) => verdict.sale(sale, &audited.record.call),
                None => verdict.broken(format!("{} is not in the ledger", sale.payment)),
            }
        }
        let sold: BTreeSet<&str> = sales.iter().map(|sale| sale.payment.as_str()).collect();
        for audited in &calls {
            verdict.call(audited, &starts);
            let call = &audited.record.call;
            if !sold.contains(call.payment.id.as_str()) && call.payment.received.is_some() {
                verdict.broken(format!("{} was paid by nobody", call.payment.id));
            }
        }
        verdict.chains(ledger, &calls).await;
        verdict
    }

    fn broken(&mut self, what: String) {
        self.violations.push(what);
    }

    /// The runs that were started, by call: their epochs. None is started twice.
    fn starts(&mut self, trace: &str) -> BTreeMap<String, BTreeSet<u32>> {
        let mut starts = BTreeMap::<String, BTreeSet<u32>>::new();
        for line in trace.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [_, "before-run", call, epoch] = words[..] else {
                continue;
            };
            self.runs += 1;
            let epoch = epoch.parse().expect("an epoch is a number");
            if !starts.entry(call.to_owned()).or_default().insert(epoch) {
                self.broken(format!("{call} was started twice in epoch {epoch}"));
            }
        }
        starts
    }

    /// Everybody was told the same, and it is what the ledger says.
    fn sale(&mut self, sale: &Sale, call: &Call) {
        let (first, rest) = sale
            .told
            .split_first()
            .expect("every sale was followed to its end");
        if rest.iter().any(|told| told != first) {
            self.broken(format!("{} was told {:?}", sale.payment, sale.told));
        }
        match (first, &call.state) {
            (Told::Outcome(_), CallState::Deliverable) => self.delivered += 1,
            (Told::Refunded, CallState::Refunded { .. }) => self.refunded += 1,
            (told, state) => self.broken(format!(
                "{} was told {told:?} and is {state:?}",
                sale.payment
            )),
        }
    }

    fn call(&mut self, audited: &Audited, starts: &BTreeMap<String, BTreeSet<u32>>) {
        let call = &audited.record.call;
        let id = call.id.as_str();
        let epochs = starts.get(id).cloned().unwrap_or_default();
        if call.quote.tool == "send" && epochs.len() > 1 {
            self.broken(format!("{id} must run once and ran in {epochs:?}"));
        }
        if epochs.last().is_some_and(|last| *last > call.epoch) {
            self.broken(format!(
                "{id} ran in {epochs:?} and was claimed {} times",
                call.epoch
            ));
        }
        if !epochs.is_empty() && call.payment.received.is_none() {
            self.broken(format!("{id} ran and was not paid"));
        }
        if call.state == CallState::Deliverable && (epochs.is_empty() || audited.receipt.is_none())
        {
            self.broken(format!(
                "{id} was delivered without a run, or without a receipt"
            ));
        }
        self.entries(audited);
    }

    /// Every change sums to zero, and all of them to where the call's money lies.
    fn entries(&mut self, audited: &Audited) {
        let call = &audited.record.call;
        let mut changes = BTreeMap::<(i64, Currency), i64>::new();
        let mut books = BTreeMap::<(Book, Currency), i64>::new();
        for entry in &audited.entries {
            let nanos = entry.amount.amount.nanos();
            *changes
                .entry((entry.change, entry.amount.currency))
                .or_default() += nanos;
            *books
                .entry((entry.book, entry.amount.currency))
                .or_default() += nanos;
        }
        books.retain(|_, nanos| *nanos != 0);
        let expected: BTreeMap<_, _> = position(call)
            .into_iter()
            .map(|(line, amount)| (line, amount.nanos()))
            .collect();
        if changes.values().any(|sum| *sum != 0) || books != expected {
            self.broken(format!(
                "the entries of {} are {books:?}, not {expected:?}",
                call.id
            ));
        }
    }

    /// Every receipt of every chain is signed, numbered and names the one before; every delivered call has one.
    async fn chains(&mut self, ledger: &dyn Ledger, calls: &[Audited]) {
        let keys = ledger.receipt_keys().await.expect("the ledger is there");
        let mut receipts = BTreeSet::new();
        for chain in ledger.chains().await.expect("the ledger is there") {
            let (mut number, mut head) = (0, None);
            loop {
                let page = ledger.receipts(chain.id.clone(), number, PAGE).await;
                let page = page.expect("the ledger is there");
                for text in &page {
                    let receipt = keys.verify(text);
                    let holds = receipt.as_ref().is_ok_and(|receipt| {
                        receipt.number == number + 1 && receipt.previous == head
                    });
                    if !holds {
                        self.broken(format!("after {number} of {}: {receipt:?}", chain.id));
                    }
                    number += 1;
                    head = Some(Digest::of(text.as_bytes()));
                    receipts.insert(text.clone());
                }
                if page.is_empty() {
                    break;
                }
            }
            if (number, head) != (chain.count, chain.head) {
                self.broken(format!("{} is {chain:?} after {number} receipts", chain.id));
            }
        }
        let chained =
            |audited: &&Audited| !audited.receipt.iter().all(|text| receipts.contains(text));
        for lost in calls.iter().filter(chained) {
            self.broken(format!(
                "the receipt of {} is in no chain",
                lost.record.call.id
            ));
        }
    }
}

async fn everything(ledger: &dyn Ledger) -> Vec<Audited> {
    let mut calls: Vec<Audited> = Vec::new();
    loop {
        let after = calls.last().map(|last| last.record.call.id.clone());
        let page = ledger
            .audit(after, PAGE)
            .await
            .expect("the ledger is there");
        if page.is_empty() {
            return calls;
        }
        calls.extend(page);
    }
}
