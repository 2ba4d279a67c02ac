//! Each way of differing, as a table.

use coinop_core::arguments::Arguments;
use coinop_core::call::{Cause, RefundOrder, Remedy};
use coinop_core::digest::Digest;
use coinop_core::ids::{CallId, LinkToken, PaymentId};
use coinop_core::payment::{Payment, PaymentState};
use coinop_core::principal::Principal;
use coinop_core::quote::Quote;

use super::*;

fn usd(amount: &str) -> Money {
    Money::parse(amount, "USD").unwrap()
}

/// A delivered call of a dollar.
fn call() -> Call {
    let quote = Quote {
        principal: Principal::local(),
        tool: "t".into(),
        plugin: "p".into(),
        component: Digest::of(b"component"),
        arguments: Arguments::stored("{}".into()).digest(),
        payment_id_argument: "payment_id".into(),
        confirm_tool: None,
        upfront: false,
        price: usd("1"),
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
    let id = CallId::from_random([1; 16]);
    let mut call = Call::quoted(id, quote, "two_step", 0, payment);
    call.payment.state = PaymentState::Paid;
    call.payment.received = Some(usd("1"));
    call.state = CallState::Deliverable;
    call
}

fn line() -> StatementLine {
    StatementLine {
        reference: "r".into(),
        received: usd("1"),
        refunded: Amount::ZERO,
        fee: Amount::ZERO,
        at: 0,
    }
}

fn refunded(amount: &str) -> StatementLine {
    StatementLine {
        refunded: amount.parse().unwrap(),
        ..line()
    }
}

fn check(call: &Call, line: &StatementLine, expected: &[&str]) {
    let found = differences(call, line);
    let words: Vec<_> = found.iter().map(Difference::word).collect();
    assert_eq!(words, expected, "{found:?}");
}

#[test]
fn what_agrees_has_no_difference() {
    check(&call(), &line(), &[]);
    let mut back = call();
    back.payment.refunded = "0.4".parse().unwrap();
    back.payment.state = PaymentState::PartiallyRefunded;
    check(&back, &refunded("0.4"), &[]);
}

#[test]
fn each_way_of_differing_has_its_word() {
    let other = StatementLine {
        received: usd("1.01"),
        ..line()
    };
    check(&call(), &other, &["received"]);
    let euro = StatementLine {
        received: Money::parse("1", "EUR").unwrap(),
        ..line()
    };
    check(&call(), &euro, &["received"]);
    check(&call(), &refunded("0.1"), &["refunded"]);
    let fee = StatementLine {
        fee: "0.03".parse().unwrap(),
        ..line()
    };
    check(&call(), &fee, &["fee"]);
    let both = StatementLine {
        fee: "0.03".parse().unwrap(),
        ..refunded("0.1")
    };
    check(&call(), &both, &["refunded", "fee"]);
}

#[test]
fn money_for_what_is_unpaid_is_told_whatever_else_differs() {
    for state in [
        PaymentState::Pending,
        PaymentState::Expired,
        PaymentState::Released,
        PaymentState::SettleUnknown,
    ] {
        let mut unpaid = call();
        unpaid.payment.state = state;
        check(&unpaid, &refunded("1"), &["unpaid"]);
    }
}

#[test]
fn what_is_on_its_way_agrees_before_and_after() {
    let mut ordered = call();
    ordered.refund = Some(RefundOrder {
        key: "k".into(),
        amount: "0.4".parse().unwrap(),
        reason: String::new(),
        at: 0,
    });
    let mut owed = call();
    owed.state = CallState::Compensating {
        cause: Cause::ToolFailed,
        remedy: Remedy::Refund,
        attempts: 0,
        tried_at: 0,
    };
    for (call, amount) in [(&ordered, "0.4"), (&owed, "1")] {
        check(call, &line(), &[]);
        check(call, &refunded(amount), &[]);
        check(call, &refunded("0.2"), &["refunded"]);
    }
}

#[test]
fn what_a_person_settled_otherwise_is_not_at_the_provider() {
    let mut closed = call();
    closed.state = CallState::Refunded {
        cause: Cause::RunLost,
    };
    closed.payment.state = PaymentState::Refunded;
    closed.payment.refunded = usd("1").amount;
    check(&closed, &line(), &["refunded"]);
    closed.note = Some("cash".into());
    check(&closed, &line(), &[]);
}

#[test]
fn a_fee_is_compared_once_the_money_rests() {
    let fee = StatementLine {
        fee: "0.03".parse().unwrap(),
        ..line()
    };
    let mut ready = call();
    ready.state = CallState::Ready;
    check(&ready, &fee, &[]);
}
