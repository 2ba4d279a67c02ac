//! A gate's reply as an HTTP response: MCP's result object, but for what is to be paid, which 402 has forms for.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use coinop_core::Millis;
use coinop_core::call::Cause;
use coinop_core::mode::{Ask, AskStatus, RETRY_AFTER_S};
use serde_json::{Value, json};

use super::headers;
use crate::catalog::Entry;
use crate::gate::{Challenged, Invocation, Refusal, Reply};
use crate::provider::rail::Rejected;
use crate::wire::{challenge, result};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// An answer is its caller's: requests for payment stand for a moment, and results were paid for.
const NOT_CACHED: HeaderValue = HeaderValue::from_static("no-store");

/// How a call goes on that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// By the same request, with the payment's id in a header.
    WithPaymentId,
    /// By the same request: it has the payment's id among its arguments.
    AsItIs,
    /// By the same request and the payment that came with it.
    WithSamePayment,
}

impl Again {
    pub(super) fn of(invocation: &Invocation) -> Self {
        let came_with_payment = invocation.credential.is_some();
        match &invocation.entry {
            Entry::Tool(listing) if came_with_payment && listing.takes_payments() => {
                Self::WithSamePayment
            }
            Entry::Tool(_) => Self::WithPaymentId,
            Entry::Confirm(_) | Entry::ConfirmPayment => Self::AsItIs,
        }
    }

    fn in_words(self, ask: &Ask) -> String {
        let same = "send the same request again";
        match self {
            Self::WithPaymentId => format!("{same} with the header Payment-Id: {}", ask.payment_id),
            Self::AsItIs => same.to_owned(),
            Self::WithSamePayment => format!("{same} with the same payment"),
        }
    }
}

/// The response to a call, at `now`.
pub(super) fn response(reply: Reply, again: Again, now: Millis) -> Response {
    let reply = match reply {
        Reply::Challenge(challenged) => match challenged.rejected {
            // 402 would have a wallet make another payment.
            Some(Rejected::Unavailable(why)) => Reply::Refused(challenge::unavailable(&why)),
            _ => Reply::Challenge(challenged),
        },
        reply => in_words_of_http(reply, again),
    };
    let mut response = match &reply {
        Reply::Challenge(challenged) => to_pay(challenged),
        Reply::Ask { .. } => to_pay_by_link(&reply),
        reply => result_object(reply),
    };
    *response.status_mut() = status(&reply, again);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, NOT_CACHED);
    if let Some(seconds) = retry_after_s(&reply, now) {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    match &reply {
        Reply::Challenge(challenged) => headers::put_challenge(challenged, headers),
        Reply::Settled {
            receipt: Some(receipt),
            ..
        } => headers::put_receipt(receipt, headers),
        _ => {}
    }
    response
}

/// Requests for payment say how HTTP goes on; what they say for MCP would lead to other tools.
fn in_words_of_http(mut reply: Reply, again: Again) -> Reply {
    if let Reply::Ask { ask, .. } = &mut reply {
        let then = again.in_words(ask);
        let when = match ask.status {
            AskStatus::Running => "To get the result",
            AskStatus::Required | AskStatus::Pending => "Once it is paid",
        };
        let next_step = format!("{when}, {then}.");
        **ask = Ask {
            retry_instructions: ask.retry_instructions.as_ref().map(|_| next_step.clone()),
            next_step,
            ..(**ask).clone()
        };
    }
    reply
}

/// x402's body of version 1, for those who do not read version 2's header.
fn to_pay(challenged: &Challenged) -> Response {
    let x402 = challenge::payment_required_v1(challenged)
        .or_else(|| challenge::payment_required(challenged));
    match x402 {
        Some(required) => body(JSON, &required),
        None => body(PROBLEM_JSON, &challenge::problem(challenged)),
    }
}

/// The payment object, and the same in words.
fn to_pay_by_link(reply: &Reply) -> Response {
    let result = result::tool_result(reply);
    let mut object = result.structured_content.unwrap_or_default();
    let text = result.content.first().and_then(|block| block.as_text());
    object["message"] = json!(text.map(|text| text.text.as_str()));
    body(JSON, &object)
}

fn result_object(reply: &Reply) -> Response {
    let mut result = result::tool_result(reply);
    // A word of MCP's newer protocol versions.
    result.result_type = None;
    match serde_json::to_value(&result) {
        Ok(result) => body(JSON, &result),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn body(content_type: HeaderValue, value: &Value) -> Response {
    ([(CONTENT_TYPE, content_type)], value.to_string()).into_response()
}

fn status(reply: &Reply, again: Again) -> StatusCode {
    match reply {
        Reply::Outcome(_) | Reply::Settled { .. } => StatusCode::OK,
        // To whoever has paid by signing, 402 would mean to sign and pay again.
        Reply::Ask { .. } if again == Again::WithSamePayment => StatusCode::ACCEPTED,
        Reply::Ask { ask, .. } => match ask.status {
            AskStatus::Required | AskStatus::Pending => StatusCode::PAYMENT_REQUIRED,
            AskStatus::Running => StatusCode::ACCEPTED,
        },
        Reply::Challenge(_) => StatusCode::PAYMENT_REQUIRED,
        Reply::Refused(refusal) => status_of(refusal),
        Reply::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::InvalidArguments(_) => StatusCode::BAD_REQUEST,
        Refusal::UnknownPayment | Refusal::Blocked => StatusCode::FORBIDDEN,
        Refusal::OtherTool { .. } | Refusal::OtherArguments { .. } => StatusCode::CONFLICT,
        Refusal::Declined | Refusal::Expired | Refusal::NoLongerStored => StatusCode::GONE,
        Refusal::Refunded { cause, .. }
        | Refusal::Credited { cause, .. }
        | Refusal::Compensating { cause, .. } => match cause {
            Cause::ToolFailed | Cause::RunLost => StatusCode::BAD_GATEWAY,
            Cause::LatePaid | Cause::WrongAmount | Cause::Unclaimed => StatusCode::GONE,
            Cause::Blocked => StatusCode::FORBIDDEN,
        },
        Refusal::Withheld { .. } | Refusal::ToolFailed { .. } => StatusCode::BAD_GATEWAY,
        Refusal::Attention { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        // Waiting does not change every limit.
        Refusal::Limit(capped) => match capped.frees_at() {
            Some(_) => StatusCode::TOO_MANY_REQUESTS,
            None => StatusCode::FORBIDDEN,
        },
        Refusal::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// When the same request makes sense again, where it does.
fn retry_after_s(reply: &Reply, now: Millis) -> Option<u32> {
    match reply {
        Reply::Ask { ask, .. } => (ask.status != AskStatus::Required).then_some(RETRY_AFTER_S),
        Reply::Refused(Refusal::Unavailable { retry_after_s, .. }) => Some(*retry_after_s),
        Reply::Refused(Refusal::Limit(capped)) => {
            let seconds = capped.frees_at()?.saturating_sub(now).max(0) / 1000 + 1;
            Some(u32::try_from(seconds).unwrap_or(u32::MAX))
        }
        Reply::Cancelled => Some(RETRY_AFTER_S),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use coinop_core::money::Money;

    use super::*;
    use crate::gate::{CapScope, Capped};
    use crate::ledger::LimitReached;
    use crate::server::testing::ask;
    use crate::server::testing_rails::challenged;

    fn asked(status: AskStatus) -> Reply {
        Reply::Ask {
            ask: Box::new(Ask {
                status,
                ..ask("paid", "0.50")
            }),
            payment_url: "http://h/pay/lnk".to_owned(),
            test: true,
        }
    }

    fn refunded(cause: Cause) -> Reply {
        Reply::Refused(Refusal::Refunded {
            cause,
            failure: None,
            price: Money::parse("1", "USD").unwrap(),
            balance: None,
        })
    }

    fn limited(limit: LimitReached) -> Reply {
        let price = Money::parse("1", "USD").unwrap();
        let scope = CapScope::Caller;
        Reply::Refused(Refusal::Limit(Box::new(Capped {
            limit,
            price,
            scope,
        })))
    }

    #[test]
    fn every_reply_has_a_status_and_says_when_to_come_again() {
        let now = 1_000_000;
        let frees_at = now + 2_500;
        let per_call = LimitReached::PerCall {
            max: Money::parse("0.1", "USD").unwrap(),
        };
        let later = Some(Rejected::Unavailable("silence".to_owned()));
        let unavailable = Refusal::Unavailable {
            message: String::new(),
            retry_after_s: 7,
        };
        let tool_failed = Refusal::ToolFailed {
            kind: String::new(),
            message: String::new(),
        };
        let other_arguments = Refusal::OtherArguments { fields: Vec::new() };
        let cases = [
            (asked(AskStatus::Required), 402, None),
            (asked(AskStatus::Pending), 402, Some("3")),
            (asked(AskStatus::Running), 202, Some("3")),
            (Reply::Refused(Refusal::UnknownPayment), 403, None),
            (Reply::Refused(other_arguments), 409, None),
            (Reply::Refused(Refusal::Expired), 410, None),
            (refunded(Cause::ToolFailed), 502, None),
            (refunded(Cause::LatePaid), 410, None),
            (Reply::Refused(tool_failed), 502, None),
            (Reply::Refused(unavailable), 503, Some("7")),
            (
                limited(LimitReached::Open { max: 1, frees_at }),
                429,
                Some("3"),
            ),
            (limited(per_call), 403, None),
            (
                Reply::Challenge(Box::new(challenged("x402_only", later))),
                503,
                Some("3"),
            ),
        ];
        for (reply, status, retry_after) in cases {
            let told = format!("{reply:?}");
            let response = response(reply, Again::WithPaymentId, now);
            assert_eq!(response.status().as_u16(), status, "{told}");
            let header = response.headers().get(RETRY_AFTER);
            assert_eq!(header.map(|s| s.to_str().unwrap()), retry_after, "{told}");
            assert!(!response.headers().contains_key("payment-required"));
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        }
    }

    #[test]
    fn who_paid_with_the_call_is_never_asked_by_402_again() {
        for status in [AskStatus::Pending, AskStatus::Running] {
            let response = response(asked(status), Again::WithSamePayment, 0);
            assert_eq!(response.status(), StatusCode::ACCEPTED);
            assert!(response.headers().contains_key(RETRY_AFTER));
        }
    }
}
