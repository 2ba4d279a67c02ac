//! What a file says that a receipt says, and whether that is what was signed.

use coinop_core::outcome::Outcome;
use coinop_core::receipt::{JWS, Receipt, object};
use serde_json::{Map, Value};

use crate::cli::payments::export;
use crate::unruly::tame;
use crate::wire::META_RECEIPT;

/// Longest part of a file that is repeated in a fault.
const SHOWN_CHARS_MAX: usize = 80;
/// The members of a tool's result that receipts sign.
const RESULT: [&str; 3] = ["content", "isError", "structuredContent"];

/// A receipt as a file has it.
#[derive(Debug)]
pub(super) struct Claim {
    /// Its compact form; `None` for an exported call without one.
    pub jws: Option<String>,
    says: Says,
}

/// What stands beside the compact form, for people to read.
#[derive(Debug)]
enum Says {
    Nothing,
    /// A receipt's own fields.
    Fields(Map<String, Value>),
    /// The same in a tool's result, which has a digest.
    Result(Map<String, Value>, Map<String, Value>),
    /// A line of an export.
    Row(Map<String, Value>),
}

impl Claim {
    /// A compact receipt by itself.
    pub(super) fn compact(jws: String) -> Self {
        let jws = Some(jws);
        let says = Says::Nothing;
        Self { jws, says }
    }

    /// A line of an export.
    pub(super) fn row(row: Map<String, Value>) -> Self {
        let jws = row.get(export::RECEIPT).and_then(Value::as_str);
        let jws = jws.filter(|text| !text.is_empty()).map(str::to_owned);
        let says = Says::Row(row);
        Self { jws, says }
    }

    /// A JSON value: a compact receipt, a receipt's object, a tool's result or the response with it, a line of an export.
    ///
    /// # Errors
    /// What it is instead.
    pub(super) fn of(value: Value) -> Result<Self, String> {
        let mut value = match value {
            Value::String(jws) => return Ok(Self::compact(jws)),
            Value::Object(object) => object,
            _ => return Err("neither a receipt nor a line of an export".to_owned()),
        };
        if let Some(Value::Object(result)) = value.remove("result").filter(has_receipt) {
            value = result;
        }
        if value.contains_key(export::RECEIPT) {
            return Ok(Self::row(value));
        }
        let in_meta = value
            .get_mut("_meta")
            .and_then(|meta| meta.get_mut(META_RECEIPT));
        let (fields, result) = match in_meta.map(Value::take) {
            Some(Value::Object(fields)) => {
                value.retain(|key, _| RESULT.contains(&key.as_str()));
                (fields, Some(value))
            }
            _ => (value, None),
        };
        let Some(jws) = fields.get(JWS).and_then(Value::as_str) else {
            return Err(format!("there is no receipt in it: no text {JWS:?}"));
        };
        Ok(Self {
            jws: Some(jws.to_owned()),
            says: match result {
                Some(result) => Says::Result(fields, result),
                None => Says::Fields(fields),
            },
        })
    }

    /// What is read here and was not signed, given that the signature holds. Empty when all is as signed.
    pub(super) fn contradictions(&self, receipt: &Receipt) -> Vec<String> {
        let signed = object(self.jws.as_deref().unwrap_or_default());
        match &self.says {
            Says::Nothing => Vec::new(),
            Says::Fields(fields) => differences(fields, &signed),
            Says::Row(row) => export::contradictions(row, &signed).map(reads).collect(),
            Says::Result(fields, result) => {
                let mut found = differences(fields, &signed);
                if Outcome::digest_of(result) != receipt.result {
                    found.push("the result it stands in is not the one that was signed".to_owned());
                }
                found
            }
        }
    }
}

fn has_receipt(result: &Value) -> bool {
    result["_meta"][META_RECEIPT].is_object()
}

fn differences(fields: &Map<String, Value>, signed: &Map<String, Value>) -> Vec<String> {
    let others = fields
        .iter()
        .filter(|(name, value)| signed.get(*name) != Some(value));
    let told = others.map(|(name, value)| match signed.get(name) {
        Some(signed) => reads((name, plain(value), plain(signed))),
        None => format!("{} is not among what was signed", shown(name)),
    });
    told.collect()
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn reads((name, given, signed): (&str, String, String)) -> String {
    format!(
        "{} reads {:?}, and {:?} was signed",
        shown(name),
        shown(&given),
        shown(&signed)
    )
}

fn shown(text: &str) -> String {
    tame(text, SHOWN_CHARS_MAX)
}
