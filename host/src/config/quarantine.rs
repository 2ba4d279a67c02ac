//! `[quarantine]`: when a plugin that keeps failing is set aside, and for how long.

use std::time::Duration;

use serde::Deserialize;

use super::keys::{Kind, Section, key};
use crate::quarantine::Rules;

pub(super) static QUARANTINE: Section = Section {
    keys: &[
        key(
            "enabled",
            Kind::Bool,
            "Whether a plugin that keeps failing for reasons of its own is set aside for a while; true by default.",
        ),
        key(
            "failures",
            Kind::Integer(1, 1_000),
            "Failures in a row that set a plugin aside; 5 by default. Failures that a tool declares do not count.",
        ),
        key(
            "pause_s",
            Kind::Integer(1, 86_400),
            "How long it is set aside the first time, seconds; 30 by default. Doubled each time its trial fails too.",
        ),
        key(
            "pause_s_max",
            Kind::Integer(1, 604_800),
            "The longest it is set aside before the next trial, seconds; 3600 by default.",
        ),
    ],
    refused: &[],
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawQuarantine {
    enabled: Option<bool>,
    failures: Option<u32>,
    pause_s: Option<u64>,
    pause_s_max: Option<u64>,
}

impl RawQuarantine {
    /// The rules, `None` where nothing is ever set aside.
    pub(super) fn resolve(&self) -> Option<Rules> {
        let usual = Rules::default();
        let pause = self.pause_s.map_or(usual.pause, Duration::from_secs);
        let longest = self
            .pause_s_max
            .map_or(usual.pause_max, Duration::from_secs);
        self.enabled.unwrap_or(true).then_some(Rules {
            failures_max: self.failures.unwrap_or(usual.failures_max),
            pause,
            pause_max: longest.max(pause),
        })
    }
}
