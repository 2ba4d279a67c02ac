//! The sandbox as the library's loader: its errors in words for the operator, its run errors in words for the caller.

use std::sync::Arc;
use std::time::Duration;

use coinop_core::call::Failure;
use coinop_core::digest::Digest;
use coinop_core::outcome::Outcome;
use futures::future::BoxFuture;

use super::library::{Code, Granted, Loader, Ran};
use crate::gate::{BUSY, Job, Ready};
use crate::limits::Limits;
use crate::plugin::Manifest;
use crate::quarantine::End;
use crate::sandbox::{Component, FailureKind, Metering, Place, Run, RunError, Sandbox};

impl Loader for Sandbox {
    fn known_manifest(&self, digest: &Digest) -> Option<Manifest> {
        Self::known_manifest(self, digest)
    }

    fn load<'a>(
        &'a self,
        file: &'a str,
        bytes: Arc<[u8]>,
    ) -> BoxFuture<'a, Result<Arc<dyn Code>, String>> {
        Loader::load_metered(self, file, bytes, Metering::Off)
    }

    fn load_metered<'a>(
        &'a self,
        file: &'a str,
        bytes: Arc<[u8]>,
        metering: Metering,
    ) -> BoxFuture<'a, Result<Arc<dyn Code>, String>> {
        Box::pin(async move {
            match Self::load_metered(self, file, bytes, metering).await {
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

    fn place<'a>(
        &'a self,
        limits: &'a Limits,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Ready, Failure>> {
        Box::pin(async move {
            let place = Self::place(self, limits, patience).await;
            place.map(Ready::holding).map_err(|error| failure(&error))
        })
    }

    fn retire(&self) {
        Self::retire(self);
    }

    fn run<'a>(&'a self, job: &'a Job, granted: &'a Granted) -> BoxFuture<'a, Ran> {
        Box::pin(async move {
            let run = Run {
                tool: &job.tool,
                arguments: &job.arguments,
                execution_id: &job.execution_id,
                caller: granted.caller.as_deref(),
                limits: &job.limits,
                grants: &granted.grants,
                bucket: granted.bucket.as_ref(),
                settings: &job.settings,
                progress: job.progress.clone(),
                share: granted.share,
            };
            let place = job.ready.as_ref().and_then(Ready::held::<Place>);
            let report = match place {
                Some(place) => self.run_in(place, run).await,
                None => Self::run(self, run).await,
            };
            Ran {
                end: end(&report.result),
                result: report.result.map_err(|error| failure(&error)),
                log: report.log.text,
                log_dropped: report.log.dropped,
                denials: report.denials,
            }
        })
    }
}

/// What the end of a run tells of its plugin.
fn end(result: &Result<Outcome, RunError>) -> End {
    match result {
        Ok(_) | Err(RunError::Failed { .. } | RunError::InvalidArguments(_)) => End::Answered,
        Err(error) if error.is_own_fault() => End::Failed,
        Err(_) => End::Untold,
    }
}

fn failure(error: &RunError) -> Failure {
    Failure {
        kind: kind(error).to_owned(),
        message: error.to_string(),
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
        RunError::Table { .. } => "table",
        RunError::Instances { .. } => "instances",
        RunError::Fuel { .. } => "fuel",
        RunError::StackOverflow => "stack_overflow",
        RunError::Output { .. } => "output",
        RunError::InvalidOutput(_) => "invalid_output",
        RunError::UnknownTool(_) => "unknown_tool",
        RunError::PluginBusy | RunError::HostBusy => BUSY,
        RunError::Unavailable(_) => "host_unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Capacity, SandboxSettings};

    #[tokio::test]
    async fn a_file_that_is_no_component_is_refused_by_name() {
        let cache = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::new(SandboxSettings {
            capacity: Capacity {
                memories_max: 2,
                ..Capacity::default()
            },
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
