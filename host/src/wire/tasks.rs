//! A call as a task of the extension `io.modelcontextprotocol/tasks` (SEP-2663).

use coinop_core::mode::{Ask, Manner, RETRY_AFTER_S};
use coinop_core::peer::Peer;
use rmcp::model::{
    CreateTaskResult, DetailedTask, ElicitRequest, GetTaskResult, InputRequest, InputRequests,
    JsonObject, MetaObject, Task as WireTask, TaskPayload, TaskStatus,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::elicitation::{Asked, PAY};
use super::result::{capped, tool_result};
use crate::clock::rfc3339;
use crate::gate::{Refusal, Reply, Task, TaskStage};

/// The code of a task's failure that is no fault of the protocol's: what was paid for, or was to be, did not come.
const FAILED: i32 = 402;
/// Longest message of a task's state, bytes.
const MESSAGE_BYTES_MAX: usize = 8 << 10;

/// The answer that makes a call a task. A client sees what is asked of it when it polls; the link is in the message and
/// in `_meta` already.
pub fn created(task: &Task, peer: &Peer) -> CreateTaskResult {
    let (wire, payload) = parts(task, peer);
    let wire = DetailedTask::new(wire, payload).task;
    let result = CreateTaskResult::new(wire);
    match &task.stage {
        TaskStage::Awaiting(reply) => match tool_result(reply).meta {
            Some(meta) => result.with_meta(meta),
            None => result,
        },
        _ => result,
    }
}

/// The answer to whoever polls.
pub fn polled(task: &Task, peer: &Peer) -> GetTaskResult {
    let (wire, payload) = parts(task, peer);
    let mut result = GetTaskResult::new(DetailedTask::new(wire, payload));
    if let TaskStage::Awaiting(reply) = &task.stage {
        result.meta = tool_result(reply).meta;
    }
    result
}

fn parts(task: &Task, peer: &Peer) -> (WireTask, TaskPayload) {
    let (payload, message) = match &task.stage {
        TaskStage::Awaiting(reply) => (asking(reply, peer), Some(text_of(reply))),
        TaskStage::Working(trouble) => (
            TaskPayload::Working,
            trouble.as_ref().map(Refusal::to_string),
        ),
        TaskStage::Ended(reply) => ended(reply),
    };
    let ttl_ms = task.kept_until.saturating_sub(task.created_at);
    let mut wire = WireTask::new(
        task.id.to_string(),
        TaskStatus::Working,
        rfc3339(task.created_at),
        rfc3339(task.updated_at),
    )
    .with_ttl_ms(u64::try_from(ttl_ms).unwrap_or(0))
    .with_poll_interval_ms(u64::from(RETRY_AFTER_S) * 1_000);
    wire.status_message = message.map(|message| capped(message, MESSAGE_BYTES_MAX));
    (wire, payload)
}

/// The payment is asked for in the way the client has; without any, the message says it and nothing is required of it.
/// The request keeps its name for as long as the task lives: what a user answered is not put to them again.
fn asking(reply: &Reply, peer: &Peer) -> TaskPayload {
    let manner = match (peer.url, peer.form) {
        (true, _) => Manner::Url,
        (false, true) => Manner::Form,
        (false, false) => return TaskPayload::Working,
    };
    let Reply::Ask {
        ask,
        payment_url,
        test,
    } = reply
    else {
        return TaskPayload::Working;
    };
    let shown = Ask {
        manner,
        ..(**ask).clone()
    };
    let asked = Asked {
        ask: &shown,
        payment_url,
        test: *test,
    };
    let request = InputRequest::Elicitation(ElicitRequest::new(asked.params()));
    TaskPayload::InputRequired {
        input_requests: InputRequests::from([(PAY.to_owned(), request)]),
    }
}

/// How a task ended. A payer who said no cancelled it; whatever else kept the outcome away is a failure.
fn ended(reply: &Reply) -> (TaskPayload, Option<String>) {
    match reply {
        Reply::Outcome(_) | Reply::Settled { .. } => {
            let result = object(&tool_result(reply));
            (TaskPayload::Completed { result }, None)
        }
        Reply::Refused(Refusal::Declined) => (TaskPayload::Cancelled, Some(text_of(reply))),
        _ => {
            let message = text_of(reply);
            let MetaObject(data) = tool_result(reply).meta.unwrap_or_default();
            let error = json!({"code": FAILED, "message": message, "data": data});
            (
                TaskPayload::Failed {
                    error: object(&error),
                },
                Some(message),
            )
        }
    }
}

/// The text that the same reply to a plain call has.
fn text_of(reply: &Reply) -> String {
    let content = tool_result(reply).content;
    let texts = content.iter().filter_map(|block| block.as_text());
    let texts: Vec<&str> = texts.map(|text| &*text.text).collect();
    texts.join("\n")
}

fn object(value: &impl Serialize) -> JsonObject {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        _ => JsonObject::new(),
    }
}

#[cfg(test)]
mod tests {
    use coinop_core::ids::PaymentId;
    use coinop_core::outcome::{Content, Outcome};

    use super::*;
    use crate::ledger::Delivery;
    use crate::server::testing::ask;

    fn task(stage: TaskStage) -> Task {
        Task {
            id: PaymentId::from_random([7; 16]),
            created_at: 1_000_000_000,
            updated_at: 1_000_060_000,
            kept_until: 1_000_900_000,
            stage,
        }
    }

    fn awaiting() -> TaskStage {
        TaskStage::Awaiting(Reply::Ask {
            ask: Box::new(ask("a_tool", "0.50")),
            payment_url: "http://h/pay/lnk".to_owned(),
            test: true,
        })
    }

    fn wire(stage: TaskStage, peer: &Peer) -> Value {
        json!(polled(&task(stage), peer))
    }

    #[test]
    fn a_task_that_waits_for_its_payment_asks_as_its_client_can_be_asked() {
        let peer = |form, url| Peer {
            form,
            url,
            ..Peer::default()
        };
        let link = wire(awaiting(), &peer(true, true));
        assert_eq!(link["status"], "input_required");
        assert_eq!(
            link["inputRequests"]["pay"]["params"]["url"],
            "http://h/pay/lnk"
        );
        let form = wire(awaiting(), &peer(true, false));
        assert_eq!(form["inputRequests"]["pay"]["params"]["mode"], "form");
        let neither = wire(awaiting(), &peer(false, false));
        assert_eq!(neither["status"], "working");
        assert!(neither.get("inputRequests").is_none());
        for task in [link, form, neither] {
            let message = task["statusMessage"].as_str().unwrap();
            for part in ["http://h/pay/lnk", "0.50 USD", "pay_", "TEST"] {
                assert!(message.contains(part), "{part}: {message}");
            }
            assert_eq!(task["ttlMs"], 900_000);
            assert_eq!(task["pollIntervalMs"], 3_000);
            assert_eq!(task["createdAt"], "1970-01-12T13:46:40Z");
            assert!(task["_meta"]["coinop/payment"]["payment_id"].is_string());
        }
    }

    #[test]
    fn a_task_is_made_with_what_is_known_of_it() {
        let peer = Peer {
            url: true,
            ..Peer::default()
        };
        let made = json!(created(&task(awaiting()), &peer));
        assert_eq!(made["resultType"], "task");
        assert_eq!(made["status"], "input_required");
        assert!(
            made["statusMessage"]
                .as_str()
                .unwrap()
                .contains("http://h/pay/lnk")
        );
    }

    #[test]
    fn an_end_is_told_as_the_plain_call_is_answered() {
        let peer = Peer::default();
        let outcome = Outcome {
            content: vec![Content::text("42")],
            ..Outcome::default()
        };
        let reply = Reply::Outcome(Delivery::free(outcome));
        let plain = json!(tool_result(&reply));
        let done = wire(TaskStage::Ended(reply), &peer);
        assert_eq!(
            (&done["status"], &done["result"]),
            (&json!("completed"), &plain)
        );

        let declined = wire(TaskStage::Ended(Reply::Refused(Refusal::Declined)), &peer);
        assert_eq!(declined["status"], "cancelled");
        let expired = wire(TaskStage::Ended(Reply::Refused(Refusal::Expired)), &peer);
        assert_eq!(expired["status"], "failed");
        let message = expired["error"]["message"].as_str().unwrap();
        assert!(message.contains("Nothing was charged"), "{message}");
        assert_eq!(
            expired["error"]["data"]["coinop/refusal"]["kind"],
            "expired"
        );
    }
}
