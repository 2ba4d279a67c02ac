//! Invoices that were handed out and not presented yet: one for each call asked for, and only so many made in a minute.
//!
//! Challenges are asked for by anybody, as often as they like, and every invoice is kept by the operator's node.

use std::collections::HashMap;

use coinop_core::Millis;

/// Most invoices made within a minute.
const PER_MINUTE_MAX: u32 = 120;
/// Most invoices remembered; a call beyond them gets a new one each time, within the minute's bound.
const REMEMBERED_MAX: usize = 4096;
/// An invoice with less time left is not handed out any more: its payer would hardly make it.
const TIME_LEFT_MS: Millis = 60_000;
const MINUTE_MS: Millis = 60_000;

/// An invoice of the operator's node, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invoice {
    pub(super) text: String,
    /// In hex.
    pub(super) payment_hash: String,
    /// Until when it can be paid.
    pub(super) expires_at: Millis,
}

/// What to do about a call that is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is an invoice for it.
    Found(Invoice),
    /// One may be made; it is counted.
    Make,
    /// Too many were made in this minute.
    TooMany,
}

/// The invoices of one account in this process.
#[derive(Default)]
pub(super) struct Unpaid {
    by_call: HashMap<String, Invoice>,
    minute: Millis,
    made: u32,
}

impl Unpaid {
    pub(super) fn turn(&mut self, call: &str, now: Millis) -> Turn {
        let is_fresh = |invoice: &&Invoice| invoice.expires_at - now > TIME_LEFT_MS;
        if let Some(invoice) = self.by_call.get(call).filter(is_fresh) {
            return Turn::Found(invoice.clone());
        }
        if self.minute != now.div_euclid(MINUTE_MS) {
            (self.minute, self.made) = (now.div_euclid(MINUTE_MS), 0);
        }
        if self.made >= PER_MINUTE_MAX {
            return Turn::TooMany;
        }
        self.made += 1;
        Turn::Make
    }

    pub(super) fn made(&mut self, call: String, invoice: Invoice, now: Millis) {
        if self.by_call.len() >= REMEMBERED_MAX {
            self.by_call
                .retain(|_, invoice| invoice.expires_at - now > TIME_LEFT_MS);
        }
        if self.by_call.len() < REMEMBERED_MAX {
            self.by_call.insert(call, invoice);
        }
    }

    /// The invoice was paid: whoever asks for the same call next needs another.
    pub(super) fn paid(&mut self, call: &str, payment_hash: &str) {
        if self
            .by_call
            .get(call)
            .is_some_and(|invoice| invoice.payment_hash == payment_hash)
        {
            self.by_call.remove(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_170_725_000;

    fn invoice(payment_hash: &str, expires_at: Millis) -> Invoice {
        Invoice {
            text: format!("lnbc1{payment_hash}"),
            payment_hash: payment_hash.to_owned(),
            expires_at,
        }
    }

    #[test]
    fn a_call_has_one_invoice_until_it_is_paid_or_nearly_over() {
        let mut unpaid = Unpaid::default();
        assert_eq!(unpaid.turn("call", NOW), Turn::Make);
        let first = invoice("aa", NOW + 900_000);
        unpaid.made("call".into(), first.clone(), NOW);
        assert_eq!(unpaid.turn("call", NOW + 1), Turn::Found(first.clone()));
        assert_eq!(unpaid.turn("another", NOW + 1), Turn::Make);
        assert_eq!(unpaid.turn("call", NOW + 840_000), Turn::Make);
        unpaid.paid("call", "bb");
        assert_eq!(unpaid.turn("call", NOW + 1), Turn::Found(first));
        unpaid.paid("call", "aa");
        assert_eq!(unpaid.turn("call", NOW + 1), Turn::Make);
    }

    #[test]
    fn a_flood_makes_so_many_a_minute() {
        let mut unpaid = Unpaid::default();
        let mut made = 0;
        for call in 0..10_000 {
            if unpaid.turn(&call.to_string(), NOW) == Turn::Make {
                made += 1;
            }
        }
        assert_eq!(made, PER_MINUTE_MAX);
        assert_eq!(unpaid.turn("later", NOW + MINUTE_MS), Turn::Make);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut unpaid = Unpaid::default();
        for call in 0..REMEMBERED_MAX + 10 {
            unpaid.made(call.to_string(), invoice("aa", NOW + 900_000), NOW);
        }
        assert_eq!(unpaid.by_call.len(), REMEMBERED_MAX);
        unpaid.made(
            "later".into(),
            invoice("bb", NOW + 2_000_000),
            NOW + 900_000,
        );
        assert_eq!(unpaid.by_call.len(), 1);
    }
}
