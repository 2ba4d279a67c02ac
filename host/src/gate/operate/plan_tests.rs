//! What may be done with a call in each state, as tables.

use coinop_core::arguments::Arguments;
use coinop_core::call::{Call, CallState, Cause, Event, RefundOrder, Remedy};
use coinop_core::digest::Digest;
use coinop_core::ids::{CallId, LinkToken, PaymentId};
use coinop_core::money::{Amount, Money};
use coinop_core::payment::{Payment, PaymentState};
use coinop_core::principal::Principal;
use coinop_core::quote::Quote;

use super::plan::*;

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A call of a dollar, paid and in `state`.
fn paid(state: CallState) -> Call {
    let price = Money::parse("1.00", "USD").unwrap();
    let quote = Quote {
        principal: Principal::api_key("ada"),
        tool: "t".into(),
        plugin: "p".into(),
        component: Digest::of(b"component"),
        arguments: Arguments::stored("{}".into()).digest(),
        payment_id_argument: "payment_id".into(),
        confirm_tool: None,
        upfront: false,
        price,
        account: "main".into(),
        claim_window_ms: 1,
        on_failure: Remedy::Refund,
        retries: 0,
        late_window_ms: 0,
        expires_at: 1,
    };
    let (id, link) = (
        PaymentId::from_random([2; 16]),
        LinkToken::from_random([3; 16]),
    );
    let payment = Payment::creating(id, link, "bank".into());
    let mut call = Call::quoted(CallId::from_random([1; 16]), quote, "two_step", 0, payment);
    call.payment.state = PaymentState::Paid;
    call.payment.received = Some(price);
    call.payment.reference = Some("ref".into());
    call.state = state;
    call
}

fn unpaid(state: CallState) -> Call {
    let mut call = paid(state);
    call.payment.state = PaymentState::Pending;
    call.payment.received = None;
    call
}

fn due() -> CallState {
    CallState::CompensationDue {
        cause: Cause::ToolFailed,
        attempts: 3,
        tried_at: Some(0),
        ordered: None,
    }
}

fn stuck(from: Option<CallState>) -> CallState {
    CallState::Attention {
        reason: "scripted".into(),
        from: from.map(Box::new),
    }
}

fn asking(text: Option<&str>) -> RefundRequest {
    RefundRequest {
        amount: text.map(amount),
        ..RefundRequest::default()
    }
}

#[test]
fn a_delivered_call_is_refunded_as_far_as_its_money_goes() {
    let check = |refunded: &str, asked: Option<&str>, expected: Result<&str, &str>| {
        let mut call = paid(CallState::Deliverable);
        call.payment.refunded = amount(refunded);
        let planned = refund(&call, &asking(asked), true);
        let expected = expected
            .map(|order| Way::Order(amount(order)))
            .map_err(str::to_owned);
        assert_eq!(planned.map_err(|no| no.to_string()), expected);
    };
    check("0", None, Ok("1"));
    check("0", Some("0.4"), Ok("0.4"));
    check("0.4", None, Ok("0.6"));
    check("0.4", Some("0.6"), Ok("0.6"));
    let more = "0.61 USD is more than the 0.60 USD that can still go back";
    check("0.4", Some("0.61"), Err(more));
    check("0", Some("0"), Err("a refund is more than nothing"));
    let gone = "all that the provider took for this call went back already";
    check("1", None, Err(gone));
}

#[test]
fn a_disputed_payment_is_not_refunded_beside_its_dispute() {
    let mut call = paid(CallState::Deliverable);
    call.payment.state = PaymentState::Disputed;
    let no = refund(&call, &asking(None), true).unwrap_err().to_string();
    assert!(no.contains("disputes"), "{no}");
    let order = RefundOrder {
        key: call.next_refund_key(),
        amount: amount("0.1"),
        reason: "goodwill".into(),
        at: 0,
    };
    let before = call.clone();
    let refused = call.apply(&Event::RefundOrdered { refund: order });
    assert!(refused.is_err() && call == before);
}

#[test]
fn what_to_do_instead_of_a_refund_depends_on_who_is_owed() {
    for (principal, credits) in [
        (Principal::api_key("ada"), true),
        (Principal::anonymous(), false),
    ] {
        let mut call = paid(due());
        call.quote.principal = principal;
        let no = refund(&call, &asking(None), false).unwrap_err().to_string();
        assert_eq!(no.contains("credit the caller"), credits, "{no}");
    }
}

#[test]
fn another_currency_is_refused() {
    let wanted = RefundRequest {
        currency: Some("EUR".parse().unwrap()),
        ..asking(Some("0.5"))
    };
    let no = refund(&paid(CallState::Deliverable), &wanted, true).unwrap_err();
    assert_eq!(no.to_string(), "this call was paid in USD, not in EUR");
}

#[test]
fn what_came_from_a_balance_is_not_the_providers_to_return() {
    let mut call = paid(CallState::Deliverable);
    call.credit = amount("0.7");
    call.payment.received = Some(Money::parse("0.3", "USD").unwrap());
    let planned = refund(&call, &asking(None), true);
    assert_eq!(planned, Ok(Way::Order(amount("0.3"))));
    assert!(refund(&call, &asking(Some("0.31")), true).is_err());
    call.credit = amount("1");
    call.payment.received = None;
    let no = refund(&call, &asking(None), true).unwrap_err().to_string();
    assert!(no.contains("from its caller's balance"), "{no}");
}

#[test]
fn one_refund_is_ordered_at_a_time() {
    let mut call = paid(CallState::Deliverable);
    call.refund = Some(RefundOrder {
        key: "k".into(),
        amount: amount("0.1"),
        reason: String::new(),
        at: 0,
    });
    let no = refund(&call, &asking(None), true).unwrap_err();
    assert!(matches!(no, No::Ordered { .. }), "{no}");
    assert_eq!(retry(&call), Ok(false));
}

#[test]
fn what_is_owed_goes_back_whole() {
    for state in [due(), stuck(Some(due()))] {
        let call = paid(state);
        assert_eq!(refund(&call, &asking(None), true), Ok(Way::Compensate));
        let all = refund(&call, &asking(Some("1")), true);
        assert_eq!(all, Ok(Way::Compensate));
        let part = refund(&call, &asking(Some("0.5")), true).unwrap_err();
        assert!(matches!(part, No::Partly { .. }), "{part}");
        let none = refund(&call, &asking(None), false).unwrap_err();
        assert!(none.to_string().contains("credit"), "{none}");
        assert_eq!(credit(&call), Ok(()));
    }
}

#[test]
fn nobody_in_particular_has_no_balance() {
    let mut call = paid(stuck(Some(due())));
    call.quote.principal = Principal::anonymous();
    assert_eq!(credit(&call), Err(No::Anonymous));
    assert_eq!(refund(&call, &asking(None), true), Ok(Way::Compensate));
}

#[test]
fn every_other_state_gets_a_no_that_says_what_to_do() {
    let cause = Cause::RunLost;
    let others = [
        (unpaid(CallState::Quoted), "ends by itself at 1970"),
        (unpaid(CallState::Awaiting), "ends by itself at 1970"),
        (paid(CallState::Ready), "waits for its caller"),
        (paid(CallState::Executed), "in a minute"),
        (paid(CallState::Settling), "in a minute"),
        (paid(CallState::ToolFailed), "payments retry"),
        (paid(CallState::Indeterminate), "payments retry"),
        (paid(CallState::LatePaid), "payments retry"),
        (unpaid(CallState::Declined), "payments retry"),
        (unpaid(CallState::Expired), "payments retry"),
        (unpaid(CallState::Withheld), "nothing was taken"),
        (paid(CallState::Refunded { cause }), "went back already"),
        (paid(CallState::Credited { cause }), "balance already"),
        (unpaid(stuck(Some(CallState::Awaiting))), "close it"),
        (paid(stuck(None)), "close it"),
    ];
    for (call, advice) in others {
        for no in [
            refund(&call, &asking(None), true).map(drop).unwrap_err(),
            credit(&call).unwrap_err(),
        ] {
            assert!(no.to_string().contains(advice), "{no}");
        }
    }
}

#[test]
fn only_what_is_stuck_is_closed_and_only_with_a_note() {
    let call = paid(stuck(Some(due())));
    assert_eq!(close(&call, "returned by bank transfer"), Ok(()));
    assert_eq!(close(&paid(stuck(None)), "by hand"), Ok(()));
    assert_eq!(close(&call, "  "), Err(No::NoNote));
    for state in [CallState::Deliverable, CallState::Awaiting, due()] {
        assert!(close(&paid(state), "note").is_err());
    }
}

#[test]
fn what_has_ended_is_not_taken_up() {
    assert_eq!(retry(&paid(stuck(Some(due())))), Ok(true));
    assert!(retry(&paid(stuck(None))).is_err());
    for state in [due(), CallState::Expired, CallState::Awaiting] {
        assert_eq!(retry(&paid(state)), Ok(false));
    }
    for state in [CallState::Deliverable, CallState::Withheld] {
        assert!(retry(&paid(state)).is_err());
    }
}
