//! Which instance that ended a call well may serve another one, and which has to go. Pure: times are handed in, and what
//! an instance is, is its keeper's business.
//!
//! Whatever is put aside here is given back to the caller to be dropped, since dropping an instance takes time and this
//! is used under a lock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use coinop_core::digest::Digest;

use crate::grants::Grants;
use crate::limits::Limits;

/// How many instances of a plugin stay for further calls, and for how long: the operator's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warm {
    /// Instances of one plugin that stay at a time, of all its callers together.
    pub instances_max: usize,
    /// Calls that one instance serves in all.
    pub calls_max: u32,
    /// How long one stays without a call.
    pub idle: Duration,
    /// Whether tools whose plugin does not say that they bear it are called in instances that stay, too.
    pub undeclared: bool,
}

impl Default for Warm {
    fn default() -> Self {
        Self {
            instances_max: 4,
            calls_max: 100,
            idle: Duration::from_secs(60),
            undeclared: false,
        }
    }
}

/// Whose calls may be served by one instance. Opaque: equal for the same caller of the same plugin, and for nobody else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShareKey(Digest);

impl ShareKey {
    /// The key of whom `caller` stands for.
    pub fn new(caller: Digest) -> Self {
        Self(caller)
    }
}

/// What an instance was started with that a later call cannot be given anew: where any of it differs, it is of no use.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Terms {
    grants: Grants,
    limits: Limits,
    settings: BTreeMap<String, String>,
    caller: Option<String>,
}

/// One loaded component, as long as this process lives.
pub(super) type Owner = u64;

/// For whom an instance is kept.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) owner: Owner,
    pub(super) share: ShareKey,
    pub(super) terms: Terms,
}

/// Instances that are kept, the least recently used first.
pub(super) struct Pool<T> {
    kept: Vec<Entry<T>>,
}

struct Entry<T> {
    claim: Claim,
    /// Calls it has served.
    served: u32,
    since: Instant,
    idle_max: Duration,
    instance: T,
}

/// What there is for a call, and what turned out to be of no use.
pub(super) struct Taken<T> {
    pub(super) found: Option<Found<T>>,
    pub(super) retired: Vec<T>,
}

/// An instance, and how many calls it has served.
pub(super) struct Found<T> {
    pub(super) instance: T,
    pub(super) served: u32,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { kept: Vec::new() }
    }
}

impl<T> Pool<T> {
    /// The instance for a call by `claim`, the most recently used one. Those of the same caller on other terms are of no
    /// use any more, nor is what `warm` would not keep now.
    pub(super) fn take(&mut self, claim: &Claim, warm: &Warm, now: Instant) -> Taken<T> {
        let of_caller =
            |entry: &Entry<T>| entry.claim.owner == claim.owner && entry.claim.share == claim.share;
        let spent = |entry: &Entry<T>| {
            entry.claim.terms != claim.terms
                || entry.served >= warm.calls_max
                || entry.is_idle(now, warm.idle)
        };
        let retired = self.remove_if(|entry| of_caller(entry) && spent(entry));
        let last = self.kept.iter().rposition(of_caller);
        let found = last.map(|at| {
            let Entry {
                instance, served, ..
            } = self.kept.remove(at);
            Found { instance, served }
        });
        Taken { found, retired }
    }

    /// Keeps an instance that has served `served` calls. Gives back what has to go for it: itself where it has served
    /// enough, or the least recently used of the component beyond so many.
    pub(super) fn keep(
        &mut self,
        claim: Claim,
        warm: &Warm,
        now: Instant,
        Found { instance, served }: Found<T>,
    ) -> Vec<T> {
        if served >= warm.calls_max || warm.instances_max == 0 {
            return vec![instance];
        }
        let owner = claim.owner;
        self.kept.push(Entry {
            claim,
            served,
            since: now,
            idle_max: warm.idle,
            instance,
        });
        let of_owner = |entry: &&Entry<T>| entry.claim.owner == owner;
        let mut surplus = self.kept.iter().filter(of_owner).count();
        surplus = surplus.saturating_sub(warm.instances_max);
        self.remove_if(|entry| {
            let goes = surplus > 0 && entry.claim.owner == owner;
            surplus -= usize::from(goes);
            goes
        })
    }

    /// The least recently used of all, which has to make room.
    pub(super) fn evict(&mut self) -> Option<T> {
        (!self.kept.is_empty()).then(|| self.kept.remove(0).instance)
    }

    /// Those that had no call for too long.
    pub(super) fn retire_idle(&mut self, now: Instant) -> Vec<T> {
        self.remove_if(|entry| entry.is_idle(now, entry.idle_max))
    }

    /// All of one component.
    pub(super) fn retire_of(&mut self, owner: Owner) -> Vec<T> {
        self.remove_if(|entry| entry.claim.owner == owner)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    fn remove_if(&mut self, mut goes: impl FnMut(&Entry<T>) -> bool) -> Vec<T> {
        let removed = self.kept.extract_if(.., |entry| goes(entry));
        removed.map(|entry| entry.instance).collect()
    }
}

impl<T> Entry<T> {
    fn is_idle(&self, now: Instant, idle_max: Duration) -> bool {
        now.saturating_duration_since(self.since) >= idle_max.min(self.idle_max)
    }
}

impl Terms {
    /// Those of a run; `None` where nothing that was started with them may stay.
    ///
    /// A granted directory is opened when a run begins, so that one that has gone or was replaced is noticed; an instance
    /// would hold on to what it was.
    pub(super) fn of(run: &super::Run<'_>) -> Option<Self> {
        run.grants.dirs.is_empty().then(|| Self {
            grants: run.grants.clone(),
            limits: *run.limits,
            settings: run.settings.clone(),
            caller: run.caller.map(str::to_owned),
        })
    }
}

#[cfg(test)]
#[path = "warm_tests.rs"]
mod tests;
