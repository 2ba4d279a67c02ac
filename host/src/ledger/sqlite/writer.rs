//! Threads that own SQLite connections: one writer that groups concurrent operations into one commit, and readers.
//!
//! An operation that waits for the disk waits once for everybody: while one commit is on its way, the next ones
//! gather, and they share the following commit. Each runs in a savepoint of its own, so one that fails takes
//! nothing with it. Nobody is answered before the commit that holds their operation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::failpoint::failpoint;
use crate::ledger::LedgerError;

/// Operations that may wait for a thread before callers are held back.
const QUEUE_MAX: usize = 4_096;
/// Operations that share one commit at most.
const GROUP_MAX: usize = 512;

/// Tells one waiting caller how the commit went.
type Answer = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;
/// Runs on the connection, or hears why there is no transaction to run in.
type Work = Box<dyn FnOnce(Result<&Connection, LedgerError>) -> Answer + Send>;

/// What a thread is given to do.
struct Operation {
    /// The ledger's method, for the tests that kill hosts around its commit.
    name: &'static str,
    work: Work,
}

/// A thread with a connection of its own.
pub(super) struct Worker {
    queue: Option<mpsc::Sender<Operation>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
}

impl Worker {
    /// A writer: operations run under `BEGIN IMMEDIATE` and are durable when answered.
    pub(super) fn writer(connection: Connection) -> std::io::Result<Self> {
        Self::named_writer("coinop-ledger-writer", connection)
    }

    /// As [`Worker::writer`], with a name for the thread.
    pub(super) fn named_writer(name: &str, connection: Connection) -> std::io::Result<Self> {
        Self::start(name, connection, write_groups)
    }

    /// A reader: operations see the last commit.
    pub(super) fn reader(connection: Connection) -> std::io::Result<Self> {
        Self::named_reader("coinop-ledger-reader", connection)
    }

    /// As [`Worker::reader`], with a name for the thread.
    pub(super) fn named_reader(name: &str, connection: Connection) -> std::io::Result<Self> {
        Self::start(name, connection, |connection, mut queue, _| {
            while let Some(operation) = queue.blocking_recv() {
                (operation.work)(Ok(&connection))(Ok(()));
            }
        })
    }

    fn start(
        name: &str,
        connection: Connection,
        body: fn(Connection, mpsc::Receiver<Operation>, &AtomicU64),
    ) -> std::io::Result<Self> {
        let (queue, receiver) = mpsc::channel(QUEUE_MAX);
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || body(connection, receiver, &counter))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            commits,
        })
    }

    /// Commits made so far.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Runs `operation` on the thread. What it returns arrives after the commit; an error of its own rolls back what
    /// it did and nothing else.
    pub(super) async fn run<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let name = method_name::<F>();
        let work: Work = Box::new(move |connection| {
            let result = match connection {
                Ok(connection) => in_savepoint(connection, operation),
                Err(error) => Err(error.into()),
            };
            Box::new(move |committed| {
                let answer = match committed {
                    Ok(()) => result,
                    Err(error) => result.and_then(|_| Err(error.into())),
                };
                // A caller that went away does not need its answer.
                let _ = sender.send(answer);
            })
        });
        let queue = self.queue.as_ref().ok_or(LedgerError::Closed)?;
        let operation = Operation { name, work };
        queue
            .send(operation)
            .await
            .map_err(|_| LedgerError::Closed)?;
        receiver.await.map_err(|_| LedgerError::Closed)?
    }
}

impl Drop for Worker {
    /// Lets queued operations finish, then closes the connection.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The method in which the closure `F` was written.
fn method_name<F>() -> &'static str {
    let path = std::any::type_name::<F>();
    let path = path.trim_end_matches("::{{closure}}");
    path.rsplit_once("::").map_or(path, |(_, name)| name)
}

fn in_savepoint<T, E: From<LedgerError>>(
    connection: &Connection,
    operation: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    // A reader has no transaction of its own: the savepoint gives it one consistent view as well.
    execute(connection, "SAVEPOINT operation")?;
    // A panic is one caller's, not the end of the thread that everybody writes through.
    let result = catch_unwind(AssertUnwindSafe(|| operation(connection)))
        .unwrap_or_else(|_| Err(LedgerError::Unavailable("an operation panicked".into()).into()));
    match result {
        Ok(value) => {
            execute(connection, "RELEASE operation")?;
            Ok(value)
        }
        Err(error) => {
            execute(connection, "ROLLBACK TO operation")?;
            execute(connection, "RELEASE operation")?;
            Err(error)
        }
    }
}

fn write_groups(connection: Connection, mut queue: mpsc::Receiver<Operation>, commits: &AtomicU64) {
    while let Some(first) = queue.blocking_recv() {
        if let Err(error) = execute(&connection, "BEGIN IMMEDIATE") {
            // Not even begun: this caller is told, later ones try again.
            (first.work)(Err(error))(Ok(()));
            continue;
        }
        let mut names = vec![first.name];
        let mut answers = vec![(first.work)(Ok(&connection))];
        // A database that gives its transaction up (a full disk) takes the whole group with it: whatever came now
        // would commit by itself, unasked.
        while answers.len() < GROUP_MAX && !connection.is_autocommit() {
            match queue.try_recv() {
                Ok(next) => {
                    names.push(next.name);
                    answers.push((next.work)(Ok(&connection)));
                }
                Err(_) => break,
            }
        }
        // A visit for each operation: how they gather is chance, and no test depends on it.
        names
            .iter()
            .for_each(|name| failpoint(format_args!("before-commit-{name}")));
        let committed = execute(&connection, "COMMIT");
        names
            .iter()
            .for_each(|name| failpoint(format_args!("after-commit-{name}")));
        match &committed {
            Ok(()) => {
                commits.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                tracing::error!(%error, operations = answers.len(), "commit failed");
                let _ = execute(&connection, "ROLLBACK");
            }
        }
        for answer in answers {
            answer(committed.clone());
        }
    }
}

fn execute(connection: &Connection, sql: &str) -> Result<(), LedgerError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
