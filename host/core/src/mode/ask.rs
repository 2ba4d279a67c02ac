//! What a caller, or a user, is told of a payment: as an object, as text, as a question and as a line.

use serde_json::{Map, Value, json};

use super::{Manner, Mode, RETRY_AFTER_S, Turn};
use crate::Millis;
use crate::call::Call;
use crate::ids::PaymentId;
use crate::money::{Amount, Money};
use crate::peer::Dialog;

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
    pub(super) fn of(call: &Call, status: AskStatus, then: &str) -> Self {
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
    pub(super) fn shown(call: &Call, status: AskStatus, manner: Manner) -> Self {
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
