//! `[trust]`: which plugin files may be loaded.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::folder_of;
use super::keys::{Key, Kind, Section, key};
use super::kinds;
use crate::trust::{CosignKey, MinisignKey, TrustRules};

/// Largest key that is read from a file, bytes.
const KEY_BYTES_MAX: u64 = 16 << 10;
const PEM_START: &str = "-----BEGIN";

pub(super) static TRUST: Section = Section {
    keys: &[
        key(
            "locked",
            Kind::Bool,
            "true loads only the files that coinop.lock, beside this file, names by their digest, with the grants that were accepted; `coinop lock` accepts. false by default: a file that says something else than the lock is told.",
        ),
        key(
            "minisign",
            Kind::Texts(minisign),
            "Public keys whose minisign signatures (NAME.wasm.minisig beside NAME.wasm) count: the line of minisign.pub that starts with RW.",
        ),
        key(
            "cosign",
            Kind::Texts(kinds::filled),
            "Public keys of which one must have signed what `coinop pull` fetches: the PEM of cosign.pub, or a file's path relative to this one.",
        ),
        REQUIRE_SIGNATURE,
    ],
    refused: &[],
};

pub(super) const REQUIRE_SIGNATURE: Key = key(
    "require_signature",
    Kind::Bool,
    "Whether a file without a signature is refused; true where minisign keys are named. A wrong signature always is.",
);

fn minisign(text: &str) -> Result<(), String> {
    text.parse::<MinisignKey>().map(drop)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTrust {
    locked: bool,
    minisign: Vec<String>,
    cosign: Vec<String>,
    require_signature: Option<bool>,
}

/// A key's path and what is wrong with its value.
type Wrong = (Vec<String>, String);

impl RawTrust {
    /// The rules, and what is wrong with them; `required` is what single plugins say.
    pub(super) fn resolve(
        self,
        config: &Path,
        required: BTreeMap<String, bool>,
    ) -> (TrustRules, Vec<Wrong>) {
        let mut wrong = Vec::new();
        let mut cosign = Vec::new();
        for said in &self.cosign {
            match cosign_key(said, folder_of(config)) {
                Ok(key) => cosign.push(key),
                Err(message) => wrong.push((path(&["trust", "cosign"]), message)),
            }
        }
        // Every text has passed its key's check.
        let minisign: Vec<MinisignKey> = self
            .minisign
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
        if minisign.is_empty() && self.cosign.is_empty() {
            let asked = required.iter().filter(|(_, required)| **required);
            let asked = asked.map(|(name, _)| path(&["plugins", name, "require_signature"]));
            let server = self.require_signature == Some(true);
            let server = server.then(|| path(&["trust", "require_signature"]));
            let message = "nobody's signature would do: add [trust] minisign = [\"RW…\"]";
            wrong.extend(asked.chain(server).map(|path| (path, message.to_owned())));
        }
        let rules = TrustRules {
            locked: self.locked,
            lock_file: config.with_extension("lock"),
            require_signature: self.require_signature.unwrap_or(!minisign.is_empty()),
            minisign,
            cosign,
            required,
        };
        (rules, wrong)
    }
}

/// A key as PEM, or from a file.
fn cosign_key(said: &str, base: &Path) -> Result<CosignKey, String> {
    if said.trim_start().starts_with(PEM_START) {
        return said.parse();
    }
    let file = base.join(said);
    let shown = file.display();
    let read = || {
        use std::io::Read as _;
        let mut pem = String::new();
        let open = std::fs::File::open(&file)?;
        open.take(KEY_BYTES_MAX).read_to_string(&mut pem)?;
        Ok(pem)
    };
    let pem = read().map_err(|error: std::io::Error| format!("{shown} cannot be read: {error}"))?;
    pem.parse().map_err(|wrong| format!("{shown} {wrong}"))
}

fn path(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}
