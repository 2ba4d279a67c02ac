//! Which components need an engine whose tasks wait side by side: those that name anything asynchronous. Pure.
//!
//! Such an engine carries more in every store, so the others do without.

use wasmparser::{CanonicalFunction, CanonicalOption, ComponentInstance, Parser, Payload};

use super::engine::{CORE_INSTANCES_PER_COMPONENT_MAX, Concurrency};
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

/// How many component instances with code of their own one run may have at most: each may hold a stack in a synchronous
/// call that waits. An upper bound, told from how often the file instantiates components and not from which ones.
pub(super) fn instances_most(bytes: &[u8]) -> u32 {
    let (mut depth, mut inner_code, mut instantiations) = (0_u32, false, 0_u32);
    for payload in Parser::new(0).parse_all(bytes).flatten() {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentCanonicalSection(functions) if depth > 0 => {
                let lifts = |function| matches!(function, CanonicalFunction::Lift { .. });
                inner_code |= functions.into_iter().flatten().any(lifts);
            }
            Payload::ComponentInstanceSection(instances) => {
                let made = |one: &_| matches!(one, ComponentInstance::Instantiate { .. });
                let made = instances.into_iter().flatten().filter(made).count();
                instantiations =
                    instantiations.saturating_add(u32::try_from(made).unwrap_or(u32::MAX));
            }
            _ => {}
        }
    }
    match inner_code {
        true => most(instantiations).saturating_add(1),
        // Nested components without code only give exports their names.
        false => 1,
    }
}

/// The most instances that so many instantiations can come to, spread over components that instantiate each other; no
/// more than the engine makes, since each has a core instance.
fn most(instantiations: u32) -> u32 {
    // From here on it is more than the engine makes.
    const MANY: u32 = 16;
    if instantiations >= MANY {
        return CORE_INSTANCES_PER_COMPONENT_MAX;
    }
    let all = (1..=instantiations).map(|own| own * (1 + most(instantiations - own)));
    all.max().unwrap_or(0).min(CORE_INSTANCES_PER_COMPONENT_MAX)
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
    fn instantiations_multiply_along_the_depth() {
        let most: Vec<u32> = (0..8).map(most).collect();
        assert_eq!(most, [0, 1, 2, 4, 6, 10, 15, 22]);
        assert_eq!(super::most(16), CORE_INSTANCES_PER_COMPONENT_MAX);
        assert!(super::most(15) > CORE_INSTANCES_PER_COMPONENT_MAX / 2);
    }

    #[test]
    fn a_composed_component_is_told_from_names_of_exports() {
        let composed = "(component (component $c
            (core module $m (func (export \"f\")))
            (core instance $i (instantiate $m))
            (func (export \"f\") (canon lift (core func $i \"f\"))))
          (instance (instantiate $c)) (instance (instantiate $c)) (instance (instantiate $c)))";
        let names = "(component (component $c (import \"f\" (func $f)) (export \"f\" (func $f)))
          (import \"g\" (func $g)) (instance (instantiate $c (with \"f\" (func $g)))))";
        let of = |text| instances_most(&wat::parse_str(text).unwrap());
        assert_eq!((of(composed), of(names), of("(component)")), (5, 1, 1));
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
