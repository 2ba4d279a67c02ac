//! One run: take a place, build a store, instantiate, call, check the answer, explain a failure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coinop_core::outcome::Outcome;
use tokio::sync::SemaphorePermit;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::I32Exit;

use super::error::RunError;
use super::load::{Adapter, Component, Shared};
use super::log::{LogPipe, cut};
use super::mask::Mask;
use super::pace::Pace;
use super::progress::Progress;
use super::reach::{Denials, Reach};
use super::state::{self, State};
use super::{Run, RunReport, answer, v0_1_0};
use crate::limits::Limits;

/// Bytes of the engine's words that are passed on.
const REASON_BYTES_MAX: usize = 512;

/// See [`Component::run`].
pub(super) async fn run(component: &Component, run: Run<'_>) -> RunReport {
    let started = Instant::now();
    let limits = run.limits;
    let log = LogPipe::new(limits.log_bytes_max);
    let wall = Duration::from_millis(limits.wall_ms_max);
    let denials = Arc::<Denials>::default();
    let mask = Mask::of(run.grants);
    let result =
        match tokio::time::timeout(wall, run_now(component, run, &log, &denials, started)).await {
            Ok(result) => result,
            Err(_) => Err(RunError::WallTime {
                limit_ms: limits.wall_ms_max,
            }),
        };
    RunReport {
        result: result.map_err(|error| mask.error(error)),
        log: mask.log(log.take()),
        denials: denials.take(),
        wall: started.elapsed(),
    }
}

async fn run_now(
    component: &Component,
    run: Run<'_>,
    log: &LogPipe,
    denials: &Arc<Denials>,
    started: Instant,
) -> Result<Outcome, RunError> {
    let Some(schema) = component.schemas.get(run.tool) else {
        return Err(RunError::UnknownTool(cut(run.tool, 64).to_owned()));
    };
    let shared = &component.shared;
    let places = component.places(run.limits.concurrent_runs_max);
    let _place = places.acquire().await.map_err(closed)?;
    let _memories = take_memories(shared, component.memories).await?;
    let outcome = in_fresh_store(component, &run, log, denials, started).await?;
    answer::accept(outcome, schema.as_ref(), run.limits.output_bytes_max)
}

async fn in_fresh_store(
    component: &Component,
    run: &Run<'_>,
    log: &LogPipe,
    denials: &Arc<Denials>,
    started: Instant,
) -> Result<Outcome, RunError> {
    let (shared, limits) = (&component.shared, run.limits);
    let pace = Pace::new(
        Duration::from_millis(limits.cpu_ms_max),
        Arc::clone(&shared.turns),
    );
    let progress = run.progress.clone().map(Progress::new);
    let settings = run.settings.clone();
    let reach = Reach::of(run, log, denials, &shared.dialer).await?;
    let mut store = state::store(&shared.engine, limits, reach, &pace, settings, progress);
    let called = async {
        match &component.adapter {
            Adapter::V0_1(linked) => {
                let context = v0_1_0::Context {
                    call_id: run.execution_id,
                    remaining_ms: remaining_ms(limits, started),
                    caller: run.caller,
                };
                linked
                    .call(&mut store, run.tool, run.arguments, context)
                    .await
            }
            Adapter::Derived(linked) => {
                linked
                    .call(&mut store, run.tool, run.arguments, limits)
                    .await
            }
        }
    };
    match pace.of(called).await {
        Ok(answered) => answered,
        Err(error) => Err(explain(&error, store.data(), limits)),
    }
}

/// Takes memories of the pool, so that instantiating never finds it empty.
pub(super) async fn take_memories(
    shared: &Shared,
    memories: u32,
) -> Result<SemaphorePermit<'_>, RunError> {
    shared.memories.acquire_many(memories).await.map_err(closed)
}

fn closed(_: tokio::sync::AcquireError) -> RunError {
    RunError::Unavailable("the host is shutting down".into())
}

fn remaining_ms(limits: &Limits, started: Instant) -> u32 {
    let wall = Duration::from_millis(limits.wall_ms_max);
    let left = wall.saturating_sub(started.elapsed());
    u32::try_from(left.as_millis()).unwrap_or(u32::MAX)
}

/// What ended a run, from what is known of it. Limits first: a guest that was refused memory ends like one with a bug.
pub(super) fn explain(error: &wasmtime::Error, state: &State, limits: &Limits) -> RunError {
    if let Some(requested) = state.limiter.refused_bytes() {
        return RunError::Memory {
            requested,
            limit: limits.memory_bytes_max,
        };
    }
    if state.cpu_is_exhausted {
        return RunError::CpuTime {
            limit_ms: limits.cpu_ms_max,
        };
    }
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        let reason = format!("it left with exit code {code} instead of answering");
        return RunError::Trap { reason };
    }
    if let Some(error) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        return RunError::Unavailable(error.to_string());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => RunError::StackOverflow,
        Some(trap) => RunError::Trap {
            reason: trap.to_string(),
        },
        None => explain_words(&error.root_cause().to_string(), limits),
    }
}

/// Errors of lifting an answer have no types of their own.
fn explain_words(words: &str, limits: &Limits) -> RunError {
    const NOT_AN_ANSWER: &[&str] = &["utf-8", "out of bounds", "discriminant", "not aligned"];
    let reason = cut(words, REASON_BYTES_MAX).to_owned();
    if words.contains("fuel allocated for hostcalls") {
        RunError::Output {
            limit: limits.output_bytes_max,
        }
    } else if NOT_AN_ANSWER.iter().any(|part| words.contains(part)) {
        RunError::InvalidOutput(reason)
    } else {
        RunError::Trap { reason }
    }
}
