//! Nothing is lost by `kill -9`: every place of every scenario, and two kills at random.
//!
//! `COINOP_SEED` repeats the random ones; `cargo xtask night kills` is the long form. What goes wrong is told with the
//! command that repeats it, and its folder is kept.

use std::io::Write as _;

use coinop_tests::crash::campaign::{self, Plan};
use coinop_tests::crash::play::{play, play_and};
use coinop_tests::crash::random::Random;
use coinop_tests::crash::scenario::{SCENARIOS, Scenario};
use coinop_tests::home::Home;
use rusqlite::Connection;

/// What is promised of an ordinary run. The single kills are more than that by themselves.
const KILLS_MIN: usize = 300;
/// Kills in pairs, beside them.
const IN_PAIRS: usize = 100;

/// Places that every run of the whole comes to, whatever chance decides: effects outside, and commits.
const PLACES: [&str; 27] = [
    "before-commit-migrate",
    "after-commit-migrate",
    "before-commit-keep_component",
    "after-commit-keep_component",
    "before-verify",
    "after-verify",
    "before-commit-open",
    "after-commit-open",
    "after-reserve",
    "before-commit-advance",
    "after-commit-advance",
    "before-decide",
    "after-decide",
    "before-status",
    "after-status",
    "before-cancel",
    "after-cancel",
    "before-settle",
    "after-settle",
    "before-release",
    "after-release",
    "before-refund",
    "after-refund",
    "after-claim",
    "before-run",
    "after-run",
    "before-reply",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_by_kill_9() {
    let given = std::env::var("COINOP_SEED").ok();
    let seed = given.map_or_else(Random::fresh_seed, |seed| {
        seed.parse().expect("COINOP_SEED is a number")
    });
    let tally = campaign::run(Plan {
        scenarios: SCENARIOS,
        kills: KILLS_MIN,
        in_pairs: IN_PAIRS,
        seed,
        at_once: 4,
    })
    .await;
    // Past the test harness, which keeps what passing tests print to itself.
    let _ = writeln!(std::io::stderr(), "kills: seed {seed}\n{tally}");
    assert!(tally.violations.is_empty(), "COINOP_SEED={seed}\n{tally}");
    assert!(tally.total() >= KILLS_MIN, "{tally}");
    for place in PLACES {
        assert!(
            tally.killed_at(place) > 0,
            "nobody was killed at {place}\n{tally}"
        );
    }
}

/// Something done to what a play left, and a word of the verdict on it.
type Meddling = (fn(&Home), &'static str);

/// The verdict is no rubber stamp: whatever is changed behind the hosts' backs is noticed.
#[tokio::test]
async fn the_verdict_notices_what_is_not_true() {
    let cases: [Meddling; 12] = [
        (
            |home| sql(home, "UPDATE spent SET amount = 7"),
            "count as spent",
        ),
        (
            |home| sql(home, "DELETE FROM entry WHERE book = 'clearing'"),
            "sums to",
        ),
        (|home| sql(home, "DELETE FROM entry"), "add up"),
        (
            |home| sql(home, "UPDATE sandbox_payment SET state = 'declined'"),
            "the provider holds",
        ),
        (
            |home| sql(home, "UPDATE sandbox_payment SET refunded = 5"),
            "went back",
        ),
        (
            |home| sql(home, "UPDATE sandbox_payment SET state = 'reserved'"),
            "left behind",
        ),
        (
            |home| sql(home, "UPDATE sandbox_payment SET reference = 'sbx_other'"),
            "nobody's",
        ),
        (|home| sql(home, "DELETE FROM receipt"), "its receipt"),
        (
            |home| sql(home, "UPDATE chain SET count = 2"),
            "ends elsewhere",
        ),
        (
            |home| sql(home, "DELETE FROM outcome"),
            "an outcome is stored",
        ),
        (|home| twice(home, "before-run"), "was started 2 times"),
        (|home| without(home, "after-decide"), "before it was paid"),
    ];
    noticed("effectful", &cases).await;
}

/// So it is of payments that were brought.
#[tokio::test]
async fn the_verdict_notices_what_is_not_true_of_purchases() {
    let cases: [Meddling; 6] = [
        (|home| without(home, "after-verify"), "before it was paid"),
        (
            |home| without(home, "after-run"),
            "settled before it had run",
        ),
        (|home| twice(home, "before-run"), "was started 2 times"),
        (
            |home| body(home, "$.payment.reference", "another"),
            "bought 0 calls",
        ),
        (
            |home| body(home, "$.payment.reference", "another"),
            "is paid and nobody's",
        ),
        (
            |home| body(home, "$.state.state", "withheld"),
            "is withheld; its payment was taken: true",
        ),
    ];
    noticed("x402-effectful", &cases).await;
    let upfront: [Meddling; 1] = [(
        |home| without(home, "after-settle"),
        "run before it was settled",
    )];
    noticed("x402-upfront-effectful", &upfront).await;
}

async fn noticed(scenario: &str, cases: &[Meddling]) {
    let scenario = Scenario::named(scenario).unwrap();
    for (meddle, word) in cases {
        let played = play_and(scenario, &[], meddle).await;
        let told = played.violations.join("\n");
        assert!(told.contains(word), "expected {word:?}:\n{told}");
        std::fs::remove_dir_all(played.home.unwrap()).unwrap();
    }
    assert_eq!(play(scenario, &[]).await.violations, [""; 0]);
}

/// Writes a text into every call.
fn body(home: &Home, path: &str, text: &str) {
    let ledger = Connection::open(home.ledger()).unwrap();
    ledger.pragma_update(None, "foreign_keys", false).unwrap();
    let statement = "UPDATE call SET body = json_set(body, ?1, ?2)";
    assert!(ledger.execute(statement, [path, text]).unwrap() > 0);
}

fn sql(home: &Home, statement: &str) {
    let ledger = Connection::open(home.ledger()).unwrap();
    // Some tables refer to each other; here that is no obstacle.
    ledger.pragma_update(None, "foreign_keys", false).unwrap();
    assert!(ledger.execute(statement, []).unwrap() > 0, "{statement}");
}

/// Has the trace say that this place was never visited.
fn without(home: &Home, place: &str) {
    retrace(home, place, 0);
}

/// Has the trace say that this place was visited twice each time.
fn twice(home: &Home, place: &str) {
    retrace(home, place, 2);
}

fn retrace(home: &Home, place: &str, times: usize) {
    let path = home.path("trace");
    let text = std::fs::read_to_string(&path).unwrap();
    let each = |line| {
        let is_there = str::contains(line, place);
        std::iter::repeat_n(line, if is_there { times } else { 1 })
    };
    let lines: Vec<&str> = text.lines().flat_map(each).collect();
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
}
