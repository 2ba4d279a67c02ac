//! One plugin file's life: contents come, load or fail, and replace each other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use coinop_core::digest::Digest;

use super::folder::{Found, Stamp};
use crate::catalog::source::without_file;
use crate::config::PluginRules;
use crate::plugin::Manifest;
use crate::trust::Refusal;

/// So long after its last change a file that does not load counts as still being written.
pub(super) const WRITING: Duration = Duration::from_secs(2);

/// Coarsest step of a file system's clock that is reckoned with.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// One plugin file.
pub(super) struct Slot {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    /// How long before it was seen the file had changed.
    pub(super) seen_age: Option<Duration>,
    /// Served, or about to be.
    pub(super) version: Option<Version>,
    /// Served before `version`, kept until that one's code has been seen to load.
    pub(super) before: Option<Version>,
    /// The file's present content, while it is loaded for the first time.
    pub(super) loading: Option<Digest>,
    /// What is wrong with the file's present content.
    pub(super) wrong: Option<Wrong>,
    /// What the sidecar said when it was last right; `None` when it never was.
    pub(super) sidecar: Option<Arc<PluginRules>>,
    pub(super) sidecar_wrong: Option<String>,
}

#[derive(Clone)]
pub(super) struct Version {
    pub(super) digest: Digest,
    pub(super) manifest: Arc<Manifest>,
}

pub(super) struct Wrong {
    pub(super) message: String,
    /// The content that the operator's rules refuse, which a signature or the lock may yet change.
    pub(super) refused: Option<Digest>,
    /// Until then the file may still be being written.
    pub(super) quiet_until: Option<Instant>,
}

impl Slot {
    pub(super) fn new(found: &Found) -> Self {
        Self {
            path: found.path.clone(),
            stamp: found.stamp,
            seen_age: None,
            version: None,
            before: None,
            loading: None,
            wrong: None,
            sidecar: None,
            sidecar_wrong: None,
        }
    }

    pub(super) fn seen(
        &mut self,
        found: Found,
        now: Instant,
        known_manifest: &impl Fn(&Digest) -> Option<Manifest>,
    ) -> Option<Digest> {
        self.stamp = found.stamp;
        self.seen_age = self.age();
        match found.sidecar {
            Ok(rules) => {
                self.sidecar = Some(Arc::new(rules.unwrap_or_default()));
                self.sidecar_wrong = None;
            }
            Err(message) => self.sidecar_wrong = Some(message),
        }
        match (found.content?, found.refused) {
            (Ok(digest), None) => self.content(digest, known_manifest),
            (Ok(digest), Some(refusal)) => {
                self.refused(digest, &refusal, now);
                None
            }
            (Err(message), _) => {
                self.loading = None;
                self.fails(message, now);
                None
            }
        }
    }

    /// Takes in the file's present content; returns it when it is to be loaded.
    fn content(
        &mut self,
        digest: Digest,
        known_manifest: &impl Fn(&Digest) -> Option<Manifest>,
    ) -> Option<Digest> {
        if self.version.as_ref().is_some_and(|v| v.digest == digest) {
            (self.loading, self.wrong) = (None, None);
            return None;
        }
        if self.loading == Some(digest) {
            return None;
        }
        (self.loading, self.wrong) = (Some(digest), None);
        if let Some(manifest) = known_manifest(&digest) {
            let version = Version {
                digest,
                manifest: Arc::new(manifest),
            };
            let replaced = self.version.replace(version);
            // One that was itself not yet seen to load is no good one.
            self.before = self.before.take().or(replaced);
        }
        Some(digest)
    }

    /// Takes in that the file's present content must not be loaded, even if it was before.
    fn refused(&mut self, digest: Digest, refusal: &Refusal, now: Instant) {
        self.loading = None;
        self.forget(|version| version.digest == digest && refusal.revokes());
        let known = self.wrong.as_ref().filter(|w| w.refused == Some(digest));
        let quiet_until = match known {
            Some(known) => known.quiet_until,
            // Its signature may be on its way.
            None => refusal.may_pass().then(|| now + WRITING),
        };
        self.wrong = Some(Wrong {
            message: refusal.to_string(),
            refused: Some(digest),
            quiet_until,
        });
    }

    /// Drops the versions that must not be served any more; the other one stays.
    pub(super) fn forget(&mut self, gone: impl Fn(&Version) -> bool) {
        if self.before.as_ref().is_some_and(&gone) {
            self.before = None;
        }
        if self.version.as_ref().is_some_and(&gone) {
            self.version = self.before.take();
        }
    }

    pub(super) fn loaded(
        &mut self,
        digest: Digest,
        result: Result<Manifest, String>,
        now: Instant,
    ) {
        let awaited = self.loading == Some(digest);
        let listed = self.version.as_ref().is_some_and(|v| v.digest == digest);
        if awaited {
            self.loading = None;
        }
        match result {
            Ok(manifest) if awaited || listed => {
                let same = |v: &Version| v.digest == digest && *v.manifest == manifest;
                if !self.version.as_ref().is_some_and(same) {
                    self.version = Some(Version {
                        digest,
                        manifest: Arc::new(manifest),
                    });
                }
                self.before = None;
                if awaited {
                    self.wrong = None;
                }
            }
            Ok(_) => {}
            Err(message) => {
                if listed {
                    self.version = self.before.take();
                }
                if awaited {
                    self.fails(without_file(&message, &self.path), now);
                }
            }
        }
    }

    /// How long ago the file changed; a file from the future has no age.
    fn age(&self) -> Option<Duration> {
        SystemTime::now().duration_since(self.stamp.modified?).ok()
    }

    fn fails(&mut self, message: String, now: Instant) {
        let writing = self.age().and_then(|age| WRITING.checked_sub(age));
        self.wrong = Some(Wrong {
            message,
            refused: None,
            quiet_until: writing.map(|left| now + left),
        });
    }
}
