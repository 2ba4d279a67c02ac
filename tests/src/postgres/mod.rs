//! A private PostgreSQL cluster: a server in a temporary folder, on a port of its own, gone with the test process.
//!
//! A cluster is durable as a real one (`fsync` on), asks for a password, and belongs to nobody else. Where PostgreSQL is
//! not installed the tests fail and name the package.

mod keeper;
mod programs;

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use keeper::{Keeper, User};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

use crate::wait::within;

/// Settings of every cluster: durable, small, on loopback.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", "127.0.0.1"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("max_connections", "60"),
    ("shared_buffers", "16MB"),
];

/// Ports below those that systems give to connections, so that nobody gets ours while the server restarts.
const PORTS: std::ops::Range<u16> = 15_000..30_000;

/// A server and its databases. Dropping it ends both.
pub struct Cluster {
    keeper: Arc<Mutex<Keeper>>,
    folder: PathBuf,
    port: u16,
    password: String,
    start: String,
    databases: AtomicU32,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Connections are ended, what is under way is rolled back, everything is written out.
    Fast,
    /// At once, as if the power failed, though the disk keeps what it has: the next start recovers.
    Immediate,
}

impl Cluster {
    /// The cluster that the tests of this program share. It stays up until they have ended.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED.get_or_init(Self::own).await
    }

    /// A cluster of one's own, running: for tests that stop it.
    pub async fn own() -> Self {
        Self::with(&[]).await
    }

    /// A cluster of one's own with these settings over the usual ones; values without spaces.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let programs = programs::find()
            .unwrap_or_else(|| panic!("PostgreSQL is not here: {}", programs::REMEDY));
        let folder = tempfile::Builder::new()
            .prefix("coinop-postgres-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary folder can be made")
            .keep();
        let password = random_word();
        std::fs::write(folder.join("password"), &password).expect("the folder is writable");
        let user = User::instead_of_root();
        if let Some(User { uid, gid }) = user {
            for path in [folder.join("password"), folder.clone()] {
                chown(path, Some(uid), Some(gid)).expect("root gives folders away");
            }
        }
        let port = free_port();
        let cluster = Self {
            keeper: Arc::new(Mutex::new(Keeper::start(&programs, &folder, user))),
            folder,
            port,
            password,
            start: start_order(port, settings),
            databases: AtomicU32::new(0),
        };
        cluster.order("init").await;
        cluster.start().await;
        cluster
    }

    /// Starts the server after [`Self::stop`], on the same port.
    pub async fn start(&self) {
        self.order(&self.start).await;
    }

    /// Stops the server and waits until it has ended.
    pub async fn stop(&self, how: Stop) {
        self.order(match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        })
        .await;
    }

    /// Stops and starts.
    pub async fn restart(&self, how: Stop) {
        self.stop(how).await;
        self.start().await;
    }

    /// Makes an empty database: its URL.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let admin = connect(&self.url("postgres")).await;
        let create = format!("CREATE DATABASE {name}");
        within("a new database", admin.batch_execute(&create))
            .await
            .expect("the superuser may create databases");
        self.url(&name)
    }

    /// What the server wrote, for a test that fails.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Everything of the server; also the folder of its Unix socket.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn url(&self, database: &str) -> String {
        let Self { port, password, .. } = self;
        format!("postgres://coinop:{password}@127.0.0.1:{port}/{database}")
    }

    async fn order(&self, order: &str) {
        let (keeper, words) = (Arc::clone(&self.keeper), order.to_owned());
        let carry_out = move || {
            let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
            keeper.order(&words)
        };
        let done = within(order, tokio::task::spawn_blocking(carry_out)).await;
        assert!(
            done.expect("the keeper of PostgreSQL lives"),
            "PostgreSQL did not `{order}`:\n{}",
            self.log()
        );
    }
}

/// Connects to a database of a cluster that is up.
pub async fn connect(url: &str) -> Client {
    let connected = within("PostgreSQL", tokio_postgres::connect(url, NoTls)).await;
    let (client, connection) = connected.unwrap_or_else(|error| panic!("not connected: {error}"));
    // Ends with the client, or with the server: then the client's next request says so.
    tokio::spawn(connection);
    client
}

fn start_order(port: u16, settings: &[(&str, &str)]) -> String {
    let settings = SETTINGS.iter().chain(settings);
    let options: String = settings
        .map(|(name, value)| format!(" -c {name}={value}"))
        .collect();
    format!("start -p {port}{options}")
}

/// A port that nobody listens on now.
fn free_port() -> u16 {
    let span = u64::from(PORTS.end - PORTS.start);
    (0..100)
        .map(|_| PORTS.start + (random() % span) as u16)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one port of a hundred is free")
}

fn random_word() -> String {
    format!("{:016x}{:016x}", random(), random())
}

/// From the operating system, by way of the standard library's keys for its hash maps.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}
