//! What clients do on a stage: ask for a call, pay it, and go on with it, in the way of its mode.

use coinop_tests::answer::Answer;
use coinop_tests::credential::{Credential, is_asked};
use coinop_tests::pay::{pay, pay_by_command};
use coinop_tests::talker::{Call, Talker};
use coinop_tests::wait::until;
use serde_json::{Value, json};

use crate::row::Way;
use crate::stage::Stage;

/// What a client was asked, and has at hand to go on.
pub(crate) struct Asked {
    tool: &'static str,
    arguments: Value,
    /// The call that waits for its payment.
    pub(crate) waiting: Option<Call>,
    /// Whether the tool was called again already: who does so once more buys once more.
    repeated: bool,
    pay: Pay,
    state: Value,
}

impl Asked {
    /// The same for somebody without the call that waits.
    pub(crate) fn again(&self) -> Self {
        Self {
            tool: self.tool,
            arguments: self.arguments.clone(),
            waiting: None,
            repeated: self.repeated,
            pay: self.pay.clone(),
            state: self.state.clone(),
        }
    }

    /// Whether an answer speaks of a payment that is not this one.
    fn is_for_another(&self, answer: &Answer) -> bool {
        match (&self.pay, answer.asked()) {
            (Pay::Link { id, .. }, Some(told)) => told.id != *id,
            (Pay::Signed(_), Some(told)) => told.status != "running",
            (_, None) => false,
        }
    }
}

#[derive(Clone)]
enum Pay {
    /// By its page.
    Link { link: String, id: String },
    /// With the call.
    Signed(Credential),
}

impl Stage {
    /// Calls the tool, until the client knows how to pay.
    pub(crate) async fn ask(&self, client: &Talker, tool: &'static str, ms: u64) -> Asked {
        let arguments = json!({ "ms": ms });
        let more = json!({ "_meta": { "progressToken": tool } });
        let call = client.call(tool, arguments.clone(), more).await;
        let (pay, waiting, state) = match self.row.way {
            Way::Question => {
                let question = client.heard("elicitation/create").await;
                (
                    pay_by(&question["params"]["message"]),
                    Some(call),
                    Value::Null,
                )
            }
            Way::Progress => (progress_with_link(client).await, Some(call), Value::Null),
            _ => {
                let answer = client.answer(&call).await;
                let state = answer.result()["requestState"].clone();
                (self.pay_as_answered(&answer), None, state)
            }
        };
        Asked {
            tool,
            arguments,
            waiting,
            repeated: false,
            pay,
            state,
        }
    }

    fn pay_as_answered(&self, answer: &Answer) -> Pay {
        match self.row.way {
            Way::Brought(rail) => {
                let offer = rail.asked(answer);
                let offer = offer.unwrap_or_else(|| panic!("nothing to sign: {}", answer.0));
                Pay::Signed(rail.sign(&offer, &self.new_wallet()))
            }
            Way::Rounds => pay_by(&answer.result()["inputRequests"]["pay"]["params"]["message"]),
            Way::Error => pay_by(&answer.0["error"]["data"]["elicitations"][0]["message"]),
            _ => {
                let payment = answer.payment();
                Pay::Link {
                    link: payment.url,
                    id: payment.id,
                }
            }
        }
    }

    /// Has the payment made. What comes with the call is presented by [`Self::redeem`].
    pub(crate) async fn pay(&self, asked: &Asked) {
        if let Pay::Link { link, .. } = &asked.pay {
            pay(link).await;
        }
    }

    /// As [`Self::pay`], whether the host of the page is there or not.
    pub(crate) async fn pay_elsewhere(&self, asked: &Asked) {
        if let Pay::Link { id, .. } = &asked.pay {
            pay_by_command(&self.home, id).await;
        }
    }

    /// Whether the call waits for its payment, and goes on by itself.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.row.way, Way::Question | Way::Progress)
    }

    /// Goes on with a call that was paid: the one that waits, if this client has it.
    pub(crate) async fn redeem(&self, client: &Talker, asked: &mut Asked) -> Call {
        if let Some(waiting) = asked.waiting.take() {
            return waiting;
        }
        let (tool, arguments) = (asked.tool.to_owned(), asked.arguments.clone());
        let mut more = json!({ "_meta": { "progressToken": "again" } });
        let (name, arguments) = match (self.row.way, &asked.pay) {
            (Way::Confirm, Pay::Link { id, .. }) => {
                (format!("confirm_{tool}"), json!({ "payment_id": id }))
            }
            (Way::Resubmit, Pay::Link { id, .. }) => (tool, with_id(arguments, id)),
            (Way::Error, _) if !asked.repeated => {
                asked.repeated = true;
                (tool, arguments)
            }
            (Way::Rounds, _) => {
                let accept = json!({ "action": "accept", "content": { "paid": true } });
                more["inputResponses"] = json!({ "pay": accept });
                more["requestState"] = asked.state.clone();
                (tool, arguments)
            }
            (_, Pay::Signed(credential)) => {
                more["_meta"] = credential.meta.clone();
                (tool, arguments)
            }
            // Whoever has not got the call any more has the payment's id.
            (_, Pay::Link { id, .. }) => {
                ("confirm_payment".to_owned(), json!({ "payment_id": id }))
            }
        };
        client.call(&name, arguments, more).await
    }

    /// What becomes of a call that was paid: asked for until it is known, and never answered by asking for more money.
    pub(crate) async fn known(&self, client: &Talker, asked: &mut Asked, mut call: Call) -> Answer {
        until("the end of a paid call", async || {
            let answer = client.answer(&call).await;
            let again = is_asked(&answer) || asked.is_for_another(&answer);
            assert!(!again, "asked to pay again: {}", answer.0);
            if !told_to_wait(&answer) {
                return Some(answer);
            }
            call = self.redeem(client, asked).await;
            None
        })
        .await
    }

    /// Comes back: what the call came to, as it is told now.
    pub(crate) async fn told(&self, client: &Talker, asked: &mut Asked) -> Answer {
        let call = self.redeem(client, asked).await;
        self.known(client, asked, call).await
    }
}

fn with_id(mut arguments: Value, id: &str) -> Value {
    arguments["payment_id"] = json!(id);
    arguments
}

/// The first word of progress that says how to pay; of calls before there may be others.
async fn progress_with_link(client: &Talker) -> Pay {
    loop {
        let told = client.heard("notifications/progress").await;
        let message = &told["params"]["message"];
        if message
            .as_str()
            .is_some_and(|text| text.contains("http://"))
        {
            return pay_by(message);
        }
    }
}

/// The link and the id in a message to people.
fn pay_by(message: &Value) -> Pay {
    let text = message
        .as_str()
        .unwrap_or_else(|| panic!("no text: {message}"));
    let mut words = text.split_whitespace();
    let link = words.find(|word| word.starts_with("http://"));
    let id = text.find("pay_").map(|from| &text[from..from + 30]);
    match (link, id) {
        (Some(link), Some(id)) => Pay::Link {
            link: link.to_owned(),
            id: id.to_owned(),
        },
        _ => panic!("no link and id: {text}"),
    }
}

/// Whether the answer says that the call is under way, or asks for another round.
fn told_to_wait(answer: &Answer) -> bool {
    answer.asked().is_some() || answer.result()["resultType"] == "input_required"
}
