//! A campaign: every scenario without a kill, then with a kill at each of its places, then with two at random.

use std::collections::BTreeSet;
use std::time::Instant;

use futures::StreamExt as _;

use super::aim::{Aim, joined};
use super::play::{Played, play};
use super::random::Random;
use super::scenario::Scenario;
use super::tally::Tally;

/// Tries at a place that chance may pass by.
const TRIES_MAX: usize = 4;
/// Visits of a recovering process among which its kill is chosen: more than most have, so that some survive.
const RECOVERY_VISITS: usize = 24;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What is played.
    pub scenarios: &'static [&'static [Scenario]],
    /// Plays with two random kills go on until there were as many kills altogether,
    pub kills: usize,
    /// and as many of them in such plays.
    pub in_pairs: usize,
    /// Of the random kills.
    pub seed: u64,
    /// Plays at a time.
    pub at_once: usize,
}

struct Job {
    scenario: &'static Scenario,
    aims: Vec<Aim>,
}

struct Done {
    job: Job,
    played: Result<Played, String>,
}

/// A scenario's processes and what each visits when nobody is killed.
struct Reference {
    scenario: &'static Scenario,
    visited: Vec<Vec<String>>,
}

/// Does it all.
pub async fn run(plan: Plan) -> Tally {
    let began = Instant::now();
    let mut tally = Tally::default();
    let references = references(&plan, &mut tally).await;
    singles(&plan, &references, &mut tally).await;
    doubles(&plan, &references, &mut tally).await;
    tally.took = began.elapsed();
    tally
}

/// Plays everything undisturbed. What goes wrong already then is played no further.
async fn references(plan: &Plan, tally: &mut Tally) -> Vec<Reference> {
    let jobs = plan
        .scenarios
        .iter()
        .copied()
        .flatten()
        .map(|scenario| Job {
            scenario,
            aims: Vec::new(),
        });
    let mut references = Vec::new();
    for done in all(plan, jobs.collect()).await {
        let scenario = done.job.scenario;
        if let Some(played) = count(done, tally) {
            references.push(Reference {
                scenario,
                visited: played.visited,
            });
        }
    }
    references
}

async fn singles(plan: &Plan, references: &[Reference], tally: &mut Tally) {
    let mut open: Vec<Job> = references.iter().flat_map(Reference::singles).collect();
    for _ in 0..TRIES_MAX {
        let mut passed_by = Vec::new();
        for done in all(plan, std::mem::take(&mut open)).await {
            let job = Job {
                scenario: done.job.scenario,
                aims: done.job.aims.clone(),
            };
            if count(done, tally).is_some_and(|played| played.deaths.is_empty()) {
                passed_by.push(job);
            }
        }
        open = passed_by;
    }
    let places: BTreeSet<String> = open.iter().map(Job::to_string).collect();
    tally.missed.extend(places);
}

async fn doubles(plan: &Plan, references: &[Reference], tally: &mut Tally) {
    let mut random = Random::seeded(plan.seed);
    if references.is_empty() {
        return;
    }
    let total = tally.total().saturating_add(plan.in_pairs);
    let total = total.max(plan.kills);
    while tally.total() < total {
        // Two kills a play at most; what chance passes by is made up for in the next batch.
        let jobs = (total - tally.total()).div_ceil(2);
        let jobs = (0..jobs).map(|_| {
            let reference = &references[random.below(references.len())];
            reference.double(&mut random)
        });
        let before = tally.total();
        for done in all(plan, jobs.collect()).await {
            count(done, tally);
        }
        if tally.total() == before {
            return;
        }
    }
}

impl Reference {
    /// A job for each visit of each process.
    fn singles(&self) -> impl Iterator<Item = Job> {
        let scenario = self.scenario;
        let seats = self.visited.iter().enumerate();
        seats.flat_map(move |(seat, visited)| {
            visited.iter().map(move |at| Job {
                scenario,
                aims: vec![Aim {
                    seat,
                    at: at.clone(),
                }],
            })
        })
    }

    /// A kill anywhere, and another one in the process that starts next.
    fn double(&self, random: &mut Random) -> Job {
        let seats: Vec<usize> = (0..self.visited.len())
            .filter(|seat| !self.visited[*seat].is_empty())
            .collect();
        let seat = seats[random.below(seats.len())];
        let mut aim = |seat, visits| Aim {
            seat,
            at: format!("#{}", 1 + random.below(visits)),
        };
        let first = aim(seat, self.visited[seat].len());
        let second = aim(seat + 1, RECOVERY_VISITS);
        Job {
            scenario: self.scenario,
            aims: vec![first, second],
        }
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "--scenario {} --at '{}'",
            self.scenario.name,
            joined(&self.aims)
        )
    }
}

async fn all(plan: &Plan, jobs: Vec<Job>) -> Vec<Done> {
    let plays = futures::stream::iter(jobs).map(|job| async {
        let (scenario, aims) = (job.scenario, job.aims.clone());
        // A task of its own, so that what panics is one play.
        let played = tokio::spawn(async move { play(scenario, &aims).await }).await;
        let played = played.map_err(|panic| panic.to_string());
        Done { job, played }
    });
    plays.buffered(plan.at_once).collect().await
}

/// Counts a play; `None` when a promise was broken in it.
fn count(done: Done, tally: &mut Tally) -> Option<Played> {
    let Done { job, played } = done;
    tally.plays += 1;
    let played = match played {
        Ok(played) => played,
        Err(panic) => {
            tally.violations.push(told(&job, &panic, None));
            return None;
        }
    };
    for death in &played.deaths {
        tally.killed(job.scenario.name, &death.place);
    }
    if played.violations.is_empty() {
        return Some(played);
    }
    let what = played.violations.join("\n  ");
    let home = played.home.as_ref().map(|home| home.display().to_string());
    tally.violations.push(told(&job, &what, home));
    None
}

fn told(job: &Job, what: &str, home: Option<String>) -> String {
    let kept = home.map_or_else(String::new, |home| format!("\n  kept in {home}"));
    format!("VIOLATION\n  {what}{kept}\n  again: cargo run -p coinop-tests --bin kills -- {job}")
}
