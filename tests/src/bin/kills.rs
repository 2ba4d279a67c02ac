//! The long form of `tests/kills.rs`, and the way to repeat one play: kills hosts until there were as many kills as asked for.
//!
//! `kills [--kills N] [--seed N] [--at-once N]`, or `kills --scenario NAME --at PROCESS/PLACE:N[,PROCESS/#N]`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use coinop_tests::crash::aim::Aim;
use coinop_tests::crash::campaign::{self, Plan};
use coinop_tests::crash::play::play;
use coinop_tests::crash::random::Random;
use coinop_tests::crash::scenario::{SCENARIOS, Scenario};

const USAGE: &str =
    "usage: kills [--kills N] [--seed N] [--at-once N] | kills --scenario NAME [--at AIM,AIM]";

#[derive(Default)]
struct Arguments {
    kills: Option<usize>,
    seed: Option<u64>,
    at_once: Option<usize>,
    scenario: Option<&'static Scenario>,
    aims: Vec<Aim>,
}

impl Arguments {
    fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut read = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            let value = words.next().context(USAGE)?;
            match word.as_str() {
                "--kills" => read.kills = Some(value.parse().context("--kills")?),
                "--seed" => read.seed = Some(value.parse().context("--seed")?),
                "--at-once" => read.at_once = Some(value.parse().context("--at-once")?),
                "--scenario" => read.scenario = Some(Scenario::named(&value).context(scenarios())?),
                "--at" => read.aims = value.split(',').map(str::parse).collect::<Result<_>>()?,
                _ => bail!(USAGE),
            }
        }
        Ok(read)
    }
}

fn scenarios() -> String {
    let names: Vec<&str> = Scenario::all().map(|scenario| scenario.name).collect();
    format!("there are the scenarios {}", names.join(", "))
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    Ok(match arguments.scenario {
        Some(scenario) => once(scenario, &arguments.aims).await,
        None => all(&arguments).await,
    })
}

async fn once(scenario: &'static Scenario, aims: &[Aim]) -> ExitCode {
    let played = play(scenario, aims).await;
    for (seat, visited) in played.visited.iter().enumerate() {
        println!("process {seat}: {}", visited.join(" "));
    }
    for death in &played.deaths {
        println!("killed process {} at {}", death.seat, death.place);
    }
    for violation in &played.violations {
        println!("VIOLATION {violation}");
    }
    if let Some(home) = &played.home {
        println!("kept in {}", home.display());
    }
    ended(played.violations.is_empty())
}

async fn all(arguments: &Arguments) -> ExitCode {
    let seed = arguments.seed.unwrap_or_else(Random::fresh_seed);
    println!("seed {seed}");
    let tally = campaign::run(Plan {
        scenarios: SCENARIOS,
        kills: arguments.kills.unwrap_or(10_000),
        in_pairs: 0,
        seed,
        at_once: arguments.at_once.unwrap_or(4),
    })
    .await;
    print!("{tally}");
    for aim in &tally.missed {
        println!("not reached: {aim}");
    }
    ended(tally.violations.is_empty())
}

fn ended(well: bool) -> ExitCode {
    match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
