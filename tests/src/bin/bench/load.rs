//! What a load gave, and the same load on either transport.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::http_load::HttpSubject;
use crate::stdio_load::StdioSubject;
use crate::work::Work;

/// How hard and how long.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Kind of units.
    pub(crate) work: Work,
    /// Units under way at a time.
    pub(crate) in_flight: usize,
    /// New units begin for so long.
    pub(crate) time: Duration,
}

/// What was measured.
pub(crate) struct Load {
    /// Of every unit, sorted.
    latencies: Vec<Duration>,
    elapsed: Duration,
    /// CPU time of the server meanwhile.
    pub(crate) cpu: Duration,
}

impl Load {
    /// From what a generator saw.
    pub(crate) fn new(mut latencies: Vec<Duration>, started: Instant, cpu: Duration) -> Self {
        let elapsed = started.elapsed();
        latencies.sort();
        Self {
            latencies,
            elapsed,
            cpu,
        }
    }

    /// Units that were completed.
    pub(crate) fn units(&self) -> usize {
        self.latencies.len()
    }

    /// Median time of a unit, microseconds.
    pub(crate) fn p50_us(&self) -> f64 {
        self.latencies[self.latencies.len() / 2].as_secs_f64() * 1e6
    }

    /// The time within which 99 of 100 units were done, microseconds.
    pub(crate) fn p99_us(&self) -> f64 {
        self.latencies[self.latencies.len() * 99 / 100].as_secs_f64() * 1e6
    }

    /// Units a second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// CPU time of the server for one unit, microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.latencies.len() as f64
    }
}

/// A server under load.
pub(crate) enum Subject {
    /// On its pipes.
    Stdio(StdioSubject),
    /// Over HTTP.
    Http(Box<HttpSubject>),
}

impl Subject {
    /// Runs one load.
    ///
    /// # Errors
    /// When the server ends or answers wrongly.
    pub(crate) fn run(&mut self, plan: Plan) -> Result<Load> {
        match self {
            Self::Stdio(subject) => subject.run(plan),
            Self::Http(subject) => subject.run(plan),
        }
    }
}
