//! `coinop:plugin@0.1`: the only file that names its generated bindings. Translates to the host's own types.
//!
//! A later version gets a file like this one and an arm in `load::Adapter`; this one then only changes to keep
//! meaning the same. `coinop:async-plugin` shares its types, and so their translation.

use coinop_core::money::Money;
use coinop_core::outcome::{Content, Outcome};
use coinop_core::price::Price;
use data_encoding::BASE64;
use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker};

use super::error::{FailureKind, ListingProblem, RunError};
use super::log::cut;
use super::state::State;
use super::validate::Listed;
use crate::plugin::{Annotations, Effects, ToolDecl};

#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "coinop:plugin/plugin",
        exports: { default: async },
    });
}

use bindings::coinop::plugin::tool_types as wit;
use bindings::coinop::plugin::{meter, progress, settings};

/// Bytes of a failure's message that are passed on.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

/// A component of this version, linked and ready to be instantiated.
pub(super) struct Linked(bindings::PluginPre<State>);

/// An instance that was started.
pub(super) struct Started(bindings::Plugin);

/// What a run is told, besides its arguments.
pub(super) struct Context<'a> {
    pub(super) call_id: &'a str,
    pub(super) remaining_ms: u32,
    pub(super) caller: Option<&'a str>,
}

impl Context<'_> {
    /// In the contract's own words.
    pub(super) fn told(&self) -> wit::Context {
        wit::Context {
            call_id: self.call_id.to_owned(),
            remaining_ms: self.remaining_ms,
            caller: self.caller.map(str::to_owned),
            meta: None,
        }
    }
}

/// Offers what the world imports.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    bindings::Plugin::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl Linked {
    /// Resolves every import once.
    pub(super) fn new(linker: &Linker<State>, component: &Component) -> wasmtime::Result<Self> {
        let pre = linker.instantiate_pre(component)?;
        bindings::PluginPre::new(pre).map(Self)
    }

    /// The tools, or per tool why it cannot be offered.
    pub(super) async fn list(&self, store: &mut Store<State>) -> wasmtime::Result<Listed> {
        let plugin = self.0.instantiate_async(&mut *store).await?;
        let tools = plugin.coinop_plugin_tools().call_list_tools(store).await?;
        Ok(listed(tools))
    }

    /// One call, in the instance of `store` that was started or in a fresh one. The answer is translated, not yet checked.
    pub(super) async fn call(
        &self,
        store: &mut Store<State>,
        started: &mut Option<Started>,
        tool: &str,
        arguments: &str,
        context: Context<'_>,
    ) -> wasmtime::Result<Result<Outcome, RunError>> {
        let Started(plugin) = match started {
            Some(started) => started,
            None => started.insert(Started(self.0.instantiate_async(&mut *store).await?)),
        };
        let answer = plugin
            .coinop_plugin_tools()
            .call_call_tool(store, tool, arguments, &context.told())
            .await?;
        Ok(answered(answer))
    }
}

/// What `call-tool` gave, in the host's own types.
pub(super) fn answered(answer: Result<wit::Output, wit::Failure>) -> Result<Outcome, RunError> {
    answer.map(outcome).map_err(failure)
}

/// What `list-tools` gave, in the host's own types.
pub(super) fn listed(tools: Vec<wit::Tool>) -> Listed {
    let tools = tools.into_iter();
    tools
        .map(|tool| (tool.name.clone(), declaration(tool)))
        .collect()
}

fn declaration(tool: wit::Tool) -> Result<ToolDecl, ListingProblem> {
    Ok(ToolDecl {
        name: tool.name,
        title: tool.title,
        description: tool.description,
        input_schema: tool.input_schema,
        output_schema: tool.output_schema,
        annotations: Annotations {
            read_only: tool.annotations.read_only,
            destructive: tool.annotations.destructive,
            idempotent: tool.annotations.idempotent,
            open_world: tool.annotations.open_world,
        },
        price: tool.price.map(price).transpose()?,
        effects: match tool.effects {
            wit::Effects::Unspecified => Effects::Unspecified,
            wit::Effects::Pure => Effects::Pure,
            wit::Effects::Idempotent => Effects::Idempotent,
            wit::Effects::Effectful => Effects::Effectful,
        },
        meta: tool.meta,
    })
}

fn price(price: wit::Price) -> Result<Price, ListingProblem> {
    let refused = |kind: &str| Err(ListingProblem::PriceKind(kind.to_owned()));
    match price {
        wit::Price::Free => Ok(Price::Free),
        wit::Price::PerCall(money) => per_call(&money).map_err(ListingProblem::Price),
        wit::Price::Metered(_) => refused("metered"),
        wit::Price::Tiered(_) => refused("tiered"),
        wit::Price::Subscription(_) => refused("subscription"),
        wit::Price::Quoted(_) => refused("quoted"),
        wit::Price::Other(other) => refused(cut(&other.kind, 64)),
    }
}

fn per_call(money: &wit::Money) -> Result<Price, String> {
    let money = Money::parse(&money.amount, &money.currency).map_err(|e| e.to_string())?;
    Price::per_call(money).map_err(|e| e.to_string())
}

fn outcome(output: wit::Output) -> Outcome {
    Outcome {
        content: output.content.into_iter().map(content).collect(),
        structured: output.structured,
        is_error: output.is_error,
        meta: output.meta,
    }
}

fn content(content: wit::Content) -> Content {
    match content {
        wit::Content::Text(text) => Content::Text { text },
        wit::Content::Image(media) => Content::Image {
            data: BASE64.encode(&media.data),
            mime_type: media.mime_type,
        },
        wit::Content::Audio(media) => Content::Audio {
            data: BASE64.encode(&media.data),
            mime_type: media.mime_type,
        },
        wit::Content::EmbeddedResource(resource) => embedded(resource),
        wit::Content::ResourceLink(link) => Content::ResourceLink {
            uri: link.uri,
            name: link.name,
            description: link.description,
            mime_type: link.mime_type,
        },
        wit::Content::RawJson(json) => Content::Raw { json },
        wit::Content::Other(other) => Content::Text {
            text: other.fallback,
        },
    }
}

fn embedded(resource: wit::EmbeddedResource) -> Content {
    let (uri, mime_type) = (resource.uri, resource.mime_type);
    match resource.body {
        wit::ResourceBody::Text(text) => Content::EmbeddedText {
            uri,
            mime_type,
            text,
        },
        wit::ResourceBody::Blob(bytes) => Content::EmbeddedBlob {
            uri,
            mime_type,
            blob: BASE64.encode(&bytes),
        },
    }
}

fn failure(failure: wit::Failure) -> RunError {
    let (kind, message) = match failure {
        wit::Failure::InvalidArguments(message) => {
            return RunError::InvalidArguments(shortened(message));
        }
        wit::Failure::Failed(message) => (FailureKind::Failed, message),
        wit::Failure::Unavailable(unavailable) => (
            FailureKind::Unavailable {
                retry_after_ms: unavailable.retry_after_ms,
            },
            unavailable.message,
        ),
        wit::Failure::Denied(message) => (FailureKind::Denied, message),
        wit::Failure::TimedOut(message) => (FailureKind::TimedOut, message),
        wit::Failure::Unsupported(message) => (FailureKind::Unsupported, message),
        wit::Failure::Other(other) => (
            FailureKind::Other(cut(&other.kind, 64).to_owned()),
            other.message,
        ),
    };
    RunError::Failed {
        kind,
        message: shortened(message),
    }
}

fn shortened(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    message
}

impl wit::Host for State {}

impl progress::Host for State {
    fn report(&mut self, progress: f64, total: Option<f64>, message: Option<String>) {
        if let Some(listener) = &mut self.progress {
            listener.report(progress, total, message.as_deref());
        }
    }
}

impl meter::Host for State {
    fn add(&mut self, _unit: String, _count: u32) -> Result<(), meter::Refusal> {
        // No metered price passes `price` above, so there is nothing to charge.
        Ok(())
    }
}

impl settings::Host for State {
    fn get(&mut self, key: String) -> Option<String> {
        self.settings.get(&key).cloned()
    }
}
