//! Runs many seeds of the simulation: `simulate --seeds N [--first SEED] [--threads N]`.
//!
//! Ends with an error at the first seed that breaks a promise, after printing what happened in it.

use std::process::ExitCode;
use std::time::Instant;

use coinop_tests::sim::{self, Sweep};

fn main() -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut sweep = Sweep {
        first: 1,
        seeds: 10_000,
        threads,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|number| number.parse::<u64>().ok());
        match (word.as_str(), number) {
            ("--seeds", Some(number)) => sweep.seeds = number,
            ("--first", Some(number)) => sweep.first = number,
            ("--threads", Some(number)) => sweep.threads = number.max(1) as usize,
            _ => {
                eprintln!("usage: simulate [--seeds N] [--first SEED] [--threads N]");
                return ExitCode::from(2);
            }
        }
    }
    let begin = Instant::now();
    let swept = sweep.run();
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{} seeds in {seconds:.1} s on {} threads",
        swept.seeds, sweep.threads
    );
    println!("{:#?}", swept.counts);
    match swept.failed {
        None => ExitCode::SUCCESS,
        Some(seed) => {
            eprintln!("{}", sim::account_of(seed));
            ExitCode::FAILURE
        }
    }
}
