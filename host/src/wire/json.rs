//! A raw JSON-RPC text before any parser has chosen what it means: one scan that finds what must be refused.

use coinop_core::arguments::{JsonTextError, check_json_text};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

/// JSON-RPC: not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// JSON-RPC: JSON, but not a request.
pub const INVALID_REQUEST: i32 = -32600;

/// Why a text is answered with a JSON-RPC error before it reaches the protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    code: i32,
    message: String,
    /// `null` where the text gives none.
    id: Value,
}

impl Rejection {
    /// The text is not JSON.
    pub fn malformed(message: &str) -> Self {
        Self {
            code: PARSE_ERROR,
            message: format!("Parse error: {message}"),
            id: Value::Null,
        }
    }

    /// The text is JSON and no request; the id is taken from it if it has one.
    pub fn invalid(message: impl Into<String>, text: &[u8]) -> Self {
        Self {
            code: INVALID_REQUEST,
            message: format!("Invalid request: {}", message.into()),
            id: request_id(text).unwrap_or(Value::Null),
        }
    }

    /// The JSON-RPC error response, one line.
    pub fn to_json(&self) -> String {
        serde_json::json!({
            "jsonrpc": "2.0",
            "id": self.id,
            "error": {"code": self.code, "message": self.message},
        })
        .to_string()
    }
}

/// Checks that `text` is one JSON object without duplicate keys at any depth.
///
/// # Errors
/// The answer to give instead.
pub fn check(text: &[u8]) -> Result<(), Rejection> {
    match check_json_text(text) {
        Err(JsonTextError::Malformed(message)) => Err(Rejection::malformed(&message)),
        Err(error @ JsonTextError::DuplicateKey(_)) => {
            Err(Rejection::invalid(error.to_string(), text))
        }
        Ok(()) => match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => Ok(()),
            Some(b'[') => Err(Rejection::invalid(
                "batches are not part of the protocol; send one message at a time",
                text,
            )),
            _ => Err(Rejection::invalid("a message is a JSON object", text)),
        },
    }
}

/// Whether the text is a notification: nobody waits for an answer, so none is given, not even an error.
pub fn is_notification(text: &[u8]) -> bool {
    envelope(text).is_some_and(|envelope| envelope.method.is_some() && envelope.id.is_none())
}

/// The request's id, when it is there once and is what an id may be.
fn request_id(text: &[u8]) -> Option<Value> {
    let id: Value = serde_json::from_str(envelope(text)?.id?.get()).ok()?;
    (id.is_string() || id.is_i64() || id.is_u64()).then_some(id)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<IgnoredAny>,
}

/// A duplicate `id` or `method` gives none, so that no reader's choice is echoed.
fn envelope(text: &[u8]) -> Option<Envelope<'_>> {
    serde_json::from_slice(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(text: &[u8]) -> (i64, Value, String) {
        let answer: Value = serde_json::from_str(&check(text).unwrap_err().to_json()).unwrap();
        let error = &answer["error"];
        let message = error["message"].as_str().unwrap().to_owned();
        (
            error["code"].as_i64().unwrap(),
            answer["id"].clone(),
            message,
        )
    }

    #[test]
    fn what_is_not_json_has_no_id() {
        for text in [
            &b"{"[..],
            b"nonsense",
            b"{\"id\":1}}",
            b"{\"id\":1,\"a\":\"\xff\"}",
            b"\xff\xfe",
        ] {
            let (code, id, _) = answer(text);
            assert_eq!((code, id), (-32700, Value::Null), "{text:?}");
        }
    }

    #[test]
    fn a_duplicate_key_is_named_and_answered_to_its_request() {
        let (code, id, message) = answer(br#"{"id":7,"params":{"arguments":{"city":1,"city":2}}}"#);
        assert_eq!((code, id), (-32600, json!(7)));
        assert!(message.contains("\"city\""), "{message}");
        let (_, id, message) = answer(br#"{"id":1,"id":2}"#);
        assert_eq!(id, Value::Null);
        assert!(message.contains("\"id\""), "{message}");
    }

    #[test]
    fn only_single_objects_pass() {
        assert_eq!(check(br#" {"id":1} "#), Ok(()));
        assert_eq!(answer(b"[{\"id\":1}]").0, -32600);
        assert_eq!(answer(b"3").0, -32600);
    }
}
