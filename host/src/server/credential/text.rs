//! A payment as it travels: an object, its JSON text, or the base64 of that. Read within bounds.

use std::io;

use coinop_core::arguments::{JsonTextError, check_json_text};
use data_encoding::BASE64_NOPAD;
use serde_json::Value;

use crate::provider::rail::CREDENTIAL_BYTES_MAX;

/// Deepest nesting of a payment. What clients echo of an offer's extensions, JSON Schemas among it, is the deepest part.
const DEPTH_MAX: usize = 32;
/// Longest base64 text of a payment.
const BASE64_LEN_MAX: usize = CREDENTIAL_BYTES_MAX.div_ceil(3) * 4;

/// Why a payment cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("is longer than {CREDENTIAL_BYTES_MAX} bytes")]
    TooLong,
    #[error("is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("is not base64")]
    NotBase64,
    #[error("is not JSON")]
    NotJson,
    #[error("has a key twice")]
    DuplicateKey,
    #[error("is not a JSON object")]
    NoObject,
}

/// Reads a payment that is an object, or a text of one.
pub(super) fn of_value(value: &Value) -> Result<Value, Unreadable> {
    match value {
        Value::Object(_) => {
            within_depth(value, DEPTH_MAX)?;
            let room = Room(CREDENTIAL_BYTES_MAX);
            serde_json::to_writer(room, value).map_err(|_| Unreadable::TooLong)?;
            Ok(value.clone())
        }
        Value::String(text) if text.trim_start().starts_with('{') => of_json(text.as_bytes()),
        Value::String(text) => of_base64(text),
        _ => Err(Unreadable::NoObject),
    }
}

/// Reads base64 of either alphabet, padded or not: clients differ, and nothing depends on which.
pub(super) fn of_base64(text: &str) -> Result<Value, Unreadable> {
    let text = text.trim();
    if text.len() > BASE64_LEN_MAX {
        return Err(Unreadable::TooLong);
    }
    let text = text.trim_end_matches('=');
    let text = text.replace('-', "+").replace('_', "/");
    let json = BASE64_NOPAD.decode(text.as_bytes());
    of_json(&json.map_err(|_| Unreadable::NotBase64)?)
}

fn of_json(text: &[u8]) -> Result<Value, Unreadable> {
    if text.len() > CREDENTIAL_BYTES_MAX {
        return Err(Unreadable::TooLong);
    }
    check_json_text(text).map_err(|error| match error {
        JsonTextError::Malformed(_) => Unreadable::NotJson,
        JsonTextError::DuplicateKey(_) => Unreadable::DuplicateKey,
    })?;
    let value: Value = serde_json::from_slice(text).map_err(|_| Unreadable::NotJson)?;
    if !value.is_object() {
        return Err(Unreadable::NoObject);
    }
    within_depth(&value, DEPTH_MAX)?;
    Ok(value)
}

/// Recursion ends at the bound, whatever the value.
fn within_depth(value: &Value, levels: usize) -> Result<(), Unreadable> {
    let below = |value| match levels.checked_sub(1) {
        Some(levels) => within_depth(value, levels),
        None => Err(Unreadable::TooDeep),
    };
    match value {
        Value::Array(items) => items.iter().try_for_each(below),
        Value::Object(fields) => fields.values().try_for_each(below),
        _ => Ok(()),
    }
}

/// Takes so many bytes and keeps none.
struct Room(usize);

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let rest = self.0.checked_sub(bytes.len());
        self.0 = rest.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
