//! What a tool is called and described as in its listing, where the operator or a sidecar knows better than the plugin.

use serde::Deserialize;

use super::keys::{Key, Kind, Section, key};
use crate::plugin::Annotations;

/// Longest title, bytes; as of tools that plugins list.
const TITLE_BYTES_MAX: usize = 256;
/// Longest description, bytes; as of tools that plugins list.
const DESCRIPTION_BYTES_MAX: usize = 16 << 10;

pub(super) const TITLE: Key = key(
    "title",
    Kind::Text(title),
    "A title for people, instead of the plugin's own.",
);

pub(super) const DESCRIPTION: Key = key(
    "description",
    Kind::Text(description),
    "What the tool does, for models, instead of the plugin's own words; the price is added.",
);

pub(super) const ANNOTATIONS: Key = key(
    "annotations",
    Kind::Section(&HINTS),
    "What clients may expect of the tool, instead of the plugin's own word.",
);

static HINTS: Section = Section {
    keys: &[
        key(
            "read_only",
            Kind::Bool,
            "It does not change its environment.",
        ),
        key(
            "destructive",
            Kind::Bool,
            "What it changes may be destroyed.",
        ),
        key(
            "idempotent",
            Kind::Bool,
            "Calling it twice is as good as once.",
        ),
        key("open_world", Kind::Bool, "It reaches an open world."),
    ],
    refused: &[],
};

/// Hints as written.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAnnotations {
    read_only: Option<bool>,
    destructive: Option<bool>,
    idempotent: Option<bool>,
    open_world: Option<bool>,
}

/// What one file says of a tool's listing. Everything may be unsaid.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// A title for people.
    pub title: Option<String>,
    /// What it does, for models.
    pub description: Option<String>,
    /// Hints for clients; those that are unsaid stay as they are.
    pub annotations: Annotations,
}

impl Words {
    pub(super) fn new(
        title: Option<String>,
        description: Option<String>,
        annotations: RawAnnotations,
    ) -> Self {
        Self {
            title,
            description,
            annotations: Annotations {
                read_only: annotations.read_only,
                destructive: annotations.destructive,
                idempotent: annotations.idempotent,
                open_world: annotations.open_world,
            },
        }
    }
}

fn title(text: &str) -> Result<(), String> {
    within(text, TITLE_BYTES_MAX)
}

fn description(text: &str) -> Result<(), String> {
    within(text, DESCRIPTION_BYTES_MAX)
}

fn within(text: &str, bytes_max: usize) -> Result<(), String> {
    match text.len() {
        _ if text.trim().is_empty() => Err("is empty".to_owned()),
        bytes if bytes > bytes_max => Err(format!("has {bytes} bytes; {bytes_max} is the most")),
        _ => Ok(()),
    }
}
