//! The sandbox as the library's loader: its errors in words for the operator, its run errors in words for the caller.

use std::sync::Arc;

use coinop_core::call::Failure;
use coinop_core::digest::Digest;
use futures::future::BoxFuture;

use super::library::{Code, Granted, Loader, Ran};
use crate::gate::Job;
use crate::plugin::Manifest;
use crate::sandbox::{Component, FailureKind, Run, RunError, Sandbox};

impl Loader for Sandbox {
    fn known_manifest(&self, digest: &Digest) -> Option<Manifest> {
        Self::known_manifest(self, digest)
    }

    fn load<'a>(
        &'a self,
        file: &'a str,
        bytes: Arc<[u8]>,
    ) -> BoxFuture<'a, Result<Arc<dyn Code>, String>> {
        Box::pin(async move {
            match Self::load(self, file, bytes).await {
                Ok(component) => Ok(component as Arc<dyn Code>),
                Err(error) => Err(error.to_string()),
            }
        })
    }
}

impl Code for Component {
    fn manifest(&self) -> &Manifest {
        Self::manifest(self)
    }

    fn run<'a>(&'a self, job: &'a Job, granted: &'a Granted) -> BoxFuture<'a, Ran> {
        Box::pin(async move {
            let report = Self::run(
                self,
                Run {
                    tool: &job.tool,
                    arguments: &job.arguments,
                    execution_id: &job.execution_id,
                    caller: granted.caller.as_deref(),
                    limits: &job.limits,
                    grants: &granted.grants,
                    bucket: granted.bucket.as_ref(),
                    settings: &job.settings,
                    progress: job.progress.clone(),
                },
            )
            .await;
            Ran {
                result: report.result.map_err(|error| Failure {
                    kind: kind(&error).to_owned(),
                    message: error.to_string(),
                }),
                log: report.log.text,
                log_dropped: report.log.dropped,
                denials: report.denials,
            }
        })
    }
}

/// The stable word for a run that failed.
fn kind(error: &RunError) -> &'static str {
    match error {
        RunError::Failed { kind, .. } => match kind {
            FailureKind::Failed => "failed",
            FailureKind::Unavailable { .. } => "unavailable",
            FailureKind::Denied => "denied",
            FailureKind::TimedOut => "timed_out",
            FailureKind::Unsupported => "unsupported",
            FailureKind::Other(_) => "other",
        },
        RunError::InvalidArguments(_) => "invalid_arguments",
        RunError::Trap { .. } => "trap",
        RunError::CpuTime { .. } => "cpu_time",
        RunError::WallTime { .. } => "wall_time",
        RunError::Memory { .. } => "memory",
        RunError::StackOverflow => "stack_overflow",
        RunError::Output { .. } => "output",
        RunError::InvalidOutput(_) => "invalid_output",
        RunError::UnknownTool(_) => "unknown_tool",
        RunError::Unavailable(_) => "host_unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::SandboxSettings;

    #[tokio::test]
    async fn a_file_that_is_no_component_is_refused_by_name() {
        let cache = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::new(SandboxSettings {
            memories_max: 2,
            ..SandboxSettings::new(cache.path().join("cache"))
        });
        let loader: Arc<dyn Loader> = Arc::new(sandbox.unwrap());
        let cases: [(&[u8], &str); 3] = [
            (b"", "x.wasm: the file is empty"),
            (b"hello", "x.wasm: "),
            (b"\0asm\x01\0\0\0", "core WebAssembly module"),
        ];
        for (bytes, expected) in cases {
            let error = loader.load("x.wasm", bytes.into()).await.err().unwrap();
            assert!(
                error.contains(expected) && error.starts_with("x.wasm: "),
                "{error}"
            );
            assert_eq!(loader.known_manifest(&Digest::of(bytes)), None);
        }
    }
}
