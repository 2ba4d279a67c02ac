//! Every mode, over both transports: eight calls at once on one payment are one run, a run that fails is made good, and a
//! client that goes away before, during or after the run loses nothing.
//!
//! Each cell is a home of its own with the real host. It is judged by the trace of what was really started, the ledger,
//! what a facilitator took, and what the client is told. Tasks, which are no mode, have the same in `tasks.rs`; kills at
//! every single place are `kills.rs`'s.

mod buying;
mod row;
mod stage;

use std::any::Any;
use std::fmt::Debug;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use coinop_tests::answer::Answer;
use coinop_tests::facilitator::Question;
use coinop_tests::talker::Talker;
use futures::future::join_all;
use futures::{FutureExt as _, StreamExt as _};

use crate::row::{ROWS, Row};
use crate::stage::{Leaving, Stage, Transport};

const TRANSPORTS: [Transport; 2] = [Transport::Http, Transport::Stdio];
const LEAVINGS: [Leaving; 3] = [Leaving::HangsUp, Leaving::ClosesPipes, Leaving::KillsHost];
/// Calls at once on one payment.
const AT_ONCE: usize = 8;
/// How long a run takes in which something is to happen, milliseconds.
const LONG_MS: u64 = 1_000;
/// Cells at a time.
const CELLS_AT_ONCE: usize = 3;

/// Runs a column of the table: every row with each of `variants`.
async fn column<V: Copy + Debug>(name: &str, variants: &[V], cell: impl AsyncFn(Row, V)) {
    column_of(&ROWS, name, variants, cell).await;
}

async fn column_of<V: Copy + Debug>(
    rows: &[Row],
    name: &str,
    variants: &[V],
    cell: impl AsyncFn(Row, V),
) {
    let began = Instant::now();
    let cells = rows
        .iter()
        .flat_map(|row| variants.iter().map(|variant| (*row, *variant)));
    let cells: Vec<(Row, V)> = cells.collect();
    let count = cells.len();
    let cell = &cell;
    let failures: Vec<String> = futures::stream::iter(cells)
        .map(|(row, variant)| async move {
            let played = AssertUnwindSafe(cell(row, variant)).catch_unwind().await;
            let told = |panic| format!("{row:?} {variant:?}: {}", said(panic));
            played.err().map(told)
        })
        .buffer_unordered(CELLS_AT_ONCE)
        .filter_map(async |failure| failure)
        .collect()
        .await;
    let took = began.elapsed().as_secs_f64();
    // Past the test harness, which keeps what passing tests print to itself.
    let _ = writeln!(
        std::io::stderr(),
        "every mode, {name}: {count} cells, {} failed, {took:.1} s",
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The message of a panic.
fn said(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => (*other.downcast_ref::<&str>().unwrap_or(&"it panicked")).to_owned(),
    }
}

fn ran(answer: &Answer) -> String {
    let text = answer.text();
    assert!(text.starts_with("ran at "), "{}", answer.0);
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_at_once_are_one_run() {
    column("eight at once", &TRANSPORTS, eight_at_once).await;
}

async fn eight_at_once(row: Row, transport: Transport) {
    let stage = Stage::open(row, transport).await;
    let client = stage.client().await;
    crowd(&stage, [&client; AT_ONCE]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_at_once_at_two_hosts_are_one_run() {
    column("eight at once at two hosts", &[()], at_two_hosts).await;
}

async fn at_two_hosts(row: Row, (): ()) {
    let stage = Stage::open(row, Transport::Http).await;
    let other = stage.home.http().await;
    let (one, two) = (stage.client().await, stage.client_of(&other).await);
    crowd(
        &stage,
        std::array::from_fn(|n| if n % 2 == 0 { &one } else { &two }),
    )
    .await;
}

/// As many calls as there are clients, on one payment, at once: one run, one payment taken, one outcome for all.
async fn crowd(stage: &Stage, clients: [&Talker; AT_ONCE]) {
    let mut asked = vec![stage.ask(clients[0], "send", 200).await];
    if stage.waits() {
        for client in &clients[1..] {
            asked.push(stage.ask(client, "send", 200).await);
        }
    }
    stage.pay(&asked[0]).await;
    let mut calls = Vec::new();
    for (n, client) in clients.into_iter().enumerate() {
        let asked = &mut asked[if stage.waits() { n } else { 0 }];
        calls.push((client, stage.redeem(client, asked).await));
    }
    let known = &asked[0];
    let answers = join_all(calls.into_iter().map(async |(client, call)| {
        let mut again = known.again();
        ran(&stage.known(client, &mut again, call).await)
    }));
    let answers = answers.await;
    assert!(
        answers.iter().all(|text| *text == answers[0]),
        "{answers:?}"
    );
    stage.ended("deliverable", 1).await;
    let settles = usize::from(stage.row.rail().is_some());
    assert_eq!(stage.facilitator.asked(Question::Settle).len(), settles);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_fails_is_made_good() {
    column("a tool that fails", &TRANSPORTS, fails).await;
}

async fn fails(row: Row, transport: Transport) {
    let stage = Stage::open(row, transport).await;
    let client = stage.client().await;
    for tool in ["fail", "trap"] {
        let mut asked = stage.ask(&client, tool, 0).await;
        stage.pay(&asked).await;
        for _ in 0..2 {
            let answer = stage.told(&client, &mut asked).await;
            assert!(answer.is_refused(), "{tool}: {}", answer.0);
        }
    }
    stage.ended(row.remedy(), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_before_the_run_loses_nothing() {
    column("gone before the run", &LEAVINGS, gone_before).await;
}

async fn gone_before(row: Row, how: Leaving) {
    let mut stage = Stage::open(row, how.transport()).await;
    let client = stage.client().await;
    let mut asked = stage.ask(&client, "send", 0).await;
    stage.leave(client, None, &mut asked, how).await;
    stage.pay_elsewhere(&asked).await;
    let back = stage.client().await;
    let first = ran(&stage.told(&back, &mut asked).await);
    assert_eq!(ran(&stage.told(&back, &mut asked).await), first);
    stage.ended("deliverable", 1).await;
}

/// While what it brought is checked, and while it is taken; in the other modes nobody asks a facilitator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_while_a_facilitator_is_asked_loses_nothing() {
    let moments = [Question::Verify, Question::Settle];
    let leavings = [Leaving::HangsUp, Leaving::ClosesPipes];
    let variants = leavings.map(|how| moments.map(|moment| (how, moment)));
    let mut rows = ROWS.to_vec();
    rows.retain(|row| row.rail().is_some());
    let name = "gone while the facilitator is asked";
    column_of(&rows, name, variants.as_flattened(), gone_while_asked).await;
}

async fn gone_while_asked(row: Row, (how, moment): (Leaving, Question)) {
    let mut stage = Stage::open(row, how.transport()).await;
    let client = stage.client().await;
    let mut asked = stage.ask(&client, "send", 0).await;
    let held = stage.facilitator.hold(moment).await;
    let call = stage.redeem(&client, &mut asked).await;
    stage.facilitator_is_asked(moment).await;
    let leaving = stage.leave(client, Some(call), &mut asked, how);
    tokio::join!(leaving, async { drop(held) });
    let back = stage.client().await;
    let first = ran(&stage.told(&back, &mut asked).await);
    assert_eq!(ran(&stage.told(&back, &mut asked).await), first);
    stage.ended("deliverable", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_during_the_run_loses_nothing() {
    column("gone during the run", &LEAVINGS, gone_during).await;
}

async fn gone_during(row: Row, how: Leaving) {
    let mut stage = Stage::open(row, how.transport()).await;
    let client = stage.client().await;
    let mut asked = stage.ask(&client, "send", LONG_MS).await;
    stage.pay(&asked).await;
    let call = stage.redeem(&client, &mut asked).await;
    stage.visited("before-run").await;
    stage.leave(client, Some(call), &mut asked, how).await;
    let back = stage.client().await;
    let answer = stage.told(&back, &mut asked).await;
    match how {
        // Whether it had its effect nobody knows: it never runs again, and its payer is made whole.
        Leaving::KillsHost => {
            assert!(answer.is_refused(), "{}", answer.0);
            stage.ended(row.remedy(), 1).await;
        }
        Leaving::HangsUp | Leaving::ClosesPipes => {
            ran(&answer);
            stage.ended("deliverable", 1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_after_the_run_loses_nothing() {
    column("gone after the run", &LEAVINGS, gone_after).await;
}

async fn gone_after(row: Row, how: Leaving) {
    let mut stage = Stage::open(row, how.transport()).await;
    let client = stage.client().await;
    let mut asked = stage.ask(&client, "send", 0).await;
    stage.pay(&asked).await;
    let call = stage.redeem(&client, &mut asked).await;
    let seen = match how {
        // A host that was killed before the outcome was on record is `kills.rs`'s.
        Leaving::KillsHost => {
            let mut again = asked.again();
            let answer = stage.known(&client, &mut again, call).await;
            stage.leave(client, None, &mut asked, how).await;
            Some(ran(&answer))
        }
        // The answer is on its way to nobody.
        Leaving::HangsUp | Leaving::ClosesPipes => {
            stage.visited("after-run").await;
            stage.leave(client, Some(call), &mut asked, how).await;
            None
        }
    };
    let back = stage.client().await;
    let first = ran(&stage.told(&back, &mut asked).await);
    assert_eq!(ran(&stage.told(&back, &mut asked).await), first);
    assert!(seen.is_none_or(|seen| seen == first));
    stage.ended("deliverable", 1).await;
}

#[test]
fn every_mode_of_the_core_has_a_row() {
    for mode in coinop_core::mode::MODES.iter().map(|mode| mode.name()) {
        let has_row = ROWS.iter().any(|row| row.mode == mode);
        assert!(has_row, "{mode} has no row");
    }
}
