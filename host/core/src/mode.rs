//! Modes: how payment is coordinated with the client.
//!
//! A mode says two things: what it adds to the listing, and what happens next with the client of an unpaid call. It is
//! asked only between quoted and paid.

mod ask;
mod auto;
mod dynamic_tools;
mod elicitation;
mod progress;
mod resubmit;
mod two_step;
mod url_elicitation;
mod x402;

pub use self::ask::{Ask, AskStatus, Printed, payment_object_schema};
use crate::Millis;
use crate::call::Call;
use crate::peer::Dialog;

/// The name of the mode that leaves the choice to what each client declares.
pub const AUTO: &str = "auto";
/// The longest tool name MCP clients agree on.
pub const TOOL_NAME_LEN_MAX: usize = 64;
/// Names of tools that redeem payments start with this; no plugin's tool may.
pub const CONFIRM_PREFIX: &str = "confirm_";
/// The one tool that redeems the payments of every paid tool, in modes that seldom need it.
pub const CONFIRM_PAYMENT: &str = "confirm_payment";
/// The argument that carries a payment's id.
pub const PAYMENT_ID_ARGUMENT: &str = "payment_id";
/// Its name where a tool has an argument `payment_id` of its own.
pub const PAYMENT_ID_ARGUMENT_RENAMED: &str = "coinop_payment_id";
/// How long a caller should wait before asking again, seconds.
pub const RETRY_AFTER_S: u32 = 3;

/// A coordination mode.
pub trait Mode: Sync + Send {
    /// Its name in configuration, such as `two_step`.
    fn name(&self) -> &'static str;
    /// What it adds to the listing of a paid tool.
    fn surface(&self) -> Surface;
    /// What happens next with the client of `call` while it is not paid.
    fn turn(&self, call: &Call, status: AskStatus, dialog: &Dialog) -> Turn;
}

/// What happens next with the client of an unpaid call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The user or the caller is asked.
    Ask(Ask),
    /// The request waits for the payment.
    Wait {
        /// How long at most, milliseconds.
        ms: Millis,
        /// What the client is told meanwhile, where it listens.
        ask: Ask,
    },
    /// The user said no, and the provider knows of no payment: the link must not take money any more.
    CallOff,
}

/// How a request for payment reaches its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As the answer to the call.
    Answer,
    /// The client shows the user a form; the call goes on with what the user answers.
    Form,
    /// The client opens the link for the user; the call goes on with what the user answers.
    Url,
    /// The client opens the link for the user and repeats the call by itself (error -32042, legacy only).
    UrlError,
}

/// What a mode adds to the listing of a paid tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// A second tool, `confirm_<tool>(payment_id)`.
    ConfirmTool,
    /// `confirm_payment(payment_id)`, once for all tools.
    ConfirmPayment,
    /// An optional argument that carries the payment's id.
    PaymentIdArgument,
    /// `confirm_<tool>(payment_id)` in the place of the tool, in the lists of callers that have an open payment for it.
    TakesTurns,
    /// Nothing: the payment comes beside the arguments.
    Credential,
}

/// Every mode, in the order in which they are listed to people. The first is the one that every client can follow.
pub const MODES: &[&dyn Mode] = &[
    &two_step::TwoStep,
    &resubmit::Resubmit,
    &elicitation::Elicitation,
    &url_elicitation::UrlElicitation,
    &progress::Progress,
    &dynamic_tools::DynamicTools,
    &x402::X402,
    &auto::Auto,
];

/// Finds a mode by the name it has in configuration; `-` and `_` and case do not matter.
///
/// # Errors
/// [`UnknownMode`] names the modes there are.
pub fn by_name(name: &str) -> Result<&'static dyn Mode, UnknownMode> {
    let wanted = name.to_ascii_lowercase().replace('-', "_");
    MODES
        .iter()
        .copied()
        .find(|mode| mode.name() == wanted)
        .ok_or_else(|| UnknownMode(name.to_owned()))
}

/// No mode of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a mode of this version: choose {known}", known = known_modes())]
pub struct UnknownMode(String);

fn known_modes() -> String {
    let names: Vec<_> = MODES.iter().map(|mode| mode.name()).collect();
    match names.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
