//! What a file is, before anything is compiled: told from its first bytes and the names it exports. Pure.

use wasmparser::{Chunk, ComponentExternalKind, Parser, Payload};

use super::WIT_VERSIONS;
use super::derived;
use super::error::LoadError;
use super::log::cut;
use super::types;

/// The largest component that is compiled, bytes.
const COMPONENT_BYTES_MAX: usize = 256 << 20;
/// How the versions of WASI 0.3 begin that came before it.
const CANDIDATES: &str = "0.3.0-";
/// Bytes of an import's name in a message.
const IMPORT_BYTES_MAX: usize = 128;
/// How deep components, and component and instance types, may be nested in each other. Real ones are three or four.
const NESTED_MAX: usize = 32;
const MAGIC: &[u8; 4] = b"\0asm";
/// Version and layer of a core module, and of a component.
const CORE_MODULE: [u8; 4] = [1, 0, 0, 0];
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];
/// What a plugin exports, and which adapter runs its versions 0.1.
const TOOLS: &[(&str, WitVersion)] = &[
    ("coinop:plugin/tools@", WitVersion::V0_1),
    ("coinop:async-plugin/tools@", WitVersion::V0_1Async),
];

/// Which adapter runs a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WitVersion {
    V0_1,
    /// `coinop:async-plugin`.
    V0_1Async,
    /// None of ours: its functions become tools.
    Derived,
}

/// What a component exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inspected {
    pub(super) adapter: WitVersion,
    /// The version as exported, such as `0.1.0`; `None` for a component made for another host.
    pub(super) version: Option<String>,
    /// Names of the outermost component's imports.
    pub(super) imports: Vec<String>,
}

/// Tells a plugin from everything else.
pub(super) fn inspect(file: &str, bytes: &[u8]) -> Result<Inspected, LoadError> {
    let named = || file.to_owned();
    check_size(file, bytes)?;
    check_header(file, bytes)?;
    let Names { imports, exports } = names(file, bytes)?;
    check_candidates(file, &imports)?;
    let exported = TOOLS.iter().find_map(|(prefix, adapter)| {
        let mut names = exports.iter();
        let version = names.find_map(|export| export.name.strip_prefix(prefix))?;
        Some((*prefix, version, *adapter))
    });
    let Some((prefix, version, adapter)) = exported else {
        return match exports.iter().any(Export::offers_tools) {
            true => Ok(Inspected {
                adapter: WitVersion::Derived,
                version: None,
                imports,
            }),
            false => Err(nothing_to_offer(named(), &exports)),
        };
    };
    match is_supported(version) {
        true => Ok(Inspected {
            adapter,
            version: Some(version.to_owned()),
            imports,
        }),
        false => Err(LoadError::UnsupportedVersion {
            file: named(),
            package: prefix.trim_end_matches("/tools@"),
            version: version.to_owned(),
            supported: WIT_VERSIONS.join(", "),
        }),
    }
}

/// What a component exports, whatever it is made for.
pub(super) fn exports(file: &str, bytes: &[u8]) -> Result<Vec<String>, LoadError> {
    check_size(file, bytes)?;
    check_header(file, bytes)?;
    let exports = names(file, bytes)?.exports.into_iter();
    Ok(exports.map(|export| export.name).collect())
}

fn check_size(file: &str, bytes: &[u8]) -> Result<(), LoadError> {
    match bytes.len() {
        bytes if bytes > COMPONENT_BYTES_MAX => Err(LoadError::TooLarge {
            file: file.to_owned(),
            bytes,
            max: COMPONENT_BYTES_MAX,
        }),
        _ => Ok(()),
    }
}

/// A patch release has the same shape; anything else is another contract.
fn is_supported(version: &str) -> bool {
    let patch = version.strip_prefix("0.1.");
    patch.is_some_and(|patch| patch.parse::<u32>().is_ok())
}

/// Release candidates of WASI 0.3 differ from each other and from the release: none of them is offered.
fn check_candidates(file: &str, imports: &[String]) -> Result<(), LoadError> {
    let candidate = |import: &&String| {
        let version = import.strip_prefix("wasi:").and_then(|i| i.split_once('@'));
        version.is_some_and(|(_, version)| version.starts_with(CANDIDATES))
    };
    match imports.iter().find(candidate) {
        Some(import) => Err(LoadError::ReleaseCandidate {
            file: file.to_owned(),
            import: cut(import, IMPORT_BYTES_MAX).to_owned(),
        }),
        None => Ok(()),
    }
}

fn check_header(file: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let file = file.to_owned();
    if bytes.is_empty() {
        return Err(LoadError::Empty { file });
    }
    if !bytes.starts_with(MAGIC) {
        return Err(not_wasm(file, bytes));
    }
    match bytes.get(4..8) {
        None => Err(LoadError::Truncated {
            file,
            at: bytes.len(),
        }),
        Some(layer) if layer == CORE_MODULE => Err(LoadError::CoreModule { file }),
        Some(layer) if layer == COMPONENT => Ok(()),
        Some(_) => Err(LoadError::Malformed {
            file,
            reason: "an encoding of components that this host does not know".into(),
        }),
    }
}

fn not_wasm(file: String, bytes: &[u8]) -> LoadError {
    if MAGIC.starts_with(bytes) {
        let at = bytes.len();
        return LoadError::Truncated { file, at };
    }
    let start = &bytes[..bytes.len().min(1024)];
    let is_text = match std::str::from_utf8(start) {
        Ok(text) => !text.contains('\0'),
        // Only the cut at 1,024 bytes went through a character.
        Err(error) => error.error_len().is_none(),
    };
    if !is_text {
        return LoadError::NotWebAssembly { file };
    }
    let text = String::from_utf8_lossy(start);
    let remedy = if text.trim_start().starts_with('(') {
        "if it is the WebAssembly text format, assemble it with `wasm-tools parse`"
    } else {
        "put the built .wasm file here"
    };
    LoadError::Text { file, remedy }
}

/// Interfaces of WASI that make a component a program, and what it is then.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "wasi:cli/run@",
        "a command-line program (it exports wasi:cli/run), which `wasmtime run` starts",
    ),
    (
        "wasi:http/incoming-handler@",
        "an HTTP server (it exports wasi:http/incoming-handler), which `wasmtime serve` runs",
    ),
    (
        "wasi:http/handler@",
        "an HTTP server (it exports wasi:http/handler), which `wasmtime serve` runs",
    ),
];

fn nothing_to_offer(file: String, exports: &[Export]) -> LoadError {
    let is = |prefix: &str| exports.iter().any(|export| export.name.starts_with(prefix));
    match PROGRAMS.iter().find(|(prefix, _)| is(prefix)) {
        Some((_, what)) => LoadError::Program { file, what },
        None => LoadError::OtherWorld {
            file,
            exports: listed(exports),
        },
    }
}

/// What the outermost component names.
#[derive(Default)]
struct Names {
    imports: Vec<String>,
    exports: Vec<Export>,
}

/// An export of the outermost component.
struct Export {
    name: String,
    kind: ComponentExternalKind,
}

impl Export {
    /// Whether functions in it may become tools.
    fn offers_tools(&self) -> bool {
        match self.kind {
            ComponentExternalKind::Func => true,
            ComponentExternalKind::Instance => derived::offers_tools(&self.name),
            _ => false,
        }
    }
}

/// Names of the outermost component's imports and exports. Reads to the end, so that a truncated file is always noticed.
fn names(file: &str, bytes: &[u8]) -> Result<Names, LoadError> {
    let mut names = Names::default();
    let mut outer = Vec::new();
    let mut parser = Parser::new(0);
    let mut rest = bytes;
    loop {
        let (payload, consumed) = match parser.parse(rest, true) {
            Ok(Chunk::Parsed { payload, consumed }) => (payload, consumed),
            Ok(Chunk::NeedMoreData(_)) => return Err(unreadable(file, bytes, None)),
            Err(error) => return Err(unreadable(file, bytes, Some(&error))),
        };
        match payload {
            Payload::ComponentImportSection(section) if outer.is_empty() => {
                for import in section {
                    let import = import.map_err(|e| unreadable(file, bytes, Some(&e)))?;
                    names.imports.push(import.name.name.to_owned());
                }
            }
            Payload::ComponentTypeSection(section) => {
                let contents = bytes.get(section.range()).unwrap_or_default();
                check_depth(file, types::of_section(contents).depth)?;
            }
            Payload::ComponentExportSection(section) if outer.is_empty() => {
                for export in section {
                    let export = export.map_err(|e| unreadable(file, bytes, Some(&e)))?;
                    names.exports.push(Export {
                        name: export.name.name.to_owned(),
                        kind: export.kind,
                    });
                }
            }
            Payload::ModuleSection { parser: inner, .. }
            | Payload::ComponentSection { parser: inner, .. } => {
                outer.push(std::mem::replace(&mut parser, inner));
                check_depth(file, outer.len())?;
            }
            Payload::CodeSectionStart { size, .. } => {
                // Function bodies are the compiler's business.
                parser.skip_section();
                let (start, size) = (consumed, size as usize);
                if rest.len() < start + size {
                    return Err(unreadable(file, bytes, None));
                }
                rest = &rest[start + size..];
                continue;
            }
            Payload::End(_) => match outer.pop() {
                Some(parent) => parser = parent,
                None => return Ok(names),
            },
            _ => {}
        }
        rest = &rest[consumed..];
    }
}

/// Whatever reads a component after this takes some stack for each level.
fn check_depth(file: &str, depth: usize) -> Result<(), LoadError> {
    match depth {
        0..=NESTED_MAX => Ok(()),
        _ => Err(LoadError::Malformed {
            file: file.to_owned(),
            reason: format!("components or types are nested more than {NESTED_MAX} deep"),
        }),
    }
}

fn unreadable(
    file: &str,
    bytes: &[u8],
    error: Option<&wasmparser::BinaryReaderError>,
) -> LoadError {
    let file = file.to_owned();
    match error {
        Some(error) if !error.message().contains("unexpected end") => LoadError::Malformed {
            file,
            reason: error.to_string(),
        },
        _ => LoadError::Truncated {
            file,
            at: bytes.len(),
        },
    }
}

fn listed(exports: &[Export]) -> String {
    let names: Vec<&str> = exports.iter().map(|export| export.name.as_str()).collect();
    few(&names)
}

/// Some names in words.
pub(super) fn few(names: &[&str]) -> String {
    match names {
        [] => "nothing".into(),
        few if few.len() <= 5 => few.join(", "),
        many => format!("{} and {} more", many[..5].join(", "), many.len() - 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], message: &str) {
        let error = inspect("a.wasm", bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("a.wasm: {message}"));
    }

    #[test]
    fn files_of_other_kinds() {
        check(b"", "the file is empty");
        check(
            b"hello",
            "this is a text file, not a WebAssembly component; put the built .wasm file here",
        );
        check(
            b"(component)",
            "this is a text file, not a WebAssembly component; if it is the WebAssembly text format, assemble it with `wasm-tools parse`",
        );
        check(
            b"\x7fELF\0",
            "not a WebAssembly file (it does not begin with `\\0asm`)",
        );
        check(
            b"\0as",
            "the file is truncated: it ends in the middle, at byte 3; copy or build it again",
        );
        check(
            b"\0asm\x0d\0",
            "the file is truncated: it ends in the middle, at byte 6; copy or build it again",
        );
        check(
            b"\0asm\x01\0\0\0",
            "this is a core WebAssembly module, not a component; build it for wasm32-wasip2, or turn it into a component with `wasm-tools component new`",
        );
        check(
            b"\0asm\x0d\0\x01\0",
            "the component exports neither `coinop:plugin/tools` nor functions, so it has no tools to offer; it exports nothing",
        );
    }

    #[test]
    fn long_text_cut_within_a_character_is_still_text() {
        let text = format!("a{}", "€".repeat(1000));
        assert!(matches!(
            inspect("a", text.as_bytes()),
            Err(LoadError::Text { .. })
        ));
    }

    #[test]
    fn nesting_without_end_is_refused_before_anything_recurses() {
        let mut types = b"\0asm\x0d\0\x01\0\x07\x9a\x03\x01".to_vec();
        types.extend([0x42, 0x01, 0x01].repeat(136));
        types.push(0x7d);
        check(
            &types,
            "not a valid component: components or types are nested more than 32 deep",
        );
        let nested = "(component ".repeat(40) + &")".repeat(40);
        check(
            &wat::parse_str(nested).unwrap(),
            "not a valid component: components or types are nested more than 32 deep",
        );
    }

    #[test]
    fn versions() {
        assert!(is_supported("0.1.0"));
        assert!(is_supported("0.1.7"));
        for other in ["0.2.0", "1.0.0", "9.0.0", "0.1.0-rc.1", "0.1.", ""] {
            assert!(!is_supported(other), "{other}");
        }
    }
}
