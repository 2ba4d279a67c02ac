//! What a caller is told: an outcome, a request for payment, or no with a reason to act on.

use coinop_core::call::{Call, CallState, Cause};
use coinop_core::mode::Ask;
use coinop_core::money::Money;

use crate::ledger::{Delivery, LimitReached};

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
    /// No, with a reason that the caller can act on.
    Refused(Refusal),
    /// The caller cancelled.
    Cancelled,
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
        "This payment is for the tool {paid_for}, not for this one. It was not used: present it to {paid_for}."
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
    #[error("{}, so {price} went back to the payer.", describe(*.cause, .failure))]
    Refunded {
        /// Why.
        cause: Cause,
        /// The tool's failure, when that was why and is still known.
        failure: Option<String>,
        /// How much.
        price: Money,
    },
    /// The money became balance.
    #[error("{}, so {price} was credited.", describe(*.cause, .failure))]
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
    #[error("{limit}, which is this caller's limit. Nothing was charged.{}", frees(.limit))]
    Limit {
        /// Which, and when it frees.
        limit: LimitReached,
    },
    /// Something of ours is not available; the caller lost nothing.
    #[error("{message} Nothing was lost; try again in {retry_after_s} seconds.")]
    Unavailable {
        /// What.
        message: String,
        /// When to try again, seconds.
        retry_after_s: u32,
    },
}

fn frees(limit: &LimitReached) -> String {
    let at = |what: &str, at| format!(" {what} {}.", crate::clock::rfc3339(at));
    match limit {
        LimitReached::Open { frees_at, .. } => at(
            "Pay or decline one of them; the first ends by itself at",
            *frees_at,
        ),
        LimitReached::Links { frees_at, .. } => at("Try again after", *frees_at),
        LimitReached::PerDay { frees_at, .. } => at("The next day begins at", *frees_at),
        LimitReached::PerCall { .. } => " The operator can raise it.".to_owned(),
    }
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
            CallState::Withheld => Self::Withheld { price, failure },
            CallState::Refunded { cause } => Self::Refunded {
                cause: *cause,
                failure,
                price,
            },
            CallState::Credited { cause } => Self::Credited {
                cause: *cause,
                failure,
                price,
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
