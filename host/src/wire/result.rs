//! A gate's reply as an MCP tool result.
//!
//! Requests for payment are results, not errors: many clients hide errors, and the link must be seen. They carry the
//! payment object in structured content too, which the widened output schema of every paid tool admits.

use coinop_core::mode::{Ask, Printed};
use coinop_core::outcome::{Content, Outcome};
use coinop_core::peer::Peer;
use rmcp::ErrorData;
use rmcp::model::{
    CallToolResponse, CallToolResult, ContentBlock, EmbeddedResource, MetaObject, Resource,
    ResourceContents,
};
use serde_json::{Map, Value, json};

use super::{META_PAYMENT, META_RECEIPT, META_REFUSAL, challenge, guest_meta, settled};
use crate::gate::{CapScope, Capped, Refusal, Reply};
use crate::ledger::{Delivery, LimitReached};
use crate::provider::rail::RailReceipt;

/// Longest text of a refusal, bytes; a guest's failure message may be longer than a person reads. Outcomes are
/// limited where they arise (`Limits::output_bytes_max`): a stored one is delivered whole.
const REFUSAL_BYTES_MAX: usize = 8 << 10;

/// The answer to a call, in the form that the client's protocol family has for it.
///
/// # Errors
/// What its family says by an error rather than by a result.
pub fn answer(reply: &Reply, peer: &Peer) -> Result<CallToolResponse, ErrorData> {
    match reply {
        Reply::Challenge(challenged) => challenge::answer(challenged, peer),
        reply => Ok(tool_result(reply).into()),
    }
}

/// Translates a reply.
pub fn tool_result(reply: &Reply) -> CallToolResult {
    match reply {
        Reply::Outcome(delivery) => delivered(delivery),
        Reply::Ask {
            ask,
            payment_url,
            test,
        } => asked(ask, payment_url, *test),
        Reply::Settled { delivery, receipt } => settled(delivery, receipt.as_ref()),
        Reply::Challenge(challenged) => challenge::result(challenged),
        Reply::Refused(refusal) => refused(refusal),
        Reply::Cancelled => {
            CallToolResult::error(vec![ContentBlock::text("The caller cancelled the call.")])
        }
    }
}

/// What a run gave.
pub fn run_result(outcome: &Outcome) -> CallToolResult {
    let content = outcome.content.iter().map(block).collect();
    let mut result = if outcome.is_error {
        CallToolResult::error(content)
    } else {
        CallToolResult::success(content)
    };
    result.structured_content = outcome
        .structured
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    let meta = guest_meta(outcome.meta.as_deref());
    result.meta = (!meta.is_empty()).then_some(MetaObject(meta));
    result
}

fn delivered(delivery: &Delivery) -> CallToolResult {
    let mut result = run_result(&delivery.outcome);
    if let Some(receipt) = &delivery.receipt {
        let receipt = coinop_core::receipt::object(receipt);
        let meta = result.meta.get_or_insert_with(MetaObject::default);
        meta.0.insert(META_RECEIPT.to_owned(), receipt.into());
    }
    result
}

fn settled(delivery: &Delivery, receipt: Option<&RailReceipt>) -> CallToolResult {
    let mut result = delivered(delivery);
    if let Some(receipt) = receipt {
        let meta = result.meta.get_or_insert_with(MetaObject::default);
        settled::put(receipt, &mut meta.0);
    }
    result
}

fn block(content: &Content) -> ContentBlock {
    match content.clone() {
        Content::Text { text } => ContentBlock::text(text),
        Content::Image { data, mime_type } => ContentBlock::image(data, mime_type),
        Content::Audio { data, mime_type } => ContentBlock::audio(data, mime_type),
        Content::EmbeddedText {
            uri,
            mime_type,
            text,
        } => embedded(ResourceContents::TextResourceContents {
            uri,
            mime_type,
            text,
            meta: None,
        }),
        Content::EmbeddedBlob {
            uri,
            mime_type,
            blob,
        } => embedded(ResourceContents::BlobResourceContents {
            uri,
            mime_type,
            blob,
            meta: None,
        }),
        Content::ResourceLink {
            uri,
            name,
            description,
            mime_type,
        } => {
            let mut link = Resource::new(uri, name);
            link.description = description;
            link.mime_type = mime_type;
            ContentBlock::ResourceLink(link)
        }
        // Read by way of the form that receipts sign, which holds nothing that rmcp would change.
        raw @ Content::Raw { .. } => {
            let shown = raw.to_mcp();
            let as_text = || ContentBlock::text(shown.to_string());
            serde_json::from_value(shown.clone()).unwrap_or_else(|_| as_text())
        }
    }
}

fn embedded(contents: ResourceContents) -> ContentBlock {
    ContentBlock::Resource(EmbeddedResource::new(contents))
}

fn asked(ask: &Ask, payment_url: &str, test: bool) -> CallToolResult {
    let expires_at = crate::clock::rfc3339(ask.expires_at);
    let printed = Printed {
        payment_url,
        expires_at: &expires_at,
        test,
    };
    let object = Value::Object(ask.object(&printed));
    let mut result = CallToolResult::success(vec![ContentBlock::text(ask.text(&printed))]);
    result.meta = Some(meta(META_PAYMENT, object.clone()));
    result.structured_content = Some(object);
    result
}

pub(super) fn refused(refusal: &Refusal) -> CallToolResult {
    let text = capped(refusal.to_string(), REFUSAL_BYTES_MAX);
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.meta = Some(meta(META_REFUSAL, refusal_object(refusal)));
    result
}

/// `frees_at` is null where waiting changes nothing.
fn limit_object(capped: &Capped) -> Value {
    let scope = match capped.scope {
        CapScope::Caller => "caller",
        CapScope::Anonymous => "anonymous",
    };
    let mut object = json!({
        "kind": "limit",
        "limit": capped.name(),
        "scope": scope,
        "frees_at": capped.frees_at().map(crate::clock::rfc3339),
    });
    match capped.limit {
        LimitReached::Open { max, .. } | LimitReached::Links { max, .. } => {
            object["max"] = json!(max);
        }
        LimitReached::PerCall { max } | LimitReached::PerDay { max, .. } => {
            object["max_amount"] = json!(max.decimal());
            object["currency"] = json!(max.currency);
            object["amount"] = json!(capped.price.decimal());
        }
    }
    if let LimitReached::PerDay { spent, .. } = capped.limit {
        object["spent_amount"] = json!(spent.decimal());
    }
    object
}

fn meta(key: &str, value: Value) -> MetaObject {
    MetaObject(Map::from_iter([(key.to_owned(), value)]))
}

/// The refusal for programs: a stable `kind` and what they need to go on.
fn refusal_object(refusal: &Refusal) -> Value {
    let price = |kind: &str, price: &coinop_core::money::Money| json!({"kind": kind, "amount": price.decimal(), "currency": price.currency});
    match refusal {
        Refusal::InvalidArguments(_) => json!({"kind": "invalid_arguments"}),
        Refusal::UnknownPayment => json!({"kind": "unknown_payment"}),
        Refusal::OtherTool { paid_for } => json!({"kind": "other_tool", "paid_for": paid_for}),
        Refusal::OtherArguments { fields } => json!({"kind": "other_arguments", "fields": fields}),
        Refusal::Declined => json!({"kind": "declined"}),
        Refusal::Expired => json!({"kind": "expired"}),
        Refusal::Refunded { price: p, .. } => price("refunded", p),
        Refusal::Credited { price: p, .. } => price("credited", p),
        Refusal::Withheld { price: p, .. } => price("withheld", p),
        Refusal::Compensating { price: p, .. } => price("compensating", p),
        Refusal::Attention { price: p, call } => {
            let mut object = price("attention", p);
            object["call"] = json!(call);
            object
        }
        Refusal::NoLongerStored => json!({"kind": "no_longer_stored"}),
        Refusal::ToolFailed { kind, .. } => json!({"kind": "tool_failed", "failure": kind}),
        Refusal::Blocked => json!({"kind": "blocked"}),
        Refusal::Limit(capped) => limit_object(capped),
        Refusal::Unavailable { retry_after_s, .. } => {
            json!({"kind": "unavailable", "retry_after_s": retry_after_s})
        }
    }
}

/// Cuts `text` to at most `bytes_max` bytes, never inside a character.
pub fn capped(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let ellipsis = '…';
        text.truncate(text.floor_char_boundary(bytes_max.saturating_sub(ellipsis.len_utf8())));
        text.push(ellipsis);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::testing::ask;
    use coinop_core::digest::Digest;
    use coinop_core::outcome::Outcome;
    use data_encoding::BASE64URL_NOPAD;
    use std::sync::Arc;

    fn wire(reply: &Reply) -> Value {
        serde_json::to_value(tool_result(reply)).unwrap()
    }

    #[test]
    fn an_outcome_is_delivered_as_it_was_stored() {
        let outcome = Outcome {
            content: vec![
                Content::text("hello"),
                Content::EmbeddedBlob {
                    uri: "x:y".into(),
                    mime_type: None,
                    blob: "AA==".into(),
                },
                Content::ResourceLink {
                    uri: "x:z".into(),
                    name: "z".into(),
                    description: None,
                    mime_type: None,
                },
            ],
            structured: Some(r#"{"a":1}"#.into()),
            is_error: false,
            meta: Some(r#"{"shop/k":1,"coinop/payment":{"status":"paid"}}"#.into()),
        };
        let result = wire(&Reply::Outcome(Delivery::free(outcome)));
        assert_eq!(
            result["content"][0],
            json!({"type": "text", "text": "hello"})
        );
        assert_eq!(result["content"][1]["resource"]["blob"], "AA==");
        assert_eq!(result["content"][2]["type"], "resource_link");
        assert_eq!(result["structuredContent"], json!({"a": 1}));
        assert_eq!(result["isError"], false);
        assert_eq!(result["_meta"], json!({"shop/k": 1}));
    }

    /// What a client computes from the text it received.
    fn digest_received(delivery: Delivery) -> Digest {
        // The text, not a value: single-precision numbers differ between the two.
        let sent = serde_json::to_string(&tool_result(&Reply::Outcome(delivery))).unwrap();
        let mut received: Map<String, Value> = serde_json::from_str(&sent).unwrap();
        received
            .retain(|key, _| ["content", "isError", "structuredContent"].contains(&key.as_str()));
        Outcome::digest_of(&received)
    }

    #[test]
    fn receipts_sign_what_is_received_of_every_kind_of_block() {
        let text = |text: &str| text.to_owned();
        let raw = |json: Value| Content::Raw {
            json: json.to_string(),
        };
        let plain = [
            Content::text("plain \u{1f980} \u{e9}\n"),
            Content::Image {
                data: text("AA=="),
                mime_type: text("image/png"),
            },
            Content::Audio {
                data: text("AA=="),
                mime_type: text("audio/wav"),
            },
            Content::EmbeddedText {
                uri: text("a:b"),
                mime_type: Some(text("text/plain")),
                text: text("t"),
            },
            Content::EmbeddedBlob {
                uri: text("a:b"),
                mime_type: None,
                blob: text("AA=="),
            },
            Content::ResourceLink {
                uri: text("a:b"),
                name: text("b"),
                description: Some(text("d")),
                mime_type: None,
            },
            Content::ResourceLink {
                uri: text("a:b"),
                name: text("b"),
                description: None,
                mime_type: Some(text("text/html")),
            },
        ];
        let annotations = json!({"audience": ["user", "robot"], "priority": 0.1, "lastModified": "2026-11-20", "x": 1});
        let odd = json!({"priority": 0.123_456_789_012, "audience": "user"});
        let written = [
            json!({"type": "text", "text": "t", "annotations": annotations, "extra": {"a": 1}}),
            json!({"type": "text", "text": "t", "annotations": odd, "_meta": {"k": 1e21, "coinop/receipt": 1}}),
            json!({"type": "text", "text": "t", "annotations": {"priority": 1}, "_meta": null}),
            json!({"type": "text", "text": "t", "annotations": "none", "_meta": {"n": u64::MAX}}),
            json!({"type": "image", "data": "", "mimeType": "image/png", "annotations": {}}),
            json!({"type": "audio", "data": "", "mimeType": "audio/wav", "_meta": {}}),
            json!({"type": "resource", "resource": {"uri": "a:b", "text": "t", "blob": "", "mimeType": 1}}),
            json!({"type": "resource", "resource": {"uri": "a:b", "blob": "", "_meta": {"a": -0.0}}}),
            json!({"type": "resource_link", "uri": "a:b", "name": "b", "title": "B", "size": 7,
                   "icons": [{"src": "a:i", "theme": "loud", "sizes": ["any", 1]}, {}], "annotations": annotations}),
            json!({"type": "resource_link", "uri": "a:b", "name": "b", "size": -1, "icons": {}}),
            json!({"type": "video"}),
        ];
        let blocks = plain.into_iter().chain(written.map(raw));
        for block in blocks {
            for (is_error, structured) in [(false, None), (true, Some(r#"{"z":1.0,"a":[1e2]}"#))] {
                let outcome = Outcome {
                    content: vec![block.clone()],
                    structured: structured.map(str::to_owned),
                    is_error,
                    meta: Some(r#"{"shop/k":1}"#.into()),
                };
                let signed = outcome.digest();
                assert_eq!(
                    digest_received(Delivery::free(outcome)),
                    signed,
                    "{block:?}"
                );
            }
        }
    }

    #[test]
    fn a_paid_outcome_carries_its_receipt_and_no_plugin_can_forge_one() {
        let forged = r#"{"coinop/receipt":{"jws":"forged"},"shop/k":1}"#;
        let outcome = || Outcome {
            meta: Some(forged.into()),
            ..Outcome::default()
        };
        let payload = BASE64URL_NOPAD.encode(br#"{"number":7}"#);
        let jws = format!("e30.{payload}.AA");
        let paid = Delivery {
            outcome: Arc::new(outcome()),
            receipt: Some(jws.as_str().into()),
        };
        let result = wire(&Reply::Outcome(paid));
        let receipt = json!({"number": 7, "jws": jws});
        assert_eq!(result["_meta"], json!({META_RECEIPT: receipt, "shop/k": 1}));
        let free = wire(&Reply::Outcome(Delivery::free(outcome())));
        assert_eq!(free["_meta"], json!({"shop/k": 1}));
    }

    #[test]
    fn a_request_for_payment_is_seen_in_every_place_a_client_may_look() {
        let reply = Reply::Ask {
            ask: Box::new(ask("a_tool", "0.50")),
            payment_url: "http://h/pay/lnk".into(),
            test: true,
        };
        let result = wire(&reply);
        assert_eq!(result["isError"], false);
        assert_eq!(result["structuredContent"], result["_meta"][META_PAYMENT]);
        let schema = coinop_core::mode::payment_object_schema();
        assert!(jsonschema::draft202012::is_valid(
            &schema,
            &result["structuredContent"]
        ));
        let text = result["content"][0]["text"].as_str().unwrap();
        for part in [
            "0.50 USD",
            "http://h/pay/lnk",
            "TEST",
            "1970-01-12T13:46:40Z",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_refusal_is_an_error_for_people_and_for_programs() {
        let refusal = Refusal::OtherArguments {
            fields: vec!["city".into()],
        };
        let result = wire(&Reply::Refused(refusal));
        assert_eq!(result["isError"], true);
        assert_eq!(
            result["_meta"][META_REFUSAL],
            json!({"kind": "other_arguments", "fields": ["city"]})
        );
        assert!(result.get("structuredContent").is_none());
    }

    #[test]
    fn a_limit_says_which_how_high_and_when_it_frees() {
        let money = |amount| coinop_core::money::Money::parse(amount, "USD").unwrap();
        let refusal = |limit, scope| {
            let price = money("2");
            let capped = Capped {
                limit,
                price,
                scope,
            };
            wire(&Reply::Refused(Refusal::Limit(Box::new(capped))))
        };
        let frees_at = 1_000_000_000;
        let open = refusal(LimitReached::Open { max: 20, frees_at }, CapScope::Caller);
        assert_eq!(open["isError"], true);
        assert_eq!(
            open["_meta"][META_REFUSAL],
            json!({"kind": "limit", "limit": "open_payments", "scope": "caller", "max": 20,
                   "frees_at": "1970-01-12T13:46:40Z"})
        );
        let text = open["content"][0]["text"].as_str().unwrap();
        assert!(
            text.contains("try again after 1970-01-12T13:46:40Z"),
            "{text}"
        );
        let limit = LimitReached::PerDay {
            max: money("10"),
            spent: money("9.5"),
            frees_at,
        };
        assert_eq!(
            refusal(limit, CapScope::Caller)["_meta"][META_REFUSAL],
            json!({"kind": "limit", "limit": "per_day", "scope": "caller", "amount": "2.00", "max_amount": "10.00",
                   "spent_amount": "9.50", "currency": "USD", "frees_at": "1970-01-12T13:46:40Z"})
        );
        let limit = LimitReached::PerCall { max: money("1") };
        assert_eq!(
            refusal(limit, CapScope::Anonymous)["_meta"][META_REFUSAL],
            json!({"kind": "limit", "limit": "per_call", "scope": "anonymous", "amount": "2.00", "max_amount": "1.00",
                   "currency": "USD", "frees_at": null})
        );
    }

    #[test]
    fn long_failures_are_cut_between_characters() {
        for bytes_max in 3..12 {
            let cut = capped("añ漢字🦀é".repeat(9), bytes_max);
            assert!(
                cut.len() <= bytes_max && cut.ends_with('…'),
                "{bytes_max}: {cut}"
            );
        }
        assert_eq!(capped("é".into(), 2), "é");
    }
}
