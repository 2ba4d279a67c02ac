//! What a run produced, in the form that is stored and delivered as often as it is asked for.

use serde::{Deserialize, Serialize};

/// The stored result of a run: an answer of the tool, good or bad. Failures are not outcomes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Content blocks, in the tool's order.
    pub content: Vec<Content>,
    /// Structured content: a JSON object's text, already checked against the tool's output schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured: Option<String>,
    /// The tool's own word that its answer is an error (`ok` with `is-error`): delivered and charged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// A JSON object's text for the result's `_meta`, when the tool gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<String>,
}

/// One content block, as MCP knows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// An image.
    Image {
        /// Base64, standard alphabet with padding.
        data: String,
        /// Media type, such as `image/png`.
        mime_type: String,
    },
    /// A sound.
    Audio {
        /// Base64, standard alphabet with padding.
        data: String,
        /// Media type, such as `audio/wav`.
        mime_type: String,
    },
    /// A resource's text carried in the answer.
    EmbeddedText {
        /// The resource's URI.
        uri: String,
        /// Media type, when known.
        mime_type: Option<String>,
        /// The text.
        text: String,
    },
    /// A resource's bytes carried in the answer.
    EmbeddedBlob {
        /// The resource's URI.
        uri: String,
        /// Media type, when known.
        mime_type: Option<String>,
        /// Base64, standard alphabet with padding.
        blob: String,
    },
    /// A pointer to a resource.
    ResourceLink {
        /// The resource's URI.
        uri: String,
        /// Its name.
        name: String,
        /// What it is, when said.
        description: Option<String>,
        /// Media type, when known.
        mime_type: Option<String>,
    },
    /// A whole MCP content block as the tool wrote it, for what the others cannot say (`annotations`, `_meta`).
    Raw {
        /// A JSON object's text, with one of MCP's `type`s and the fields that type requires.
        json: String,
    },
}

impl Content {
    /// A text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}
