//! Components made for other hosts: every function they export becomes a tool.
//!
//! The functions are read from the engine's types when the component is loaded, their schemas derived once, and values
//! are converted by type at every call. `docs/components.md` says for authors and operators what becomes of what.

mod answer;
mod declare;
mod describe;
mod docs;
mod from_json;
mod introspect;
mod names;
mod schema;
mod shape;
mod to_json;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod fuzz;

use std::collections::HashMap;

use coinop_core::outcome::Outcome;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre, Linker, Val};

use super::error::{LoadError, RunError};
use super::state::State;
use super::validate::Listed;
use crate::limits::Limits;
use crate::plugin::{LeftOut, ToolDecl};

pub(super) use introspect::offers_tools;

use declare::Declared;
use docs::Docs;
use introspect::{Exports, Function};
use shape::{Answer, Signature};

/// Reasons that one message gives.
const REASONS_MAX: usize = 5;

/// A component whose functions are tools, linked and ready to be instantiated.
pub(super) struct Linked {
    pre: InstancePre<State>,
    tools: HashMap<String, Tool>,
    declarations: Vec<ToolDecl>,
    left_out: Vec<LeftOut>,
}

/// A tool's function.
struct Tool {
    export: ComponentExportIndex,
    signature: Signature,
}

impl Linked {
    /// Resolves every import once, and derives the tools. `bytes` are the component's own, for its doc comments.
    pub(super) fn new(
        linker: &Linker<State>,
        component: &Component,
        bytes: &[u8],
    ) -> wasmtime::Result<Self> {
        let pre = linker.instantiate_pre(component)?;
        let exports = Exports::of(component.engine(), component);
        let Declared { tools, left_out } = declare::all(exports, &Docs::read(bytes));
        let mut linked = Self {
            pre,
            tools: HashMap::new(),
            declarations: Vec::new(),
            left_out,
        };
        for (declaration, function) in tools {
            linked.add(component, declaration, function)?;
        }
        Ok(linked)
    }

    fn add(
        &mut self,
        component: &Component,
        declaration: ToolDecl,
        function: Function,
    ) -> wasmtime::Result<()> {
        let Function { origin, signature } = function;
        let interface = origin.interface.as_deref();
        let interface = interface.and_then(|name| component.get_export_index(None, name));
        let export = component
            .get_export_index(interface.as_ref(), &origin.function)
            .ok_or_else(|| wasmtime::Error::msg(format!("no export {}", origin.full())))?;
        let tool = Tool { export, signature };
        self.tools.insert(declaration.name.clone(), tool);
        self.declarations.push(declaration);
        Ok(())
    }

    /// Whether any function is a tool.
    ///
    /// # Errors
    /// None is; the reasons.
    pub(super) fn offers_tools(&self, file: &str) -> Result<(), LoadError> {
        if !self.declarations.is_empty() {
            return Ok(());
        }
        let why = |left_out: &LeftOut| format!("{}: {}", left_out.function, left_out.why);
        let reasons: Vec<String> = self.left_out.iter().take(REASONS_MAX).map(why).collect();
        Err(LoadError::NoTools {
            file: file.to_owned(),
            left_out: match reasons.is_empty() {
                true => "there are none".to_owned(),
                false => reasons.join("; "),
            },
        })
    }

    /// The exported functions that are no tools, and why.
    pub(super) fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The tools, once an instance has shown that it starts.
    pub(super) async fn list(&self, store: &mut Store<State>) -> wasmtime::Result<Listed> {
        self.pre.instantiate_async(store).await?;
        let listed = self.declarations.iter().cloned();
        Ok(listed.map(|tool| (tool.name.clone(), Ok(tool))).collect())
    }

    /// One call, in the instance of `store` that was started or in a fresh one. The answer is translated, not yet checked.
    pub(super) async fn call(
        &self,
        store: &mut Store<State>,
        started: &mut Option<Instance>,
        tool: &str,
        arguments: &str,
        limits: &Limits,
    ) -> wasmtime::Result<Result<Outcome, RunError>> {
        let Some(Tool { export, signature }) = self.tools.get(tool) else {
            return Ok(Err(RunError::UnknownTool(tool.to_owned())));
        };
        let arguments = match lowered(signature, arguments) {
            Ok(arguments) => arguments,
            Err(reason) => return Ok(Err(RunError::InvalidArguments(reason))),
        };
        store.set_hostcall_fuel(answer::lifted_bytes_max(&signature.answer, limits));
        let instance = match started {
            Some(instance) => *instance,
            None => *started.insert(self.pre.instantiate_async(&mut *store).await?),
        };
        let function = instance
            .get_func(&mut *store, export)
            .ok_or_else(|| wasmtime::Error::msg("the function is not exported"))?;
        let returns = !matches!(signature.answer, Answer::Nothing);
        let mut results = vec![Val::Bool(false); usize::from(returns)];
        function.call_async(store, &arguments, &mut results).await?;
        Ok(answer::of(&signature.answer, results.first(), limits))
    }
}

fn lowered(signature: &Signature, arguments: &str) -> Result<Vec<Val>, String> {
    let json = serde_json::from_str(arguments).map_err(|e| e.to_string())?;
    from_json::arguments(&signature.params, &json).map_err(|misfit| misfit.to_string())
}

/// Reads the doc comments of a component and drops them.
#[cfg(test)]
pub(super) fn read_docs(bytes: &[u8]) {
    let _ = Docs::read(bytes);
}
