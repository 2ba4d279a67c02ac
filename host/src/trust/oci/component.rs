//! The configuration that goes with a published component: what it imports and exports, told from its bytes. Pure.

use coinop_core::digest::Digest;
use serde::Serialize;
use wasmparser::{Encoding, Parser, Payload};

use super::OciError;

/// `application/vnd.wasm.config.v0+json`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    /// RFC 3339.
    pub(super) created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) author: Option<String>,
    architecture: &'static str,
    os: &'static str,
    layer_digests: Vec<String>,
    component: Names,
}

/// The names that the outermost component has.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Names {
    exports: Vec<String>,
    imports: Vec<String>,
}

impl Config {
    /// The configuration of the component `bytes`.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn of(
        bytes: &[u8],
        created: String,
        author: Option<String>,
    ) -> Result<Self, OciError> {
        Ok(Self {
            created,
            author,
            architecture: "wasm",
            os: "wasip2",
            layer_digests: vec![format!("sha256:{}", Digest::of(bytes))],
            component: names(bytes)?,
        })
    }
}

/// What a component imports and exports. Reads to the end, and compiles nothing.
///
/// # Errors
/// These bytes are no component.
pub(super) fn names(bytes: &[u8]) -> Result<Names, OciError> {
    let wrong =
        |error: wasmparser::BinaryReaderError| OciError::NotAComponent(error.message().to_owned());
    let (mut names, mut depth) = (Names::default(), 0_usize);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(wrong)? {
            Payload::Version { encoding, .. } => {
                if depth == 0 && encoding == Encoding::Module {
                    let what = "it is a core WebAssembly module".to_owned();
                    return Err(OciError::NotAComponent(what));
                }
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    names
                        .imports
                        .push(import.map_err(wrong)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    names
                        .exports
                        .push(export.map_err(wrong)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_components_own_names_are_told() {
        let text = r#"(component
            (import "host:thing/x" (instance))
            (component (import "inner" (func)))
            (instance $i)
            (export "acme:tools/y" (instance $i)))"#;
        let bytes = wat::parse_str(text).unwrap();
        let config = Config::of(&bytes, "2026-01-01T00:00:00Z".to_owned(), None).unwrap();
        let json = serde_json::to_value(&config).unwrap();
        let digest = format!("sha256:{}", Digest::of(&bytes));
        let expected = serde_json::json!({
            "created": "2026-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip2",
            "layerDigests": [digest],
            "component": { "exports": ["acme:tools/y"], "imports": ["host:thing/x"] },
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn what_is_no_component_is_refused() {
        let component = wat::parse_str("(component)").unwrap();
        let module = wat::parse_str("(module)").unwrap();
        let cut = &component[..component.len() - 1];
        for bytes in [&module[..], b"text", b"", cut] {
            assert!(
                matches!(names(bytes), Err(OciError::NotAComponent(_))),
                "{bytes:?}"
            );
        }
    }
}
