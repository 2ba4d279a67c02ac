//! Why there is no answer, and how any error becomes that by `?`.

use std::error::Error;

use crate::bindings::coinop::plugin::tool_types as wit;

/// Why there is no answer. The caller is told the message and is not charged: say what to do, and nothing secret.
///
/// `?` turns every error into [`Failure::Failed`] with its causes. A panic also ends the run without a charge, but the
/// caller is told nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The arguments match the schema and are still wrong: say which one and why.
    InvalidArguments(String),
    /// The tool could not do its work.
    Failed(String),
    /// Something the tool needs is not there at the moment.
    Unavailable {
        /// What is missing.
        message: String,
        /// Milliseconds after which trying again makes sense, when known.
        retry_after_ms: Option<u32>,
    },
    /// The operator has not granted what the tool needs, or another service refused.
    Denied(String),
    /// The tool ran out of time, on its own count.
    TimedOut(String),
    /// This plugin cannot do what was asked, and never will.
    Unsupported(String),
}

impl Failure {
    /// The arguments match the schema and are still wrong: say which one and why.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidArguments(message.into())
    }

    /// The tool could not do its work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// Something the tool needs is not there at the moment; nobody knows for how long.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable {
            message: message.into(),
            retry_after_ms: None,
        }
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self::Failed(message)
    }
}

impl Failure {
    pub(crate) fn into_wit(self) -> wit::Failure {
        match self {
            Self::InvalidArguments(message) => wit::Failure::InvalidArguments(message),
            Self::Failed(message) => wit::Failure::Failed(message),
            Self::Unavailable {
                message,
                retry_after_ms,
            } => wit::Failure::Unavailable(wit::Unavailable {
                message,
                retry_after_ms,
            }),
            Self::Denied(message) => wit::Failure::Denied(message),
            Self::TimedOut(message) => wit::Failure::TimedOut(message),
            Self::Unsupported(message) => wit::Failure::Unsupported(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_becomes_a_failure_by_a_question_mark() {
        fn number(text: &str) -> Result<i32, Failure> {
            Ok(text.parse::<i32>()?)
        }
        assert_eq!(number("7"), Ok(7));
        assert_eq!(
            number("x"),
            Err(Failure::failed("invalid digit found in string"))
        );
    }
}
