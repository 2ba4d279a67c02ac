//! `[host]`: how much the whole host runs at a time.

use serde::Deserialize;

use super::keys::{Kind, Section, key};
use crate::sandbox::Capacity;

pub(super) static HOST: Section = Section {
    keys: &[
        key(
            "concurrent_runs",
            Kind::Integer(4, 4096),
            "Runs of all plugins at a time; 256 by default. Each reserves 4 GiB of address space, not of memory.",
        ),
        key(
            "waiting_runs",
            Kind::Integer(0, 1_000_000),
            "Runs of all plugins that may wait for a place; 4096 by default. Further calls are told that the host is \
             busy, and nothing is consumed.",
        ),
    ],
    refused: &[],
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCapacity {
    concurrent_runs: Option<u32>,
    waiting_runs: Option<usize>,
}

impl RawCapacity {
    pub(super) fn resolve(&self) -> Capacity {
        let usual = Capacity::default();
        Capacity {
            memories_max: self.concurrent_runs.unwrap_or(usual.memories_max),
            waiting_max: self.waiting_runs.unwrap_or(usual.waiting_max),
        }
    }
}
