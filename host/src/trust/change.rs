//! What has changed since the lock was written, as a unified diff.

use similar::TextDiff;

use super::said::printable;
use super::{Pinned, PinnedTool};

/// Unchanged lines shown around each change.
const CONTEXT_LINES: usize = 3;
/// Longest diff that is shown, characters; the rest is counted.
const SHOWN_MAX: usize = 64 << 10;

/// What changed of one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The plugin.
    pub plugin: String,
    /// A unified diff, fit for a terminal.
    pub diff: String,
}

/// The difference between what is locked of a plugin and what there is; `None` when there is none.
pub fn changes(plugin: &str, locked: Option<&Pinned>, found: Option<&Pinned>) -> Option<Change> {
    let text = |pinned: Option<&Pinned>| pinned.map(|p| p.text(plugin)).unwrap_or_default();
    change(plugin, &text(locked), &text(found))
}

/// As [`changes`], of what the tools say alone.
pub(super) fn of_tools(plugin: &str, locked: &Pinned, found: &[PinnedTool]) -> Option<Change> {
    let found = Pinned {
        tools: found.to_vec(),
        ..locked.clone()
    };
    changes(plugin, Some(locked), Some(&found))
}

fn change(plugin: &str, before: &str, after: &str) -> Option<Change> {
    if before == after {
        return None;
    }
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    let named = unified
        .context_radius(CONTEXT_LINES)
        .header(&format!("{plugin} (locked)"), &format!("{plugin} (found)"))
        .to_string();
    Some(Change {
        plugin: plugin.to_owned(),
        diff: bounded(&printable(&named)),
    })
}

fn bounded(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(SHOWN_MAX) else {
        return text.to_owned();
    };
    let left = text[end..].lines().count();
    format!("{}\n… {left} lines more\n", &text[..end])
}

#[cfg(test)]
mod tests {
    use coinop_core::digest::Digest;

    use super::*;

    fn pinned(description: &str) -> Pinned {
        Pinned {
            digest: Digest::of(b"x"),
            sidecar: None,
            signed_by: None,
            grants: Vec::new(),
            tools: vec![PinnedTool {
                name: "t".to_owned(),
                description: description.to_owned(),
                input_schema: "{\n  \"type\": \"object\"\n}".to_owned(),
                ..PinnedTool::default()
            }],
        }
    }

    #[test]
    fn a_changed_description_is_shown_line_by_line() {
        let change = changes("p", Some(&pinned("one\ntwo")), Some(&pinned("one\nthree"))).unwrap();
        let shown = |line: &str| change.diff.lines().any(|l| l == line);
        assert!(
            shown("--- p (locked)") && shown("+++ p (found)"),
            "{}",
            change.diff
        );
        assert!(
            change.diff.contains("-two") && change.diff.contains("+three"),
            "{}",
            change.diff
        );
        assert!(!change.diff.contains("-one"), "{}", change.diff);
    }

    #[test]
    fn what_is_the_same_has_no_diff() {
        assert_eq!(changes("p", Some(&pinned("a")), Some(&pinned("a"))), None);
        assert_eq!(of_tools("p", &pinned("a"), &pinned("a").tools), None);
    }

    #[test]
    fn new_and_gone_plugins_are_changes() {
        assert!(
            changes("p", None, Some(&pinned("a")))
                .unwrap()
                .diff
                .contains("+name = \"t\"")
        );
        assert!(
            changes("p", Some(&pinned("a")), None)
                .unwrap()
                .diff
                .contains("-name = \"t\"")
        );
    }

    #[test]
    fn a_poisoned_description_cannot_hide_in_the_diff() {
        let diff = changes("p", Some(&pinned("a")), Some(&pinned("a\u{202e}\u{1b}[1A")))
            .unwrap()
            .diff;
        assert!(!diff.contains(['\u{202e}', '\u{1b}']), "{diff:?}");
    }

    #[test]
    fn a_long_diff_is_cut_off() {
        let long = "x\n".repeat(SHOWN_MAX);
        let diff = changes("p", Some(&pinned("a")), Some(&pinned(&long)))
            .unwrap()
            .diff;
        assert!(diff.len() < SHOWN_MAX + 100 && diff.contains("lines more"));
    }
}
