//! What a plugin says it needs, which grants nothing, and what of it the operator has not granted.

use super::{Access, Grants, HttpGrant, SocketGrant};
use crate::config::dotted;

/// `[needs]` of a sidecar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// What for, in the author's words.
    pub reason: Option<String>,
    /// Everything it needs, in the order of the keys.
    pub all: Vec<Need>,
}

/// One thing that a plugin needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// To send requests to an origin.
    Http(HttpGrant),
    /// A variable, by its name.
    Env(String),
    /// A directory, wherever it is on the host.
    Dir(DirNeed),
    /// To open a socket.
    Socket(SocketGrant),
    /// Key-value storage of so many KiB.
    KeyValue(u64),
    /// A pseudonym of its caller.
    Caller,
}

/// A directory as the plugin knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirNeed {
    /// Where it looks for it.
    pub guest_path: String,
    /// What it does there.
    pub access: Access,
}

impl Needs {
    /// What of it `grants` do not cover.
    pub fn missing<'a>(&'a self, grants: &'a Grants) -> impl Iterator<Item = &'a Need> {
        self.all.iter().filter(|need| !need.is_granted(grants))
    }
}

impl Need {
    /// Whether `grants` cover it.
    pub fn is_granted(&self, grants: &Grants) -> bool {
        match self {
            Self::Http(need) => grants.http.iter().any(|grant| grant.covers(need)),
            Self::Env(name) => grants.env.contains_key(name),
            Self::Dir(need) => grants.dirs.iter().any(|grant| {
                let enough = grant.access == Access::Write || need.access == Access::Read;
                grant.guest_path == need.guest_path && enough
            }),
            Self::Socket(need) => grants.sockets.contains(need),
            Self::KeyValue(kib) => grants
                .keyvalue_bytes_max
                .is_some_and(|granted| granted >= kib << 10),
            Self::Caller => grants.caller,
        }
    }

    /// What it would be allowed, as a phrase.
    pub fn phrase(&self) -> String {
        match self {
            Self::Http(http) => http.phrase(),
            Self::Env(name) => format!("read the variable {name}"),
            Self::Dir(dir) => match dir.access {
                Access::Read => format!("read a directory as {}", dir.guest_path),
                Access::Write => format!("read and write a directory as {}", dir.guest_path),
            },
            Self::Socket(socket) => format!("open sockets to {socket}"),
            Self::KeyValue(kib) => format!("keep {kib} KiB of data from call to call"),
            Self::Caller => "know its callers by a pseudonym".to_owned(),
        }
    }

    /// The lines to add under `[plugins.NAME.grants]` for all of `needs`: lists of one key are one line, since TOML takes a
    /// key once.
    pub fn lines<'a>(needs: impl IntoIterator<Item = &'a Self>) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for line in needs.into_iter().map(Self::line) {
            let list = line.split_once(" = [");
            let same = |other: &&mut String| {
                let key = other.split_once(" = [").map(|(key, _)| key);
                key.is_some() && key == list.map(|(key, _)| key)
            };
            match (lines.iter_mut().find(same), list) {
                (Some(other), Some((_, items))) => {
                    other.pop();
                    other.push_str(", ");
                    other.push_str(items);
                }
                _ => lines.push(line),
            }
        }
        lines
    }

    /// The line to add under `[plugins.NAME.grants]`, with a place holder where the operator must choose.
    pub fn line(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        match self {
            Self::Http(origin) => format!("http = [{}]", quoted(&origin.to_string())),
            Self::Env(name) => format!("env.{} = {{ env = {} }}", dotted(&[name]), quoted(name)),
            Self::Dir(dir) => {
                let write = match dir.access {
                    Access::Read => "",
                    Access::Write => ", write = true",
                };
                let guest_path = quoted(&dir.guest_path);
                format!("dirs = [{{ path = \"PATH\", as = {guest_path}{write} }}]")
            }
            Self::Socket(socket) => format!("sockets = [{}]", quoted(&socket.to_string())),
            Self::KeyValue(kib) => format!("keyvalue_kib = {kib}"),
            Self::Caller => "caller = true".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants() -> Grants {
        Grants {
            http: vec!["GET https://api.example.com".parse().unwrap()],
            keyvalue_bytes_max: Some(64 << 10),
            ..Grants::default()
        }
    }

    #[test]
    fn a_need_is_granted_when_all_of_it_is() {
        let http = |text: &str| Need::Http(text.parse().unwrap());
        let granted = [http("GET https://api.example.com"), Need::KeyValue(64)];
        let missing = [
            http("https://api.example.com"),
            http("GET,POST https://api.example.com"),
            http("GET https://api.example.com:8443"),
            Need::KeyValue(65),
            Need::Env("KEY".into()),
            Need::Caller,
        ];
        assert!(granted.iter().all(|need| need.is_granted(&grants())));
        assert!(missing.iter().all(|need| !need.is_granted(&grants())));
    }

    #[test]
    fn a_missing_need_has_the_line_to_add() {
        let need = |need: Need| format!("[grants]\n{}", need.line());
        for line in [
            need(Need::Http("GET https://a.example".parse().unwrap())),
            need(Need::Env("API_KEY".into())),
            need(Need::Socket("tcp://db:1".parse().unwrap())),
            need(Need::Dir(DirNeed {
                guest_path: "/data".into(),
                access: Access::Write,
            })),
            need(Need::KeyValue(64)),
            need(Need::Caller),
        ] {
            assert!(toml::from_str::<toml::Table>(&line).is_ok(), "{line}");
        }
    }

    #[test]
    fn needs_of_one_kind_are_one_line() {
        let http = |text: &str| Need::Http(text.parse().unwrap());
        let all = [
            http("GET https://a.example"),
            Need::Env("KEY".into()),
            http("https://b.example"),
            Need::Env("TOKEN".into()),
        ];
        assert_eq!(
            Need::lines(&all),
            [
                r#"http = ["GET https://a.example", "https://b.example"]"#,
                r#"env.KEY = { env = "KEY" }"#,
                r#"env.TOKEN = { env = "TOKEN" }"#,
            ]
        );
        let text = Need::lines(&all).join("\n");
        assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{text}");
    }
}
