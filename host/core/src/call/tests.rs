//! The machine as a table, and its promises under random events.

mod random;

use super::*;
use crate::ids::{LinkToken, PaymentId};
use crate::money::{Amount, Money};
use crate::payment::PaymentEvent;
use crate::quote::tests::quote;

pub(crate) fn call() -> Call {
    let payment = Payment::creating(
        PaymentId::from_random([2; 16]),
        LinkToken::from_random([3; 16]),
        "sandbox".into(),
    );
    Call::quoted(
        CallId::from_random([1; 16]),
        quote(),
        "two_step",
        0,
        payment,
    )
}

fn price() -> Money {
    quote().price
}

fn created() -> Event {
    PaymentEvent::Created {
        reference: "ref".into(),
        url: None,
    }
    .into()
}
fn paid() -> Event {
    PaymentEvent::Paid { received: price() }.into()
}
fn authorized() -> Event {
    PaymentEvent::Authorized { reserved: price() }.into()
}
fn settled() -> Event {
    PaymentEvent::Settled { received: price() }.into()
}
fn refunded() -> Event {
    PaymentEvent::Refunded {
        amount: price().amount,
    }
    .into()
}
fn claimed(at: Millis, rerun: bool) -> Event {
    Event::Claimed {
        owner: "host".into(),
        at,
        lease_until: at + 10,
        rerun,
    }
}
fn failed(epoch: u32) -> Event {
    let failure = Failure {
        kind: "trap".into(),
        message: "it trapped".into(),
    };
    Event::ToolFailed { epoch, failure }
}
fn p(event: PaymentEvent) -> Event {
    event.into()
}

/// Applies `events` in turn and returns the final state's name, or the first illegal event's index.
fn check(events: &[Event], expected: Result<&str, usize>) {
    let mut call = call();
    for (index, event) in events.iter().enumerate() {
        let before = call.clone();
        if call.apply(event).is_err() {
            assert_eq!(call, before, "an illegal event changed something");
            assert_eq!(expected, Err(index), "{event:?} in {}", before.state.name());
            return;
        }
    }
    assert_eq!(Ok(call.state.name()), expected, "{events:?}");
}

#[test]
fn a_paid_call_reaches_its_outcome() {
    let run = [
        created(),
        paid(),
        claimed(0, false),
        Event::Executed { epoch: 1 },
        Event::Concluded,
    ];
    check(&run, Ok("deliverable"));
}

#[test]
fn nothing_runs_before_it_is_paid() {
    check(&[claimed(0, true)], Err(0));
    check(&[created(), claimed(0, true)], Err(1));
    for end in [
        PaymentEvent::Declined,
        PaymentEvent::Failed,
        PaymentEvent::Canceled,
    ] {
        check(&[created(), p(end), claimed(0, true)], Err(2));
    }
    check(
        &[
            created(),
            p(PaymentEvent::Expired),
            paid(),
            claimed(0, true),
        ],
        Err(3),
    );
}

#[test]
fn reserved_money_that_is_taken_upfront_backs_a_run_only_once_it_is_here() {
    let apply = |events: &[Event]| {
        let mut call = call();
        call.quote.upfront = true;
        events.iter().try_for_each(|event| call.apply(event))?;
        Ok::<_, IllegalEvent>(call.state.name())
    };
    let (started, unknown) = (
        p(PaymentEvent::SettleStarted),
        p(PaymentEvent::SettleUnknown),
    );
    let settling = [created(), authorized(), started.clone()];
    let then = |more: &[Event]| apply(&[&settling, more].concat());
    assert!(apply(&[created(), authorized(), claimed(0, true)]).is_err());
    assert!(then(&[claimed(0, true)]).is_err());
    assert!(then(&[unknown.clone(), claimed(0, true)]).is_err());
    assert_eq!(then(std::slice::from_ref(&unknown)), Ok("ready"));
    assert_eq!(then(&[settled(), claimed(0, true)]), Ok("running"));
    assert_eq!(
        then(&[unknown.clone(), settled(), claimed(0, true)]),
        Ok("running")
    );
    assert_eq!(
        then(&[unknown, p(PaymentEvent::Released)]),
        Ok("withheld"),
        "nothing was taken, and nothing ran"
    );
    let run = [settled(), claimed(0, false), failed(1)];
    assert_eq!(then(&run), Ok("tool_failed"));
    check(&[created(), authorized(), started], Err(2));
}

#[test]
fn a_second_claim_needs_a_dead_lease_and_a_repeatable_tool() {
    let first = [created(), paid(), claimed(0, false)];
    let then = |more: Event| [first.to_vec(), vec![more]].concat();
    check(&then(claimed(5, true)), Err(3));
    check(&then(claimed(10, false)), Err(3));
    check(&then(claimed(10, true)), Ok("running"));
    check(&then(Event::RunLost { epoch: 1, at: 9 }), Err(3));
    check(
        &then(Event::RunLost { epoch: 1, at: 10 }),
        Ok("indeterminate"),
    );
}

#[test]
fn a_run_reports_only_under_its_own_epoch() {
    let rerun = vec![created(), paid(), claimed(0, false), claimed(10, true)];
    let then = |more: Event| [rerun.clone(), vec![more]].concat();
    check(&then(Event::Executed { epoch: 1 }), Err(4));
    check(&then(failed(1)), Err(4));
    check(&then(Event::Executed { epoch: 2 }), Ok("executed"));
}

#[test]
fn a_failed_run_is_compensated_once() {
    let start = Event::CompensationStarted {
        remedy: Remedy::Refund,
        at: 0,
    };
    let due = Event::CompensationDue {
        cause: Cause::ToolFailed,
    };
    let run = vec![
        created(),
        paid(),
        claimed(0, false),
        failed(1),
        due,
        start.clone(),
    ];
    let then = |more: &[Event]| [run.clone(), more.to_vec()].concat();
    check(&then(&[refunded()]), Ok("refunded"));
    check(&then(&[refunded(), refunded()]), Err(7));
    check(&then(&[refunded(), Event::Concluded]), Err(7));
    check(
        &then(&[Event::CompensationFailed, start, refunded()]),
        Ok("refunded"),
    );
    check(&then(&[Event::Credited]), Err(6));
    let credit = Event::CompensationStarted {
        remedy: Remedy::Credit,
        at: 0,
    };
    check(
        &then(&[Event::CompensationFailed, credit, Event::Credited]),
        Ok("credited"),
    );
}

fn ordered(n: u32, nanos: i64) -> Event {
    Event::RefundOrdered {
        refund: RefundOrder {
            key: format!("{}-refund-{n}", call().payment.id),
            amount: Amount::from_nanos(nanos),
            reason: "goodwill".into(),
            at: 0,
        },
    }
}
fn made(n: u32) -> Event {
    let key = format!("{}-refund-{n}", call().payment.id);
    Event::RefundMade { key }
}
fn refused(n: u32) -> Event {
    let key = format!("{}-refund-{n}", call().payment.id);
    Event::RefundRefused { key }
}

#[test]
fn a_remedy_that_may_have_happened_is_not_replaced_by_another() {
    let mut call = call();
    let remedy = Remedy::Refund;
    for event in [
        created(),
        paid(),
        claimed(0, false),
        failed(1),
        Event::CompensationDue {
            cause: Cause::ToolFailed,
        },
        Event::RemedyOrdered { remedy },
        Event::CompensationStarted { remedy, at: 7 },
        Event::CompensationFailed,
    ] {
        call.apply(&event).unwrap();
    }
    let stays = |call: &Call, attempts| {
        let expected = CallState::CompensationDue {
            cause: Cause::ToolFailed,
            attempts,
            tried_at: Some(7),
            ordered: Some(remedy),
        };
        assert_eq!(call.state, expected);
    };
    stays(&call, 1);
    let reason = String::new();
    for event in [Event::Exhausted { reason }, Event::TakenUp] {
        call.apply(&event).unwrap();
    }
    stays(&call, 0);
    call.apply(&Event::CompensationStarted { remedy, at: 9 })
        .unwrap();
    let reason = String::new();
    for event in [Event::Exhausted { reason }, Event::TakenUp] {
        call.apply(&event).unwrap();
    }
    stays(&call, 0);
}

#[test]
fn an_ordered_refund_is_recorded_once_under_its_own_key() {
    let run = vec![
        created(),
        paid(),
        claimed(0, false),
        Event::Executed { epoch: 1 },
        Event::Concluded,
    ];
    let then = |more: &[Event]| [run.clone(), more.to_vec()].concat();
    let (part, rest) = (ordered(1, 1_000_000), ordered(2, 2_000_000));
    check(
        &then(&[part.clone(), made(1), rest.clone(), made(2)]),
        Ok("deliverable"),
    );
    // Two hosts saw the same refund made, or ordered at the same time.
    check(&then(&[part.clone(), made(1), made(1)]), Err(7));
    check(&then(&[part.clone(), part.clone()]), Err(6));
    check(&then(&[part.clone(), made(1), part.clone()]), Err(7));
    check(&then(&[part.clone(), refunded()]), Err(6));
    check(&then(&[part.clone(), made(2)]), Err(6));
    check(&then(&[part.clone(), refused(1), refused(1)]), Err(7));
    check(&then(&[part.clone(), refused(1), rest]), Ok("deliverable"));
    for wrong in [0, -1, 3_000_001] {
        check(&then(&[ordered(1, wrong)]), Err(5));
    }
    check(&then(&[part, made(1), ordered(2, 2_000_001)]), Err(7));
    check(&[created(), paid(), ordered(1, 1)], Err(2));
}

#[test]
fn what_became_of_ordered_refunds_is_kept_and_their_number_bounded() {
    let mut call = call();
    let run = [
        created(),
        paid(),
        claimed(0, false),
        Event::Executed { epoch: 1 },
        Event::Concluded,
    ];
    for event in run {
        call.apply(&event).unwrap();
    }
    for n in 1..=REFUNDS_MAX {
        call.apply(&ordered(n, 1)).unwrap();
        let end = if n == 1 { made(n) } else { refused(n) };
        call.apply(&end).unwrap();
    }
    assert!(call.apply(&ordered(REFUNDS_MAX + 1, 1)).is_err());
    assert_eq!(call.past_refunds.len(), REFUNDS_MAX as usize);
    assert_eq!(call.past_refunds[0].end, RefundEnd::Made);
    assert_eq!(call.payment.refunded, Amount::from_nanos(1));
    let stored = serde_json::to_string(&call).unwrap();
    assert_eq!(serde_json::from_str::<Call>(&stored).unwrap(), call);
}

#[test]
fn a_refused_order_does_not_tell_the_payments_id() {
    for event in [ordered(1, 1), made(1), refused(1)] {
        let said = call().apply(&event).unwrap_err().to_string();
        assert!(!said.contains(call().payment.id.as_str()), "{said}");
    }
}

#[test]
fn authorised_money_is_taken_after_the_outcome_or_not_at_all() {
    let run = vec![created(), authorized(), claimed(0, false)];
    let then = |more: &[Event]| [run.clone(), more.to_vec()].concat();
    let executed = Event::Executed { epoch: 1 };
    let start = p(PaymentEvent::SettleStarted);
    check(&then(std::slice::from_ref(&start)), Err(3));
    check(&then(&[executed.clone(), Event::Concluded]), Err(4));
    check(
        &then(&[executed.clone(), start.clone(), settled()]),
        Ok("deliverable"),
    );
    check(
        &then(&[
            executed.clone(),
            start.clone(),
            p(PaymentEvent::SettleUnknown),
            settled(),
        ]),
        Ok("deliverable"),
    );
    check(
        &then(&[executed, start, p(PaymentEvent::Released)]),
        Ok("withheld"),
    );
    check(
        &then(&[
            failed(1),
            p(PaymentEvent::ReleaseStarted),
            p(PaymentEvent::Released),
        ]),
        Ok("withheld"),
    );
    check(&then(&[failed(1), p(PaymentEvent::Released)]), Err(4));
    check(
        &then(&[
            failed(1),
            Event::CompensationDue {
                cause: Cause::ToolFailed,
            },
        ]),
        Err(4),
    );
}

#[test]
fn nothing_runs_and_nothing_is_stored_on_a_reservation_that_goes_back() {
    let ready = vec![created(), authorized()];
    let then = |more: &[Event]| [ready.clone(), more.to_vec()].concat();
    let start = p(PaymentEvent::ReleaseStarted);
    let released = p(PaymentEvent::Released);
    check(&then(&[start.clone(), claimed(0, true)]), Err(3));
    check(&then(&[start.clone(), released]), Ok("withheld"));
    // It was taken after all, and is as good as any payment.
    check(&then(&[start.clone(), settled()]), Ok("ready"));
    let lost = Event::RunLost { epoch: 1, at: 100 };
    // Unless it is not the price: then it is only owed.
    let received = Money {
        amount: Amount::from_nanos(1),
        ..price()
    };
    let less = p(PaymentEvent::Settled { received });
    let owed = Ok("compensation_due");
    check(&then(&[start.clone(), less.clone()]), owed);
    check(
        &then(&[claimed(0, true), failed(1), start.clone(), less.clone()]),
        owed,
    );
    check(
        &then(&[claimed(0, false), lost.clone(), start.clone(), less]),
        owed,
    );
    let executed = Event::Executed { epoch: 1 };
    check(
        &then(&[claimed(0, false), lost, start.clone(), executed]),
        Err(5),
    );
    check(&then(&[claimed(0, false), start]), Err(3));
}

#[test]
fn money_that_comes_late_or_wrong_is_owed() {
    let late = [created(), p(PaymentEvent::Expired), paid()];
    check(&late, Ok("late_paid"));
    let less = Money {
        amount: Amount::from_nanos(1),
        ..price()
    };
    check(
        &[created(), p(PaymentEvent::Paid { received: less })],
        Ok("compensation_due"),
    );
    check(
        &[created(), p(PaymentEvent::Authorized { reserved: less })],
        Err(1),
    );
    let reserved = [
        created(),
        authorized(),
        claimed(0, false),
        Event::Executed { epoch: 1 },
        p(PaymentEvent::SettleStarted),
        p(PaymentEvent::Settled { received: less }),
    ];
    check(&reserved, Ok("compensation_due"));
    let euro = Money {
        currency: "EUR".parse().unwrap(),
        ..price()
    };
    check(
        &[created(), p(PaymentEvent::Paid { received: euro })],
        Ok("compensation_due"),
    );
}

#[test]
fn a_refused_event_does_not_repeat_what_a_tool_said() {
    let mut call = call();
    let refused = call.apply(&failed(1)).unwrap_err().to_string();
    assert_eq!(
        refused,
        "a call that is quoted cannot have the event tool_failed"
    );
    let refused = call.apply(&p(PaymentEvent::Released)).unwrap_err();
    assert!(refused.to_string().contains("Released"));
}

#[test]
fn what_is_on_its_way_back_is_not_run_on_and_not_reported_on() {
    let reserved = vec![created(), authorized()];
    let then = |more: &[Event]| [reserved.clone(), more.to_vec()].concat();
    let start = p(PaymentEvent::ReleaseStarted);
    check(&then(&[start.clone(), claimed(0, true)]), Err(3));
    check(&then(&[start.clone(), settled()]), Ok("ready"));
    let lost = [
        claimed(0, false),
        Event::RunLost { epoch: 1, at: 10 },
        start,
        Event::Executed { epoch: 1 },
    ];
    check(&then(&lost), Err(5));
}

#[test]
fn a_remedy_that_was_begun_is_carried_on_by_whoever_takes_the_call_up() {
    let mut call = call();
    let start = Event::CompensationStarted {
        remedy: Remedy::Refund,
        at: 7,
    };
    let due = Event::CompensationDue {
        cause: Cause::ToolFailed,
    };
    let exhausted = Event::Exhausted {
        reason: "tried".into(),
    };
    let failure = Event::CompensationFailed;
    let run = [created(), paid(), claimed(0, false), failed(1), due, start];
    for event in run.iter().chain([&failure, &exhausted, &Event::TakenUp]) {
        call.apply(event).unwrap();
    }
    let expected = CallState::CompensationDue {
        cause: Cause::ToolFailed,
        attempts: 0,
        tried_at: Some(7),
        ordered: Some(Remedy::Refund),
    };
    assert_eq!(call.state, expected);
}
