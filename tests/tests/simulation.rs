//! Worlds of core, gate and ledger under every fault that a seed says: no promise is ever broken.

use coinop_tests::sim::{self, Sweep};

/// Seeds of the ordinary run, about half a minute of CPU; `simulate` runs as many as one likes.
const SEEDS: u64 = 3_000;

#[test]
fn no_seed_breaks_a_promise() {
    let swept = Sweep {
        first: 1,
        seeds: SEEDS,
        threads: 2,
    }
    .run();
    if let Some(seed) = swept.failed {
        panic!("{}", sim::account_of(seed));
    }
    let counts = &swept.counts;
    println!("{} seeds: {counts:#?}", swept.seeds);
    // Worlds in which nothing happens prove nothing.
    for what in [
        "deliverable",
        "refunded",
        "credited",
        "withheld",
        "declined",
        "expired",
        "attention",
        "kills",
        "freezes",
        "blocks",
        "late payments",
        "refund orders",
        "remedy orders",
        "starts",
        "brought payments",
    ] {
        assert!(counts.contains_key(what), "no seed had {what}: {counts:?}");
    }
}

/// The seed of `COINOP_SEED`, with everything that happens in it.
#[test]
fn one_seed() {
    let seed = std::env::var("COINOP_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let run = sim::run(seed, true);
    assert!(run.broken.is_empty(), "{}", sim::account_of(seed));
    assert!(!run.trace.is_empty());
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in 1..40 {
        let (once, again) = (sim::run(seed, true), sim::run(seed, false));
        assert_eq!(once.hash, again.hash, "seed {seed}");
        assert_ne!(once.hash, sim::run(seed + 1, false).hash, "seed {seed}");
    }
}
