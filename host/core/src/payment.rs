//! The provider's object for a call, and what may become of it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{LinkToken, PaymentId};
use crate::money::{Amount, Money};

/// A payment. Its id is also the idempotency key of everything asked of the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What the caller redeems.
    pub id: PaymentId,
    /// What the payment link carries.
    pub link: LinkToken,
    /// The provider's kind, as shown to callers (`sandbox`).
    pub provider: String,
    /// The provider's own reference, once it has one.
    pub reference: Option<String>,
    /// Where the payer pays, when that is not the host's own page.
    pub url: Option<String>,
    /// What the provider says it received or reserved.
    pub received: Option<Money>,
    /// What went back, in the currency received.
    pub refunded: Amount,
    /// What the provider charged for moving it, in the currency received.
    #[serde(default, skip_serializing_if = "Amount::is_zero")]
    pub fee: Amount,
    /// What the provider gave as proof that the money moved (a transaction, a preimage), as JSON of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Digest of the credential by which the caller pays, where one came with the call: presented again, it is this payment
    /// once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Digest>,
    /// What its payer calls the purchase, where it has a name for it: another payment under the same name is for the same
    /// purchase, and must not pay for it twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Where it stands.
    pub state: PaymentState,
}

/// The states of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// The intent is recorded; the provider may or may not know of it.
    Creating,
    /// The provider knows it; nobody has paid.
    Pending,
    /// The money is ours.
    Paid,
    /// The money is reserved; it is taken when the outcome is stored.
    Authorized,
    /// The provider gave up on it.
    Failed,
    /// The payer said no.
    Declined,
    /// The host or the provider called it off.
    Canceled,
    /// Its time ran out.
    Expired,
    /// The reserved money is being taken.
    Settling,
    /// The provider was asked to take it and has not said what happened.
    SettleUnknown,
    /// The reservation is being given back: no run may be claimed on it any more.
    Releasing,
    /// The reservation was given back; nothing was taken.
    Released,
    /// Part of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
    /// The payer disputes it.
    Disputed,
    /// Paid after the call had ended without payment.
    LatePaid,
}

impl PaymentState {
    /// Whether the host holds, or held at the time, the payer's money.
    pub fn is_taken(self) -> bool {
        matches!(
            self,
            Self::Paid | Self::LatePaid | Self::PartiallyRefunded | Self::Disputed
        )
    }

    /// Whether money was taken at some time, given back since or not.
    pub fn was_taken(self) -> bool {
        self.is_taken() || self == Self::Refunded
    }

    /// Whether the provider is being asked to take reserved money, or was and has not said what happened.
    pub fn is_settling(self) -> bool {
        matches!(self, Self::Settling | Self::SettleUnknown)
    }
}

/// What happened to a payment. `Illegal` pairs of state and event are refused by [`Payment::apply`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum PaymentEvent {
    /// The provider has it.
    Created {
        /// The provider's reference.
        reference: String,
        /// Where to pay, when not on the host's own page.
        url: Option<String>,
    },
    /// The principal's balance covers the whole price: no provider is asked.
    Covered,
    /// The provider says money arrived.
    Paid {
        /// How much, in what.
        received: Money,
    },
    /// The provider says money is reserved.
    Authorized {
        /// How much, in what.
        reserved: Money,
    },
    /// It cannot be paid any more.
    Failed,
    /// The payer refused.
    Declined,
    /// It was called off.
    Canceled,
    /// Its time ran out, and the provider agrees that nothing was paid.
    Expired,
    /// The provider is about to be asked to take reserved money.
    SettleStarted,
    /// Reserved money was taken.
    Settled {
        /// How much, in what.
        received: Money,
    },
    /// The provider's answer to settling was lost.
    SettleUnknown,
    /// The provider is about to be asked to give reserved money back.
    ReleaseStarted,
    /// The reservation was given back.
    Released,
    /// The provider proved that the money moved, or is moving.
    Proved {
        /// Its proof, JSON of its own.
        proof: String,
    },
    /// Money went back.
    Refunded {
        /// How much, in the currency received.
        amount: Amount,
    },
    /// The payer disputes the payment.
    Disputed,
    /// The provider said what it charged for moving the money, all in all.
    FeeCharged {
        /// How much, in the currency received.
        fee: Amount,
    },
}

/// An event that a payment in this state cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a payment that is {state:?} cannot be {event:?}")]
pub struct IllegalPayment {
    state: PaymentState,
    event: PaymentEvent,
}

impl Payment {
    /// A payment that the provider has not been asked for yet.
    pub fn creating(id: PaymentId, link: LinkToken, provider: String) -> Self {
        Self {
            id,
            link,
            provider,
            reference: None,
            url: None,
            received: None,
            refunded: Amount::ZERO,
            fee: Amount::ZERO,
            proof: None,
            credential: None,
            identifier: None,
            state: PaymentState::Creating,
        }
    }

    /// The one transition function. Everything unlisted is illegal and changes nothing.
    pub(crate) fn apply(&mut self, event: &PaymentEvent) -> Result<(), IllegalPayment> {
        use PaymentEvent as E;
        use PaymentState as S;
        self.state = match (self.state, event) {
            (S::Creating, E::Created { reference, url }) => {
                self.reference = Some(reference.clone());
                self.url.clone_from(url);
                S::Pending
            }
            (S::Creating, E::Covered) => S::Paid,
            (S::Pending, E::Paid { received }) => {
                self.received = Some(*received);
                S::Paid
            }
            (S::Pending, E::Authorized { reserved }) => {
                self.received = Some(*reserved);
                S::Authorized
            }
            (S::Creating | S::Pending, E::Failed) => S::Failed,
            (S::Creating | S::Pending, E::Declined) => S::Declined,
            (S::Creating | S::Pending, E::Canceled) => S::Canceled,
            (S::Creating | S::Pending, E::Expired) => S::Expired,
            // A provider may take money for what we had given up. It is owed, whatever we called the end.
            (S::Expired | S::Canceled | S::Declined | S::Failed, E::Paid { received }) => {
                self.received = Some(*received);
                S::LatePaid
            }
            (S::Authorized, E::SettleStarted) => S::Settling,
            (S::Settling, E::SettleUnknown) => S::SettleUnknown,
            (S::Authorized, E::ReleaseStarted) => S::Releasing,
            (
                S::Authorized | S::Settling | S::SettleUnknown | S::Releasing,
                E::Settled { received },
            ) => {
                self.received = Some(*received);
                S::Paid
            }
            (S::Settling | S::SettleUnknown | S::Releasing, E::Released) => S::Released,
            (
                state @ (S::Pending
                | S::Authorized
                | S::Settling
                | S::SettleUnknown
                | S::Releasing
                | S::Paid),
                E::Proved { proof },
            ) => {
                self.proof = Some(proof.clone());
                state
            }
            (state, E::Refunded { amount }) if state.is_taken() => self.refund(*amount, event)?,
            (S::Paid | S::PartiallyRefunded, E::Disputed) => S::Disputed,
            (state, E::FeeCharged { fee })
                if state.was_taken() && self.received.is_some() && *fee >= Amount::ZERO =>
            {
                self.fee = *fee;
                state
            }
            (state, event) => {
                return Err(IllegalPayment {
                    state,
                    event: event.clone(),
                });
            }
        };
        Ok(())
    }

    fn refund(
        &mut self,
        amount: Amount,
        event: &PaymentEvent,
    ) -> Result<PaymentState, IllegalPayment> {
        let illegal = || IllegalPayment {
            state: self.state,
            event: event.clone(),
        };
        let received = self.received.ok_or_else(illegal)?.amount;
        let refunded = self.refunded.checked_add(amount).ok_or_else(illegal)?;
        if !amount.is_positive() || refunded > received {
            return Err(illegal());
        }
        self.refunded = refunded;
        Ok(if refunded == received {
            PaymentState::Refunded
        } else {
            PaymentState::PartiallyRefunded
        })
    }
}
