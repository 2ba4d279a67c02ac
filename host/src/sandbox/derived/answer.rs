//! What a function returned, as a tool's outcome. Pure.
//!
//! A value is given twice: structured as `{"result": …}`, and as text, a text as it is. A `result` at the top is the
//! function's own word: its error is a declared failure, and whoever paid is made whole.

use coinop_core::outcome::{Content, Outcome};
use wasmtime::component::Val;

use super::shape::{Answer, Shape};
use super::to_json::{self, Unfit};
use crate::limits::Limits;
use crate::sandbox::error::{FailureKind, RunError};
use crate::sandbox::log::cut;
use crate::sandbox::state::HOSTCALL_BYTES_MIN;

/// Bytes of a failure's message that are passed on.
const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// What is said when a function returns no value.
const DONE: &str = "Done.";
const FAILED: &str = "the tool failed without saying why";

/// Memory that the host's copy of an answer may take, bytes. Each number, even a byte of a `list<u8>`, is a value of its
/// own in it; the guest's memory bounds it too.
pub(super) fn lifted_bytes_max(answer: &Answer, limits: &Limits) -> usize {
    let values = limits.output_bytes_max.saturating_mul(size_of::<Val>());
    let taken = values.min(limits.memory_bytes_max);
    (taken / answer.weight()).max(HOSTCALL_BYTES_MIN)
}

/// The outcome of a call that returned.
pub(super) fn of(
    answer: &Answer,
    returned: Option<&Val>,
    limits: &Limits,
) -> Result<Outcome, RunError> {
    let bytes_max = limits.output_bytes_max;
    match (answer, returned) {
        (Answer::Nothing, None) => Ok(done()),
        (Answer::Value(shape), Some(value)) => good(Some(shape), Some(value), bytes_max),
        (Answer::Fallible { ok, .. }, Some(Val::Result(Ok(value)))) => {
            good(ok.as_ref(), value.as_deref(), bytes_max)
        }
        (Answer::Fallible { err, .. }, Some(Val::Result(Err(value)))) => {
            Err(failure(err.as_ref(), value.as_deref(), bytes_max))
        }
        _ => Err(unfit(Unfit::Type, bytes_max)),
    }
}

fn done() -> Outcome {
    Outcome {
        content: vec![Content::text(DONE)],
        ..Outcome::default()
    }
}

fn good(shape: Option<&Shape>, value: Option<&Val>, bytes_max: usize) -> Result<Outcome, RunError> {
    let (Some(shape), Some(value)) = (shape, value) else {
        return Ok(done());
    };
    let json = to_json::text(shape, value, bytes_max).map_err(|why| unfit(why, bytes_max))?;
    let structured = format!("{{\"result\":{json}}}");
    Ok(Outcome {
        content: vec![Content::text(as_text(value, json))],
        structured: Some(structured),
        ..Outcome::default()
    })
}

fn failure(shape: Option<&Shape>, value: Option<&Val>, bytes_max: usize) -> RunError {
    let (Some(shape), Some(value)) = (shape, value) else {
        return failed(FAILED);
    };
    match to_json::text(shape, value, bytes_max) {
        Ok(json) => failed(&as_text(value, json)),
        Err(why) => unfit(why, bytes_max),
    }
}

fn failed(message: &str) -> RunError {
    RunError::Failed {
        kind: FailureKind::Failed,
        message: cut(message, MESSAGE_BYTES_MAX).to_owned(),
    }
}

/// A text as it is, anything else as JSON.
fn as_text(value: &Val, json: String) -> String {
    match value {
        Val::String(text) => text.clone(),
        _ => json,
    }
}

fn unfit(why: Unfit, bytes_max: usize) -> RunError {
    match why {
        Unfit::TooLong => RunError::Output { limit: bytes_max },
        Unfit::Type => RunError::InvalidOutput("it is not of the function's own type".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_as_much_memory_as_the_documentation_says() {
        assert!(size_of::<Val>() <= 40, "{}", size_of::<Val>());
    }

    #[test]
    fn a_returned_value_of_another_type_is_no_answer() {
        let limits = Limits::default();
        let answer = Answer::Value(Shape::String);
        let got = of(&answer, Some(&Val::U8(1)), &limits);
        assert!(matches!(got, Err(RunError::InvalidOutput(_))), "{got:?}");
        assert!(of(&answer, None, &limits).is_err());
    }
}
