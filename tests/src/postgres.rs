//! A private PostgreSQL for tests: a cluster of its own in a temporary folder, on a port of its own, gone with the test.
//!
//! Without PostgreSQL's binaries (Debian: `apt-get install postgresql`) the tests fail, and say so: nothing is skipped.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

use crate::wait::until;

/// Whom the server runs as when the tests run as root: it refuses to run as root.
const SERVER_USER: &str = "postgres";

/// A server.
pub struct Cluster {
    folder: TempDir,
    port: u16,
    databases: AtomicU32,
}

impl Cluster {
    /// The server that the tests of this process share.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// A server of one's own, to be stopped and started.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))
            .expect("it is ours");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("the folder is writable");
        if let Some(user) = server_user() {
            let owned = Command::new("chown").arg(user).arg(&data).status();
            assert!(
                owned.is_ok_and(|s| s.success()),
                "the folder can be given to {user}"
            );
        }
        let cluster = Self {
            port: free_port(),
            folder,
            databases: AtomicU32::new(0),
        };
        let made = server_command("initdb")
            .args([
                "--auth=trust",
                "--username=coinop",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .arg("--pgdata")
            .arg(cluster.data())
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        cluster.up().await;
        cluster
    }

    /// Starts the server, and waits until it answers.
    pub async fn up(&self) {
        let mut server = server_command("postgres");
        server
            .arg("-D")
            .arg(self.data())
            .args([
                "-p",
                &self.port.to_string(),
                "-h",
                "127.0.0.1",
                "-k",
                "",
                "-c",
                "max_connections=200",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A thread that never ends: the server is told to stop when the thread that started it is gone.
        std::thread::spawn(move || {
            let _ = server.spawn().expect("postgres runs").wait();
            loop {
                std::thread::park();
            }
        });
        until("the database", async || self.connect("postgres").await).await;
    }

    /// Stops the server as an operator would, or as a power cut with `immediate`.
    pub async fn down(&self, mode: &str) {
        let mut stop = server_command("pg_ctl");
        stop.args(["stop", "--wait", "--mode", mode, "--pgdata"])
            .arg(self.data());
        let stopped = tokio::task::spawn_blocking(move || stop.output()).await;
        let stopped = stopped.expect("no panic").expect("pg_ctl runs");
        assert!(
            stopped.status.success(),
            "{}",
            String::from_utf8_lossy(&stopped.stderr)
        );
    }

    /// A fresh database's URL.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let admin = self
            .connect("postgres")
            .await
            .expect("the database answers");
        let made = admin
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await;
        made.expect("a database can be made");
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://coinop@127.0.0.1:{}/{database}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    async fn connect(&self, database: &str) -> Option<Client> {
        connect(&self.url(database)).await
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// A connection of the test's own, to look at what is stored.
pub async fn connect(url: &str) -> Option<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

fn server_command(binary: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if let Some(user) = server_user() {
        command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    }
    command.arg(binaries().join(binary));
    command.current_dir("/");
    command
}

fn server_user() -> Option<&'static str> {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|o| o.stdout == b"0\n");
    root.then_some(SERVER_USER)
}

fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let found = versions
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("postgres").exists());
    let latest = found.max_by_key(|bin| version_of(bin));
    latest.expect(
        "PostgreSQL is needed: apt-get install postgresql puts it under /usr/lib/postgresql",
    )
}

fn version_of(bin: &Path) -> u32 {
    let version = bin
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}
