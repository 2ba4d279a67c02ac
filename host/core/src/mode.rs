//! Modes: how payment is coordinated with the client.
//!
//! A mode says two things: what it adds to the listing, and what happens next with the client of an unpaid call. It is
//! asked only between quoted and paid.

mod auto;
mod dynamic_tools;
mod elicitation;
mod progress;
mod resubmit;
mod two_step;
mod url_elicitation;
mod x402;

use serde_json::{Map, Value, json};

use crate::Millis;
use crate::call::Call;
use crate::ids::PaymentId;
use crate::money::{Amount, Money};
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

/// Whether payment is asked for or awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskStatus {
    /// Please pay.
    Required,
    /// Not paid yet; the same link still stands.
    Pending,
    /// Paid, and running elsewhere.
    Running,
}

impl AskStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Required => "payment_required",
            Self::Pending => "pending",
            Self::Running => "running",
        }
    }
}

/// A request for payment, or its state, as told to a caller. Everything a caller needs is in [`Ask::text`] too:
/// models cannot see `_meta`, and many clients hide structured content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What is asked.
    pub status: AskStatus,
    /// How it reaches its reader.
    pub manner: Manner,
    /// What to redeem.
    pub payment_id: PaymentId,
    /// The price.
    pub price: Money,
    /// What of it comes from the caller's balance; the rest is asked for.
    pub from_balance: Amount,
    /// The provider's kind.
    pub provider: String,
    /// The tool.
    pub tool: String,
    /// What the caller should do once it is paid, one sentence.
    pub next_step: String,
    /// Until when it can be paid.
    pub expires_at: Millis,
    /// Instructions for callers that repeat the call (RESUBMIT).
    pub retry_instructions: Option<String>,
}

/// What the host knows of an [`Ask`] and core does not: addresses and the calendar.
#[derive(Clone, Debug)]
pub struct Printed<'a> {
    /// Where to pay.
    pub payment_url: &'a str,
    /// `expires_at` by RFC 3339, UTC.
    pub expires_at: &'a str,
    /// Whether the money is pretended.
    pub test: bool,
}

impl Ask {
    /// What a caller of `call` is told; `then` says what to do, and is put after when.
    fn of(call: &Call, status: AskStatus, then: &str) -> Self {
        let when = match status {
            AskStatus::Running => "To get the result",
            _ => "Once it is paid",
        };
        Self {
            status,
            manner: Manner::Answer,
            payment_id: call.payment.id.clone(),
            price: call.quote.price,
            from_balance: call.credit,
            provider: call.payment.provider.clone(),
            tool: call.quote.tool.clone(),
            next_step: format!("{when}, {then}."),
            expires_at: call.quote.expires_at,
            retry_instructions: None,
        }
    }

    /// The answer that leads to the tool that redeems the payment.
    pub(crate) fn to_confirm(call: &Call, status: AskStatus) -> Self {
        let (tool, id) = (call.quote.confirm_tool(), &call.payment.id);
        let then = format!("call {tool} with {{\"payment_id\": \"{id}\"}}");
        Self::of(call, status, &then)
    }

    /// Word that the call is paid and runs elsewhere.
    pub fn running(mode: &dyn Mode, call: &Call) -> Self {
        // To a client that declares nothing every mode answers.
        match mode.turn(call, AskStatus::Running, &Dialog::default()) {
            Turn::Ask(ask) => ask,
            Turn::Wait { .. } | Turn::CallOff => Self::to_confirm(call, AskStatus::Running),
        }
    }

    /// The same, shown to the user first.
    fn shown(call: &Call, status: AskStatus, manner: Manner) -> Self {
        Self {
            manner,
            ..Self::to_confirm(call, status)
        }
    }

    /// What is asked for: the price less what comes from the balance.
    pub fn due(&self) -> Money {
        let rest = self.price.amount.checked_sub(self.from_balance);
        Money {
            amount: rest.unwrap_or(self.price.amount),
            ..self.price
        }
    }

    fn balance(&self) -> Option<Money> {
        let amount = self.from_balance;
        (!amount.is_zero()).then_some(Money {
            amount,
            ..self.price
        })
    }

    /// The payment object: structured content and `_meta["coinop/payment"]`.
    pub fn object(&self, printed: &Printed<'_>) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("status", json!(self.status.as_str()));
        put("payment_id", json!(self.payment_id));
        put("payment_url", json!(printed.payment_url));
        put("amount", json!(self.due().decimal()));
        put("currency", json!(self.price.currency));
        if let Some(balance) = self.balance() {
            put("price", json!(self.price.decimal()));
            put("from_balance", json!(balance.decimal()));
        }
        put("provider", json!(self.provider));
        put("expires_at", json!(printed.expires_at));
        put("tool", json!(self.tool));
        put("next_step", json!(self.next_step));
        if printed.test {
            put("test", json!(true));
        }
        if self.status != AskStatus::Required {
            put("retry_after_s", json!(RETRY_AFTER_S));
        }
        if let Some(instructions) = &self.retry_instructions {
            put("code", json!(402));
            put("error", json!("payment_required"));
            put("retry_instructions", json!(instructions));
            let status = if self.status == AskStatus::Running {
                "paid"
            } else {
                "required"
            };
            put(
                "annotations",
                json!({"payment": {"status": status, "payment_id": self.payment_id}}),
            );
        }
        object
    }

    /// The same for people and models, link, id, amount and next step spelled out.
    pub fn text(&self, printed: &Printed<'_>) -> String {
        let link = match self.status {
            AskStatus::Running => String::new(),
            _ => format!("\n{}", self.link(printed)),
        };
        let wait = match self.status {
            AskStatus::Required => String::new(),
            _ => format!("\nAsk again in {RETRY_AFTER_S} seconds or more."),
        };
        format!(
            "{}{link}\nPayment id: {}\nNext step: {}{wait}",
            self.opening(printed),
            self.payment_id,
            self.next_step
        )
    }

    /// The same as a question to the user, put by the client before the call is answered.
    pub fn question(&self, printed: &Printed<'_>) -> String {
        let asks = match self.manner {
            Manner::Form => {
                "\nHave you paid? Whatever you answer, the payment is looked up; declining calls it off."
            }
            Manner::Url | Manner::UrlError | Manner::Answer => {
                "\nThe call goes on by itself once it is paid."
            }
        };
        format!(
            "{}\n{}\nPayment id: {}{asks}",
            self.opening(printed),
            self.link(printed),
            self.payment_id
        )
    }

    /// The same in one line, for a client that shows how far a call is.
    pub fn line(&self, printed: &Printed<'_>) -> String {
        let due = self.due();
        match self.status {
            AskStatus::Running => self.opening(printed),
            AskStatus::Required | AskStatus::Pending => format!(
                "Waiting for payment of {due} for {}{}: {} (until {}, payment id {})",
                self.tool,
                test_mark(printed),
                printed.payment_url,
                printed.expires_at,
                self.payment_id
            ),
        }
    }

    fn opening(&self, printed: &Printed<'_>) -> String {
        let (due, test) = (self.due(), test_mark(printed));
        let balance = self.balance().map_or_else(String::new, |balance| {
            format!(
                " {} of {} comes from your balance.",
                balance.decimal(),
                self.price
            )
        });
        match self.status {
            AskStatus::Required => {
                format!("Payment required: {due} for {}{test}.{balance}", self.tool)
            }
            AskStatus::Pending => {
                format!("Not paid yet: {due} for {}{test}.{balance}", self.tool)
            }
            AskStatus::Running => format!("Paid: {} is running; nothing more to pay.", self.tool),
        }
    }

    fn link(&self, printed: &Printed<'_>) -> String {
        let Printed {
            payment_url,
            expires_at,
            ..
        } = printed;
        format!("Pay here: {payment_url} (until {expires_at})")
    }
}

fn test_mark(printed: &Printed<'_>) -> &'static str {
    match printed.test {
        true => " (TEST: no real money moves)",
        false => "",
    }
}

/// The JSON Schema of the payment object, for the widened output schema of a paid tool.
pub fn payment_object_schema() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "description": "Returned instead of the result while the call is not paid.",
        "properties": {
            "status": {"type": "string", "enum": ["payment_required", "pending", "running"]},
            "payment_id": text("Present it to get the result."),
            "payment_url": text("Where to pay."),
            "amount": text("What is to be paid, a decimal."),
            "currency": text("Currency code."),
            "price": text("The whole price, where a part of it comes from the caller's balance."),
            "from_balance": text("The part of the price that comes from the caller's balance."),
            "provider": text("Who moves the money."),
            "expires_at": text("Until when it can be paid (RFC 3339)."),
            "tool": text("The tool that was called."),
            "next_step": text("What to do once it is paid.")
        },
        "required": ["status", "payment_id", "payment_url", "amount", "currency", "provider", "expires_at", "tool", "next_step"]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::call;

    /// A turn, as far as a table of decisions looks at it.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(super) enum Seen {
        Ask(Manner),
        /// Milliseconds.
        Wait(Millis),
        CallOff,
    }

    /// Waits that tables go through, milliseconds.
    pub(super) const CASES_MS: [Millis; 3] = [0, 5_000, 50_000];

    pub(super) fn seen(mode: &dyn Mode, status: AskStatus, dialog: &Dialog) -> Seen {
        seen_of(&call(), mode, status, dialog)
    }

    pub(super) fn seen_of(
        call: &Call,
        mode: &dyn Mode,
        status: AskStatus,
        dialog: &Dialog,
    ) -> Seen {
        match mode.turn(call, status, dialog) {
            Turn::Ask(ask) => Seen::Ask(ask.manner),
            Turn::Wait { ms, .. } => Seen::Wait(ms),
            Turn::CallOff => Seen::CallOff,
        }
    }

    #[test]
    fn no_mode_asks_in_a_way_that_the_client_did_not_declare_or_waits_for_ever() {
        use crate::peer::{Answer::*, Era, Peer};
        let answers = [
            None,
            Some(Accepted),
            Some(Declined),
            Some(Cancelled),
            Some(Unasked),
            Some(Missing),
        ];
        let each = |bit: u32| move |bits: u32| bits & (1 << bit) != 0;
        for (mode, answer, bits, asked) in MODES.iter().flat_map(|mode| {
            answers.iter().flat_map(move |answer| {
                (0..32).flat_map(move |bits| (0..40).map(move |asked| (mode, answer, bits, asked)))
            })
        }) {
            let peer = Peer {
                era: if each(0)(bits) {
                    Era::Modern
                } else {
                    Era::Legacy
                },
                form: each(1)(bits),
                url: each(2)(bits),
                progress: each(3)(bits),
                ..Peer::default()
            };
            let mut dialog = Dialog {
                peer,
                answer: *answer,
                asked,
                ..Dialog::default()
            };
            dialog.manners.url_error = each(4)(bits);
            for waited_ms in CASES_MS {
                dialog.waited_ms = waited_ms;
                let turn = seen(*mode, AskStatus::Pending, &dialog);
                let fits = match turn {
                    Seen::Ask(Manner::Answer) => true,
                    Seen::Ask(Manner::Form) => peer.form && asked < 20,
                    Seen::Ask(Manner::Url) => peer.url && asked < 20,
                    Seen::Ask(Manner::UrlError) => {
                        peer.url && peer.era == Era::Legacy && asked < 20
                    }
                    Seen::Wait(ms) => ms > 0 && waited_ms + ms <= dialog.manners.wait_ms,
                    Seen::CallOff => *answer == Some(Declined),
                };
                assert!(fits, "{} {dialog:?}: {turn:?}", mode.name());
            }
        }
    }

    #[test]
    fn a_question_and_a_line_of_progress_say_everything_too() {
        let call = call();
        for status in [AskStatus::Required, AskStatus::Pending] {
            for manner in [Manner::Form, Manner::Url, Manner::UrlError] {
                let ask = Ask::shown(&call, status, manner);
                for text in [ask.question(&PRINTED), ask.line(&PRINTED)] {
                    for part in [
                        "0.003 USD",
                        "get_forecast",
                        PRINTED.payment_url,
                        PRINTED.expires_at,
                        call.payment.id.as_str(),
                        "TEST",
                    ] {
                        assert!(
                            text.contains(part),
                            "{status:?} {manner:?} lacks {part}:\n{text}"
                        );
                    }
                }
                assert!(!ask.line(&PRINTED).contains('\n'));
            }
        }
    }

    fn asked(mode: &dyn Mode, call: &Call, status: AskStatus) -> Ask {
        match mode.turn(call, status, &Dialog::default()) {
            Turn::Ask(ask) => ask,
            other => panic!("{}: {other:?}", mode.name()),
        }
    }

    const PRINTED: Printed<'static> = Printed {
        payment_url: "http://127.0.0.1:7402/pay/lnk_x",
        expires_at: "2026-11-20T10:00:00Z",
        test: true,
    };

    #[test]
    fn every_request_for_payment_says_everything_in_its_text() {
        for mode in MODES {
            for status in [AskStatus::Required, AskStatus::Pending] {
                let call = call();
                let ask = asked(*mode, &call, status);
                let text = ask.text(&PRINTED);
                for part in [
                    "0.003 USD",
                    "get_forecast",
                    PRINTED.payment_url,
                    call.payment.id.as_str(),
                    "TEST",
                    &ask.next_step,
                ] {
                    assert!(
                        text.contains(part),
                        "{} {status:?} lacks {part}:\n{text}",
                        mode.name()
                    );
                }
            }
        }
    }

    #[test]
    fn the_object_has_the_published_shape() {
        let schema = payment_object_schema();
        for mode in MODES {
            for status in [AskStatus::Required, AskStatus::Pending, AskStatus::Running] {
                let object = asked(*mode, &call(), status).object(&PRINTED);
                for key in schema["required"].as_array().unwrap() {
                    assert!(object.contains_key(key.as_str().unwrap()), "{key}");
                }
                let statuses = schema["properties"]["status"]["enum"].as_array().unwrap();
                assert!(statuses.contains(&object["status"]));
            }
        }
    }

    #[test]
    fn what_comes_from_the_balance_is_not_asked_for_and_said() {
        let mut call = call();
        call.credit = "0.001".parse().unwrap();
        for mode in MODES {
            for status in [AskStatus::Required, AskStatus::Pending] {
                let ask = asked(*mode, &call, status);
                let text = ask.text(&PRINTED);
                assert!(
                    text.contains(" 0.002 USD for get_forecast (TEST: no real money moves). 0.001 of 0.003 USD comes from your balance."),
                    "{text}"
                );
                let object = ask.object(&PRINTED);
                assert_eq!(
                    (&object["amount"], &object["price"], &object["from_balance"]),
                    (&json!("0.002"), &json!("0.003"), &json!("0.001"))
                );
            }
        }
        call.credit = Amount::ZERO;
        let object = asked(MODES[0], &call, AskStatus::Required).object(&PRINTED);
        assert!(!object.contains_key("from_balance") && object["amount"] == "0.003");
    }

    #[test]
    fn names_are_found_as_people_write_them() {
        for name in ["two_step", "TWO_STEP", "two-step"] {
            assert_eq!(by_name(name).unwrap().name(), "two_step");
        }
        let error = by_name("barter").err().unwrap().to_string();
        assert!(
            error.contains("two_step, resubmit, elicitation") && error.contains("x402 or auto"),
            "{error}"
        );
    }
}
