//! A loader and a ledger for tests: components are lines of text, and every effect can be counted, held up and denied.
//!
//! `plugin t=free u=1.00:USD` is a component with two tools; anything else does not load.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use coinop_core::Millis;
use coinop_core::call::Failure;
use coinop_core::digest::Digest;
use coinop_core::money::Money;
use coinop_core::outcome::{Content, Outcome};
use coinop_core::price::Price;
use coinop_core::principal::Principal;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;

use super::library::{Code, Granted, Loader, Ran};
use crate::gate::Job;
use crate::ledger::{Components, LedgerError};
use crate::limits::Limits;
use crate::plugin::{Annotations, Contract, Effects, Manifest, ToolDecl};
use crate::quarantine::End;

/// Loads lines of text.
#[derive(Default)]
pub(crate) struct FakeLoader {
    known: Mutex<HashMap<Digest, Manifest>>,
    /// Loads begun.
    pub(crate) loads: AtomicUsize,
    /// Loads of components that say `slow` wait for a permit.
    pub(crate) gate: Gate,
    /// Whether loads fail from now on.
    pub(crate) broken: AtomicBool,
}

pub(crate) struct Gate(pub(crate) Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl FakeLoader {
    /// As if an earlier process had loaded it.
    pub(crate) fn remember(&self, text: &str) {
        let manifest = manifest(text).unwrap();
        self.known.lock().unwrap().insert(manifest.digest, manifest);
    }

    pub(crate) fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }
}

impl Loader for FakeLoader {
    fn known_manifest(&self, digest: &Digest) -> Option<Manifest> {
        self.known.lock().unwrap().get(digest).cloned()
    }

    fn load<'a>(
        &'a self,
        file: &'a str,
        bytes: Arc<[u8]>,
    ) -> BoxFuture<'a, Result<Arc<dyn Code>, String>> {
        Box::pin(async move {
            self.loads.fetch_add(1, Ordering::SeqCst);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if text.contains("slow") {
                self.gate.0.acquire().await.unwrap().forget();
            }
            if self.broken.load(Ordering::SeqCst) {
                return Err(format!("{file}: the loader is broken"));
            }
            let manifest = manifest(&text).ok_or_else(|| format!("{file}: not a component"))?;
            self.known
                .lock()
                .unwrap()
                .insert(manifest.digest, manifest.clone());
            Ok(Arc::new(FakeCode(manifest, AtomicU32::new(0))) as Arc<dyn Code>)
        })
    }
}

fn manifest(text: &str) -> Option<Manifest> {
    let words = text
        .trim()
        .strip_prefix("plugin ")?
        .split(' ')
        .filter(|word| *word != "slow");
    let tools = words.map(tool).collect::<Option<Vec<_>>>()?;
    Some(Manifest {
        digest: Digest::of(text.as_bytes()),
        contract: Contract::Plugin {
            version: "0.1.0".to_owned(),
        },
        imports: Vec::new(),
        tools,
    })
}

/// `NAME=free`, `NAME=1.00:USD` or `NAME`.
fn tool(word: &str) -> Option<ToolDecl> {
    let (name, price) = match word.split_once('=') {
        Some((name, "free")) => (name, Some(Price::Free)),
        Some((name, price)) => {
            let (amount, currency) = price.split_once(':')?;
            (
                name,
                Some(Price::PerCall(Money::parse(amount, currency).ok()?)),
            )
        }
        None => (word, None),
    };
    Some(ToolDecl {
        name: name.to_owned(),
        title: None,
        description: String::new(),
        input_schema: r#"{"type":"object"}"#.to_owned(),
        output_schema: None,
        annotations: Annotations::default(),
        price,
        effects: Effects::Pure,
        meta: None,
    })
}

/// With how often its instances were retired.
struct FakeCode(Manifest, AtomicU32);

impl Code for FakeCode {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn retire(&self) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }

    fn run<'a>(&'a self, job: &'a Job, granted: &'a Granted) -> BoxFuture<'a, Ran> {
        let told = match job.tool.as_str() {
            "shares" => format!(
                "{}, retired {}",
                granted.share.is_some(),
                self.1.load(Ordering::SeqCst)
            ),
            tool => format!("{tool} by {}", self.0.digest.short()),
        };
        let content = vec![Content::text(told)];
        let result = match job.tool.as_str() {
            "fails" => Err(Failure {
                kind: "trap".to_owned(),
                message: "it crashed".to_owned(),
            }),
            "poses" => Ok(Outcome {
                structured: Some(r#"{"x402Version":2,"accepts":[]}"#.to_owned()),
                ..Outcome::default()
            }),
            _ => Ok(Outcome {
                content,
                ..Outcome::default()
            }),
        };
        let end = match &result {
            Ok(_) => End::Answered,
            Err(_) => End::Failed,
        };
        Box::pin(async move {
            Ran {
                result,
                log: "one\u{1b}[31m\ntwo\n".to_owned(),
                log_dropped: 3,
                denials: Vec::new(),
                end,
            }
        })
    }
}

/// A job for a component.
pub(crate) fn job(component: Digest, tool: &str) -> Job {
    Job {
        component,
        plugin: "p".to_owned(),
        tool: tool.to_owned(),
        arguments: "{}".to_owned(),
        execution_id: "call_x".to_owned(),
        principal: Principal::local(),
        limits: Limits::default(),
        settings: Arc::new(BTreeMap::new()),
        progress: None,
        ready: None,
    }
}

/// Keeps components and blocks, nothing else.
#[derive(Default)]
pub(crate) struct FakeLedger {
    pub(crate) kept: Mutex<HashMap<Digest, Arc<[u8]>>>,
    pub(crate) blocked: Mutex<BTreeSet<Digest>>,
    /// Whether it refuses everything from now on.
    pub(crate) down: AtomicBool,
}

impl FakeLedger {
    fn up(&self) -> Result<(), LedgerError> {
        match self.down.load(Ordering::SeqCst) {
            true => Err(LedgerError::Unavailable("it is down".to_owned())),
            false => Ok(()),
        }
    }
}

impl Components for FakeLedger {
    fn touch_component(
        &self,
        digest: Digest,
        _: Millis,
    ) -> BoxFuture<'_, Result<bool, LedgerError>> {
        Box::pin(async move {
            self.up()
                .map(|()| self.kept.lock().unwrap().contains_key(&digest))
        })
    }

    fn keep_component(
        &self,
        digest: Digest,
        bytes: Arc<[u8]>,
        _: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            self.up()?;
            self.kept.lock().unwrap().insert(digest, bytes);
            Ok(())
        })
    }

    fn component(&self, digest: Digest) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, LedgerError>> {
        Box::pin(async move {
            self.up()
                .map(|()| self.kept.lock().unwrap().get(&digest).cloned())
        })
    }

    fn set_blocked(
        &self,
        digest: Digest,
        blocked: bool,
        _: Millis,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let mut all = self.blocked.lock().unwrap();
            let _changed = if blocked {
                all.insert(digest)
            } else {
                all.remove(&digest)
            };
            Ok(())
        })
    }

    fn blocked(&self) -> BoxFuture<'_, Result<Vec<Digest>, LedgerError>> {
        Box::pin(async move {
            self.up()
                .map(|()| self.blocked.lock().unwrap().iter().copied().collect())
        })
    }
}
