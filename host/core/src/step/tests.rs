//! The decision as a table: for a call in a state and what is known beside it, the next thing to do and when.

use super::*;
use crate::call::tests::call;
use crate::call::{Event, Failure, RefundOrder};
use crate::mode;
use crate::money::Amount;
use crate::payment::PaymentEvent;
use crate::principal::Principal;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/// A caller who comes at `now`.
fn at(now: Millis) -> Situation {
    Situation {
        now,
        updated_at: 0,
        checked: true,
        redeeming: false,
        sweeping: false,
        running_here: false,
        repeatable: false,
        can_refund: true,
        key_holds: true,
        remedy_started: true,
        dialog: Dialog::default(),
    }
}

/// A host that comes by at `now`, nobody having asked the provider yet.
fn sweep(now: Millis) -> Situation {
    Situation {
        sweeping: true,
        checked: false,
        ..at(now)
    }
}

/// A call after `events`.
fn after(events: &[Event]) -> Call {
    let mut call = call();
    for event in events {
        call.apply(event).unwrap();
    }
    call
}

fn created() -> Event {
    let (reference, url) = ("ref".to_owned(), None);
    PaymentEvent::Created { reference, url }.into()
}

fn paid() -> [Event; 2] {
    let received = call().due();
    [created(), PaymentEvent::Paid { received }.into()]
}

fn authorized() -> [Event; 2] {
    let reserved = call().due();
    [created(), PaymentEvent::Authorized { reserved }.into()]
}

fn claimed() -> Event {
    Event::Claimed {
        owner: "host".to_owned(),
        at: 0,
        lease_until: 10,
        rerun: true,
    }
}

fn failed(epoch: u32) -> Event {
    let (kind, message) = ("trap".to_owned(), "it trapped".to_owned());
    let failure = Failure { kind, message };
    Event::ToolFailed { epoch, failure }
}

/// A call whose run failed, for which its caller is owed.
fn owed() -> Call {
    let due = Event::CompensationDue {
        cause: Cause::ToolFailed,
    };
    after(&[&paid()[..], &[claimed(), failed(1), due]].concat())
}

/// The same after `count` refunds that failed, the first of them at 1,000.
fn refused(count: u32) -> Call {
    let mut call = owed();
    for _ in 0..count {
        let (remedy, at) = (Remedy::Refund, 1_000);
        call.apply(&Event::CompensationStarted { remedy, at })
            .unwrap();
        call.apply(&Event::CompensationFailed).unwrap();
    }
    call
}

fn check(call: &Call, situation: Situation, expected: &Step) {
    let step = next(call, mode::MODES[0], &situation);
    assert_eq!(&step, expected, "{} in {situation:?}", call.state.name());
}

#[test]
fn what_is_reserved_is_taken_or_given_back_and_never_run_on_while_it_goes_back() {
    let ready = after(&authorized());
    check(&ready, at(5), &Step::Claim);
    let window = ready.quote.claim_window_ms;
    check(&ready, sweep(window - 1), &Step::Rest);
    check(&ready, sweep(window), &Step::Release);
    let start = PaymentEvent::ReleaseStarted.into();
    let going_back = after(&[&authorized()[..], &[start]].concat());
    check(&going_back, at(5), &Step::Release);
    check(&going_back, sweep(5), &Step::Release);
    assert_eq!(due_at(&going_back, 7), Some(7 + RESERVED_PATIENCE_MS));
    assert_eq!(due_at(&ready, 7), Some(7 + window));
}

#[test]
fn a_failed_run_is_tried_again_as_often_as_the_seller_says() {
    let mut once = after(&[&paid()[..], &[claimed(), failed(1)]].concat());
    let repeatable = Situation {
        repeatable: true,
        ..at(5)
    };
    check(&once, repeatable, &Step::Owe(Cause::ToolFailed));
    once.quote.retries = 1;
    check(&once, repeatable, &Step::Claim);
    check(&once, at(5), &Step::Owe(Cause::ToolFailed));
    let mut twice = once.clone();
    twice.apply(&claimed()).unwrap();
    twice.apply(&failed(2)).unwrap();
    check(&twice, repeatable, &Step::Owe(Cause::ToolFailed));
}

#[test]
fn a_lost_run_is_repeated_three_times_at_most_and_never_while_it_is_alive_here() {
    let mut running = after(&[&paid()[..], &[claimed()]].concat());
    let repeatable = Situation {
        repeatable: true,
        ..at(10)
    };
    check(&running, at(9), &Step::Wait);
    check(&running, at(10), &Step::LoseRun);
    check(&running, repeatable, &Step::Claim);
    let here = Situation {
        running_here: true,
        ..repeatable
    };
    check(&running, here, &Step::Wait);
    running.epoch = RUNS_MAX;
    check(&running, repeatable, &Step::LoseRun);
}

#[test]
fn somebody_is_made_whole_as_the_seller_or_a_person_said() {
    let (refund, credit) = (
        Step::Compensate(Remedy::Refund),
        Step::Compensate(Remedy::Credit),
    );
    let mut call = owed();
    check(&call, at(5), &refund);
    let no_refunds = Situation {
        can_refund: false,
        ..at(5)
    };
    check(&call, no_refunds, &credit);
    call.quote.on_failure = Remedy::Credit;
    check(&call, at(5), &credit);
    let remedy = Remedy::Refund;
    call.apply(&Event::RemedyOrdered { remedy }).unwrap();
    check(&call, at(5), &refund);
    call.quote.principal = Principal::anonymous();
    check(&call, at(5), &refund);
    let nobody = "the provider gives no refunds, and an anonymous caller has no balance";
    check(&call, no_refunds, &Step::GiveUp(nobody));
    // Nothing is with the provider: what came from the balance returns there.
    let mut covered = owed();
    covered.payment.received = None;
    check(&covered, at(5), &credit);
}

#[test]
fn refunds_that_fail_are_paced_and_end_with_a_person() {
    let twice = refused(2);
    check(&twice, at(5), &Step::Ended);
    check(&twice, sweep(5), &Step::Compensate(Remedy::Refund));
    assert_eq!(due_at(&twice, 0), Some(4 * COMPENSATION_PAUSE_MS));
    assert_eq!(due_at(&owed(), 0), Some(STEP_PATIENCE_MS));
    let last = refused(COMPENSATION_ATTEMPTS_MAX);
    let tried = Step::GiveUp("every attempt at a refund failed");
    check(&last, sweep(5), &tried);
}

#[test]
fn a_refund_that_was_begun_does_not_turn_into_balance_by_itself_nor_at_once() {
    let mut call = refused(1);
    call.quote.on_failure = Remedy::Credit;
    check(&call, sweep(5), &Step::Compensate(Remedy::Refund));
    let remedy = Remedy::Credit;
    call.apply(&Event::RemedyOrdered { remedy }).unwrap();
    check(&call, sweep(REFUND_ON_ITS_WAY_MS - 1), &Step::Rest);
    let credit = Step::Compensate(Remedy::Credit);
    check(&call, sweep(REFUND_ON_ITS_WAY_MS), &credit);
}

#[test]
fn a_refund_whose_key_may_be_forgotten_is_not_asked_for_while_it_may_be_on_its_way() {
    let forgotten = |now| Situation {
        key_holds: false,
        ..sweep(now)
    };
    let refund = Step::Compensate(Remedy::Refund);
    check(
        &refused(1),
        forgotten(REFUND_ON_ITS_WAY_MS - 1),
        &Step::Rest,
    );
    check(&refused(1), forgotten(REFUND_ON_ITS_WAY_MS), &refund);
    check(&owed(), forgotten(5), &refund);
}

#[test]
fn late_money_is_looked_for_until_none_can_come_any_more() {
    let mut call = after(&[created(), PaymentEvent::Expired.into()]);
    let end = call.quote.expires_at;
    assert_eq!(due_at(&call, end), None, "no late money, no look");
    call.quote.late_window_ms = 2 * HOUR;
    let last = end + 2 * HOUR + CLOCKS_APART_MS_MAX;
    check(&call, sweep(last), &Step::CheckLate);
    check(&call, at(last), &Step::Ended);
    let looked = Situation {
        checked: true,
        ..sweep(last)
    };
    check(&call, looked, &Step::Ended);
    assert_eq!(due_at(&call, end), Some(end + LATE_POLL_MS_MIN));
    let again = |now| look_again_at(&call, end, now);
    assert_eq!(again(end + MINUTE), Some(end + 2 * MINUTE));
    assert_eq!(again(end + HOUR), Some(end + 2 * HOUR));
    assert_eq!(again(last - 1), Some(last), "the last look is not left out");
    assert_eq!(again(last), None);
    // Its link took money until the end was recorded.
    let recorded = end + HOUR;
    let last = Some(last + HOUR);
    assert_eq!(look_again_at(&call, recorded, recorded + 2 * HOUR), last);
}

#[test]
fn an_ordered_refund_is_made_by_the_next_host_that_comes_by() {
    let delivered = [claimed(), Event::Executed { epoch: 1 }, Event::Concluded];
    let mut call = after(&[&paid()[..], &delivered].concat());
    check(&call, sweep(5), &Step::Deliver);
    assert_eq!(due_at(&call, 0), None);
    let refund = RefundOrder {
        key: call.next_refund_key(),
        amount: Amount::from_nanos(1),
        reason: "goodwill".to_owned(),
        at: 0,
    };
    call.apply(&Event::RefundOrdered { refund }).unwrap();
    check(&call, sweep(5), &Step::Refund);
    check(&call, at(5), &Step::Deliver);
    assert_eq!(due_at(&call, 0), Some(STEP_PATIENCE_MS));
}

#[test]
fn an_open_payment_is_polled_less_and_less_and_a_stuck_call_waits_for_a_person() {
    let open = after(&[created()]);
    let end = open.quote.expires_at;
    assert_eq!(due_at(&open, 0), Some(POLL_MS_MIN));
    assert_eq!(look_again_at(&open, 0, MINUTE), Some(2 * MINUTE));
    assert_eq!(look_again_at(&open, 0, end - 1), Some(end));
    check(&open, sweep(5), &Step::Check);
    let reason = "tried".to_owned();
    let stuck = after(&[created(), Event::Exhausted { reason }]);
    check(&stuck, sweep(5), &Step::Ended);
    assert_eq!(due_at(&stuck, 0), None);
}

#[test]
fn what_is_taken_upfront_is_taken_before_the_claim_and_by_whoever_comes() {
    let mut call = after(&authorized());
    call.quote.upfront = true;
    let mode = mode::MODES[0];
    let window = call.quote.claim_window_ms;
    assert_eq!(next(&call, mode, &at(window + 1)), Step::Settle);
    assert_eq!(next(&call, mode, &sweep(1)), Step::Rest);
    assert_eq!(next(&call, mode, &sweep(window)), Step::Release);
    for event in [PaymentEvent::SettleStarted, PaymentEvent::SettleUnknown] {
        call.apply(&event.into()).unwrap();
        assert_eq!(next(&call, mode, &at(1)), Step::Settle);
        assert_eq!(next(&call, mode, &sweep(1)), Step::Settle);
        assert_eq!(due_at(&call, 0), Some(RESERVED_PATIENCE_MS));
    }
    let received = call.due();
    call.apply(&PaymentEvent::Settled { received }.into())
        .unwrap();
    assert_eq!(next(&call, mode, &at(1)), Step::Claim);
    assert_eq!(next(&call, mode, &sweep(1)), Step::Rest);
    assert_eq!(
        next(&call, mode, &sweep(window)),
        Step::Owe(Cause::Unclaimed)
    );
}

#[test]
fn nothing_runs_on_a_reservation_that_ended_unclaimed() {
    let call = after(&authorized());
    let (mode, window) = (mode::MODES[0], call.quote.claim_window_ms);
    assert_eq!(next(&call, mode, &at(window - 1)), Step::Claim);
    assert_eq!(next(&call, mode, &at(window)), Step::Release);
    let call = after(&paid());
    assert_eq!(next(&call, mode, &at(window)), Step::Claim);
}
