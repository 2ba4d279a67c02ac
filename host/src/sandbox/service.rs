//! Components that serve the host itself instead of offering tools: loaded for an interface whose bindings somebody else
//! has, and asked in a fresh instance each time, held by the same limits, grants and clock as a plugin's runs.
//!
//! What the interface is about is none of the sandbox's business. Services have an engine of their own, so that they never
//! wait for plugins, made when the first of them is loaded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use coinop_core::digest::Digest;
use futures::future::BoxFuture;
use wasmtime::component::{Instance, InstancePre};

use super::call::{explain, take_memories};
use super::engine::MEMORIES_PER_COMPONENT_MAX;
use super::error::{LoadError, RunError, SandboxError};
use super::inspect;
use super::load::{Shared, blocking, chain, compile};
use super::log::{CapturedLog, LogPipe};
use super::mask::Mask;
use super::pace::{Pace, Ways};
use super::reach::{Denials, Reach};
use super::state;
use super::{Run, SandboxSettings};
use crate::grants::{Denial, Grants};
use crate::limits::Limits;

pub use super::state::State as Guest;
pub use wasmtime::Store;

/// What a component must export to serve.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// What such a component is called in messages, such as `payment provider`.
    pub what: &'static str,
    /// The interface without its version, such as `coinop:provider/payments`.
    pub name: &'static str,
    /// The version up to its last number, such as `0.1`: patch releases have the same shape.
    pub version: &'static str,
}

impl Interface {
    fn is(&self, export: &str) -> bool {
        let version = export
            .strip_prefix(self.name)
            .and_then(|rest| rest.strip_prefix('@'))
            .and_then(|rest| rest.strip_prefix(self.version))
            .and_then(|rest| rest.strip_prefix('.'));
        version.is_some_and(|patch| patch.parse::<u32>().is_ok())
    }
}

/// Where services are loaded.
pub struct Services {
    settings: SandboxSettings,
    shared: Mutex<Option<Arc<Shared>>>,
}

impl Services {
    /// Nothing is reserved before the first service is loaded.
    pub fn new(settings: SandboxSettings) -> Self {
        Self {
            settings,
            shared: Mutex::default(),
        }
    }

    fn shared(&self) -> Result<Arc<Shared>, SandboxError> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        match &*shared {
            Some(made) => Ok(Arc::clone(made)),
            None => Ok(Arc::clone(
                shared.insert(Arc::new(Shared::new(&self.settings)?)),
            )),
        }
    }

    /// Validates, compiles or takes from the cache, and links. Nothing of it runs yet. `file` is for messages.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong with the file and what to do about it.
    pub async fn load(
        &self,
        file: &str,
        bytes: Arc<[u8]>,
        interface: Interface,
    ) -> Result<Service, LoadError> {
        let shared = self.shared().map_err(|error| LoadError::Host {
            file: file.to_owned(),
            reason: error.to_string(),
        })?;
        let _place = shared.compilers.acquire().await;
        let (preparing, name) = (Arc::clone(&shared), file.to_owned());
        blocking(file, move || {
            Service::prepare(preparing, &name, &bytes, interface)
        })
        .await?
    }
}

/// A component that serves.
pub struct Service {
    shared: Arc<Shared>,
    pre: InstancePre<Guest>,
    memories: u32,
    digest: Digest,
    /// See [`Pace`].
    ways: Ways,
}

/// What one question may use and reach.
pub struct Errand<'a> {
    /// What it may use. Its wall-clock time includes waiting for a place.
    pub limits: &'a Limits,
    /// What it may reach.
    pub grants: &'a Grants,
    /// What it reads by `wasi:config`.
    pub settings: &'a BTreeMap<String, String>,
    /// What must be in no log.
    pub secrets: &'a [&'a str],
}

/// What came of a question.
#[derive(Debug)]
pub struct Answered<T> {
    /// The answer, or why there is none.
    pub result: Result<T, Silence>,
    /// What it printed.
    pub log: CapturedLog,
    /// What it was refused for want of a grant.
    pub denials: Vec<Denial>,
}

/// Why a service gave no answer, in words for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// It was not even asked.
    #[error("{0}")]
    NotAsked(String),
    /// It was asked, and whatever it could do it may have done.
    #[error("{0}")]
    Asked(String),
}

/// Work on a fresh instance.
pub type Work<T> = Box<
    dyn for<'s> FnOnce(&'s mut Store<Guest>, Instance) -> BoxFuture<'s, wasmtime::Result<T>> + Send,
>;

impl Service {
    fn prepare(
        shared: Arc<Shared>,
        file: &str,
        bytes: &[u8],
        interface: Interface,
    ) -> Result<Self, LoadError> {
        let exports = inspect::exports(file, bytes)?;
        if !exports.iter().any(|export| interface.is(export)) {
            let exports: Vec<&str> = exports.iter().map(String::as_str).collect();
            return Err(LoadError::OtherService {
                file: file.to_owned(),
                what: interface.what,
                wanted: format!("{}@{}", interface.name, interface.version),
                exports: inspect::few(&exports),
            });
        }
        let digest = Digest::of(bytes);
        let component = match shared.cache.code(&shared.engine, &digest) {
            Some(component) => component,
            None => compile(&shared, file, bytes, &digest)?,
        };
        let pre = shared.linker.instantiate_pre(&component);
        let pre = pre.map_err(|error| LoadError::Link {
            file: file.to_owned(),
            reason: chain(&error),
        })?;
        let needs = component.resources_required().map(|r| r.num_memories);
        Ok(Self {
            ways: shared.ways(),
            shared,
            pre,
            memories: needs.unwrap_or(MEMORIES_PER_COMPONENT_MAX).max(1),
            digest,
        })
    }

    /// SHA-256 of the component's bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// For looking exports up once.
    pub fn pre(&self) -> &InstancePre<Guest> {
        &self.pre
    }

    /// Has `work` done on a fresh instance. Dropping the future stops the guest.
    pub async fn ask<T>(&self, errand: Errand<'_>, work: Work<T>) -> Answered<T> {
        let log = LogPipe::new(errand.limits.log_bytes_max);
        let denials = Arc::new(Denials::default());
        let result = self.ask_within(&errand, work, &log, &denials).await;
        let mask = Mask::of_secrets(errand.secrets.iter().copied());
        Answered {
            result: result.map_err(|silence| match silence {
                Silence::Asked(reason) => Silence::Asked(mask.apply(reason)),
                Silence::NotAsked(reason) => Silence::NotAsked(reason),
            }),
            log: mask.log(log.take()),
            denials: mask.denials(denials.take()),
        }
    }

    async fn ask_within<T>(
        &self,
        errand: &Errand<'_>,
        work: Work<T>,
        log: &LogPipe,
        denials: &Arc<Denials>,
    ) -> Result<T, Silence> {
        let limits = errand.limits;
        let wall = Duration::from_millis(limits.wall_ms_max);
        let begun = Instant::now();
        let taking = take_memories(&self.shared, self.memories, self.shared.waiting_max);
        let busy = || Silence::NotAsked("too many questions wait already".to_owned());
        let taken = tokio::time::timeout(wall, taking).await;
        let _memories = taken.map_err(|_| busy())?.map_err(|_| busy())?;
        let reach = self.reach(errand, log, denials).await?;
        let pace = Pace::new(Duration::from_millis(limits.cpu_ms_max), self.ways.clone());
        let settings = errand.settings.clone();
        let engine = &self.shared.engine;
        let mut store = state::store(engine, limits, reach, &pace, settings, None);
        let asked = async {
            let instance = self.pre.instantiate_async(&mut store).await?;
            work(&mut store, instance).await
        };
        // All in all, so that whoever waits for the answer knows for how long.
        let left = wall.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(busy());
        }
        match tokio::time::timeout(left, pace.of(asked)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(silence(&explain(&error, store.data(), limits))),
            Err(_) => Err(Silence::Asked(format!(
                "it did not answer within {} ms",
                limits.wall_ms_max
            ))),
        }
    }

    async fn reach(
        &self,
        errand: &Errand<'_>,
        log: &LogPipe,
        denials: &Arc<Denials>,
    ) -> Result<Reach, Silence> {
        // A run without a tool: what its doors are made of is the rest.
        let run = Run {
            tool: "",
            arguments: "",
            execution_id: "",
            caller: None,
            limits: errand.limits,
            grants: errand.grants,
            share: None,
            bucket: None,
            settings: errand.settings,
            progress: None,
        };
        let reach = Reach::of(&run, log, denials, &self.shared.dialer).await;
        reach.map_err(|error| Silence::NotAsked(error.to_string()))
    }
}

/// A service's words without its secrets.
pub fn without_secrets<'a>(words: String, secrets: impl Iterator<Item = &'a str>) -> String {
    Mask::of_secrets(secrets).apply(words)
}

/// The same in words that fit what is no tool.
fn silence(error: &RunError) -> Silence {
    Silence::Asked(match error {
        RunError::Trap { reason } => format!("it crashed: {reason}"),
        RunError::CpuTime { limit_ms } => {
            format!("it used up its {limit_ms} ms of processor time")
        }
        RunError::Memory { requested, limit } => {
            format!("it asked for {requested} bytes of memory and may have {limit}")
        }
        RunError::StackOverflow => "it recursed too deeply".to_owned(),
        RunError::Output { limit } => format!("its answer is larger than {limit} bytes"),
        RunError::InvalidOutput(reason) => format!("its answer is not valid: {reason}"),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_releases_have_the_same_shape() {
        let interface = Interface {
            what: "payment provider",
            name: "coinop:provider/payments",
            version: "0.1",
        };
        for export in [
            "coinop:provider/payments@0.1.0",
            "coinop:provider/payments@0.1.12",
        ] {
            assert!(interface.is(export), "{export}");
        }
        for export in [
            "coinop:provider/payments",
            "coinop:provider/payments@0.2.0",
            "coinop:provider/payments@0.10.0",
            "coinop:provider/payments@0.1.0-rc.1",
            "coinop:provider/paymentsx@0.1.0",
        ] {
            assert!(!interface.is(export), "{export}");
        }
    }
}
