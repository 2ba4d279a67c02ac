//! One payment in the ledger beside the same payment at the provider: every way in which they differ. Pure.

use coinop_core::call::{Call, CallState};
use coinop_core::money::{Amount, Money};

use crate::provider::StatementLine;

/// How a payment differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The ledger says that money was taken; the provider's statement has no such payment.
    NotAtProvider {
        /// What the ledger has.
        received: Money,
    },
    /// The provider has money that no call was paid with.
    NotInLedger {
        /// What the provider has.
        received: Money,
    },
    /// Money arrived for what the ledger calls unpaid.
    Unpaid {
        /// How the call stands.
        state: &'static str,
        /// What arrived.
        received: Money,
    },
    /// Another amount arrived, or another currency.
    Received {
        /// What the ledger has.
        ledger: Money,
        /// What the provider has.
        provider: Money,
    },
    /// Another amount went back.
    Refunded {
        /// What the ledger has.
        ledger: Money,
        /// What the provider has.
        provider: Money,
    },
    /// The provider charged something else.
    Fee {
        /// What the ledger has.
        ledger: Money,
        /// What the provider has.
        provider: Money,
    },
}

impl Difference {
    /// The word for scripts.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotAtProvider { .. } => "not_at_provider",
            Self::NotInLedger { .. } => "not_in_ledger",
            Self::Unpaid { .. } => "unpaid",
            Self::Received { .. } => "received",
            Self::Refunded { .. } => "refunded",
            Self::Fee { .. } => "fee",
        }
    }

    /// What the ledger has, where it has anything.
    pub fn in_ledger(&self) -> Option<Money> {
        match self {
            Self::NotAtProvider { received } => Some(*received),
            Self::NotInLedger { .. } | Self::Unpaid { .. } => None,
            Self::Received { ledger, .. }
            | Self::Refunded { ledger, .. }
            | Self::Fee { ledger, .. } => Some(*ledger),
        }
    }

    /// What the provider has, where it has anything.
    pub fn at_provider(&self) -> Option<Money> {
        match self {
            Self::NotAtProvider { .. } => None,
            Self::NotInLedger { received } | Self::Unpaid { received, .. } => Some(*received),
            Self::Received { provider, .. }
            | Self::Refunded { provider, .. }
            | Self::Fee { provider, .. } => Some(*provider),
        }
    }
}

/// What of a call the provider took at some time, as the ledger has it.
pub fn taken(call: &Call) -> Option<Money> {
    let received = call.payment.received;
    received.filter(|_| call.payment.state.was_taken())
}

/// Every way in which a call differs from its line in the statement.
pub fn differences(call: &Call, line: &StatementLine) -> Vec<Difference> {
    let Some(received) = taken(call) else {
        return vec![Difference::Unpaid {
            state: call.state.name(),
            received: line.received,
        }];
    };
    if received != line.received {
        return vec![Difference::Received {
            ledger: received,
            provider: line.received,
        }];
    }
    let money = |amount| Money { amount, ..received };
    let mut found = Vec::new();
    if !refunds_agree(call, line.refunded) {
        found.push(Difference::Refunded {
            ledger: money(call.payment.refunded),
            provider: money(line.refunded),
        });
    }
    if fee_is_due(call, line) {
        found.push(Difference::Fee {
            ledger: money(call.payment.fee),
            provider: money(line.fee),
        });
    }
    found
}

/// Whether the provider's fee is to be recorded: of a call whose money moves no more, so that recording it delays nothing.
fn fee_is_due(call: &Call, line: &StatementLine) -> bool {
    call.state.is_end() && call.payment.fee != line.fee
}

/// Whether what went back agrees, with what is on its way counted on either side.
fn refunds_agree(call: &Call, at_provider: Amount) -> bool {
    let in_ledger = call.payment.refunded;
    if at_provider == in_ledger {
        return true;
    }
    // Settled by other means, as a person wrote: the provider knows nothing of it.
    if call.note.is_some() && at_provider < in_ledger {
        return true;
    }
    let under_way = match (&call.refund, &call.state) {
        (Some(order), _) => Some(order.amount),
        (None, CallState::Compensating { .. } | CallState::CompensationDue { .. }) => {
            Some(call.held())
        }
        _ => None,
    };
    under_way.is_some_and(|amount| in_ledger.checked_add(amount) == Some(at_provider))
}

#[cfg(test)]
mod tests {
    use coinop_core::arguments::Arguments;
    use coinop_core::call::{Cause, RefundOrder, Remedy};
    use coinop_core::digest::Digest;
    use coinop_core::ids::{CallId, LinkToken, PaymentId};
    use coinop_core::payment::{Payment, PaymentState};
    use coinop_core::principal::Principal;
    use coinop_core::quote::Quote;

    use super::*;

    fn usd(amount: &str) -> Money {
        Money::parse(amount, "USD").unwrap()
    }

    /// A delivered call of a dollar.
    fn call() -> Call {
        let quote = Quote {
            principal: Principal::local(),
            tool: "t".into(),
            plugin: "p".into(),
            component: Digest::of(b"component"),
            arguments: Arguments::stored("{}".into()).digest(),
            payment_id_argument: "payment_id".into(),
            price: usd("1"),
            account: "main".into(),
            claim_window_ms: 1,
            on_failure: Remedy::Refund,
            retries: 0,
            late_window_ms: 0,
            expires_at: 1,
        };
        let (id, link) = (
            PaymentId::from_random([2; 16]),
            LinkToken::from_random([3; 16]),
        );
        let payment = Payment::creating(id, link, "bank".into());
        let id = CallId::from_random([1; 16]);
        let mut call = Call::quoted(id, quote, "two_step", 0, payment);
        call.payment.state = PaymentState::Paid;
        call.payment.received = Some(usd("1"));
        call.state = CallState::Deliverable;
        call
    }

    fn line() -> StatementLine {
        StatementLine {
            reference: "r".into(),
            received: usd("1"),
            refunded: Amount::ZERO,
            fee: Amount::ZERO,
            at: 0,
        }
    }

    fn refunded(amount: &str) -> StatementLine {
        StatementLine {
            refunded: amount.parse().unwrap(),
            ..line()
        }
    }

    fn check(call: &Call, line: &StatementLine, expected: &[&str]) {
        let found = differences(call, line);
        let words: Vec<_> = found.iter().map(Difference::word).collect();
        assert_eq!(words, expected, "{found:?}");
    }

    #[test]
    fn what_agrees_has_no_difference() {
        check(&call(), &line(), &[]);
        let mut back = call();
        back.payment.refunded = "0.4".parse().unwrap();
        back.payment.state = PaymentState::PartiallyRefunded;
        check(&back, &refunded("0.4"), &[]);
    }

    #[test]
    fn each_way_of_differing_has_its_word() {
        let other = StatementLine {
            received: usd("1.01"),
            ..line()
        };
        check(&call(), &other, &["received"]);
        let euro = StatementLine {
            received: Money::parse("1", "EUR").unwrap(),
            ..line()
        };
        check(&call(), &euro, &["received"]);
        check(&call(), &refunded("0.1"), &["refunded"]);
        let fee = StatementLine {
            fee: "0.03".parse().unwrap(),
            ..line()
        };
        check(&call(), &fee, &["fee"]);
        let both = StatementLine {
            fee: "0.03".parse().unwrap(),
            ..refunded("0.1")
        };
        check(&call(), &both, &["refunded", "fee"]);
    }

    #[test]
    fn money_for_what_is_unpaid_is_told_whatever_else_differs() {
        for state in [
            PaymentState::Pending,
            PaymentState::Expired,
            PaymentState::Released,
            PaymentState::SettleUnknown,
        ] {
            let mut unpaid = call();
            unpaid.payment.state = state;
            check(&unpaid, &refunded("1"), &["unpaid"]);
        }
    }

    #[test]
    fn what_is_on_its_way_agrees_before_and_after() {
        let mut ordered = call();
        ordered.refund = Some(RefundOrder {
            key: "k".into(),
            amount: "0.4".parse().unwrap(),
            reason: String::new(),
            at: 0,
        });
        let mut owed = call();
        owed.state = CallState::Compensating {
            cause: Cause::ToolFailed,
            remedy: Remedy::Refund,
            attempts: 0,
            tried_at: 0,
        };
        for (call, amount) in [(&ordered, "0.4"), (&owed, "1")] {
            check(call, &line(), &[]);
            check(call, &refunded(amount), &[]);
            check(call, &refunded("0.2"), &["refunded"]);
        }
    }

    #[test]
    fn what_a_person_settled_otherwise_is_not_at_the_provider() {
        let mut closed = call();
        closed.state = CallState::Refunded {
            cause: Cause::RunLost,
        };
        closed.payment.state = PaymentState::Refunded;
        closed.payment.refunded = usd("1").amount;
        check(&closed, &line(), &["refunded"]);
        closed.note = Some("cash".into());
        check(&closed, &line(), &[]);
    }

    #[test]
    fn a_fee_is_compared_once_the_money_rests() {
        let fee = StatementLine {
            fee: "0.03".parse().unwrap(),
            ..line()
        };
        let mut ready = call();
        ready.state = CallState::Ready;
        check(&ready, &fee, &[]);
    }
}
