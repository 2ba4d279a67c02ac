//! The accounts: against themselves, against the balances of principals, against the banks.

use std::collections::BTreeMap;

use coinop::ledger::{Audited, Ledger as _};
use coinop_core::call::CallState;
use coinop_core::entry::{Book, position};
use coinop_core::money::Currency;

use crate::sim::bank::{Books, Entry};
use crate::sim::world::World;

type Sums<K> = BTreeMap<K, i64>;

/// Entries of one change sum to zero in each currency; all of them add up to where the call's money lies.
pub(super) fn check_entries(world: &World, audited: &Audited) {
    let id = &audited.record.call.id;
    let mut changes = Sums::<(i64, Currency)>::new();
    let mut lines = Sums::<(Book, Currency)>::new();
    for entry in &audited.entries {
        let (nanos, currency) = (entry.amount.amount.nanos(), entry.amount.currency);
        *changes.entry((entry.change, currency)).or_default() += nanos;
        *lines.entry((entry.book, currency)).or_default() += nanos;
    }
    for ((change, currency), sum) in changes {
        if sum != 0 {
            world.broken(format_args!(
                "{id}: change {change} sums to {sum} {currency}"
            ));
        }
    }
    lines.retain(|_, sum| *sum != 0);
    let position = position(&audited.record.call);
    let position: Sums<_> = position.into_iter().map(|(k, v)| (k, v.nanos())).collect();
    if lines != position {
        world.broken(format_args!(
            "{id}: entries {lines:?}, position {position:?}"
        ));
    }
    let owes = lines.keys().any(|(book, _)| *book == Book::Undelivered);
    if owes && audited.record.call.state.is_end() {
        world.broken(format_args!("{id} has ended and owes: {lines:?}"));
    }
}

/// The ledger's sums are those of its entries, and the balances are the book of credit.
pub(super) async fn check_balances(world: &World, audited: &[Audited]) {
    let mut credit = Sums::new();
    for call in audited {
        let quote = &call.record.call.quote;
        for entry in call.entries.iter().filter(|e| e.book == Book::Credit) {
            let holder = (quote.principal.clone(), quote.account.clone());
            let sum = credit.entry((holder, entry.amount.currency));
            *sum.or_default() -= entry.amount.amount.nanos();
        }
    }
    credit.retain(|_, sum| *sum != 0);
    let balances = world.ledger.credits().await.expect("memory is read");
    let held: Sums<_> = balances
        .into_iter()
        .map(|b| {
            let holder = (b.principal, b.account);
            ((holder, b.amount.currency), b.amount.amount.nanos())
        })
        .collect();
    if held != credit {
        world.broken(format_args!("balances {held:?}, entries {credit:?}"));
    }
    if let Some((holder, sum)) = held.iter().find(|(_, sum)| **sum < 0) {
        world.broken(format_args!("{holder:?} has a balance of {sum}"));
    }
    let mut currencies = Sums::new();
    for balance in world.ledger.balances().await.expect("memory is read") {
        *currencies.entry(balance.currency).or_default() += balance.amount.nanos();
    }
    if currencies.values().any(|sum| *sum != 0) {
        world.broken(format_args!("the books do not sum to zero: {currencies:?}"));
    }
}

/// What each bank holds for us is what the ledger says, and it was asked with care.
pub(super) fn check_banks(world: &World, audited: &[Audited]) {
    for (account, bank) in &world.banks {
        let books = bank.books();
        check_keys(world, account, &books, audited);
        let held = sums(books.payments.values().map(|entry| {
            let currency = entry.received.map_or(entry.price.currency, |r| r.currency);
            (currency, entry.held())
        }));
        let of_account = audited
            .iter()
            .filter(|a| a.record.call.quote.account == *account);
        let clearing = sums(
            of_account
                .flat_map(|call| &call.entries)
                .filter(|entry| matches!(entry.book, Book::Clearing | Book::Fees))
                .map(|entry| (entry.amount.currency, entry.amount.amount.nanos())),
        );
        let unknown = |a: &Audited| {
            let call = &a.record.call;
            matches!(call.state, CallState::Attention { .. }) || call.refund.is_some()
        };
        if held != clearing && !audited.iter().any(unknown) {
            world.broken(format_args!(
                "{account} holds {held:?}, clearing {clearing:?}"
            ));
        }
    }
}

fn sums<K: Ord>(lines: impl Iterator<Item = (K, i64)>) -> Sums<K> {
    let mut sums = Sums::new();
    for (key, nanos) in lines {
        *sums.entry(key).or_default() += nanos;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// One payment a key, one refund a key, and never more back than came in.
fn check_keys(world: &World, account: &str, books: &Books, audited: &[Audited]) {
    for (key, made) in &books.keys {
        if made.len() > 1 {
            world.broken(format_args!(
                "{account} was made to make {made:?} for one key {key}"
            ));
        }
    }
    for (reference, entry) in &books.payments {
        check_refunds(world, reference, entry);
        let owner = audited.iter().find(|a| {
            let payment = &a.record.call.payment;
            payment.id == entry.key || payment.reference.as_ref() == Some(reference)
        });
        let credited = owner.is_some_and(|a| {
            matches!(a.record.call.state, CallState::Credited { .. }) && entry.refunded() > 0
        });
        if credited {
            world.broken(format_args!(
                "{reference} was credited and sent back: {entry:?}"
            ));
        }
        let known =
            owner.is_some_and(|a| a.record.call.payment.reference.as_ref() == Some(reference));
        if !known && entry.received.is_some() {
            world.broken(format_args!(
                "{reference} was paid, and no call knows it: {entry:?}"
            ));
        }
    }
}

fn check_refunds(world: &World, reference: &str, entry: &Entry) {
    let mut sent = Sums::new();
    for refund in entry.refunds.iter().filter(|refund| refund.leaves()) {
        *sent.entry(refund.key.as_str()).or_default() += 1;
    }
    if let Some((key, times)) = sent.into_iter().find(|(_, times)| *times > 1) {
        world.broken(format_args!(
            "{reference} was sent back {times} times under {key}"
        ));
    }
    let received = entry.received.map_or(0, |money| money.amount.nanos());
    if entry.refunded() > received {
        world.broken(format_args!(
            "{reference} was sent back more than came: {entry:?}"
        ));
    }
}
