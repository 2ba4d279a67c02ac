//! `[needs]` of a sidecar: what a plugin says it needs. It grants nothing.

use serde::Deserialize;

use super::grants::{KEYVALUE_KIB_MAX, http, socket, variable};
use super::keys::{Kind, Section, key};
use crate::grants::{Access, DirGrant, DirNeed, Need, Needs};

/// Longest reason, characters: it is shown to whoever decides.
const REASON_CHARS_MAX: usize = 300;

pub(super) static NEEDS: Section = Section {
    keys: &[
        key(
            "reason",
            Kind::Text(reason),
            "What for, for whoever decides.",
        ),
        key("http", Kind::Texts(http), "Origins, as grants name them."),
        key("env", Kind::Texts(variable), "Names of variables."),
        key("dirs", Kind::Tables(&DIR), "Directories."),
        key(
            "sockets",
            Kind::Texts(socket),
            "Sockets, as grants name them.",
        ),
        key(
            "keyvalue_kib",
            Kind::Integer(1, KEYVALUE_KIB_MAX),
            "Key-value storage, KiB.",
        ),
        key(
            "caller",
            Kind::Bool,
            "Whether it needs a pseudonym of its caller.",
        ),
    ],
    refused: &[],
};

static DIR: Section = Section {
    keys: &[
        key(
            "as",
            Kind::Text(DirGrant::check_guest_path),
            "Where the plugin looks for it, such as \"/data\".",
        ),
        key("write", Kind::Bool, "Whether it writes there."),
    ],
    refused: &[(
        "path",
        "where a directory is on the host, only the operator says",
    )],
};

/// A sidecar comes from strangers, and this is shown on a terminal.
fn reason(text: &str) -> Result<(), String> {
    match text.chars().any(char::is_control) || text.chars().count() > REASON_CHARS_MAX {
        true => Err(format!(
            "must be one line of at most {REASON_CHARS_MAX} characters"
        )),
        false => Ok(()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawNeeds {
    reason: Option<String>,
    http: Vec<String>,
    env: Vec<String>,
    dirs: Vec<RawDir>,
    sockets: Vec<String>,
    keyvalue_kib: Option<u64>,
    caller: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDir {
    #[serde(rename = "as")]
    guest_path: String,
    #[serde(default)]
    write: bool,
}

impl RawNeeds {
    /// The needs. Every text has passed its key's check.
    pub(super) fn resolve(self) -> Needs {
        let http = self.http.iter().filter_map(|text| text.parse().ok());
        let sockets = self.sockets.iter().filter_map(|text| text.parse().ok());
        let dirs = self.dirs.into_iter().map(|dir| DirNeed {
            guest_path: dir.guest_path,
            access: match dir.write {
                true => Access::Write,
                false => Access::Read,
            },
        });
        let all = http.map(Need::Http);
        let all = all.chain(self.env.into_iter().map(Need::Env));
        let all = all.chain(dirs.map(Need::Dir));
        let all = all.chain(sockets.map(Need::Socket));
        let all = all.chain(self.keyvalue_kib.map(Need::KeyValue));
        Needs {
            reason: self.reason,
            all: all.chain(self.caller.then_some(Need::Caller)).collect(),
        }
    }
}
