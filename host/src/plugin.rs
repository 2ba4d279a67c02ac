//! What the host knows of a plugin's tools, whatever WIT version or file they came from.
//!
//! Plain data: the sandbox fills it, the catalogue publishes it, the listing cache stores it.

use coinop_core::digest::Digest;
use coinop_core::price::Price;
use serde::{Deserialize, Serialize};

/// What a plugin says of itself, read once at load and kept by digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// SHA-256 of the component's bytes.
    pub digest: Digest,
    /// How the component offers its tools.
    pub contract: Contract,
    /// The interfaces it imports, such as `wasi:http/outgoing-handler@0.2.12`, in the component's order. What a language's
    /// runtime always brings along is among them: an import is not yet a wish.
    pub imports: Vec<String>,
    /// Its tools, in the plugin's order.
    pub tools: Vec<ToolDecl>,
}

/// How a component offers its tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// It was written for this host, and lists its tools itself.
    Plugin {
        /// The version of `coinop:plugin` or `coinop:async-plugin` it exports, such as `0.1.0`.
        version: String,
    },
    /// It was written for another host: its exported functions are its tools.
    Derived {
        /// The functions that cannot be tools.
        left_out: Vec<LeftOut>,
    },
}

/// An exported function that is no tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its full name, such as `acme:weather/forecast@1.0.0#open`.
    pub function: String,
    /// Why.
    pub why: String,
}

/// One tool as its plugin declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolDecl {
    /// The name, unique within the plugin: 1 to 64 of `[A-Za-z0-9_.-]`.
    pub name: String,
    /// A title for people.
    pub title: Option<String>,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema (draft 2020-12) of the arguments, an object schema, as text.
    pub input_schema: String,
    /// JSON Schema of the structured answer, when the tool gives one, as text.
    pub output_schema: Option<String>,
    /// MCP's hints.
    pub annotations: Annotations,
    /// The plugin's own price; `None` when it leaves that to the operator.
    pub price: Option<Price>,
    /// What the tool says a run changes outside; believed only where grants agree.
    pub effects: Effects,
    /// A JSON object's text for the listing's `_meta`, when the tool gave one.
    pub meta: Option<String>,
}

/// The key of a tool's `meta` by which it says that its instance may serve another call of the same caller.
pub const META_WARM: &str = "coinop/warm";

impl ToolDecl {
    /// Whether the tool says that an instance which answered it may serve another call of the same caller: what it keeps
    /// in its memory is meant to be found there, or does not matter.
    pub fn declares_warm(&self) -> bool {
        let meta = self.meta.as_deref();
        let meta = meta.and_then(|meta| serde_json::from_str::<serde_json::Value>(meta).ok());
        meta.is_some_and(|meta| meta[META_WARM] == serde_json::Value::Bool(true))
    }
}

/// MCP's tool annotations: hints, each unknown until said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotations {
    /// The tool does not change its environment.
    pub read_only: Option<bool>,
    /// What it changes may be destroyed.
    pub destructive: Option<bool>,
    /// Calling it twice is as good as once.
    pub idempotent: Option<bool>,
    /// It reaches an open world.
    pub open_world: Option<bool>,
}

/// What a run changes outside the sandbox, by the tool's own word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effects {
    /// Not said.
    #[default]
    Unspecified,
    /// Nothing: a second run gives the same and costs only time.
    Pure,
    /// A second run with the same call id changes nothing more.
    Idempotent,
    /// A second run does it twice.
    Effectful,
}
