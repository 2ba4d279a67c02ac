//! A request for payment as MCP puts it to a user: `elicitation/create` (legacy), an input request (modern), or the error
//! -32042; and the user's answer read back.
//!
//! A form collects no credentials: its one field says that the payment was made, elsewhere, and is not believed.

use std::borrow::Cow;

use coinop_core::mode::{Ask, Manner, Printed};
use coinop_core::peer::Answer;
use rmcp::ErrorData;
use rmcp::model::{
    ClientResult, CustomNotification, ElicitRequest, ElicitRequestParams, ElicitationAction,
    ElicitationSchema, ErrorCode, InputRequest, InputRequests, InputRequiredResult, InputResponses,
    MetaObject, ServerNotification,
};
use serde_json::{Map, Value, json};

use super::META_PAYMENT;

/// The code of the error that tells a legacy client to open a link and to call again.
pub const URL_ELICITATION_REQUIRED: ErrorCode = ErrorCode(-32042);
/// The name of the one input request.
pub const PAY: &str = "pay";
/// The form's one field.
const PAID: &str = "paid";

/// What is put to the user.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What is asked, and how.
    pub ask: &'a Ask,
    /// Where to pay.
    pub payment_url: &'a str,
    /// Whether the money is pretended.
    pub test: bool,
}

impl Asked<'_> {
    /// The parameters of `elicitation/create`: in URL mode where the request says so, else a form.
    pub fn params(&self) -> ElicitRequestParams {
        let message = self.print(Ask::question);
        match self.ask.manner {
            Manner::Url | Manner::UrlError => ElicitRequestParams::UrlElicitationParams {
                meta: None,
                message,
                url: self.payment_url.to_owned(),
                elicitation_id: self.elicitation_id(),
            },
            Manner::Form | Manner::Answer => ElicitRequestParams::FormElicitationParams {
                meta: None,
                message,
                requested_schema: form(),
            },
        }
    }

    /// The name under which the client hears that the payment was made. One a payment: whoever asks twice means the same.
    pub fn elicitation_id(&self) -> String {
        self.ask.payment_id.to_string()
    }

    /// The modern answer that asks: the client calls again with what its user said, and with `state`.
    pub fn input_required(&self, state: String) -> InputRequiredResult {
        let request = InputRequest::Elicitation(ElicitRequest::new(self.params()));
        let requests = InputRequests::from([(PAY.to_owned(), request)]);
        let object = Value::Object(self.print(Ask::object));
        let meta = MetaObject(Map::from_iter([(META_PAYMENT.to_owned(), object)]));
        InputRequiredResult::new(Some(requests), Some(state)).with_meta(meta)
    }

    /// The legacy error that tells the client to have the link opened, and to call again.
    pub fn url_error(&self) -> ErrorData {
        // Many clients show nothing of an error but its message.
        let message = self.print(Ask::text);
        let elicitations = json!([self.params()]);
        let object = Value::Object(self.print(Ask::object));
        let data = json!({"elicitations": elicitations, META_PAYMENT: object});
        ErrorData::new(URL_ELICITATION_REQUIRED, message, Some(data))
    }

    /// One line for a client that shows how far a call is.
    pub fn line(&self) -> String {
        self.print(Ask::line)
    }

    fn print<T>(&self, what: impl Fn(&Ask, &Printed<'_>) -> T) -> T {
        let printed = Printed {
            payment_url: self.payment_url,
            expires_at: &crate::clock::rfc3339(self.ask.expires_at),
            test: self.test,
        };
        what(self.ask, &printed)
    }
}

/// The news that what an elicitation asked for was done (legacy).
pub fn completed(elicitation_id: &str) -> ServerNotification {
    let params = json!({"elicitationId": elicitation_id});
    let method = "notifications/elicitation/complete";
    ServerNotification::CustomNotification(CustomNotification::new(method, Some(params)))
}

/// What the user answered to a legacy request. What is no answer was not asked.
pub fn answer(result: &ClientResult) -> Answer {
    match result {
        ClientResult::ElicitResult(result) => of_action(&result.action),
        _ => Answer::Unasked,
    }
}

/// What the user answered to the modern input request.
pub fn answer_among(responses: Option<&InputResponses>) -> Answer {
    let action = responses.and_then(|responses| responses.get(PAY)?.get("action").cloned());
    let action = action.and_then(|action| serde_json::from_value(action).ok());
    action.as_ref().map_or(Answer::Missing, of_action)
}

/// The form's content changes nothing: whether it is paid is the provider's to say.
fn of_action(action: &ElicitationAction) -> Answer {
    match action {
        ElicitationAction::Accept => Answer::Accepted,
        ElicitationAction::Decline => Answer::Declined,
        // What a later protocol adds says neither yes nor no.
        _ => Answer::Cancelled,
    }
}

fn form() -> ElicitationSchema {
    let paid = |field: rmcp::model::BooleanSchema| field.title(Cow::Borrowed("I have paid"));
    ElicitationSchema::builder()
        .required_bool_with(PAID, paid)
        .build_unchecked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::testing::ask;

    fn asked(manner: Manner, check: impl Fn(&Asked<'_>)) {
        let ask = Ask {
            manner,
            ..ask("a_tool", "0.50")
        };
        check(&Asked {
            ask: &ask,
            payment_url: "http://h/pay/lnk",
            test: true,
        });
    }

    fn says_everything(message: &Value) {
        let message = message.as_str().unwrap();
        let parts = [
            "0.50 USD",
            "a_tool",
            "http://h/pay/lnk",
            "1970-01-12",
            "TEST",
            "pay_",
        ];
        for part in parts {
            assert!(message.contains(part), "{part} is not in {message}");
        }
    }

    #[test]
    fn a_form_has_one_field_and_says_the_rest_in_its_message() {
        asked(Manner::Form, |asked| {
            let params = json!(asked.params());
            assert_eq!(params["mode"], "form");
            says_everything(&params["message"]);
            assert_eq!(
                params["requestedSchema"],
                json!({
                    "type": "object",
                    "properties": {"paid": {"type": "boolean", "title": "I have paid"}},
                    "required": ["paid"],
                })
            );
        });
    }

    #[test]
    fn a_link_is_opened_under_the_payments_name() {
        asked(Manner::Url, |asked| {
            let params = json!(asked.params());
            assert_eq!(
                (&params["mode"], &params["url"]),
                (&json!("url"), &json!("http://h/pay/lnk"))
            );
            assert_eq!(params["elicitationId"], json!(asked.ask.payment_id));
            says_everything(&params["message"]);
        });
    }

    #[test]
    fn the_modern_answer_asks_and_carries_the_payment_for_programs() {
        asked(Manner::Url, |asked| {
            let result = json!(asked.input_required("state".into()));
            assert_eq!(result["resultType"], "input_required");
            assert_eq!(result["requestState"], "state");
            let request = &result["inputRequests"]["pay"];
            assert_eq!(request["method"], "elicitation/create");
            assert_eq!(request["params"], json!(asked.params()));
            assert_eq!(
                result["_meta"][META_PAYMENT]["payment_url"],
                "http://h/pay/lnk"
            );
        });
    }

    #[test]
    fn the_error_lists_the_link_and_says_everything_in_its_message() {
        asked(Manner::UrlError, |asked| {
            let error = json!(asked.url_error());
            assert_eq!(error["code"], -32042);
            says_everything(&error["message"]);
            assert_eq!(error["data"]["elicitations"], json!([asked.params()]));
            assert_eq!(error["data"]["elicitations"][0]["mode"], "url");
        });
    }

    #[test]
    fn answers_are_read_and_what_is_no_answer_is_missing() {
        let cases = [
            (
                json!({"pay": {"action": "accept", "content": {"paid": true}}}),
                Answer::Accepted,
            ),
            (
                json!({"pay": {"action": "accept", "content": {"paid": false}}}),
                Answer::Accepted,
            ),
            (json!({"pay": {"action": "accept"}}), Answer::Accepted),
            (json!({"pay": {"action": "decline"}}), Answer::Declined),
            (json!({"pay": {"action": "cancel"}}), Answer::Cancelled),
            (json!({"pay": {"action": "maybe"}}), Answer::Missing),
            (json!({"pay": "accept"}), Answer::Missing),
            (json!({"other": {"action": "accept"}}), Answer::Missing),
            (json!({}), Answer::Missing),
        ];
        for (responses, expected) in cases {
            let responses: InputResponses = serde_json::from_value(responses).unwrap();
            assert_eq!(answer_among(Some(&responses)), expected, "{responses:?}");
        }
        assert_eq!(answer_among(None), Answer::Missing);
        let unreadable: ClientResult =
            serde_json::from_value(json!({"action": "perhaps"})).unwrap();
        assert_eq!(answer(&unreadable), Answer::Unasked);
        let declined: ClientResult = serde_json::from_value(json!({"action": "decline"})).unwrap();
        assert_eq!(answer(&declined), Answer::Declined);
    }
}
