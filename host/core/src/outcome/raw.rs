//! A content block in the tool's own MCP: what of it is delivered, and so signed by receipts.
//!
//! A client reads blocks through its SDK's types, which keep what MCP names and drop, round or refuse the rest. A receipt
//! signs what is received, so a block is reduced to what every reader keeps before it is delivered and before it is
//! hashed: fields that MCP (2025-11-25, `ContentBlock`) names, of the type it gives them.

use serde_json::{Map, Value};

use super::is_reserved_meta;

/// Digits after a priority's point that single precision, which some SDKs read it with, keeps.
const PRIORITY_DIGITS_MAX: usize = 6;
/// Sizes up to this are the same to every JSON reader (RFC 7493 §2.2).
const SIZE_MAX: u64 = 1 << 53;

/// The block to deliver; `None` when it is none of MCP's, or lacks what its type requires.
pub(super) fn block(json: &str) -> Option<Value> {
    let given: Value = serde_json::from_str(json).ok()?;
    let kind = given["type"].as_str()?;
    let mut block = Block::default();
    block.0.insert("type".to_owned(), kind.into());
    match kind {
        "text" => block.require(&given, &["text"])?,
        "image" | "audio" => block.require(&given, &["data", "mimeType"])?,
        "resource" => drop(block.0.insert(kind.to_owned(), resource(&given[kind])?)),
        "resource_link" => {
            block.require(&given, &["uri", "name"])?;
            for key in ["title", "description", "mimeType"] {
                block.keep(&given, key, text);
            }
            block.keep(&given, "size", size);
            block.keep(&given, "icons", icons);
        }
        _ => return None,
    }
    block.keep(&given, "annotations", annotations);
    block.keep(&given, "_meta", meta);
    Some(block.0.into())
}

/// An object in the making.
#[derive(Default)]
struct Block(Map<String, Value>);

impl Block {
    /// Takes texts that must be there.
    fn require(&mut self, given: &Value, keys: &[&str]) -> Option<()> {
        for key in keys {
            self.0.insert((*key).to_owned(), text(&given[*key])?);
        }
        Some(())
    }

    /// Takes a field that may be there, as far as it is what it must be.
    fn keep(&mut self, given: &Value, key: &str, read: fn(&Value) -> Option<Value>) {
        if let Some(value) = read(&given[key]) {
            self.0.insert(key.to_owned(), value);
        }
    }
}

fn text(value: &Value) -> Option<Value> {
    value.is_string().then(|| value.clone())
}

fn size(value: &Value) -> Option<Value> {
    let size = value.as_u64()?;
    (size <= SIZE_MAX).then(|| size.into())
}

/// Text before bytes, where a tool gave both.
fn resource(given: &Value) -> Option<Value> {
    let mut resource = Block::default();
    resource.require(given, &["uri"])?;
    let body = if given["text"].is_string() {
        "text"
    } else {
        "blob"
    };
    resource.require(given, &[body])?;
    resource.keep(given, "mimeType", text);
    resource.keep(given, "_meta", meta);
    Some(resource.0.into())
}

fn annotations(given: &Value) -> Option<Value> {
    given.as_object()?;
    let mut annotations = Block::default();
    annotations.keep(given, "audience", |given| {
        let is_role = |role: &&Value| *role == "user" || *role == "assistant";
        let roles = given.as_array()?.iter().filter(is_role).cloned();
        Some(roles.collect())
    });
    annotations.keep(given, "priority", priority);
    annotations.keep(given, "lastModified", text);
    Some(annotations.0.into())
}

/// A number from 0 to 1 in at most [`PRIORITY_DIGITS_MAX`] decimals, the rest cut off.
fn priority(given: &Value) -> Option<Value> {
    let text = given.as_number()?.to_string();
    match text.split_once('.') {
        Some(("0", digits)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            let digits = &digits[..digits.len().min(PRIORITY_DIGITS_MAX)];
            serde_json::from_str(&format!("0.{digits}")).ok()
        }
        Some(("1", "0")) => Some(1.into()),
        None if text == "0" || text == "1" => Some(given.clone()),
        _ => None,
    }
}

fn icons(given: &Value) -> Option<Value> {
    Some(given.as_array()?.iter().filter_map(icon).collect())
}

fn icon(given: &Value) -> Option<Value> {
    let mut icon = Block::default();
    icon.require(given, &["src"])?;
    icon.keep(given, "mimeType", text);
    icon.keep(given, "sizes", |given| {
        let sizes = given.as_array()?.iter().filter(|size| size.is_string());
        Some(sizes.cloned().collect())
    });
    icon.keep(given, "theme", |theme| {
        (theme == "light" || theme == "dark").then(|| theme.clone())
    });
    Some(icon.0.into())
}

/// Without what a plugin must not say in the host's name.
fn meta(given: &Value) -> Option<Value> {
    let mut meta = given.as_object()?.clone();
    meta.retain(|key, _| !is_reserved_meta(key));
    Some(meta.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(given: Value, expected: Option<Value>) {
        let kept = block(&given.to_string());
        assert_eq!(kept, expected, "{given}");
        if let Some(kept) = kept {
            assert_eq!(block(&kept.to_string()), Some(kept), "not at rest: {given}");
        }
    }

    #[test]
    fn what_mcp_names_is_kept() {
        for whole in [
            json!({"type": "text", "text": "a", "_meta": {"shop/k": [1.5, null]}}),
            json!({"type": "image", "data": "", "mimeType": "image/png", "annotations": {}}),
            json!({"type": "resource", "resource": {"uri": "a:b", "blob": "", "_meta": {}}}),
            json!({"type": "resource_link", "uri": "a:b", "name": "b", "title": "B", "size": 7,
                   "icons": [{"src": "a:i", "sizes": ["any"], "theme": "dark"}],
                   "annotations": {"audience": ["user"], "priority": 0.25, "lastModified": "x"}}),
        ] {
            check(whole.clone(), Some(whole));
        }
    }

    #[test]
    fn what_readers_disagree_on_is_dropped() {
        check(
            json!({"type": "text", "text": "a", "colour": "red", "annotations": null, "_meta": 1}),
            Some(json!({"type": "text", "text": "a"})),
        );
        check(
            json!({"type": "resource", "resource": {"uri": "a:b", "text": "t", "blob": "AA=="}}),
            Some(json!({"type": "resource", "resource": {"uri": "a:b", "text": "t"}})),
        );
        check(
            json!({"type": "resource_link", "uri": "a:b", "name": "b", "size": 1.5, "icons": [{}, 1]}),
            Some(json!({"type": "resource_link", "uri": "a:b", "name": "b", "icons": []})),
        );
        for (given, kept) in [
            (json!(0.123_456_789), Some(json!(0.123_456))),
            (json!(1.0), Some(json!(1))),
            (json!(1e-9), None),
            (json!(-1), None),
            (json!("0.5"), None),
        ] {
            let kept = kept.map_or_else(|| json!({}), |kept| json!({"priority": kept}));
            check(
                json!({"type": "text", "text": "a", "annotations": {"priority": given}}),
                Some(json!({"type": "text", "text": "a", "annotations": kept})),
            );
        }
    }

    #[test]
    fn a_plugin_does_not_speak_in_the_hosts_name() {
        check(
            json!({"type": "text", "text": "a", "_meta": {"coinop/receipt": {}, "a/b": 1}}),
            Some(json!({"type": "text", "text": "a", "_meta": {"a/b": 1}})),
        );
    }

    #[test]
    fn what_is_no_block_is_none() {
        for given in [json!({"type": "video"}), json!({"type": "text"}), json!([])] {
            check(given, None);
        }
        assert_eq!(block("{"), None);
    }
}
