//! What a load consists of: units of one or two tool calls, checked while they run.

use anyhow::{Result, ensure};
use coinop_tests::era::Era;
use serde_json::json;

/// One kind of unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// A free call.
    Free,
    /// A paid call, answered by the request for payment.
    Unpaid,
    /// A paid call, paid at once, and its confirmation.
    Pair,
}

/// A tool call to be sent.
pub(crate) struct Call {
    /// The tool, for the headers.
    pub(crate) tool: &'static str,
    arguments: String,
}

impl Work {
    /// The first call of unit `n`. Arguments are unique, since one caller's equal calls share a payment.
    pub(crate) fn first(self, n: u64) -> Call {
        let tool = if self == Self::Free {
            "echo"
        } else {
            "echo_paid"
        };
        Call {
            tool,
            arguments: format!(r#"{{"text":"{}"}}"#, text(n)),
        }
    }

    /// Checks the answer to a call of unit `n`; the next call of the unit, if there is one.
    ///
    /// # Errors
    /// When it is not the answer that this work expects.
    pub(crate) fn next(self, n: u64, sent: &Call, answer: &str) -> Result<Option<Call>> {
        let asked = payment_id(answer);
        match self {
            Self::Unpaid => {
                ensure!(asked.is_some(), "no payment is asked for: {answer}");
                Ok(None)
            }
            Self::Pair if sent.tool == "echo_paid" => {
                let Some(id) = asked else {
                    anyhow::bail!("no payment is asked for: {answer}")
                };
                let arguments = format!(r#"{{"payment_id":"{id}"}}"#);
                Ok(Some(Call {
                    tool: "confirm_echo_paid",
                    arguments,
                }))
            }
            Self::Free | Self::Pair => {
                ensure!(
                    asked.is_none() && answer.contains(&text(n)),
                    "not the echo of {n}: {answer}"
                );
                Ok(None)
            }
        }
    }
}

/// 32 bytes.
fn text(n: u64) -> String {
    format!("thirty-two bytes, {n:014}")
}

fn payment_id(answer: &str) -> Option<&str> {
    let (_, after) = answer.split_once(r#""payment_id":""#)?;
    after.split('"').next()
}

/// Makes the messages of one connection without building a JSON tree for each.
pub(crate) struct Writer {
    /// `"_meta"` of every request, with its comma; empty in the legacy era.
    meta: String,
}

impl Writer {
    /// For a connection of this era.
    pub(crate) fn new(era: Era) -> Self {
        let sample = era.request(0, "x", json!({}));
        let meta = match &sample["params"]["_meta"] {
            serde_json::Value::Null => String::new(),
            meta => format!(r#","_meta":{meta}"#),
        };
        Self { meta }
    }

    /// A whole `tools/call` message.
    pub(crate) fn message(&self, id: u64, call: &Call) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{}","arguments":{}{}}}}}"#,
            call.tool, call.arguments, self.meta
        )
    }
}
