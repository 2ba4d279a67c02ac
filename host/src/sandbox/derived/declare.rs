//! The tools that a component's functions become: name, description, schemas. Pure.

use super::describe;
use super::docs::Docs;
use super::introspect::{Exports, Function};
use super::{names, schema};
use crate::plugin::{Annotations, Effects, LeftOut, ToolDecl};
use crate::sandbox::log::cut;
use crate::sandbox::validate::{self, DESCRIPTION_BYTES_MAX, TOOLS_MAX};

/// The tools, each with its function, and the functions that are none.
pub(super) struct Declared {
    pub(super) tools: Vec<(ToolDecl, Function)>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Declares every function that can be a tool.
pub(super) fn all(mut exports: Exports, docs: &Docs) -> Declared {
    let functions = std::mem::take(&mut exports.functions);
    let origins: Vec<_> = functions.iter().map(|f| f.origin.clone()).collect();
    let is_many = functions.len() > TOOLS_MAX;
    let mut tools = Vec::new();
    for (function, name) in functions.into_iter().zip(names::of(&origins)) {
        let tool = declare(name, &function, docs);
        // Of too many none is offered: that is found later, and needs no schema.
        let accepted = if is_many {
            Ok(None)
        } else {
            validate::accept_tool(&tool)
        };
        match accepted {
            Ok(_) => tools.push((tool, function)),
            Err(problem) => exports.leave_out(&function.origin, problem.to_string()),
        }
    }
    Declared {
        tools,
        left_out: exports.left_out,
    }
}

fn declare(name: String, function: &Function, docs: &Docs) -> ToolDecl {
    let Function { origin, signature } = function;
    let description = match docs.of(origin) {
        Some(docs) => cut(docs, DESCRIPTION_BYTES_MAX).to_owned(),
        None => describe::sentence(origin, signature),
    };
    ToolDecl {
        name,
        title: None,
        description,
        input_schema: schema::of_arguments(signature).to_string(),
        output_schema: schema::of_answer(&signature.answer).map(|schema| schema.to_string()),
        annotations: Annotations::default(),
        price: None,
        effects: Effects::Unspecified,
        meta: None,
    }
}
