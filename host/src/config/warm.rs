//! `[plugins.NAME] warm`: instances that stay for further calls of the same caller.

use std::time::Duration;

use serde::Deserialize;

use super::keys::{Key, Kind, Section, key};
use crate::sandbox::Warm;

pub(super) const WARM: Key = key(
    "warm",
    Kind::Section(&WARM_SECTION),
    "Keeps instances that ended a call well for further calls of the same caller; without this table every call has a \
     fresh one. Never shared between callers; those without a name always get a fresh one. docs/limits.md tells more.",
);

static WARM_SECTION: Section = Section {
    keys: &[
        key(
            "instances",
            Kind::Integer(0, 4096),
            "Instances that stay at a time, of all callers together; 4 by default. Each holds one of host.concurrent_runs, \
             as long as no run needs it, and its memory.",
        ),
        key(
            "calls",
            Kind::Integer(1, 1_000_000),
            "Calls that one instance serves in all; 100 by default.",
        ),
        key(
            "idle_s",
            Kind::Integer(1, 86_400),
            "How long an instance stays without a call, seconds; 60 by default.",
        ),
        key(
            "undeclared",
            Kind::Bool,
            "Whether instances also stay for tools that do not say themselves that they bear it; false by default. Whatever \
             such a tool keeps in its memory is found by the same caller's next call.",
        ),
    ],
    refused: &[],
};

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWarm {
    instances: Option<usize>,
    calls: Option<u32>,
    idle_s: Option<u64>,
    undeclared: Option<bool>,
}

impl RawWarm {
    pub(super) fn resolve(self) -> Warm {
        let usual = Warm::default();
        Warm {
            instances_max: self.instances.unwrap_or(usual.instances_max),
            calls_max: self.calls.unwrap_or(usual.calls_max),
            idle: self.idle_s.map_or(usual.idle, Duration::from_secs),
            undeclared: self.undeclared.unwrap_or(usual.undeclared),
        }
    }
}
