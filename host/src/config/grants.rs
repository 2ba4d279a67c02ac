//! `[plugins.NAME.grants]`: what the operator lets a plugin reach.

use serde::Deserialize;

use super::keys::{Kind, Section, key};
use crate::grants::{Grants, HttpGrant};

pub(super) static GRANTS: Section = Section {
    keys: &[key(
        "http",
        Kind::Texts(http),
        "Origins it may send requests to, such as \"https://api.example.com\", with methods in front where not all are \
         meant: \"GET,HEAD https://api.example.com\".",
    )],
    refused: &[],
};

fn http(text: &str) -> Result<(), String> {
    text.parse::<HttpGrant>().map(drop)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGrants {
    http: Vec<String>,
}

impl RawGrants {
    /// The grants. Every text has passed its key's check.
    pub(super) fn resolve(self) -> Grants {
        let http = self.http.iter().filter_map(|text| text.parse().ok());
        Grants {
            http: http.collect(),
        }
    }
}
