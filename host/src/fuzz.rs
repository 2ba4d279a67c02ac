//! Properties over random inputs: how many cases, from which seed, and what is said when one fails. For tests.
//!
//! Every run draws a seed of its own, and a failure prints it. `COINOP_FUZZ_SEED` repeats a run, `COINOP_FUZZ_SCALE`
//! multiplies its cases, `COINOP_FUZZ_SECONDS` makes each property go on for that long: the long form is
//! `cargo xtask fuzz`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

/// Longest text that a mutation puts in, bytes.
const INSERTED_BYTES_MAX: usize = 16;

/// Holds `property` against `cases` values, and against more where the environment says so.
#[track_caller]
pub(crate) fn holds<S: Strategy>(
    cases: u32,
    strategy: S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let began = Instant::now();
    let until = number("COINOP_FUZZ_SECONDS").map(|s| began + Duration::from_secs(s));
    let scale = number("COINOP_FUZZ_SCALE").unwrap_or(1);
    let cases = u64::from(cases).saturating_mul(scale);
    let cases = u32::try_from(cases).unwrap_or(u32::MAX);
    let mut rounds = 0_u64;
    let mut seed = number("COINOP_FUZZ_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    loop {
        round(cases, seed, &strategy, &property);
        rounds += 1;
        match until {
            Some(until) if Instant::now() < until => seed = seed.wrapping_add(1),
            _ => break,
        }
    }
    // Seen with --nocapture, which the long form asks for.
    let thread = std::thread::current();
    let (name, took) = (thread.name().unwrap_or_default(), began.elapsed());
    eprintln!("{name}: {rounds} rounds of {cases} cases in {took:.1?}");
}

#[track_caller]
fn round<S: Strategy>(
    cases: u32,
    seed: u64,
    strategy: &S,
    property: &impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    match TestRunner::new(config).run(strategy, property) {
        Ok(()) => {}
        Err(TestError::Fail(why, value)) => {
            panic!(
                "seed {seed} (repeat with COINOP_FUZZ_SEED={seed}): {why}\nleast input: {value:?}"
            )
        }
        Err(TestError::Abort(why)) => panic!("seed {seed}: {why}"),
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a whole number"))
}

/// The files of a folder of `tests/corpus`, with their names, sorted.
pub(crate) fn corpus(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/corpus")
        .join(folder);
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: PathBuf| {
        let bytes = std::fs::read(&file).unwrap();
        (file, bytes)
    };
    let files: Vec<_> = files.into_iter().map(read).collect();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

/// One of `seeds` with a few changes.
pub(crate) fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec(change(), 0..8);
    (prop::sample::select(seeds), changes)
        .prop_map(|(bytes, changes)| changes.into_iter().fold(bytes, Change::apply))
}

#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let inserted = prop::collection::vec(any::<u8>(), 1..INSERTED_BYTES_MAX);
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        // Numbers at the edges of what a length may be.
        4 => (at(), prop::sample::select(vec![0, 1, 0x7f, 0x80, 0xff])).prop_map(|(at, b)| Change::Put(at, b)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Put(at, byte)),
        2 => (at(), inserted).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (at(), 1..64_usize).prop_map(|(at, len)| Change::Remove(at, len)),
        2 => (at(), 1..64_usize).prop_map(|(at, len)| Change::Repeat(at, len)),
        1 => at().prop_map(Change::Cut),
    ]
}

impl Change {
    fn apply(mut bytes: Vec<u8>, change: Self) -> Vec<u8> {
        if bytes.is_empty() {
            return bytes;
        }
        let len = bytes.len();
        let range = |at: Index, length: usize| {
            let start = at.index(len);
            start..len.min(start + length)
        };
        match change {
            Self::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
            Self::Put(at, byte) => bytes[at.index(len)] = byte,
            Self::Insert(at, inserted) => {
                let at = at.index(len);
                bytes.splice(at..at, inserted);
            }
            Self::Remove(at, length) => drop(bytes.drain(range(at, length))),
            Self::Repeat(at, length) => {
                let range = range(at, length);
                let (start, part) = (range.start, bytes[range].to_vec());
                bytes.splice(start..start, part);
            }
            Self::Cut(at) => bytes.truncate(at.index(len)),
        }
        bytes
    }
}

/// A JSON value, shallow.
pub(crate) fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value, json};
    let number = prop_oneof![
        any::<i64>().prop_map(|n| json!(n)),
        any::<u64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        (-300..300_i32).prop_map(|n| json!(f64::from(n))),
        Just(json!((1_u64 << 53) - 1)),
        Just(json!(1_u64 << 53)),
        Just(json!(1e39)),
    ];
    let text = prop_oneof![
        "[a-z-]{0,6}",
        any::<String>(),
        "-?[0-9]{1,21}",
        "[A-Za-z0-9+/]{0,6}={0,2}",
        Just("NaN".to_owned()),
        Just("-Infinity".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number,
        text.prop_map(Value::String),
    ];
    let key = prop_oneof!["tag|val|some|ok|err|result", "[a-z-]{1,4}"];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
