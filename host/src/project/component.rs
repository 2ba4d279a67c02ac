//! From a core module, as C and Go compilers leave it, to a component: what `wasm-tools component embed` and `new` do.

use std::path::Path;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::wit;

/// What a compiler left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A component: nothing is left to do.
    Component,
    /// A core module that carries its world's types, as bindings for Rust put them in.
    TypedModule,
    /// A core module.
    Module,
}

/// Makes a component of `bytes`; one that is a component already is given back. The types of a module that carries
/// none are those of `world` in the folder `wit`.
///
/// # Errors
/// It is not WebAssembly, or it does not fit the world: the message says what is missing.
pub(super) fn componentize(bytes: Vec<u8>, wit: &Path, world: &str) -> anyhow::Result<Vec<u8>> {
    let mut module = bytes;
    match kind(&module)? {
        Kind::Component => return Ok(module),
        Kind::TypedModule => {}
        Kind::Module => {
            let (resolve, world) = wit::resolve(wit, world)?;
            embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
        }
    }
    ComponentEncoder::default()
        .module(&module)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?
        .validate(true)
        .encode()
}

fn kind(bytes: &[u8]) -> anyhow::Result<Kind> {
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version {
                encoding: Encoding::Component,
                ..
            } => return Ok(Kind::Component),
            Payload::CustomSection(section) if section.name().starts_with("component-type") => {
                return Ok(Kind::TypedModule);
            }
            _ => {}
        }
    }
    Ok(Kind::Module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_left_as_it_is() {
        let component = b"\0asm\x0d\0\x01\0".to_vec();
        let made = componentize(component.clone(), Path::new("nowhere"), "plugin").unwrap();
        assert_eq!(made, component);
    }

    #[test]
    fn a_module_without_the_worlds_exports_is_refused_by_name() {
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
        let error = componentize(b"\0asm\x01\0\0\0".to_vec(), &wit, "plugin").unwrap_err();
        assert!(
            format!("{error:#}").contains("coinop:plugin/tools"),
            "{error:#}"
        );
        let text = componentize(b"text".to_vec(), &wit, "plugin");
        assert!(text.is_err());
    }
}
