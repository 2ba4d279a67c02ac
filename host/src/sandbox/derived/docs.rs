//! Doc comments of a component's WIT, from its custom section `package-docs`.
//!
//! The section is JSON after a byte that says its version. Read here rather than by decoding the whole component's WIT:
//! types and names are the engine's to say, and a decoder of hostile bytes is one more thing that must not fail. A
//! section that cannot be read means no docs.

use std::collections::BTreeMap;

use serde::Deserialize;
use wasmparser::{Parser, Payload};

use super::names::Origin;

const SECTION: &str = "package-docs";
/// The versions there are: the second one adds stability, which nobody reads here.
const VERSIONS: [u8; 2] = [0, 1];
/// Sections beyond this size are not read, bytes.
const SECTION_BYTES_MAX: usize = 4 << 20;

/// The doc comments of one component.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Docs {
    worlds: BTreeMap<String, World>,
    interfaces: BTreeMap<String, Interface>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct World {
    funcs: BTreeMap<String, Function>,
    func_exports: BTreeMap<String, Function>,
    interfaces: BTreeMap<String, Interface>,
    interface_exports: BTreeMap<String, Interface>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Interface {
    funcs: BTreeMap<String, Function>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Function {
    Text(Option<String>),
    Table { docs: Option<String> },
}

impl Function {
    fn docs(&self) -> Option<&str> {
        let (Self::Text(docs) | Self::Table { docs }) = self;
        docs.as_deref()
    }
}

impl Docs {
    /// The docs in a component's bytes; none when there is no readable section.
    pub(super) fn read(bytes: &[u8]) -> Self {
        section(bytes).and_then(parse).unwrap_or_default()
    }

    /// What is said of a function. Where several worlds speak of it, the first by name.
    pub(super) fn of<'a>(&'a self, origin: &'a Origin) -> Option<&'a str> {
        let function = origin.function.as_str();
        let docs = match origin.interface.as_deref() {
            None => self
                .worlds
                .values()
                .flat_map(|world| [&world.func_exports, &world.funcs])
                .find_map(|functions| functions.get(function)),
            Some(interface) => self
                .interfaces_called(interface)
                .find_map(|interface| interface.funcs.get(function)),
        };
        let docs = docs?.docs()?.trim();
        (!docs.is_empty()).then_some(docs)
    }

    /// The section names the interfaces of one package, without it, and those that are written within a world.
    fn interfaces_called<'a>(&'a self, full: &'a str) -> impl Iterator<Item = &'a Interface> {
        let path = full.split_once('@').map_or(full, |(path, _)| path);
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let inline = self
            .worlds
            .values()
            .flat_map(move |world| {
                [
                    world.interface_exports.get(full),
                    world.interfaces.get(full),
                ]
            })
            .flatten();
        self.interfaces.get(name).into_iter().chain(inline)
    }
}

/// The section's contents, of the outermost component. Nested modules and components are passed over.
fn section(bytes: &[u8]) -> Option<&[u8]> {
    let mut nested = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => nested += 1,
            Payload::End(_) => nested = nested.saturating_sub(1),
            Payload::CustomSection(section) if nested == 0 && section.name() == SECTION => {
                return Some(section.data());
            }
            _ => {}
        }
    }
    None
}

fn parse(section: &[u8]) -> Option<Docs> {
    let (version, json) = section.split_first()?;
    let readable = VERSIONS.contains(version) && json.len() <= SECTION_BYTES_MAX;
    readable
        .then(|| serde_json::from_slice(json).ok())
        .flatten()
}

/// A component that is one section of docs, and nothing else.
#[cfg(test)]
pub(super) fn component(version: u8, json: &[u8]) -> Vec<u8> {
    let name = SECTION.as_bytes();
    let mut section = vec![name.len() as u8];
    section.extend_from_slice(name);
    section.push(version);
    section.extend_from_slice(json);
    let mut component = b"\0asm\x0d\0\x01\0\0".to_vec();
    let mut left = section.len();
    while left >= 0x80 {
        component.push((left % 0x80) as u8 | 0x80);
        left /= 0x80;
    }
    component.push(left as u8);
    component.extend(section);
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], interface: Option<&str>, function: &str, expected: Option<&str>) {
        let origin = Origin {
            interface: interface.map(str::to_owned),
            function: function.to_owned(),
        };
        assert_eq!(Docs::read(bytes).of(&origin), expected);
    }

    #[test]
    fn functions_of_worlds_and_interfaces() {
        let json = r#"{"worlds":{"w":{"docs":"all","func_exports":{"f":{"docs":"Does f.\n"}},"funcs":{"f":{"docs":"imported"}},
            "interface_exports":{"in":{"funcs":{"g":{"docs":"Inline."}}}}}},
            "interfaces":{"time":{"docs":"t","funcs":{"now":{"docs":"The time.","stability":"unknown"}},"types":{}}}}"#;
        let bytes = component(1, json.as_bytes());
        check(&bytes, None, "f", Some("Does f."));
        check(&bytes, Some("in"), "g", Some("Inline."));
        check(&bytes, Some("a:b/time@1.0.0"), "now", Some("The time."));
        check(&bytes, Some("a:b/time@1.0.0"), "then", None);
        let old = component(0, br#"{"worlds":{"w":{"funcs":{"f":"Just text."}}}}"#);
        check(&old, None, "f", Some("Just text."));
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        check(&component(9, br#"{"worlds":{}}"#), None, "f", None);
        check(&component(1, b"{"), None, "f", None);
        check(&component(1, br#"{"worlds":[]}"#), None, "f", None);
        check(b"", None, "f", None);
    }
}
