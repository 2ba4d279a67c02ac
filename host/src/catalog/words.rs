//! A tool in the words of whoever knows best: the operator, else the sidecar, else the plugin. Pure.

use crate::config::{ToolRules, Words};
use crate::plugin::{Annotations, ToolDecl};

/// The tool as it is to be listed. Its own name stays: rules and runs know it by that.
pub(super) fn of(
    tool: &ToolDecl,
    operator: Option<&ToolRules>,
    sidecar: Option<&ToolRules>,
) -> ToolDecl {
    // The last word counts.
    [sidecar, operator]
        .into_iter()
        .flatten()
        .fold(tool.clone(), |tool, rules| said(tool, &rules.words))
}

fn said(tool: ToolDecl, words: &Words) -> ToolDecl {
    let hints = words.annotations;
    ToolDecl {
        title: words.title.clone().or(tool.title),
        description: words.description.clone().unwrap_or(tool.description),
        annotations: Annotations {
            read_only: hints.read_only.or(tool.annotations.read_only),
            destructive: hints.destructive.or(tool.annotations.destructive),
            idempotent: hints.idempotent.or(tool.annotations.idempotent),
            open_world: hints.open_world.or(tool.annotations.open_world),
        },
        ..tool
    }
}
