//! Why an attempt at an operation failed, and whether another one may be made.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::pool::Db;
use crate::ledger::{AdvanceError, LedgerError};

/// Attempts at one operation.
const ATTEMPTS_MAX: u32 = 3;

/// Why one attempt failed.
#[derive(Debug)]
pub(super) enum Failed<E> {
    /// For the caller: another attempt would not help, or might do it twice.
    Told(E),
    /// Nothing of it happened: another host was faster, or the database chose this transaction to end a deadlock.
    Again(LedgerError),
    /// Nothing of it happened: the connection had gone, and those that were made with it are likely to have gone too.
    Gone(LedgerError),
    /// It may have happened: the connection broke with the commit on its way.
    Unknown(LedgerError),
}

/// Makes attempts at an operation, within `patience`, until one ends with something to tell.
pub(super) async fn attempt<T, E, A>(
    db: &Db,
    patience: Duration,
    operation: impl Fn() -> A,
) -> Result<T, E>
where
    E: From<LedgerError>,
    A: Future<Output = Result<T, Failed<E>>>,
{
    let attempts = async {
        for _ in 1..ATTEMPTS_MAX {
            match operation().await {
                Ok(value) => return Ok(value),
                Err(Failed::Told(error)) => return Err(error),
                Err(Failed::Unknown(error)) => return Err(error.into()),
                Err(Failed::Again(_)) => {}
                Err(Failed::Gone(_)) => db.renew(),
            }
        }
        operation().await.map_err(|failed| match failed {
            Failed::Told(error) => error,
            Failed::Again(error) | Failed::Gone(error) | Failed::Unknown(error) => error.into(),
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
        let told = unavailable(&error);
        match error.code() {
            _ if has_gone(&error) => Self::Gone(told),
            Some(code) if CHOSEN.contains(code) => Self::Again(told),
            _ => Self::Told(told.into()),
        }
    }
}

/// The server ended the session.
const ENDED: [SqlState; 3] = [
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
];
/// The server ended the transaction, so that others could go on.
const CHOSEN: [SqlState; 2] = [
    SqlState::T_R_DEADLOCK_DETECTED,
    SqlState::T_R_SERIALIZATION_FAILURE,
];

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

/// Whether the connection is at fault, not what was sent over it.
pub(super) fn has_gone(error: &Error) -> bool {
    let io = |cause: &(dyn std::error::Error + 'static)| cause.is::<std::io::Error>();
    let ended = |code: &SqlState| ENDED.contains(code);
    error.is_closed() || error.code().is_some_and(ended) || error.source().is_some_and(io)
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
