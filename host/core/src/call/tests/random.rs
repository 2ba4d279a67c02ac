//! The machine's promises under random events: whatever comes in whatever order, nobody loses and nobody gains.

use std::collections::BTreeMap;

use super::*;
use crate::entry::{Book, Entry, entries, position};
use crate::money::Currency;
use crate::payment::PaymentState;

/// A small deterministic generator (SplitMix64): core has no randomness of its own.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize].clone()
    }
}

/// A call of any kind: paid from the balance in part, wholly or not at all, with and without retries.
fn random_call(random: &mut Seeded) -> Call {
    let mut call = call();
    let nanos = price().amount.nanos();
    call.credit = Amount::from_nanos(random.pick(&[0, 0, 0, nanos / 3, nanos]));
    call.quote.retries = random.below(3) as u32;
    call.quote.upfront = random.below(3) == 0;
    call.quote.on_failure = random.pick(&[Remedy::Refund, Remedy::Credit]);
    call
}

/// What arrives: mostly what is due, sometimes something else.
fn random_money(random: &mut Seeded, call: &Call) -> Money {
    let due = call.due();
    match random.below(10) {
        0 => Money {
            amount: Amount::from_nanos(1),
            ..due
        },
        1 => Money {
            currency: "EUR".parse().unwrap(),
            ..due
        },
        _ => due,
    }
}

fn random_payment_event(random: &mut Seeded, call: &Call) -> PaymentEvent {
    let money = random_money(random, call);
    let amount = match random.below(3) {
        0 => Amount::from_nanos(1_000),
        _ => call.held(),
    };
    match random.below(16) {
        0 | 1 => PaymentEvent::Created {
            reference: "ref".into(),
            url: None,
        },
        2 | 3 => PaymentEvent::Paid { received: money },
        4 => PaymentEvent::Authorized { reserved: money },
        5 => random.pick(&[
            PaymentEvent::Failed,
            PaymentEvent::Declined,
            PaymentEvent::Canceled,
        ]),
        6 => PaymentEvent::Expired,
        7 => PaymentEvent::SettleStarted,
        8 => PaymentEvent::Settled { received: money },
        9 => PaymentEvent::SettleUnknown,
        10 => PaymentEvent::ReleaseStarted,
        11 => PaymentEvent::Released,
        12 => PaymentEvent::Refunded { amount },
        13 => PaymentEvent::Disputed,
        14 => PaymentEvent::Covered,
        _ => PaymentEvent::FeeCharged {
            fee: Amount::from_nanos(random.below(1_000) as i64),
        },
    }
}

/// What a person does.
fn random_order(random: &mut Seeded, call: &Call, now: Millis) -> Event {
    let key = match random.below(4) {
        0 => "another".to_owned(),
        1 => call.next_refund_key(),
        _ => call
            .refund
            .as_ref()
            .map_or_else(String::new, |order| order.key.clone()),
    };
    match random.below(7) {
        0 => Event::TakenUp,
        1 => Event::RemedyOrdered {
            remedy: random.pick(&[Remedy::Refund, Remedy::Credit]),
        },
        2 => Event::ClosedByHand {
            note: "sent back by hand".into(),
        },
        3 => Event::RefundRefused { key },
        4 => Event::RefundMade { key },
        _ => Event::RefundOrdered {
            refund: RefundOrder {
                key: call.next_refund_key(),
                amount: Amount::from_nanos(1 + random.below(call.held().nanos() as u64 + 2) as i64),
                reason: "goodwill".into(),
                at: now,
            },
        },
    }
}

fn random_event(random: &mut Seeded, call: &Call, now: Millis) -> Event {
    let epoch = call.epoch.saturating_sub(random.below(2) as u32);
    match random.below(30) {
        0..16 => random_payment_event(random, call).into(),
        16..19 => claimed(now, random.below(2) == 0),
        19 => Event::Executed { epoch },
        20 => failed(epoch),
        21 => Event::RunLost { epoch, at: now },
        22 => Event::Concluded,
        23 => Event::CompensationDue {
            cause: random.pick(&[
                Cause::ToolFailed,
                Cause::RunLost,
                Cause::LatePaid,
                Cause::Unclaimed,
                Cause::Blocked,
            ]),
        },
        24 | 25 => Event::CompensationStarted {
            remedy: random.pick(&[Remedy::Refund, Remedy::Credit]),
            at: now,
        },
        26 => random.pick(&[Event::CompensationFailed, Event::Credited]),
        27 if random.below(6) == 0 => Event::Exhausted {
            reason: "tried".into(),
        },
        28 if random.below(4) == 0 => Event::Shown {
            viewer: "another session".into(),
        },
        _ => random_order(random, call, now),
    }
}

type Books = BTreeMap<(Book, Currency), i64>;

/// Adds a transaction, which must sum to zero in each currency.
fn post(books: &mut Books, lines: Vec<Entry>, context: &dyn Fn() -> String) {
    let mut sums = BTreeMap::<Currency, i64>::new();
    for line in lines {
        *sums.entry(line.currency).or_default() += line.amount.nanos();
        *books.entry((line.book, line.currency)).or_default() += line.amount.nanos();
    }
    assert!(
        sums.values().all(|sum| *sum == 0),
        "{sums:?}: {}",
        context()
    );
    books.retain(|_, nanos| *nanos != 0);
}

/// What every step must keep, whichever it was.
fn check_step(before: &Call, event: &Event, call: &Call, context: &dyn Fn() -> String) {
    let claims = matches!(event, Event::Claimed { .. });
    assert_eq!(
        call.epoch,
        before.epoch + u32::from(claims),
        "{}",
        context()
    );
    if claims {
        let backed = match before.payment.state {
            PaymentState::Authorized => !before.quote.upfront,
            state => state == PaymentState::Paid,
        };
        assert!(backed, "ran unpaid: {}", context());
    }
    if let Event::Executed { epoch } | Event::ToolFailed { epoch, .. } = event {
        assert_eq!(*epoch, before.epoch, "a stale report: {}", context());
    }
    let received = call
        .payment
        .received
        .map_or(0, |money| money.amount.nanos());
    let refunded = call.payment.refunded.nanos();
    assert!(refunded <= received, "more back than came: {}", context());
    assert!(call.credit == before.credit, "{}", context());
}

fn undelivered(books: &Books) -> impl Iterator<Item = i64> {
    let of_book = books
        .iter()
        .filter(|((book, _), _)| *book == Book::Undelivered);
    of_book.map(|(_, nanos)| *nanos)
}

#[test]
fn random_events_never_break_a_promise() {
    let seed = std::env::var("COINOP_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(20_261_120);
    let mut random = Seeded(seed);
    let mut ends = BTreeMap::<&str, u32>::new();
    let mut seen = BTreeMap::<String, u32>::new();
    for round in 0..6_000 {
        let mut call = random_call(&mut random);
        let mut books = Books::new();
        let opening = || format!("seed {seed} round {round}: opened");
        post(&mut books, entries(None, &call), &opening);
        let (mut now, mut outcomes, mut remedies) = (0, 0, 0);
        for _ in 0..80 {
            now += random.below(8) as Millis;
            let event = random_event(&mut random, &call, now);
            let before = call.clone();
            let applied = call.apply(&event);
            let context = || format!("seed {seed} round {round}: {event:?} in {before:?}");
            if applied.is_err() {
                assert_eq!(call, before, "{}", context());
                continue;
            }
            check_step(&before, &event, &call, &context);
            post(&mut books, entries(Some(&before), &call), &context);
            let lies = position(&call).into_iter().map(|(k, v)| (k, v.nanos()));
            assert_eq!(books, lies.collect::<Books>(), "{}", context());
            assert!(undelivered(&books).all(|nanos| nanos <= 0), "{}", context());
            if call.state.is_end() {
                assert_eq!(undelivered(&books).next(), None, "it owes: {}", context());
            }
            let arrived = |state: &str| call.state.name() == state && before.state.name() != state;
            outcomes += i32::from(arrived("deliverable"));
            remedies += i32::from(arrived("refunded")) + i32::from(arrived("credited"));
            assert!(outcomes + remedies <= 1, "ended twice: {}", context());
            *seen.entry(word(&event)).or_default() += 1;
            if before.state == CallState::Ready && call.payment.state == PaymentState::Settling {
                *seen
                    .entry("ready authorized settle_started".to_owned())
                    .or_default() += 1;
            }
        }
        *ends.entry(call.state.name()).or_default() += 1;
    }
    check_coverage(seed, &ends, &seen);
}

/// The event's name, as it is stored.
fn word(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap();
    let what = value["what"]["event"].as_str();
    what.or(value["event"].as_str()).unwrap().to_owned()
}

/// A test in which something never happens proves nothing of it.
fn check_coverage(seed: u64, ends: &BTreeMap<&str, u32>, seen: &BTreeMap<String, u32>) {
    let upfront = "ready authorized settle_started";
    assert!(
        seen.contains_key(upfront),
        "seed {seed} took nothing upfront"
    );
    let states = "deliverable refunded credited withheld late_paid compensating attention";
    for state in states.split(' ') {
        assert!(
            ends.contains_key(state),
            "seed {seed} never reached {state}: {ends:?}"
        );
    }
    let events = "covered fee_charged release_started refunded taken_up remedy_ordered \
                  closed_by_hand refund_ordered refund_refused exhausted settle_unknown disputed";
    for event in events.split_whitespace() {
        assert!(
            seen.contains_key(event),
            "seed {seed} never had {event}: {seen:?}"
        );
    }
}
