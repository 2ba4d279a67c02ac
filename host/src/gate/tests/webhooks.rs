//! Webhooks at the gate: whatever comes, how often and in which order, what counts is the provider's record.

use std::sync::atomic::Ordering;

use coinop_core::mode::AskStatus;
use futures::{StreamExt as _, stream};
use serde_json::json;

use super::local;
use super::world::{START, World, asked, component, price, text};
use crate::gate::webhook::{Heard, Notified as _, Unheard};
use crate::ledger::{Components as _, Ledger as _};
use crate::provider::Standing;

/// How a webhook of one event comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// That the payment was made: says nothing new.
    Created,
    /// That it was paid.
    Paid,
    /// The same event once more.
    PaidAgain,
    /// Somebody else's, that it was declined.
    DeclinedForged,
    /// That money went back, though none did.
    Refunded,
}

const ALL: [Sent; 5] = [
    Sent::Created,
    Sent::Paid,
    Sent::PaidAgain,
    Sent::DeclinedForged,
    Sent::Refunded,
];

impl Sent {
    fn event(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Paid | Self::PaidAgain => "paid",
            Self::DeclinedForged => "declined",
            Self::Refunded => "refunded",
        }
    }
}

/// What came of it, in a word.
fn word(result: Result<Heard, Unheard>) -> &'static str {
    match result {
        Ok(Heard::Looked) => "looked",
        Ok(Heard::Before) => "before",
        Ok(Heard::NotOurs) => "not ours",
        Ok(Heard::NotUnderstood) => "not understood",
        Err(Unheard::Unexpected) => "unexpected",
        Err(Unheard::Forged) => "forged",
        Err(Unheard::NotNow(_)) => "not now",
    }
}

impl World {
    async fn send(&self, signed: &str, body: &str) -> &'static str {
        let headers = [("signed".to_owned(), signed.to_owned())];
        word(self.gate.webhook("main", &headers, body.as_bytes()).await)
    }

    /// A genuine webhook about the payment `id`.
    async fn tell(&self, event: &str, id: &str) -> &'static str {
        let reference = self.record(id).await.call.payment.reference.unwrap();
        self.send("yes", &format!("{event} {reference}")).await
    }

    async fn seen(&self, event: &str) -> bool {
        let seen = self.ledger.webhook_seen("main".into(), event.into());
        seen.await.unwrap()
    }

    async fn quoted(&self, case: usize) -> String {
        let arguments = json!({ "case": case });
        asked(&self.ask(arguments, &local()).await, AskStatus::Required)
    }

    fn stands(&self, standing: Standing) {
        *self.bank.standing.lock().unwrap() = standing;
    }

    /// A call that ended unpaid, `Expired` or `Declined`.
    async fn ended_unpaid(&self, case: usize, state: &str) -> String {
        self.stands(Standing::Pending);
        let id = self.quoted(case).await;
        match state {
            "expired" => self.pass(60_000),
            _ => self.stands(Standing::Declined),
        }
        self.confirm(&id, &local()).await;
        assert_eq!(self.state(&id).await, state);
        id
    }
}

/// Every order of every subset.
fn sequences(of: &[Sent]) -> Vec<Vec<Sent>> {
    let mut all = vec![Vec::new()];
    for (index, first) in of.iter().enumerate() {
        let rest = [&of[..index], &of[index + 1..]].concat();
        all.extend(sequences(&rest).into_iter().map(|mut sequence| {
            sequence.insert(0, *first);
            sequence
        }));
    }
    all
}

#[test]
fn the_sequences_are_all_there() {
    // 1 + 5 + 20 + 60 + 120 + 120 orders of 0, 1, 2, 3, 4 and 5 of them.
    assert_eq!(sequences(&ALL).len(), 326);
}

/// Sends a sequence about one payment, and checks what each is answered.
async fn send_all(world: &World, case: usize, id: &str, sequence: &[Sent]) {
    let reference = world.record(id).await.call.payment.reference.unwrap();
    let mut seen = Vec::new();
    for sent in sequence {
        let (event, forged) = (sent.event(), *sent == Sent::DeclinedForged);
        let body = format!("{event}-{case} {reference}");
        let answer = world.send(if forged { "no" } else { "yes" }, &body).await;
        let expected = match (forged, seen.contains(&event)) {
            (true, _) => "forged",
            (false, true) => "before",
            (false, false) => "looked",
        };
        assert_eq!(answer, expected, "{sent:?} of {sequence:?}");
        seen.push(event);
    }
}

/// A payment that is paid, its webhooks in this order, and its caller before or after them.
async fn ends_delivered(world: &World, case: usize, sequence: &[Sent], confirmed_first: bool) {
    let id = world.quoted(case).await;
    let mut texts = Vec::new();
    if confirmed_first {
        texts.push(text(&world.confirm(&id, &local()).await));
    }
    send_all(world, case, &id, sequence).await;
    texts.push(text(&world.confirm(&id, &local()).await));
    assert!(texts[0].ends_with(&format!("of {{\"case\":{case}}}")));
    assert_eq!(texts.first(), texts.last(), "{sequence:?}");
    let call = world.record(&id).await.call;
    let end = (call.state.name(), call.epoch, call.payment.received);
    assert_eq!(end, ("deliverable", 1, Some(price())), "{sequence:?}");
}

#[tokio::test]
async fn every_order_of_every_part_of_them_ends_in_the_same_state() {
    let world = &World::new().await;
    // Whoever asks for a link is not looked up: paid means, as soon as anybody looks.
    world.paid();
    let sequences = sequences(&ALL);
    let cases = sequences.iter().flat_map(|s| [(s, true), (s, false)]);
    let ends = stream::iter(cases.enumerate())
        .map(|(case, (sequence, first))| ends_delivered(world, case, sequence, first));
    // Many at a time share their commits.
    let ended = ends.buffer_unordered(64).collect::<Vec<()>>().await.len();
    assert_eq!((ended, world.runs()), (652, 652));
    world.books_are_square().await;
}

#[tokio::test]
async fn what_a_webhook_claims_is_not_what_counts() {
    let world = World::new().await;
    for (case, sequence) in sequences(&ALL).into_iter().enumerate() {
        if sequence.len() != ALL.len() {
            continue;
        }
        let id = world.quoted(case).await;
        send_all(&world, case, &id, &sequence).await;
        assert_eq!(world.state(&id).await, "awaiting", "{sequence:?}");
    }
    assert_eq!(world.runs(), 0);
}

#[tokio::test]
async fn a_webhook_makes_a_paid_call_ready_and_runs_nothing() {
    let world = World::new().await;
    let id = world.quoted(1).await;
    world.paid();
    assert_eq!(world.tell("paid", &id).await, "looked");
    assert_eq!((world.state(&id).await, world.runs()), ("ready", 0));
    assert!(world.seen("paid").await);
}

#[tokio::test]
async fn forged_ones_and_strange_ones_reach_no_call() {
    let world = World::new().await;
    let id = world.quoted(1).await;
    world.paid();
    let reference = world.record(&id).await.call.payment.reference.unwrap();
    let commits = world.ledger.commits();
    let long = "x".repeat(256);
    for (signed, body, expected) in [
        ("no", format!("e1 {reference}"), "forged"),
        ("yes", "e1".to_owned(), "not understood"),
        ("yes", format!("{long} {reference}"), "not understood"),
        ("yes", format!(" {reference}"), "not understood"),
        ("yes", format!("e1 {long}"), "not understood"),
    ] {
        assert_eq!(world.send(signed, &body).await, expected);
    }
    let elsewhere = world.gate.webhook("other", &[], b"e1 x").await;
    assert_eq!(word(elsewhere), "unexpected");
    assert!(!world.gate.expects_webhooks("other"));
    assert_eq!(world.ledger.commits(), commits, "nothing is written");
    assert_eq!(world.state(&id).await, "awaiting");

    // Somebody else's payment with the same merchant: noted, and not asked about again.
    assert_eq!(world.send("yes", "e2 theirs").await, "not ours");
    assert_eq!(world.send("yes", "e2 theirs").await, "before");
}

#[tokio::test]
async fn late_money_is_found_at_once_and_goes_back() {
    let world = World::new().await;
    for (case, end) in ["expired", "declined"].into_iter().enumerate() {
        let id = world.ended_unpaid(case, end).await;
        let nothing = world.tell(&format!("noise-{case}"), &id).await;
        assert_eq!((nothing, world.state(&id).await), ("looked", end));
        world.paid();
        for answer in ["looked", "before"] {
            assert_eq!(world.tell(&format!("paid-{case}"), &id).await, answer);
        }
        assert_eq!(world.state(&id).await, "refunded", "{end}");
        assert_eq!(world.bank.refunds.lock().unwrap().len(), case + 1);
    }
    assert_eq!(world.runs(), 0);
    world.books_are_square().await;
}

#[tokio::test]
async fn a_late_reservation_is_given_back() {
    let world = World::build(true, false).await;
    let id = world.ended_unpaid(1, "expired").await;
    world.paid();
    assert_eq!(world.tell("reserved", &id).await, "looked");
    assert_eq!(world.bank.releases.load(Ordering::SeqCst), 1);
    assert_eq!(world.state(&id).await, "expired");
}

#[tokio::test]
async fn what_the_provider_does_not_confirm_is_sent_again() {
    let world = World::new().await;
    let id = world.quoted(1).await;
    world.paid();
    world.bank.down.store(true, Ordering::SeqCst);
    assert_eq!(world.tell("paid", &id).await, "not now");
    assert!(!world.seen("paid").await);
    assert_eq!(world.state(&id).await, "awaiting");
    world.bank.down.store(false, Ordering::SeqCst);
    assert_eq!(world.tell("paid", &id).await, "looked");
    assert_eq!(world.state(&id).await, "ready");

    let late = world.ended_unpaid(2, "expired").await;
    world.paid();
    world.bank.down.store(true, Ordering::SeqCst);
    assert_eq!(world.tell("late", &late).await, "not now");
    assert!(!world.seen("late").await);
    world.bank.down.store(false, Ordering::SeqCst);
    assert_eq!(world.tell("late", &late).await, "looked");
    assert_eq!(world.state(&late).await, "refunded");
}

#[tokio::test]
async fn a_webhook_is_noted_only_after_what_it_brought_about() {
    let world = World::new().await;
    let id = world.quoted(1).await;
    world.paid();
    // The ledger fails at the effect, and then at the note: as if the host had died there.
    for (table, state) in [
        ("UPDATE ON call", "awaiting"),
        ("INSERT ON webhook", "ready"),
    ] {
        world.sql(&format!(
            "CREATE TRIGGER broken BEFORE {table} BEGIN SELECT RAISE(ABORT, 'disk'); END"
        ));
        assert_eq!(world.tell("paid", &id).await, "not now", "{table}");
        assert!(!world.seen("paid").await, "{table}");
        assert_eq!(world.state(&id).await, state, "{table}");
        world.sql("DROP TRIGGER broken");
    }
    assert_eq!(world.tell("paid", &id).await, "looked");
    assert!(world.seen("paid").await);
    assert_eq!(
        text(&world.confirm(&id, &local()).await),
        "run 1 of {\"case\":1}"
    );
}

#[tokio::test]
async fn a_webhook_for_a_blocked_component_sends_the_money_back() {
    let world = World::new().await;
    let id = world.quoted(1).await;
    let blocking = world.ledger.set_blocked(component(), true, START);
    blocking.await.unwrap();
    world.paid();
    assert_eq!(world.tell("paid", &id).await, "looked");
    assert_eq!((world.state(&id).await, world.runs()), ("ready", 0));
    world.confirm(&id, &local()).await;
    assert_eq!(world.state(&id).await, "refunded");
}
