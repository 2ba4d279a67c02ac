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
mod tests;
