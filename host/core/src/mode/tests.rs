//! Every mode by what it says, and names as people write them.

use serde_json::json;

use super::*;
use crate::call::tests::call;
use crate::money::Amount;

/// A turn, as far as a table of decisions looks at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Seen {
    Ask(Manner),
    /// Milliseconds.
    Wait(Millis),
    CallOff,
}

/// Waits that tables go through, milliseconds.
pub(super) const CASES_MS: [Millis; 3] = [0, 5_000, 50_000];

pub(super) fn seen(mode: &dyn Mode, status: AskStatus, dialog: &Dialog) -> Seen {
    seen_of(&call(), mode, status, dialog)
}

pub(super) fn seen_of(call: &Call, mode: &dyn Mode, status: AskStatus, dialog: &Dialog) -> Seen {
    match mode.turn(call, status, dialog) {
        Turn::Ask(ask) => Seen::Ask(ask.manner),
        Turn::Wait { ms, .. } => Seen::Wait(ms),
        Turn::CallOff => Seen::CallOff,
    }
}

#[test]
fn no_mode_asks_in_a_way_that_the_client_did_not_declare_or_waits_for_ever() {
    use crate::peer::{Answer::*, Era, Peer};
    let answers = [
        None,
        Some(Accepted),
        Some(Declined),
        Some(Cancelled),
        Some(Unasked),
        Some(Missing),
    ];
    let each = |bit: u32| move |bits: u32| bits & (1 << bit) != 0;
    for (mode, answer, bits, asked) in MODES.iter().flat_map(|mode| {
        answers.iter().flat_map(move |answer| {
            (0..32).flat_map(move |bits| (0..40).map(move |asked| (mode, answer, bits, asked)))
        })
    }) {
        let peer = Peer {
            era: if each(0)(bits) {
                Era::Modern
            } else {
                Era::Legacy
            },
            form: each(1)(bits),
            url: each(2)(bits),
            progress: each(3)(bits),
            ..Peer::default()
        };
        let mut dialog = Dialog {
            peer,
            answer: *answer,
            asked,
            ..Dialog::default()
        };
        dialog.manners.url_error = each(4)(bits);
        for waited_ms in CASES_MS {
            dialog.waited_ms = waited_ms;
            let turn = seen(*mode, AskStatus::Pending, &dialog);
            let fits = match turn {
                Seen::Ask(Manner::Answer) => true,
                Seen::Ask(Manner::Form) => peer.form && asked < 20,
                Seen::Ask(Manner::Url) => peer.url && asked < 20,
                Seen::Ask(Manner::UrlError) => peer.url && peer.era == Era::Legacy && asked < 20,
                Seen::Wait(ms) => ms > 0 && waited_ms + ms <= dialog.manners.wait_ms,
                Seen::CallOff => *answer == Some(Declined),
            };
            assert!(fits, "{} {dialog:?}: {turn:?}", mode.name());
        }
    }
}

#[test]
fn a_question_and_a_line_of_progress_say_everything_too() {
    let call = call();
    for status in [AskStatus::Required, AskStatus::Pending] {
        for manner in [Manner::Form, Manner::Url, Manner::UrlError] {
            let ask = Ask::shown(&call, status, manner);
            for text in [ask.question(&PRINTED), ask.line(&PRINTED)] {
                for part in [
                    "0.003 USD",
                    "get_forecast",
                    PRINTED.payment_url,
                    PRINTED.expires_at,
                    call.payment.id.as_str(),
                    "TEST",
                ] {
                    assert!(
                        text.contains(part),
                        "{status:?} {manner:?} lacks {part}:\n{text}"
                    );
                }
            }
            assert!(!ask.line(&PRINTED).contains('\n'));
        }
    }
}

fn asked(mode: &dyn Mode, call: &Call, status: AskStatus) -> Ask {
    match mode.turn(call, status, &Dialog::default()) {
        Turn::Ask(ask) => ask,
        other => panic!("{}: {other:?}", mode.name()),
    }
}

const PRINTED: Printed<'static> = Printed {
    payment_url: "http://127.0.0.1:7402/pay/lnk_x",
    expires_at: "2026-11-20T10:00:00Z",
    test: true,
};

#[test]
fn every_request_for_payment_says_everything_in_its_text() {
    for mode in MODES {
        for status in [AskStatus::Required, AskStatus::Pending] {
            let call = call();
            let ask = asked(*mode, &call, status);
            let text = ask.text(&PRINTED);
            for part in [
                "0.003 USD",
                "get_forecast",
                PRINTED.payment_url,
                call.payment.id.as_str(),
                "TEST",
                &ask.next_step,
            ] {
                assert!(
                    text.contains(part),
                    "{} {status:?} lacks {part}:\n{text}",
                    mode.name()
                );
            }
        }
    }
}

#[test]
fn the_object_has_the_published_shape() {
    let schema = payment_object_schema();
    for mode in MODES {
        for status in [AskStatus::Required, AskStatus::Pending, AskStatus::Running] {
            let object = asked(*mode, &call(), status).object(&PRINTED);
            for key in schema["required"].as_array().unwrap() {
                assert!(object.contains_key(key.as_str().unwrap()), "{key}");
            }
            let statuses = schema["properties"]["status"]["enum"].as_array().unwrap();
            assert!(statuses.contains(&object["status"]));
        }
    }
}

#[test]
fn what_comes_from_the_balance_is_not_asked_for_and_said() {
    let mut call = call();
    call.credit = "0.001".parse().unwrap();
    for mode in MODES {
        for status in [AskStatus::Required, AskStatus::Pending] {
            let ask = asked(*mode, &call, status);
            let text = ask.text(&PRINTED);
            assert!(
                text.contains(" 0.002 USD for get_forecast (TEST: no real money moves). 0.001 of 0.003 USD comes from your balance."),
                "{text}"
            );
            let object = ask.object(&PRINTED);
            assert_eq!(
                (&object["amount"], &object["price"], &object["from_balance"]),
                (&json!("0.002"), &json!("0.003"), &json!("0.001"))
            );
        }
    }
    call.credit = Amount::ZERO;
    let object = asked(MODES[0], &call, AskStatus::Required).object(&PRINTED);
    assert!(!object.contains_key("from_balance") && object["amount"] == "0.003");
}

#[test]
fn names_are_found_as_people_write_them() {
    for name in ["two_step", "TWO_STEP", "two-step"] {
        assert_eq!(by_name(name).unwrap().name(), "two_step");
    }
    let error = by_name("barter").err().unwrap().to_string();
    assert!(
        error.contains("two_step, resubmit, elicitation") && error.contains("x402 or auto"),
        "{error}"
    );
}
