//! Why an attempt at an operation failed, and whether another one may be made.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::ledger::{AdvanceError, LedgerError};

/// Attempts at one operation.
const ATTEMPTS_MAX: u32 = 3;

/// Why one attempt failed.
#[derive(Debug)]
pub(super) enum Failed<E> {
    /// For the caller: another attempt would not help, or might do it twice.
    Told(E),
    /// Nothing of it happened: the connection had gone, or the database chose this transaction to end a deadlock.
    Again(LedgerError),
}

/// Makes attempts at an operation, within `patience`, until one ends with something to tell.
pub(super) async fn attempt<T, E, A>(patience: Duration, operation: impl Fn() -> A) -> Result<T, E>
where
    E: From<LedgerError>,
    A: Future<Output = Result<T, Failed<E>>>,
{
    let attempts = async {
        for _ in 1..ATTEMPTS_MAX {
            match operation().await {
                Ok(value) => return Ok(value),
                Err(Failed::Told(error)) => return Err(error),
                Err(Failed::Again(_)) => {}
            }
        }
        operation().await.map_err(|failed| match failed {
            Failed::Told(error) => error,
            Failed::Again(error) => error.into(),
        })
    };
    match tokio::time::timeout(patience, attempts).await {
        Ok(ended) => ended,
        Err(_) => {
            let silent = format!("the database has not answered within {patience:?}");
            Err(LedgerError::Unavailable(silent).into())
        }
    }
}

impl<E: From<LedgerError>> From<Error> for Failed<E> {
    /// Of a statement before the commit, or of one that may be repeated.
    fn from(error: Error) -> Self {
        match repeatable(&error) {
            true => Self::Again(unavailable(&error)),
            false => Self::Told(unavailable(&error).into()),
        }
    }
}

impl<E: From<LedgerError>> From<PoolError> for Failed<E> {
    fn from(error: PoolError) -> Self {
        let said = match &error {
            PoolError::Timeout(TimeoutType::Wait) => "every connection is in use".to_owned(),
            PoolError::Timeout(_) => "it does not answer".to_owned(),
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                in_words(error)
            }
            other => other.to_string(),
        };
        Self::Told(LedgerError::Unavailable(format!("the database: {said}")).into())
    }
}

impl<E: From<LedgerError>> From<LedgerError> for Failed<E> {
    fn from(error: LedgerError) -> Self {
        Self::Told(error.into())
    }
}

impl From<AdvanceError> for Failed<AdvanceError> {
    fn from(error: AdvanceError) -> Self {
        Self::Told(error)
    }
}

/// Whether nothing came of the transaction that this error ended, and another attempt may do better.
pub(super) fn repeatable(error: &Error) -> bool {
    match error.code() {
        Some(code) => [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code),
        None => is_connection(error),
    }
}

/// Whether the connection is at fault, not what was sent over it.
pub(super) fn is_connection(error: &Error) -> bool {
    let io = |cause: &(dyn std::error::Error + 'static)| cause.is::<std::io::Error>();
    error.is_closed() || error.source().is_some_and(io)
}

pub(super) fn unavailable(error: &Error) -> LedgerError {
    LedgerError::Unavailable(format!("the database: {}", in_words(error)))
}

/// An error in words, with what caused it. The details that may quote a row are left out.
pub(super) fn in_words(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(words, ": {error}");
        cause = error.source();
    }
    words
}
