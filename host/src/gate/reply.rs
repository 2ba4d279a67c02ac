//! What a caller is told: an outcome, a request for payment, or no with a reason to act on.

use coinop_core::call::{Call, CallState, Cause};
use coinop_core::mode::{Ask, CONFIRM_PAYMENT, CONFIRM_PREFIX};
use coinop_core::money::Money;

use super::limit::Capped;
use crate::ledger::Delivery;
use crate::provider::rail::{Challenge, RailReceipt, Rejected};

/// The answer to a tool call.
#[derive(Debug)]
pub enum Reply {
    /// The tool's answer.
    Outcome(Delivery),
    /// A request for payment, or word that it is awaited or running.
    Ask {
        /// What to say.
        ask: Box<Ask>,
        /// Where to pay.
        payment_url: String,
        /// Whether the money is pretended.
        test: bool,
    },
    /// The tool's answer, paid for by what the caller brought.
    Settled {
        /// The answer.
        delivery: Delivery,
        /// The rail's own proof of payment.
        receipt: Option<RailReceipt>,
    },
    /// What to pay with the call itself: nothing is recorded.
    Challenge(Box<Challenged>),
    /// No, with a reason that the caller can act on.
    Refused(Refusal),
    /// The caller cancelled.
    Cancelled,
}

/// What may be paid for a call, by whom who brings the payment with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Challenged {
    /// The tool.
    pub tool: String,
    /// What it costs.
    pub price: Money,
    /// What each rail asks for, the preferred one first.
    pub challenges: Vec<Challenge>,
    /// Why the payment that was presented is not taken, where one was.
    pub rejected: Option<Rejected>,
    /// Whether the money is pretended.
    pub test: bool,
}

/// Why a call is not answered with an outcome. Nothing was consumed unless a variant says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The arguments do not fit the tool's schema.
    #[error("Invalid arguments: {0}")]
    InvalidArguments(String),
    /// No payment of this caller has that id: unknown, malformed and foreign ids look the same.
    #[error(
        "Unknown payment id. Nothing was charged. Call the tool without a payment id to get a new payment link."
    )]
    UnknownPayment,
    /// The payment was made for another tool.
    #[error(
        "This payment is for the tool {paid_for}, not for this one. It was not used. To get its result, call \
         {CONFIRM_PREFIX}{paid_for} or {CONFIRM_PAYMENT} with the payment id, whichever is listed; where neither is, {paid_for}."
    )]
    OtherTool {
        /// The tool it buys.
        paid_for: String,
    },
    /// The payment was made for other arguments.
    #[error("This payment was made for other arguments: {} differ{}. It was not used: repeat the call with the arguments it was made for.", .fields.join(", "), if .fields.len() == 1 { "s" } else { "" })]
    OtherArguments {
        /// The fields that differ.
        fields: Vec<String>,
    },
    /// The payer said no.
    #[error(
        "The payment was declined. Nothing was charged. Call the tool again for a new payment link."
    )]
    Declined,
    /// Nobody paid in time.
    #[error(
        "The payment link expired before it was paid. Nothing was charged. Call the tool again for a new payment link."
    )]
    Expired,
    /// The money went back.
    #[error("{}, so {price} went back to the payer{}.", describe(*.cause, .failure), and_balance(.balance))]
    Refunded {
        /// Why.
        cause: Cause,
        /// The tool's failure, when that was why and is still known.
        failure: Option<String>,
        /// How much.
        price: Money,
        /// What returned to the caller's balance, when a part of the price had come from there.
        balance: Option<Money>,
    },
    /// The money became balance.
    #[error("{}, so {price} was credited to your balance. Your next paid calls are paid from it first.", describe(*.cause, .failure))]
    Credited {
        /// Why.
        cause: Cause,
        /// The tool's failure, when that was why and is still known.
        failure: Option<String>,
        /// How much.
        price: Money,
    },
    /// The reservation was given back.
    #[error("The tool gave no result{}, so the reserved {price} was released. Nothing was charged.", in_brackets(.failure))]
    Withheld {
        /// How much was reserved.
        price: Money,
        /// The tool's failure, when that was why.
        failure: Option<String>,
    },
    /// Somebody is owed, and it is being arranged.
    #[error("{}. Your {price} is being returned.", describe(*.cause, .failure))]
    Compensating {
        /// Why.
        cause: Cause,
        /// The tool's failure, when that was why and is still known.
        failure: Option<String>,
        /// How much.
        price: Money,
    },
    /// A person must look.
    #[error(
        "The payment of {price} needs the operator's attention; it is recorded and not lost. Reference: {call}."
    )]
    Attention {
        /// How much.
        price: Money,
        /// The call's id.
        call: String,
    },
    /// The outcome's retention ended.
    #[error(
        "This call was delivered and its result is no longer stored. It is not charged again; call the tool anew for a new result."
    )]
    NoLongerStored,
    /// A free run failed.
    #[error("{message}")]
    ToolFailed {
        /// A stable word.
        kind: String,
        /// For the caller.
        message: String,
    },
    /// The operator blocked the component.
    #[error("This tool was blocked by the operator. Nothing was charged.")]
    Blocked,
    /// A cap of this caller's was reached.
    #[error("{0}")]
    Limit(Box<Capped>),
    /// Something of ours is not available; the caller lost nothing.
    #[error("{message} Nothing was lost; try again in {retry_after_s} seconds.")]
    Unavailable {
        /// What.
        message: String,
        /// When to try again, seconds.
        retry_after_s: u32,
    },
}

fn and_balance(balance: &Option<Money>) -> String {
    balance
        .as_ref()
        .map_or_else(String::new, |money| format!(" and {money} to your balance"))
}

fn in_brackets(failure: &Option<String>) -> String {
    failure
        .as_ref()
        .map_or_else(String::new, |f| format!(" ({f})"))
}

fn describe(cause: Cause, failure: &Option<String>) -> String {
    let text = match cause {
        Cause::ToolFailed => match failure {
            Some(failure) => return format!("The tool failed ({failure})"),
            None => "The tool failed",
        },
        Cause::RunLost => "The run was interrupted and cannot be repeated safely",
        Cause::LatePaid => "The payment arrived after the call had ended",
        Cause::WrongAmount => "The amount received was not the price",
        Cause::Unclaimed => "The result was never called for",
        Cause::Blocked => "The operator blocked the tool",
    };
    text.to_owned()
}

impl Refusal {
    /// How a call that ended without an outcome, or is owed, is told.
    pub(super) fn of_ended(call: &Call) -> Self {
        let price = call.payment.received.unwrap_or(call.quote.price);
        let failure = call.failure.as_ref().map(|f| f.message.clone());
        match &call.state {
            CallState::Declined => Self::Declined,
            CallState::Expired => Self::Expired,
            CallState::Withheld => Self::Withheld {
                price,
                failure: failure.or_else(|| not_taken(call)),
            },
            CallState::Refunded { cause } => Self::Refunded {
                cause: *cause,
                failure,
                price,
                balance: returned_balance(call, *cause),
            },
            CallState::Credited { cause } => Self::Credited {
                cause: *cause,
                failure,
                price: credited(call, *cause),
            },
            CallState::CompensationDue { cause, .. } | CallState::Compensating { cause, .. } => {
                Self::Compensating {
                    cause: *cause,
                    failure,
                    price,
                }
            }
            _ => Self::Attention {
                price,
                call: call.id.to_string(),
            },
        }
    }
}

/// Why a call without a failure gave nothing, where its caller brought the payment.
fn not_taken(call: &Call) -> Option<String> {
    call.payment.credential?;
    let tried = call.epoch > 0 || call.quote.upfront;
    Some(match tried {
        true => "the payment was not taken".to_owned(),
        false => "the payment ended before anything ran".to_owned(),
    })
}

/// What of the price had come from the balance and returned there. Money that comes after the end finds it returned.
fn returned_balance(call: &Call, cause: Cause) -> Option<Money> {
    (!call.credit.is_zero() && cause != Cause::LatePaid).then_some(Money {
        amount: call.credit,
        ..call.quote.price
    })
}

/// What became balance: all that was received, and what had come from the balance.
fn credited(call: &Call, cause: Cause) -> Money {
    let returned = returned_balance(call, cause);
    match (call.payment.received, returned) {
        (Some(received), Some(returned)) if received.currency == returned.currency => Money {
            amount: received
                .amount
                .checked_add(returned.amount)
                .unwrap_or(received.amount),
            ..received
        },
        (Some(received), _) => received,
        (None, returned) => returned.unwrap_or(call.quote.price),
    }
}
