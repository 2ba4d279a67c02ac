//! What a run produced, in the form that is stored and delivered as often as it is asked for.

mod raw;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::digest::Digest;

/// Beginnings of `_meta` keys that are the host's, the protocol's or the payment protocols'.
const RESERVED_META: [&str; 6] = [
    "coinop/",
    "io.modelcontextprotocol/",
    "x402/",
    "x402.",
    "org.paymentauth/",
    "agents-x402/",
];

/// Whether a key of a `_meta` is not a plugin's to write: its own is dropped. A wallet would pay whoever a plugin names,
/// and believe a receipt that a plugin wrote.
pub fn is_reserved_meta(key: &str) -> bool {
    RESERVED_META.iter().any(|prefix| key.starts_with(prefix))
}

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

impl Outcome {
    /// What receipts call the result: SHA-256 of `content`, `structuredContent` (where there is some) and `isError`, as
    /// they stand in MCP's `tools/call` result, in canonical JSON (RFC 8785).
    pub fn digest(&self) -> Digest {
        let mut result = Map::new();
        let content = self.content.iter().map(Content::to_mcp).collect();
        result.insert("content".into(), Value::Array(content));
        result.insert("isError".into(), self.is_error.into());
        if let Some(structured) = self.structured.as_deref().and_then(parsed) {
            result.insert("structuredContent".into(), structured);
        }
        Self::digest_of(&result)
    }

    /// The digest of a result that has exactly these members.
    pub fn digest_of(result: &Map<String, Value>) -> Digest {
        // What a tool returned was read from JSON and is written again; the plain form is for numbers that canonical
        // JSON has no place for.
        let text = serde_json_canonicalizer::to_string(result)
            .unwrap_or_else(|_| Value::Object(result.clone()).to_string());
        Digest::of(text.as_bytes())
    }
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
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
    /// A whole MCP content block as the tool wrote it, for what the others cannot say (`annotations`, `_meta`). What MCP
    /// does not name is dropped when it is delivered.
    Raw {
        /// A JSON object's text, with one of MCP's `type`s and the fields that type requires.
        json: String,
    },
}

impl Content {
    /// The block as it stands in an MCP result, and as receipts sign it.
    pub fn to_mcp(&self) -> Value {
        let resource = |uri: &str, mime_type: &Option<String>, key: &str, body: &str| {
            let mut object = Map::from_iter([
                ("uri".to_owned(), Value::from(uri)),
                (key.to_owned(), Value::from(body)),
            ]);
            if let Some(mime_type) = mime_type {
                object.insert("mimeType".into(), Value::from(mime_type.as_str()));
            }
            json!({"type": "resource", "resource": object})
        };
        match self {
            Self::Text { text } => json!({"type": "text", "text": text}),
            Self::Image { data, mime_type } => {
                json!({"type": "image", "data": data, "mimeType": mime_type})
            }
            Self::Audio { data, mime_type } => {
                json!({"type": "audio", "data": data, "mimeType": mime_type})
            }
            Self::EmbeddedText {
                uri,
                mime_type,
                text,
            } => resource(uri, mime_type, "text", text),
            Self::EmbeddedBlob {
                uri,
                mime_type,
                blob,
            } => resource(uri, mime_type, "blob", blob),
            Self::ResourceLink {
                uri,
                name,
                description,
                mime_type,
            } => {
                let mut link = json!({"type": "resource_link", "uri": uri, "name": name});
                let optional = [("description", description), ("mimeType", mime_type)];
                for (key, value) in optional {
                    if let Some(value) = value {
                        link[key] = Value::from(value.as_str());
                    }
                }
                link
            }
            Self::Raw { json } => {
                raw::block(json).unwrap_or_else(|| json!({"type": "text", "text": json}))
            }
        }
    }

    /// A text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}
