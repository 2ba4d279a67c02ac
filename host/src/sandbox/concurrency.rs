//! Which components need an engine whose tasks wait side by side: those that name anything asynchronous. Pure.
//!
//! Such an engine carries more in every store, so the others do without.

use wasmparser::{CanonicalFunction, CanonicalOption, Parser, Payload};

use super::engine::Concurrency;
use super::types;

/// What a component needs. Bytes that cannot be read need nothing: why they cannot is told elsewhere.
pub(super) fn needed(bytes: &[u8]) -> Concurrency {
    // Function bodies are stepped over, not read.
    let payloads = Parser::new(0).parse_all(bytes);
    let mut payloads = payloads.flatten();
    match payloads.any(|payload| is_asynchronous(payload, bytes)) {
        true => Concurrency::On,
        false => Concurrency::Off,
    }
}

fn is_asynchronous(payload: Payload<'_>, bytes: &[u8]) -> bool {
    match payload {
        Payload::ComponentTypeSection(section) => {
            let contents = bytes.get(section.range()).unwrap_or_default();
            types::of_section(contents).is_asynchronous
        }
        Payload::ComponentCanonicalSection(functions) => {
            functions.into_iter().flatten().any(is_async)
        }
        _ => false,
    }
}

fn is_async(function: CanonicalFunction) -> bool {
    let is_async = |options: &[CanonicalOption]| {
        let is_async = |option| {
            matches!(
                option,
                CanonicalOption::Async | CanonicalOption::Callback(_)
            )
        };
        options.iter().copied().any(is_async)
    };
    match function {
        CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => {
            is_async(&options)
        }
        CanonicalFunction::ResourceNew { .. }
        | CanonicalFunction::ResourceDrop { .. }
        | CanonicalFunction::ResourceRep { .. } => false,
        // Everything that was added since is about tasks.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wat: &str, expected: Concurrency) {
        assert_eq!(needed(&wat::parse_str(wat).unwrap()), expected, "{wat}");
    }

    #[test]
    fn what_names_nothing_asynchronous_does_without() {
        check("(component)", Concurrency::Off);
        check("(module)", Concurrency::Off);
        check(
            "(component (import \"f\" (func (param \"v\" (list u8)))))",
            Concurrency::Off,
        );
        assert_eq!(needed(b"\0asm\x0d\0\x01\0\xff"), Concurrency::Off);
    }

    /// So the bench puts a component on the other engine.
    #[test]
    fn a_type_at_the_end_is_enough() {
        let mut bytes = wat::parse_str("(component)").unwrap();
        bytes.extend([0x07, 0x03, 0x01, 0x65, 0x00]);
        assert_eq!(needed(&bytes), Concurrency::On);
    }

    #[test]
    fn whatever_is_asynchronous_needs_it() {
        for wat in [
            "(component (import \"f\" (func async)))",
            "(component (import \"i\" (instance (export \"f\" (func async)))))",
            "(component (component (import \"f\" (func async))))",
            "(component (type (stream u8)))",
            "(component (type (future)))",
            "(component (core func (canon task.return)))",
            "(component (core func (canon waitable-set.new)))",
            "(component (import \"f\" (func $f)) (core func (canon lower (func $f) async)))",
        ] {
            check(wat, Concurrency::On);
        }
    }
}
