//! The tools: they answer, fail, trap or take too long, and every start is witnessed.

use std::sync::Arc;

use coinop::gate::{Errand, Job, Ready, Runner};
use coinop_core::Millis;
use coinop_core::call::Failure;
use coinop_core::ids::CallId;
use coinop_core::outcome::{Content, Outcome};
use futures::future::BoxFuture;
use serde_json::json;

use super::life::Life;
use crate::sim::world::World;

pub(super) struct RunnerPort {
    world: Arc<World>,
    life: Arc<Life>,
}

impl RunnerPort {
    pub(super) fn new(world: &Arc<World>, life: &Arc<Life>) -> Self {
        Self {
            world: Arc::clone(world),
            life: Arc::clone(life),
        }
    }
}

impl Runner for RunnerPort {
    fn prepare(&self, _: Errand) -> BoxFuture<'_, Result<Ready, Failure>> {
        Box::pin(async move {
            self.life.pass().await;
            match self.world.weather.withholds_code(&self.world.dice) {
                true => Err(failure("host_unavailable")),
                false => Ok(Ready::default()),
            }
        })
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Result<Outcome, Failure>> {
        Box::pin(async move {
            if self.life.is_killed() {
                return std::future::pending().await;
            }
            let (world, dice) = (&self.world, &self.world.dice);
            let call: CallId = job.execution_id.parse().map_err(|_| failure("no_call"))?;
            let epoch = self.life.epoch_of(&call);
            let run = world.witness_start(&self.life.name, &call, epoch);
            let limit = Millis::try_from(job.limits.wall_ms_max).unwrap_or(Millis::MAX);
            let spoilt = world.weather.spoils_a_run(dice).then(|| dice.below(4));
            let time = match spoilt {
                Some(0) => limit,
                Some(1) => dice.between(limit / 2, limit),
                _ if dice.chance(300) => dice.between(0, limit - 1),
                _ => dice.between(0, 1_500),
            };
            if world.weather.stops_a_run(dice) {
                // About as long as a lease, so that its owner comes back while another host is at it.
                self.life.freeze_after(0, dice.between(12_000, 25_000));
            }
            self.life.sleep(time).await;
            self.life.pass().await;
            match spoilt {
                Some(0) => Err(failure("wall_time")),
                Some(2) => Err(failure("declared")),
                Some(3) => Err(failure("trap")),
                _ => Ok(outcome(&job, epoch, run, dice.chance(50))),
            }
        })
    }
}

/// What a run says: who it was for, and which run of which claim it was.
fn outcome(job: &Job, epoch: u32, run: u32, is_error: bool) -> Outcome {
    let text = json!({
        "call": job.execution_id,
        "tool": job.tool,
        "arguments": job.arguments,
        "epoch": epoch,
        "run": run,
    });
    Outcome {
        content: vec![Content::text(text.to_string())],
        is_error,
        ..Outcome::default()
    }
}

fn failure(kind: &str) -> Failure {
    Failure {
        kind: kind.to_owned(),
        message: format!("the tool failed: {kind}"),
    }
}
