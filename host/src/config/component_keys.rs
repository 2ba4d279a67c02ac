//! The keys of accounts of the kind `component`.

use super::grants;
use super::keys::{Key, Kind, Section, key};
use super::kinds;

pub(super) const COMPONENT: Key = key(
    "component",
    Kind::Text(kinds::filled),
    "component: the file of the component that is the provider; relative to this file. docs/providers.md tells how to \
     write one.",
);
pub(super) const SHA256: Key = key(
    "sha256",
    Kind::Text(kinds::digest),
    "component: SHA-256 of that file, in hex; another file is not loaded. Required where trust.locked is true.",
);
pub(super) const SETTINGS: Key = key(
    "settings",
    Kind::Variables(kinds::filled),
    "component: what it reads as its settings (wasi:config), by name: a text, or { env = \"NAME\" } or { file = \"PATH\" } \
     for a secret.",
);
pub(super) const GRANTS: Key = key(
    "grants",
    Kind::Section(&REACH),
    "component: what it may reach beyond that.",
);

static REACH: Section = Section {
    keys: &[key(
        "http",
        Kind::Texts(grants::http),
        "Origins it may send requests to, written as a plugin's: the provider's API, and nothing else.",
    )],
    refused: &[],
};
