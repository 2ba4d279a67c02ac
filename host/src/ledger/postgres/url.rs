//! Where the database is: a connection URL, read into what the driver, the pool and TLS want.
//!
//! The URL is libpq's. Ours are `pool_max_conns` (the name that pgx gave it), and the names of verification modes that
//! the driver does not know.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Connections of one host where the URL does not say.
const CONNECTIONS: usize = 8;
/// Most connections of one host.
const CONNECTIONS_MAX: usize = 1_000;
/// How long the network may take to connect where the URL does not say.
const CONNECT_WAIT: Duration = Duration::from_secs(3);
/// After how long without a word a connection is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// How long sent bytes may stay unacknowledged.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(10);

/// Where the database is and how it is connected to. Its `Display` names host and database only, and so must every
/// message.
#[derive(Clone)]
pub(super) struct Target {
    /// For the driver; holds the password.
    pub(super) config: Config,
    /// Connections at a time.
    pub(super) connections: usize,
    /// How the server's certificate is looked at.
    pub(super) tls: Tls,
    name: String,
}

/// How the server's certificate is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// No TLS at all.
    Off,
    /// Encrypted where the server can, whoever it is: who could stand between could also refuse TLS.
    Unverified,
    /// Encrypted, and the certificate is one for this host, signed by somebody whom this system trusts or by this file.
    Verified {
        /// Authorities to trust instead of the system's, in PEM.
        roots: Option<PathBuf>,
    },
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, without its text: it holds a password.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut ours = Parameters::default();
        let rest = ours.take(query)?;
        let text = match rest.is_empty() {
            true => base.to_owned(),
            false => format!("{base}?{rest}"),
        };
        let mut config = Config::from_str(&text).map_err(|error| {
            // The driver's own words name the parameter, never a value of a secret.
            match std::error::Error::source(&error) {
                Some(cause) => format!("is no PostgreSQL URL: {cause}"),
                None => "is no PostgreSQL URL: write postgres://USER:PASSWORD@HOST/DATABASE".into(),
            }
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err("names no host: write postgres://USER:PASSWORD@HOST/DATABASE".to_owned());
        }
        // What stands behind the first @ is a host for the driver, and would be shown as one.
        if config
            .get_hosts()
            .iter()
            .any(|host| host_name(host).contains('@'))
        {
            return Err("has an @ in the user's name or password: write %40 there".to_owned());
        }
        let tls = ours.tls(&mut config)?;
        set_bounds(&mut config);
        Ok(Self {
            name: name(&config),
            connections: ours.connections.unwrap_or(CONNECTIONS),
            config,
            tls,
        })
    }
}

impl Target {
    /// The command that copies the database into `file`, without the password.
    pub(super) fn dump_command(&self, file: &Path) -> String {
        let mut words = vec!["pg_dump".to_owned(), "--format=custom".to_owned()];
        let hosts = self.config.get_hosts().iter().map(host_name);
        let addresses = self.config.get_hostaddrs().iter().map(ToString::to_string);
        let said = [
            ("--host", hosts.chain(addresses).next()),
            (
                "--port",
                self.config.get_ports().first().map(ToString::to_string),
            ),
            ("--username", self.config.get_user().map(str::to_owned)),
            ("--dbname", self.config.get_dbname().map(str::to_owned)),
            ("--file", Some(file.display().to_string())),
        ];
        for (name, value) in said {
            words.extend(value.map(|value| format!("{name}={}", quoted(&value))));
        }
        words.join(" ")
    }
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    match word.chars().all(plain) && !word.is_empty() {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

/// What the URL says and the driver does not understand.
#[derive(Default)]
struct Parameters {
    connections: Option<usize>,
    mode: Option<String>,
    roots: Option<PathBuf>,
}

impl Parameters {
    /// Takes ours out of a query and returns the rest of it.
    fn take(&mut self, query: &str) -> Result<String, String> {
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "pool_max_conns" => self.connections = Some(connections(value)?),
                "sslrootcert" => self.roots = Some(PathBuf::from(decoded(value))),
                "sslmode" if value == "verify-full" => {
                    self.mode = Some(value.to_owned());
                    rest.push("sslmode=require");
                }
                "sslmode" if matches!(value, "verify-ca" | "allow") => {
                    return Err(format!(
                        "has sslmode={value}: write disable, prefer, require or verify-full"
                    ));
                }
                _ => rest.push(pair),
            }
        }
        Ok(rest.join("&"))
    }

    fn tls(self: &Parameters, config: &mut Config) -> Result<Tls, String> {
        let verified = Tls::Verified {
            roots: self.roots.clone(),
        };
        match config.get_ssl_mode() {
            SslMode::Disable => Ok(Tls::Off),
            // Whoever names authorities wants them looked at.
            SslMode::Prefer if self.roots.is_none() => Ok(Tls::Unverified),
            SslMode::Prefer | SslMode::Require => {
                config.ssl_mode(SslMode::Require);
                Ok(verified)
            }
            _ => Err("has an sslmode that this version does not know".to_owned()),
        }
    }
}

fn connections(value: &str) -> Result<usize, String> {
    let number = value.parse().ok();
    let within = number.filter(|n| (1..=CONNECTIONS_MAX).contains(n));
    within.ok_or_else(|| {
        format!("has a pool_max_conns that is no number from 1 to {CONNECTIONS_MAX}")
    })
}

/// Undoes percent-encoding, for paths.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn set_bounds(config: &mut Config) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WAIT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED_MAX);
    }
    if config.get_application_name().is_none() {
        config.application_name("coinop");
    }
    config.keepalives_idle(KEEPALIVE_IDLE);
}

fn name(config: &Config) -> String {
    let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
    let mut hosts: Vec<String> = config.get_hosts().iter().map(host_name).collect();
    if hosts.is_empty() {
        hosts = addresses.collect();
    }
    let ports = config.get_ports();
    if let [port] = ports
        && *port != 5432
    {
        for host in &mut hosts {
            host.push_str(&format!(":{port}"));
        }
    }
    // libpq's own default.
    let database = config.get_dbname().or(config.get_user()).unwrap_or("?");
    format!("{}/{database}", hosts.join(","))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    #[test]
    fn a_target_names_host_and_database_and_never_the_password() {
        let shown = |url: &str| read(url).to_string();
        assert_eq!(
            shown("postgres://me:hunter2@db.example/coinop"),
            "db.example/coinop"
        );
        assert_eq!(
            shown("postgresql://me:hunter2@db:6432/x?sslmode=disable"),
            "db:6432/x"
        );
        assert_eq!(
            shown("postgres://me@%2Frun%2Fpostgresql/x"),
            "/run/postgresql/x"
        );
        assert_eq!(shown("postgres://me@h"), "h/me");
    }

    #[test]
    fn what_is_wrong_is_named_without_the_url() {
        for (url, says) in [
            (
                "postgres://me:hunter2@h/x?pool_max_conns=0",
                "pool_max_conns",
            ),
            (
                "postgres://me:hunter2@h/x?pool_max_conns=many",
                "pool_max_conns",
            ),
            ("postgres://me:hunter2@h/x?sslmode=verify-ca", "verify-full"),
            ("postgres://me:hunter2@h/x?sslmode=sometimes", "sslmode"),
            ("postgres://me:hunter2@h/x?colour=blue", "colour"),
            ("postgres://me:un@hunter2@h/x", "%40"),
            ("postgres:///x", "host"),
        ] {
            let error = Target::parse(url).err().unwrap();
            assert!(error.contains(says), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn certificates_are_looked_at_wherever_tls_is_asked_for() {
        let tls = |query: &str| read(&format!("postgres://me@h/x{query}")).tls;
        let system = Tls::Verified { roots: None };
        let file = Tls::Verified {
            roots: Some("/etc/ca.pem".into()),
        };
        assert_eq!(tls(""), Tls::Unverified);
        assert_eq!(tls("?sslmode=prefer"), Tls::Unverified);
        assert_eq!(tls("?sslmode=disable"), Tls::Off);
        assert_eq!(tls("?sslmode=require"), system);
        assert_eq!(tls("?sslmode=verify-full"), system);
        assert_eq!(
            tls("?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem"),
            file
        );
        assert_eq!(tls("?sslrootcert=/etc/ca.pem"), file);
        assert_eq!(
            read("postgres://me@h/x?sslrootcert=/a")
                .config
                .get_ssl_mode(),
            SslMode::Require
        );
    }

    #[test]
    fn the_dumps_command_has_everything_but_the_password() {
        let target = read("postgres://me:hunter2@h:6432/my%20x");
        assert_eq!(
            target.dump_command(Path::new("/backups/a b")),
            "pg_dump --format=custom --host=h --port=6432 --username=me --dbname='my x' --file='/backups/a b'"
        );
    }

    #[test]
    fn connections_are_bounded_and_the_url_may_say_how_many() {
        assert_eq!(read("postgres://me@h/x").connections, CONNECTIONS);
        assert_eq!(
            read("postgres://me@h/x?pool_max_conns=3&sslmode=disable").connections,
            3
        );
    }
}
