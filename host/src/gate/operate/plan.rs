//! What a person may do with a call, decided from the call alone: a plan, or a no that says what to do instead.

use coinop_core::Millis;
use coinop_core::call::{Call, CallState, REFUNDS_MAX};
use coinop_core::money::{Amount, Currency, Money};
use coinop_core::payment::PaymentState;

use crate::clock::rfc3339;

/// How much is to go back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundRequest {
    /// How much; all that is left where nobody says.
    pub amount: Option<Amount>,
    /// The currency that the person believes it is in.
    pub currency: Option<Currency>,
    /// Why, one line.
    pub reason: String,
}

/// How money goes back to the payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Of a call that was delivered: a refund with a key of its own.
    Order(Amount),
    /// Of a call that was not: the compensation, which is all of it.
    Compensate,
}

/// Why a person's wish is not done. Nothing was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum No {
    /// Not in this state.
    #[error("this call is {state}: {advice}")]
    State {
        /// How it stands.
        state: &'static str,
        /// What to do, or to wait for.
        advice: String,
    },
    /// More than is left.
    #[error("{wanted} is more than the {held} that can still go back")]
    TooMuch {
        /// What was asked for.
        wanted: Money,
        /// What the provider holds of the call.
        held: Money,
    },
    /// Nothing.
    #[error("a refund is more than nothing")]
    Nothing,
    /// Another currency than the payment's.
    #[error("this call was paid in {paid}, not in {wanted}")]
    Currency {
        /// What it was paid in.
        paid: Currency,
        /// What was asked for.
        wanted: Currency,
    },
    /// Part of what was never delivered.
    #[error(
        "this call was not delivered, so all of it goes back: leave the amount out, or say {held}"
    )]
    Partly {
        /// All of it.
        held: Money,
    },
    /// The provider holds nothing of it.
    #[error("{0}")]
    NotHeld(&'static str),
    /// The provider gives none.
    #[error("the provider of this call gives no refunds: {0}")]
    NoRefunds(&'static str),
    /// One at a time.
    #[error(
        "a refund of {amount} was ordered at {at} and is not finished: wait for it, or ask the provider again with \
         `coinop payments retry`"
    )]
    Ordered {
        /// How much.
        amount: Money,
        /// When, RFC 3339.
        at: String,
    },
    /// Too many.
    #[error("{REFUNDS_MAX} refunds were ordered of this call, which is the most there can be")]
    TooMany,
    /// Nobody in particular has no balance.
    #[error(
        "this call's caller is anonymous and has no balance: refund it, or return the money by other means and close the call"
    )]
    Anonymous,
    /// A note says what was done.
    #[error("say in a note what was done outside")]
    NoNote,
}

/// How a refund of `call` is to be made.
pub(super) fn refund(call: &Call, wanted: &RefundRequest, can_refund: bool) -> Result<Way, No> {
    let delivered = call.state == CallState::Deliverable;
    if !delivered && !is_owed(call) {
        return Err(not_now(call));
    }
    if let Some(order) = &call.refund {
        let amount = paid_in(call, order.amount);
        let at = rfc3339(order.at);
        return Err(No::Ordered { amount, at });
    }
    let held = paid_in(call, call.held());
    if held.amount.is_zero() {
        return Err(No::NotHeld(nothing_held(call)));
    }
    if call.payment.state == PaymentState::Disputed {
        return Err(No::NotHeld(
            "the payer disputes this payment: what goes back is the provider's to decide",
        ));
    }
    if !can_refund {
        return Err(No::NoRefunds(instead_of_a_refund(call)));
    }
    let amount = amount_of(wanted, held)?;
    match delivered {
        true if call.refunds_ordered >= REFUNDS_MAX => Err(No::TooMany),
        true => Ok(Way::Order(amount)),
        false if amount != held.amount => Err(No::Partly { held }),
        false => Ok(Way::Compensate),
    }
}

/// Whether its caller is owed, and a person may say how it is made good.
fn is_owed(call: &Call) -> bool {
    match &call.state {
        CallState::CompensationDue { .. } => true,
        CallState::Attention { from, .. } => from.is_some() && call.payment.state.is_taken(),
        _ => false,
    }
}

/// Whether what is owed for `call` may become its caller's balance.
pub(super) fn credit(call: &Call) -> Result<(), No> {
    if call.state == CallState::Deliverable {
        return Err(No::State {
            state: call.state.name(),
            advice: "it was delivered, and only what was not becomes balance; refund it instead"
                .to_owned(),
        });
    }
    match is_owed(call) {
        false => Err(not_now(call)),
        // What came from the balance returns there, whoever the caller is.
        true if !call.quote.principal.is_known() && !call.held().is_zero() => Err(No::Anonymous),
        true => Ok(()),
    }
}

/// Whether a host's work on `call` can be taken up now; whether it must be recorded first that it is.
pub(super) fn retry(call: &Call) -> Result<bool, No> {
    match &call.state {
        CallState::Attention { from: Some(_), .. } => Ok(true),
        CallState::Attention { from: None, .. } => Err(No::State {
            state: call.state.name(),
            advice: "an earlier version did not write down where it stood; return the money by the provider's own \
                     means and close it"
                .to_owned(),
        }),
        CallState::Deliverable if call.refund.is_some() => Ok(false),
        CallState::Deliverable
        | CallState::Withheld
        | CallState::Refunded { .. }
        | CallState::Credited { .. } => Err(No::State {
            state: call.state.name(),
            advice: "it has ended, and there is nothing to take up".to_owned(),
        }),
        _ => Ok(false),
    }
}

/// Whether `call` can be closed by hand.
pub(super) fn close(call: &Call, note: &str) -> Result<(), No> {
    if note.trim().is_empty() {
        return Err(No::NoNote);
    }
    match call.state {
        CallState::Attention { .. } => Ok(()),
        CallState::CompensationDue { .. } => Err(No::State {
            state: call.state.name(),
            advice: "hosts still try to make its caller whole; refund or credit it, and close it when they have \
                     given up"
                .to_owned(),
        }),
        _ => Err(not_now(call)),
    }
}

/// How a person can settle a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedial {
    /// Take it up again where it was stuck.
    Retry,
    /// Send the money back.
    Refund,
    /// Make it the caller's balance.
    Credit,
    /// Record that it was settled outside.
    Close,
}

impl Remedial {
    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Refund => "refund",
            Self::Credit => "credit",
            Self::Close => "close",
        }
    }
}

/// Everything that settles a call that needs a person, the mildest first.
pub(super) fn remedials(call: &Call, can_refund: bool) -> Vec<Remedial> {
    let whole = RefundRequest::default();
    [
        (Remedial::Retry, retry(call).is_ok()),
        (Remedial::Refund, refund(call, &whole, can_refund).is_ok()),
        (Remedial::Credit, credit(call).is_ok()),
        (Remedial::Close, close(call, "a note").is_ok()),
    ]
    .into_iter()
    .filter_map(|(remedial, possible)| possible.then_some(remedial))
    .collect()
}

fn amount_of(wanted: &RefundRequest, held: Money) -> Result<Amount, No> {
    let Some(amount) = wanted.amount else {
        return Ok(held.amount);
    };
    if let Some(currency) = wanted.currency.filter(|other| *other != held.currency) {
        return Err(No::Currency {
            paid: held.currency,
            wanted: currency,
        });
    }
    if !amount.is_positive() {
        return Err(No::Nothing);
    }
    if amount > held.amount {
        return Err(No::TooMuch {
            wanted: Money { amount, ..held },
            held,
        });
    }
    Ok(amount)
}

/// Money of a call in the currency that arrived.
pub(super) fn paid_in(call: &Call, amount: Amount) -> Money {
    let like = call.payment.received.unwrap_or(call.quote.price);
    Money { amount, ..like }
}

fn instead_of_a_refund(call: &Call) -> &'static str {
    if call.state == CallState::Deliverable {
        "return the money by its own means"
    } else if call.quote.principal.is_known() {
        "credit the caller, or return the money by its own means and close the call"
    } else {
        "return the money by its own means and close the call"
    }
}

fn nothing_held(call: &Call) -> &'static str {
    if !call.payment.refunded.is_zero() {
        "all that the provider took for this call went back already"
    } else if call.credit.is_zero() {
        "the provider holds nothing of this call"
    } else if call.state == CallState::Deliverable {
        "this call was paid from its caller's balance: the provider holds nothing of it that could go back"
    } else {
        "this call was paid from its caller's balance: `coinop payments credit` returns it there"
    }
}

/// What is to be done, or waited for, with a call that a person cannot settle now.
fn not_now(call: &Call) -> No {
    let at = |time: Millis| rfc3339(time);
    let advice = match &call.state {
        CallState::Quoted | CallState::Awaiting => format!(
            "nobody has paid, so there is nothing to return; it ends by itself at {}",
            at(call.quote.expires_at)
        ),
        CallState::Ready => "it is paid and waits for its caller; if nobody comes it is refunded by itself, and \
                             `coinop block` has it refunded when it is called for"
            .to_owned(),
        CallState::Running { lease_until, .. } => format!(
            "wait for its end, at {} at the latest, and look again",
            at(*lease_until)
        ),
        CallState::Executed | CallState::Settling => {
            "its outcome is stored and its money is being taken; look again in a minute".to_owned()
        }
        CallState::ToolFailed
        | CallState::Indeterminate
        | CallState::LatePaid
        | CallState::CompensationDue { .. } => {
            "its caller is about to be made whole; `coinop payments retry` does it now".to_owned()
        }
        CallState::Compensating { .. } => {
            "its money is on its way back; `coinop payments retry` asks the provider again".to_owned()
        }
        CallState::Deliverable => "it was delivered; refund it where it should not be paid".to_owned(),
        CallState::Refunded { .. } => "the money went back already".to_owned(),
        CallState::Credited { .. } => "the money became its caller's balance already".to_owned(),
        CallState::Withheld => "nothing was taken, so there is nothing to return".to_owned(),
        CallState::Declined | CallState::Expired => {
            "nothing was paid, as far as the ledger knows; `coinop payments retry` asks the provider again".to_owned()
        }
        CallState::Attention { from: None, .. } => {
            "an earlier version did not write down where it stood; return the money by the provider's own means and \
             close it"
                .to_owned()
        }
        CallState::Attention { .. } => {
            "nothing was taken, as far as the ledger knows: take it up again with `coinop payments retry`, or close it"
                .to_owned()
        }
    };
    No::State {
        state: call.state.name(),
        advice,
    }
}
