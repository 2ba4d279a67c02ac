//! `coinop:async-plugin@0.1`: its types are `coinop:plugin@0.1`'s, and so is their translation; what differs is that a
//! call's tasks wait side by side.
//!
//! The engine drives them until the call has its answer, and traps when all of them wait for each other: the calls that
//! `bindgen!` makes of `async` functions would wait for ever then, so the functions are taken by name and type. What
//! still runs when there is an answer ends with the store.

use coinop_core::outcome::Outcome;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker, TypedFunc};

use super::error::RunError;
use super::state::State;
use super::v0_1_0::bindings::coinop::plugin::tool_types as wit;
use super::v0_1_0::{self, Context};
use super::validate::Listed;

type ListTools = TypedFunc<(), (Vec<wit::Tool>,)>;
type CallTool = TypedFunc<(String, String, wit::Context), (Result<wit::Output, wit::Failure>,)>;

/// A component of this version, linked and ready to be instantiated.
pub(super) struct Linked {
    pre: InstancePre<State>,
    list_tools: ComponentExportIndex,
    call_tool: ComponentExportIndex,
}

/// What one instance exports.
struct Tools {
    list_tools: ListTools,
    call_tool: CallTool,
}

impl Linked {
    /// Resolves every import once. `tools` is the interface's full name, with its version.
    pub(super) fn new(
        linker: &Linker<State>,
        component: &Component,
        tools: &str,
    ) -> wasmtime::Result<Self> {
        let pre = linker.instantiate_pre(component)?;
        let interface = component.get_export_index(None, tools);
        let find = |function: &str| {
            let found = component.get_export_index(interface.as_ref(), function);
            found.ok_or_else(|| wasmtime::Error::msg(format!("{tools} has no {function}")))
        };
        Ok(Self {
            list_tools: find("list-tools")?,
            call_tool: find("call-tool")?,
            pre,
        })
    }

    /// The tools, or per tool why it cannot be offered.
    pub(super) async fn list(&self, store: &mut Store<State>) -> wasmtime::Result<Listed> {
        let tools = self.instantiate(store).await?;
        let (listed,) = tools.list_tools.call_async(store, ()).await?;
        Ok(v0_1_0::listed(listed))
    }

    /// One call in a fresh instance. The answer is translated, not yet checked.
    pub(super) async fn call(
        &self,
        store: &mut Store<State>,
        tool: &str,
        arguments: &str,
        context: Context<'_>,
    ) -> wasmtime::Result<Result<Outcome, RunError>> {
        let tools = self.instantiate(store).await?;
        let told = (tool.to_owned(), arguments.to_owned(), context.told());
        let (answer,) = tools.call_tool.call_async(store, told).await?;
        Ok(v0_1_0::answered(answer))
    }

    /// A fresh instance, with both functions of the right types.
    async fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Tools> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        Ok(Tools {
            list_tools: instance.get_typed_func(&mut *store, self.list_tools)?,
            call_tool: instance.get_typed_func(&mut *store, self.call_tool)?,
        })
    }
}
