//! One run: take a place, build a store or take one that is kept, instantiate, call, check the answer, explain a failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use coinop_core::outcome::Outcome;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::I32Exit;

use super::engine::Metering;
use super::error::RunError;
use super::kept::Kept;
use super::load::{Adapter, Component, Shared, Started};
use super::log::{LogPipe, cut};
use super::mask::Mask;
use super::pace::Pace;
use super::progress::Progress;
use super::reach::{Denials, Reach};
use super::state::{self, State};
use super::warm::{Claim, Found, Terms, Warm};
use super::{Run, RunReport, Share, answer, v0_1_0};
use crate::limits::Limits;

/// Bytes of the engine's words that are passed on.
const REASON_BYTES_MAX: usize = 512;
/// Stands for the instructions of a run that are not counted.
const NOT_COUNTED: u64 = u64::MAX;

/// The right to run, one run after another: a place among the component's runs, and memories of the pool.
pub struct Place {
    _of_component: OwnedSemaphorePermit,
    _memories: OwnedSemaphorePermit,
}

/// What a run leaves besides its result.
struct Traces {
    log: LogPipe,
    denials: Arc<Denials>,
    fuel_used: AtomicU64,
}

/// See [`Component::run`].
pub(super) async fn run(component: &Component, run: Run<'_>, place: Option<&Place>) -> RunReport {
    let started = Instant::now();
    let limits = run.limits;
    let mut traces = Traces {
        log: LogPipe::new(limits.log_bytes_max),
        denials: Arc::default(),
        fuel_used: AtomicU64::new(NOT_COUNTED),
    };
    let mask = Mask::of(run.grants);
    let result = run_within(component, run, place, &mut traces).await;
    let fuel_used = traces.fuel_used.into_inner();
    RunReport {
        result: result.map_err(|error| mask.error(error)),
        log: mask.log(traces.log.take()),
        denials: mask.denials(traces.denials.take()),
        fuel_used: (fuel_used != NOT_COUNTED).then_some(fuel_used),
        wall: started.elapsed(),
    }
}

async fn run_within(
    component: &Component,
    run: Run<'_>,
    place: Option<&Place>,
    traces: &mut Traces,
) -> Result<Outcome, RunError> {
    if !component.schemas.contains_key(run.tool) {
        return Err(RunError::UnknownTool(cut(run.tool, 64).to_owned()));
    }
    let limits = run.limits;
    if limits.fuel_max.is_some() && component.shared.metering == Metering::Off {
        let reason = "its code does not count instructions";
        return Err(RunError::Unavailable(reason.into()));
    }
    let wall = Duration::from_millis(limits.wall_ms_max);
    let _own_place = match place {
        Some(_) => None,
        None => Some(place_within(component, limits, wall).await?),
    };
    let claim = claim(component, &run);
    let kept = claim
        .as_ref()
        .and_then(|(claim, warm)| component.shared.kept.take(claim, warm));
    let served = kept.as_ref().map_or(0, |found| found.served);
    // What it waited for its place is not the guest's time.
    let started = Instant::now();
    let ran = in_store(component, &run, traces, kept.map(|k| k.instance), started);
    let over = RunError::WallTime {
        limit_ms: limits.wall_ms_max,
    };
    let (outcome, instance) = tokio::time::timeout(wall, ran).await.unwrap_or(Err(over))?;
    if let Some((claim, warm)) = claim {
        let served = served.saturating_add(1);
        stay(component, claim, &warm, Found { instance, served });
    }
    Ok(outcome)
}

/// Whose instances a run may have and leave, and how; `None` for a fresh one that nobody has after it.
fn claim(component: &Component, run: &Run<'_>) -> Option<(Claim, Warm)> {
    let Share { key, warm } = run.share?;
    if !warm.undeclared && !component.declares_warm(run.tool) {
        return None;
    }
    let claim = Claim {
        owner: component.owner(),
        share: key,
        terms: Terms::of(run)?,
    };
    Some((claim, warm))
}

/// Keeps an instance after a good call, if it bears that.
fn stay(component: &Component, claim: Claim, warm: &Warm, mut found: Found<Kept>) {
    let Kept { store, started, .. } = &mut found.instance;
    if started.is_callable() && state::rest(store) {
        let kept = &component.shared.kept;
        // Whoever retired the component meanwhile meant this one too.
        let is_current = || component.owner() == claim.owner;
        kept.keep(component.memories, claim.clone(), warm, found, is_current);
    }
}

/// See [`Component::place`].
pub(super) async fn place_within(
    component: &Component,
    limits: &Limits,
    patience: Duration,
) -> Result<Place, RunError> {
    let places = component.places(limits.concurrent_runs_max);
    let begun = Instant::now();
    let of_component = places.take(1, limits.waiting_runs_max);
    let of_component = match tokio::time::timeout(patience, of_component).await {
        Ok(Ok(taken)) => taken,
        Ok(Err(_)) | Err(_) => return Err(RunError::PluginBusy),
    };
    let left = patience.saturating_sub(begun.elapsed());
    let (shared, waiting_max) = (&component.shared, component.shared.waiting_max);
    let memories = take_memories(shared, component.memories, waiting_max);
    let memories = tokio::time::timeout(left, memories).await;
    Ok(Place {
        _of_component: of_component,
        _memories: memories.unwrap_or(Err(RunError::HostBusy))?,
    })
}

/// One run in an instance that was kept, or else in a fresh one. Only a run that ends well gives it back.
async fn in_store(
    component: &Component,
    run: &Run<'_>,
    traces: &mut Traces,
    kept: Option<Kept>,
    begun: Instant,
) -> Result<(Outcome, Kept), RunError> {
    let (shared, limits) = (&component.shared, run.limits);
    let pace = Pace::new(
        Duration::from_millis(limits.cpu_ms_max),
        component.ways.clone(),
    );
    let progress = run.progress.clone().map(Progress::new);
    let mut kept = match kept {
        Some(kept) => again(kept, shared, run, traces, &pace, progress),
        None => {
            let settings = run.settings.clone();
            let reach = Reach::of(run, &traces.log, &traces.denials, &shared.dialer).await?;
            Kept {
                store: state::store(&shared.engine, limits, reach, &pace, settings, progress),
                started: Started::default(),
                log: traces.log.clone(),
                denials: Arc::clone(&traces.denials),
            }
        }
    };
    let Kept { store, started, .. } = &mut kept;
    let called = async {
        let context = v0_1_0::Context {
            call_id: run.execution_id,
            remaining_ms: remaining_ms(limits, begun),
            caller: run.caller,
        };
        let answered = match &component.adapter {
            Adapter::V0_1(linked) => {
                let started = &mut started.v0_1;
                linked
                    .call(store, started, run.tool, run.arguments, context)
                    .await
            }
            // Nothing is started to be kept: tasks that its answer left behind end with its store.
            Adapter::V0_1Async(linked) => {
                linked.call(store, run.tool, run.arguments, context).await
            }
            Adapter::Derived(linked) => {
                let started = &mut started.derived;
                linked
                    .call(store, started, run.tool, run.arguments, limits)
                    .await
            }
        }?;
        // Reading an answer costs as much as the guest likes, so it is done by the run's lane or turn.
        let schema = component.schemas.get(run.tool).and_then(Option::as_ref);
        let accept = |outcome| answer::accept(outcome, schema, limits.output_bytes_max);
        Ok(answered.and_then(accept))
    };
    let called = pace.of(called).await;
    if let (Some(limit), Ok(left)) = (limits.fuel_max, store.get_fuel()) {
        let used = limit.saturating_add(1).saturating_sub(left);
        traces.fuel_used.store(used.min(limit), Ordering::Relaxed);
        if left == 0 {
            return Err(RunError::Fuel { limit });
        }
    }
    match called {
        Ok(answered) => answered.map(|outcome| (outcome, kept)),
        Err(error) => Err(explain(&error, kept.store.data(), limits)),
    }
}

/// Readies a kept instance for one more run, and has its traces told as this run's.
fn again(
    mut kept: Kept,
    shared: &Shared,
    run: &Run<'_>,
    traces: &mut Traces,
    pace: &Arc<Pace>,
    progress: Option<Progress>,
) -> Kept {
    // Nothing is in them, unless a connection ended late.
    drop(kept.log.take());
    drop(kept.denials.take());
    traces.log = kept.log.clone();
    traces.denials = Arc::clone(&kept.denials);
    state::renew(&mut kept.store, run.limits, pace, progress);
    let reach = &mut kept.store.data_mut().reach;
    reach.renew(run, &kept.denials, &shared.dialer);
    kept
}

/// Takes memories of the pool, so that instantiating never finds it empty.
pub(super) async fn take_memories(
    shared: &Shared,
    memories: u32,
    waiting_max: usize,
) -> Result<OwnedSemaphorePermit, RunError> {
    let taken = shared.kept.memories(memories, waiting_max).await;
    taken.map_err(|_| RunError::HostBusy)
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
    if let Some(requested) = state.limiter.refused_elements() {
        return RunError::Table {
            requested,
            limit: limits.table_elements_max,
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
        Some(Trap::OutOfFuel) => RunError::Fuel {
            limit: limits.fuel_max.unwrap_or(u64::MAX),
        },
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
    if words.starts_with("resource limit exceeded: instance count") {
        RunError::Instances {
            limit: limits.instances_max,
        }
    } else if words.contains("fuel allocated for hostcalls") {
        RunError::Output {
            limit: limits.output_bytes_max,
        }
    } else if NOT_AN_ANSWER.iter().any(|part| words.contains(part)) {
        RunError::InvalidOutput(reason)
    } else {
        RunError::Trap { reason }
    }
}
