//! What of WASI 0.3 and of the component model this engine does not run: refused when it is loaded, by its name.

use std::sync::Arc;

use coinop::sandbox::LoadError;

use crate::support::load_error;

async fn refused(wat: &str) -> String {
    let bytes = wat::parse_str(wat).unwrap().into();
    load_error("later.wasm", bytes).await.to_string()
}

#[tokio::test]
async fn what_this_engine_does_not_run_is_refused_by_name() {
    let candidate = r#"(component
        (import "wasi:cli/types@0.3.0-rc-2026-03-15" (instance))
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    let bytes: Arc<[u8]> = wat::parse_str(candidate).unwrap().into();
    let error = load_error("later.wasm", bytes).await;
    assert!(
        matches!(error, LoadError::ReleaseCandidate { .. }),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "later.wasm: built for a release candidate of WASI 0.3 (it imports wasi:cli/types@0.3.0-rc-2026-03-15), which differs from the release; this host runs wasi 0.3.0: build it again with tools that target the release"
    );

    let unfinished = [
        (
            r#"(component (core module $m (func (export "f")))
                (core instance $i (instantiate $m))
                (func (export "f") async (canon lift (core func $i "f") async)))"#,
            "stackful",
        ),
        (
            r#"(component (core func (canon subtask.cancel async)) (export "f" (func 0)))"#,
            "more async builtins",
        ),
        (
            r#"(component (type (list u8 4)) (import "f" (func)) (export "g" (func 0)))"#,
            "fixed-length lists",
        ),
        (
            r#"(component (type error-context) (import "f" (func)) (export "g" (func 0)))"#,
            "error-context",
        ),
        (
            r#"(component (type (map string u32)) (import "f" (func)) (export "g" (func 0)))"#,
            "component model map",
        ),
    ];
    for (wat, named) in unfinished {
        let told = refused(wat).await;
        assert!(told.contains(named), "{named}: {told}");
    }
}
