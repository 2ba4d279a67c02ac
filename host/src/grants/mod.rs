//! What the operator lets a plugin reach beyond its arguments. Nothing, unless `coinop.toml` says so.
//!
//! Plain data. The configuration makes it, the library hands it to the sandbox with each run, the sandbox enforces it.
//! It is never kept with a quote: it may hold secrets, and a grant that the operator takes back ends at once.
//!
//! Serialized it is what `coinop.toml` says, in one fixed order and without the value of any variable: what a grant is
//! pinned by.

mod address;
mod denial;
mod dir;
mod env;
mod host;
mod http;
mod lines;
mod needs;
mod origin;
mod repeat;
mod socket;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

pub use address::Place;
pub use denial::Denial;
pub use dir::{Access, DirGrant};
pub use env::{EnvGrant, is_variable};
pub use host::{Host, HostError};
pub use http::{Admits, HttpGrant};
pub use needs::{DirNeed, Need, Needs};
pub use origin::{Origin, Scheme};
pub use socket::{SocketGrant, Transport};

/// The grants of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Grants {
    /// Origins it may send requests to.
    #[serde(serialize_with = "http_texts")]
    pub http: Vec<HttpGrant>,
    /// Environment variables it sees, by name.
    pub env: BTreeMap<String, EnvGrant>,
    /// Directories it may read, and write where that is said.
    pub dirs: Vec<DirGrant>,
    /// Where it may open sockets to.
    pub sockets: Vec<SocketGrant>,
    /// Bytes of keys and values it may keep from call to call; `None` is no storage at all.
    pub keyvalue_bytes_max: Option<u64>,
    /// Whether it is told a pseudonym of its caller.
    pub caller: bool,
}

impl Grants {
    /// Whether there is anything beyond its own memory that a run could change.
    pub fn reaches_out(&self) -> bool {
        !self.http.is_empty() || self.changes_without_http()
    }

    /// Whether what it may reach, it may only read: an HTTP server's part is to change nothing on GET and HEAD.
    pub fn only_reads(&self) -> bool {
        self.http.iter().all(HttpGrant::only_reads) && !self.changes_without_http()
    }

    /// Whether a request is allowed, and which addresses its host's name may stand for.
    pub fn admits(&self, method: &str, origin: &Origin) -> Option<Admits> {
        let fitting = self.http.iter().filter_map(|g| g.admits(method, origin));
        fitting.max()
    }

    fn changes_without_http(&self) -> bool {
        let writes = |dir: &DirGrant| dir.access == Access::Write;
        !self.sockets.is_empty()
            || self.keyvalue_bytes_max.is_some()
            || self.dirs.iter().any(writes)
    }

    /// Each grant as a phrase, without values.
    pub fn phrases(&self) -> Vec<String> {
        let http = self.http.iter().map(HttpGrant::phrase);
        let env = self.env.iter().map(|(name, env)| match env {
            EnvGrant::Text(_) => format!("read the variable {name}"),
            EnvGrant::Env { variable, .. } => {
                format!("read the variable {name} (a secret from the variable {variable})")
            }
            EnvGrant::File { path, .. } => {
                format!(
                    "read the variable {name} (a secret from {})",
                    path.display()
                )
            }
        });
        let dirs = self.dirs.iter().map(|dir| {
            let verb = match dir.access {
                Access::Read => "read",
                Access::Write => "read and write",
            };
            format!("{verb} {} as {}", dir.path.display(), dir.guest_path)
        });
        let sockets = self.sockets.iter().map(|s| format!("open sockets to {s}"));
        let storage = self
            .keyvalue_bytes_max
            .map(|bytes| format!("keep {} KiB of data from call to call", bytes >> 10));
        let caller = self
            .caller
            .then(|| "know its callers by a pseudonym".to_owned());
        let all = http.chain(env).chain(dirs).chain(sockets);
        all.chain(storage).chain(caller).collect()
    }

    /// The values of the granted secrets: what must never be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.env.values().filter_map(EnvGrant::secret)
    }
}

/// `coinop.toml`'s form of every entry.
fn http_texts<S: Serializer>(grants: &[HttpGrant], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(grants.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_grant_is_pinned_by_has_its_names_and_no_values() {
        let secret = EnvGrant::Env {
            variable: "WEATHER_KEY".into(),
            value: "hunter2".into(),
        };
        let plain = EnvGrant::Text("swordfish".into());
        let grants = Grants {
            http: vec!["GET https://api.example.com".parse().unwrap()],
            env: [("KEY".to_owned(), secret), ("MODE".to_owned(), plain)].into(),
            sockets: vec!["tcp://db.example.com:5432".parse().unwrap()],
            keyvalue_bytes_max: Some(1024),
            ..Grants::default()
        };
        let pinned = serde_json::to_string(&grants).unwrap();
        assert_eq!(
            pinned,
            "{\"http\":[\"GET https://api.example.com\"],\"env\":{\"KEY\":{\"env\":\"WEATHER_KEY\"},\"MODE\":\"text\"},\
             \"dirs\":[],\"sockets\":[\"tcp://db.example.com:5432\"],\"keyvalue_bytes_max\":1024,\"caller\":false}"
        );
        assert!(!format!("{grants:?}").contains("hunter2"));
        assert_eq!(grants.secrets().collect::<Vec<_>>(), ["hunter2"]);
    }

    #[test]
    fn reading_changes_nothing_outside() {
        let dir = |access| DirGrant {
            path: "/srv/data".into(),
            guest_path: "/data".into(),
            access,
        };
        let with = |dirs| Grants {
            dirs,
            caller: true,
            ..Grants::default()
        };
        assert!(!with(vec![dir(Access::Read)]).reaches_out());
        assert!(with(vec![dir(Access::Read), dir(Access::Write)]).reaches_out());
    }
}
