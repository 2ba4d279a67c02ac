//! An offer, bound to everything it was made for.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::arguments::Arguments;
use crate::call::Remedy;
use crate::digest::Digest;
use crate::mode::CONFIRM_PREFIX;
use crate::money::Money;
use crate::principal::Principal;

/// An offer: whoever redeems its payment must match every field, or the payment stays unconsumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Whom it was made to.
    pub principal: Principal,
    /// The tool's published name.
    pub tool: String,
    /// The name of the plugin the tool belongs to.
    pub plugin: String,
    /// The component that will run, whatever replaces it meanwhile.
    pub component: Digest,
    /// Digest of the canonical arguments that will run.
    pub arguments: Digest,
    /// The argument that carries the payment's id when the same tool is called again (RESUBMIT).
    pub payment_id_argument: String,
    /// The tool that redeems its payment, where that is not `confirm_<tool>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_tool: Option<String>,
    /// Whether reserved money is taken before the run and not after it, as the seller chose.
    #[serde(default, skip_serializing_if = "is_false")]
    pub upfront: bool,
    /// What it costs.
    pub price: Money,
    /// The provider account that is paid.
    pub account: String,
    /// How long a paid call waits for its caller before the money is returned, milliseconds.
    pub claim_window_ms: Millis,
    /// How its caller is made whole when it does not deliver.
    #[serde(default = "refund")]
    pub on_failure: Remedy,
    /// How often a failed run may be tried again before that; only for runs that may be repeated.
    #[serde(default)]
    pub retries: u32,
    /// How long after the offer's end the provider may still take money for it, milliseconds.
    #[serde(default)]
    pub late_window_ms: Millis,
    /// From this moment on the offer no longer stands.
    pub expires_at: Millis,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn refund() -> Remedy {
    Remedy::Refund
}

/// What a caller presents when redeeming a payment.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// Who presents it.
    pub principal: &'a Principal,
    /// For which tool.
    pub tool: &'a str,
    /// With which arguments; `None` where the stored ones run (a confirm tool takes none).
    pub arguments: Option<&'a Arguments>,
}

/// Why a payment does not buy what is asked; it is not consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// Another principal's payment: answered like an unknown id.
    Principal,
    /// Made for another tool.
    Tool,
    /// Made for other arguments.
    Arguments,
}

impl Quote {
    /// The name of the tool that redeems its payment.
    pub fn confirm_tool(&self) -> String {
        let own = || format!("{CONFIRM_PREFIX}{}", self.tool);
        self.confirm_tool.clone().unwrap_or_else(own)
    }

    /// Checks that `presented` is what this quote was made for. The principal comes first, so that a stranger
    /// learns nothing from the other two.
    pub fn admits(&self, presented: &Presented<'_>) -> Result<(), Mismatch> {
        if self.principal != *presented.principal {
            return Err(Mismatch::Principal);
        }
        if self.tool != presented.tool {
            return Err(Mismatch::Tool);
        }
        match presented.arguments {
            Some(arguments) if arguments.digest() != self.arguments => Err(Mismatch::Arguments),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn quote() -> Quote {
        Quote {
            principal: Principal::api_key("ada"),
            tool: "get_forecast".into(),
            plugin: "weather".into(),
            component: Digest::of(b"component"),
            arguments: Arguments::stored(r#"{"city":"Oslo"}"#.into()).digest(),
            payment_id_argument: "payment_id".into(),
            confirm_tool: None,
            upfront: false,
            price: Money::parse("0.003", "USD").unwrap(),
            account: "sandbox".into(),
            claim_window_ms: 86_400_000,
            on_failure: Remedy::Refund,
            retries: 0,
            late_window_ms: 0,
            expires_at: 1_000_000,
        }
    }

    #[test]
    fn a_quote_admits_only_what_it_was_made_for() {
        let (ada, bob) = (Principal::api_key("ada"), Principal::api_key("bob"));
        let anonymous = Principal::anonymous();
        let paid = Arguments::stored(r#"{"city":"Oslo"}"#.into());
        let other = Arguments::stored(r#"{"city":"Bergen"}"#.into());
        let cases = [
            (&ada, "get_forecast", Some(&paid), Ok(())),
            (&ada, "get_forecast", None, Ok(())),
            (&ada, "get_forecast", Some(&other), Err(Mismatch::Arguments)),
            (&ada, "summarize", Some(&paid), Err(Mismatch::Tool)),
            (&bob, "get_forecast", Some(&paid), Err(Mismatch::Principal)),
            (&anonymous, "get_forecast", None, Err(Mismatch::Principal)),
            (&bob, "summarize", Some(&other), Err(Mismatch::Principal)),
        ];
        for (principal, tool, arguments, expected) in cases {
            let presented = Presented {
                principal,
                tool,
                arguments,
            };
            assert_eq!(quote().admits(&presented), expected, "{presented:?}");
        }
    }
}
