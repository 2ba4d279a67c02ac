//! The decision whether a plugin file may be loaded, and with which grants. It reads the lock and signatures; the rest is
//! a matter of values.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use coinop_core::digest::Digest;

use super::minisign::{self, Signature, signature_file};
use super::{Change, Lock, LockError, PinnedTool, Refusal, TrustRules, change, lock_file};
use crate::grants::Grants;

/// The operator's rules together with the lock, as they were at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Admission {
    rules: TrustRules,
    lock: Option<Lock>,
    lock_wrong: Option<LockError>,
}

/// What plugins may reach.
#[derive(Debug, Default, PartialEq)]
pub struct Allowed {
    /// By plugin. One that is not here reaches nothing.
    pub grants: HashMap<String, Arc<Grants>>,
    /// Components whose plugin's grants are theirs alone: any other version of it reaches nothing.
    pub pins: HashMap<String, Digest>,
    /// Plugins whose grants are withheld, with what to do about it.
    pub withheld: Vec<(String, String)>,
}

impl Admission {
    /// Reads the lock that `rules` name. Blocks.
    pub fn read(rules: &TrustRules) -> Self {
        match lock_file::read(&rules.lock_file) {
            Ok(lock) => Self::new(rules.clone(), lock),
            Err(wrong) => Self {
                lock_wrong: Some(wrong),
                ..Self::new(rules.clone(), None)
            },
        }
    }

    /// As [`Self::read`]; while the lock cannot be read, the one before counts.
    pub fn read_again(&self, rules: &TrustRules) -> Self {
        let mut next = Self::read(rules);
        if next.lock_wrong.is_some() && rules.lock_file == self.rules.lock_file {
            next.lock.clone_from(&self.lock);
        }
        next
    }

    /// As [`Self::read`], with a lock at hand.
    pub fn new(rules: TrustRules, lock: Option<Lock>) -> Self {
        Self {
            rules,
            lock,
            lock_wrong: None,
        }
    }

    /// The rules.
    pub fn rules(&self) -> &TrustRules {
        &self.rules
    }

    /// The lock, where there is one that can be read.
    pub fn lock(&self) -> Option<&Lock> {
        self.lock.as_ref()
    }

    /// What is wrong with the lock.
    pub fn lock_wrong(&self) -> Option<&LockError> {
        self.lock_wrong.as_ref()
    }

    /// Whether `bytes`, the content of `file`, may be loaded as `plugin`. Reads the signature beside the file. Blocks.
    ///
    /// # Errors
    /// Why it must not; nothing of it has run.
    pub fn admit(&self, plugin: &str, file: &Path, bytes: &[u8]) -> Result<(), Refusal> {
        if self.rules.locked {
            self.check_locked(plugin, Digest::of(bytes))?;
        }
        self.signed_by(plugin, file, bytes).map(drop)
    }

    /// Whose signature there is over `bytes`, where one counts; `None` where none is needed. Blocks.
    ///
    /// # Errors
    /// There is none although there must be, or it is not right.
    pub fn signed_by(
        &self,
        plugin: &str,
        file: &Path,
        bytes: &[u8],
    ) -> Result<Option<String>, Refusal> {
        if let Some(key) = self.cosigned(plugin, bytes) {
            return Ok(Some(format!("cosign {key}")));
        }
        if self.rules.minisign.is_empty() && !self.rules.must_be_signed(plugin) {
            return Ok(None);
        }
        self.minisigned(plugin, file, bytes, minisign::beside(file)?)
    }

    fn minisigned(
        &self,
        plugin: &str,
        file: &Path,
        bytes: &[u8],
        signature: Option<Signature>,
    ) -> Result<Option<String>, Refusal> {
        match signature {
            Some(signature) => {
                let key = signature.verify(bytes, &self.rules.minisign)?;
                Ok(Some(format!("minisign {}", key.id())))
            }
            None if self.rules.must_be_signed(plugin) => Err(Refusal::Unsigned {
                signature_file: last_name(&signature_file(file)),
            }),
            None => Ok(None),
        }
    }

    /// The cosign key that was verified when this component was pulled, if the operator still trusts it.
    fn cosigned(&self, plugin: &str, bytes: &[u8]) -> Option<&str> {
        let pulled = self.lock.as_ref()?.pulled.get(plugin)?;
        let key = pulled.cosign_key.as_deref()?;
        let trusted = self.rules.cosign.iter().any(|known| known.id() == key);
        (trusted && pulled.digest == Digest::of(bytes)).then_some(key)
    }

    fn check_locked(&self, plugin: &str, found: Digest) -> Result<(), Refusal> {
        let lock_file = last_name(&self.rules.lock_file);
        if let (None, Some(wrong)) = (&self.lock, &self.lock_wrong) {
            let reason = wrong.to_string();
            return Err(Refusal::NoLock { lock_file, reason });
        }
        let plugin = plugin.to_owned();
        match self.pinned_digest(&plugin) {
            Some(locked) if locked == found => Ok(()),
            Some(locked) => Err(Refusal::OtherDigest {
                plugin,
                lock_file,
                locked,
                found,
            }),
            None => Err(Refusal::NotLocked { plugin, lock_file }),
        }
    }

    fn pinned_digest(&self, plugin: &str) -> Option<Digest> {
        let pinned = self.lock.as_ref()?.plugins.get(plugin)?;
        Some(pinned.digest)
    }

    /// Whether what was loaded earlier must go: the lock names another version by now.
    pub fn revokes(&self, plugin: &str, digest: Digest) -> bool {
        let refusal = |()| self.check_locked(plugin, digest).err();
        let refusal = self.rules.locked.then_some(()).and_then(refusal);
        refusal.is_some_and(|refusal| refusal.revokes())
    }

    /// Whether a sidecar of this digest, `None` for no sidecar, counts for `plugin`.
    ///
    /// # Errors
    /// It is not the one that was accepted: what to do. Whoever shows it names the sidecar.
    pub fn admit_sidecar(&self, plugin: &str, found: Option<Digest>) -> Result<(), String> {
        let pinned = self.lock.as_ref().and_then(|lock| lock.plugins.get(plugin));
        match pinned {
            Some(pinned) if self.rules.locked && pinned.sidecar != found => Err(format!(
                "is not the one in {}: `coinop lock --check {plugin}` shows what changed, `coinop lock {plugin}` \
                 accepts it",
                last_name(&self.rules.lock_file)
            )),
            _ => Ok(()),
        }
    }

    /// What may be reached of what `coinop.toml` grants. While locked, a plugin has its grants if every one of them was
    /// accepted with the component that runs, else none at all: what an operator takes back ends at once, what is added
    /// waits for `coinop lock`.
    pub fn allowed(&self, grants: HashMap<String, Arc<Grants>>) -> Allowed {
        if !self.rules.locked {
            return Allowed {
                grants,
                ..Allowed::default()
            };
        }
        let mut allowed = Allowed::default();
        for (plugin, granted) in grants {
            let lines = granted.lines();
            if lines.is_empty() {
                continue;
            }
            let lock = self.lock.as_ref();
            match lock.and_then(|lock| lock.plugins.get(&plugin)) {
                Some(pinned) if lines.iter().all(|line| pinned.grants.contains(line)) => {
                    allowed.pins.insert(plugin.clone(), pinned.digest);
                    allowed.grants.insert(plugin, granted);
                }
                _ => allowed
                    .withheld
                    .push((plugin.clone(), self.withheld(&plugin))),
            }
        }
        allowed.withheld.sort();
        allowed
    }

    fn withheld(&self, plugin: &str) -> String {
        format!(
            "plugins.{plugin}.grants: these grants are not in {}, so the plugin has none: `coinop lock {plugin}` accepts \
             them",
            last_name(&self.rules.lock_file)
        )
    }

    /// What a loaded plugin's tools say otherwise than in the lock; `None` where it says the same, or the lock says nothing.
    pub fn said_otherwise(&self, plugin: &str, tools: &[PinnedTool]) -> Option<Change> {
        let pinned = self.lock.as_ref()?.plugins.get(plugin)?;
        change::of_tools(plugin, pinned, tools)
    }
}

/// A file's last name, for messages.
pub(super) fn last_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
