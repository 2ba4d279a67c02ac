//! Accounts in memory: entries, balances that never fall below zero, and what counts against caps.

use std::collections::BTreeMap;

use coinop::ledger::transition::{Usage, counted, day_of, minute_before};
use coinop::ledger::{AdvanceError, Balance, Caps, CreditBalance, Posted};
use coinop_core::Millis;
use coinop_core::call::{Call, CallState};
use coinop_core::entry::Entry;
use coinop_core::money::{Amount, Currency, Money};
use coinop_core::principal::Principal;

use super::store::Store;

/// The lines of one change.
pub(super) fn posted(entries: &[Entry], change: i64, at: Millis) -> Vec<Posted> {
    let line = |entry: &Entry| Posted {
        change,
        book: entry.book,
        amount: Money {
            amount: entry.amount,
            currency: entry.currency,
        },
        at,
    };
    entries.iter().map(line).collect()
}

impl Store {
    /// Moves the balance of a call's principal, all or nothing.
    pub(super) fn move_credit(&mut self, call: &Call, moved: &[Money]) -> Result<(), AdvanceError> {
        let key = |currency| {
            let quote = &call.quote;
            (quote.principal.clone(), quote.account.clone(), currency)
        };
        let mut after = BTreeMap::new();
        for money in moved {
            let key = key(money.currency);
            let before = self.credit.get(&key).copied().unwrap_or(0);
            let sum = after.entry(key).or_insert(before);
            *sum += money.amount.nanos();
            // Like a constraint of a database, which holds after every statement.
            if *sum < 0 {
                return Err(AdvanceError::CreditSpent);
            }
        }
        self.credit.extend(after);
        Ok(())
    }

    pub(super) fn credit(
        &self,
        principal: Principal,
        account: String,
        currency: Currency,
    ) -> Amount {
        let nanos = self.credit.get(&(principal, account, currency));
        Amount::from_nanos(nanos.copied().unwrap_or(0))
    }

    pub(super) fn credits(&self) -> Vec<CreditBalance> {
        let held = self.credit.iter().filter(|(_, nanos)| **nanos > 0);
        held.map(|((principal, account, currency), nanos)| CreditBalance {
            principal: principal.clone(),
            account: account.clone(),
            amount: Money {
                amount: Amount::from_nanos(*nanos),
                currency: *currency,
            },
        })
        .collect()
    }

    pub(super) fn balances(&self) -> Vec<Balance> {
        let mut sums = BTreeMap::<(&str, Currency), i64>::new();
        for line in self.calls.values().flat_map(|row| &row.entries) {
            let sum = sums.entry((line.book.as_str(), line.amount.currency));
            *sum.or_default() += line.amount.amount.nanos();
        }
        sums.into_iter()
            .map(|((book, currency), nanos)| Balance {
                book: book.to_owned(),
                currency,
                amount: Amount::from_nanos(nanos),
            })
            .collect()
    }

    /// How far the principal of a new call is from `caps`, counted anew from every call it has.
    pub(super) fn usage(&self, call: &Call, caps: &Caps) -> Usage {
        let of_principal = self.calls.values().map(|row| &row.record.call);
        let calls: Vec<&Call> = of_principal
            .filter(|other| other.quote.principal == call.quote.principal)
            .collect();
        let mut usage = Usage::default();
        if let Some(max) = caps.open_max {
            let waiting = |c: &&&Call| matches!(c.state, CallState::Quoted | CallState::Awaiting);
            let ends = calls.iter().filter(waiting).map(|c| c.quote.expires_at);
            let mut ends: Vec<Millis> = ends.collect();
            ends.sort_unstable();
            ends.truncate(max as usize);
            usage.open = (ends.len() as u32, ends.first().copied().unwrap_or(0));
        }
        if let Some(max) = caps.links_per_minute_max {
            let since = minute_before(call.created_at);
            let made = calls.iter().map(|c| c.created_at).filter(|at| *at > since);
            let mut made: Vec<Millis> = made.collect();
            made.sort_unstable_by_key(|at| std::cmp::Reverse(*at));
            made.truncate(max as usize);
            usage.links = (made.len() as u32, made.last().copied().unwrap_or(0));
        }
        let day = day_of(call.created_at);
        let today = calls.iter().filter(|c| {
            day_of(c.created_at) == day && c.quote.price.currency == call.quote.price.currency
        });
        usage.spent_today = Amount::from_nanos(today.map(|c| counted(c).nanos()).sum());
        usage
    }
}
