//! Payments that come with the call, as MCP clients send them: over stdio and HTTP, in both eras.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::http::{Shop, json_of, modern};
use super::lines::{Client, call, modern_meta};
use crate::provider::rail::Protocol;
use crate::server::http::Settings;
use crate::server::testing_rails::{mpp_payment, receipt, vector, x402_payment};

const X402: &str = "x402/payment";
const MPP: &str = "org.paymentauth/credential";

async fn shop() -> Shop {
    let shop = Shop::open(Settings::default()).await;
    shop.fixture.publish_wallet_tools();
    shop
}

fn with(mut meta: Value, key: &str, payment: Value) -> Value {
    meta[key] = payment;
    meta
}

/// The answers to one call over stdio and HTTP in one era.
async fn answers(era: &str, tool: &'static str, meta: Value) -> [Value; 2] {
    let shop = shop().await;
    let (mut client, meta, headers) = match era {
        "modern" => {
            let mut all = modern_meta();
            all.as_object_mut()
                .unwrap()
                .extend(meta.as_object().unwrap().clone());
            let headers: Vec<_> = modern(tool).map(|(n, v)| (n, v.to_owned())).into();
            (Client::connect(), all, headers)
        }
        _ => {
            let session = shop.session(&[]).await;
            (
                Client::legacy().await,
                meta,
                vec![("mcp-session-id", session)],
            )
        }
    };
    let request = call(1, tool, json!({"arguments": {"a": 1}, "_meta": meta}));
    client.fixture.publish_wallet_tools();
    let by_line = client.ask(&request).await;
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let by_http = json_of(shop.post(&headers, request).await).await;
    [by_line, by_http]
}

#[tokio::test]
async fn a_call_without_a_payment_is_told_what_to_pay_in_every_clients_place() {
    let expected = vector!("mcp-payment-required-all-clients");
    for era in ["legacy", "modern"] {
        for answer in answers(era, "x402_only", json!({})).await {
            let result = &answer["result"];
            let mut required = expected["result"]["structuredContent"].clone();
            required["error"] = result["structuredContent"]["error"].clone();
            assert_eq!(result["isError"], true, "{answer}");
            assert_eq!(result["structuredContent"], required);
            let mut in_meta = required.clone();
            in_meta["error"] = json!("PAYMENT_REQUIRED");
            assert_eq!(result["_meta"]["x402/error"], in_meta);
            let text = result["content"][0]["text"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), required);
            let words = result["content"][1]["text"].as_str().unwrap();
            for part in ["0.01 USD", "x402_only", "Next step", "TEST"] {
                assert!(words.contains(part), "{part}: {words}");
            }
            assert_eq!(result.get("resultType").is_some(), era == "modern");
        }
    }
}

#[tokio::test]
async fn a_call_with_its_payment_is_answered_with_a_receipt_under_the_clients_keys() {
    for era in ["legacy", "modern"] {
        for (key, payment) in [
            (X402, x402_payment()),
            (
                X402,
                json!(BASE64.encode(x402_payment().to_string().as_bytes())),
            ),
            ("x402.payment", json!(x402_payment().to_string())),
        ] {
            let meta = with(json!({}), key, payment);
            for answer in answers(era, "x402_and_mpp", meta).await {
                let result = &answer["result"];
                let text = result["content"][0]["text"].as_str().unwrap();
                // The tool's arguments, and nothing of the payment.
                assert!(text.ends_with(" {\"a\":1}"), "{answer}");
                let receipt = receipt(Protocol::X402).json;
                assert_eq!(result["_meta"]["x402/payment-response"], receipt);
                assert_eq!(result["_meta"]["x402.payment-response"], receipt);
            }
        }
        let meta = with(json!({}), MPP, mpp_payment());
        for answer in answers(era, "x402_and_mpp", meta).await {
            let receipt = receipt(Protocol::Mpp).json;
            let meta = &answer["result"]["_meta"];
            assert_eq!(meta["org.paymentauth/receipt"], receipt, "{answer}");
            // What the plugin said in the rail's name is gone.
            assert!(meta.get("x402/payment-response").is_none(), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_payment_that_does_not_hold_is_told_why_and_what_to_pay() {
    let no = with(json!({}), X402, json!({"say": "no"}));
    for era in ["legacy", "modern"] {
        for answer in answers(era, "x402_and_mpp", no.clone()).await {
            let result = &answer["result"];
            let required = &result["structuredContent"];
            assert_eq!(required["error"], "invalid_exact_evm_payload_signature");
            assert_eq!(result["_meta"]["x402/error"], *required);
            let words = result["content"][1]["text"].as_str().unwrap();
            assert!(words.contains("it does not hold"), "{words}");
        }
        let unreadable = with(json!({}), X402, json!("not base64!"));
        for answer in answers(era, "x402_and_mpp", unreadable).await {
            let result = &answer["result"];
            assert_eq!(result["structuredContent"]["error"], "invalid_payload");
            let words = result["content"][1]["text"].as_str().unwrap();
            assert!(words.contains("is not base64"), "{words}");
        }
    }
}

#[tokio::test]
async fn a_payment_that_cannot_be_checked_is_not_answered_by_asking_for_another() {
    for era in ["legacy", "modern"] {
        for (key, payment) in [
            (X402, json!({"say": "later"})),
            (MPP, json!({"say": "later"})),
        ] {
            for answer in answers(era, "x402_and_mpp", with(json!({}), key, payment.clone())).await
            {
                let result = &answer["result"];
                assert_eq!(result["isError"], true, "{answer}");
                assert!(result.get("structuredContent").is_none(), "{answer}");
                assert_eq!(result["_meta"]["coinop/refusal"]["kind"], "unavailable");
                assert!(result["_meta"].get("x402/error").is_none());
                assert!(
                    result["_meta"]
                        .get("org.paymentauth/payment-required")
                        .is_none()
                );
            }
        }
    }
}

#[tokio::test]
async fn mpp_is_told_by_an_error_in_the_legacy_era_only() {
    let no = with(json!({}), MPP, json!({"say": "no"}));
    for (tool, meta, code) in [
        ("mpp_only", json!({}), -32042),
        ("mpp_only", no.clone(), -32043),
        ("x402_and_mpp", no.clone(), -32043),
    ] {
        for answer in answers("legacy", tool, meta).await {
            let error = &answer["error"];
            assert_eq!(error["code"], code, "{answer}");
            let data = &error["data"];
            assert_eq!(data["httpStatus"], 402);
            assert_eq!(
                data["challenges"][0],
                vector!("mpp-challenge-id")["challenge"]
            );
            assert_eq!(data["problem"]["status"], 402);
            assert_eq!(data["x402"].is_object(), tool == "x402_and_mpp");
        }
    }
    for (tool, meta) in [("mpp_only", json!({})), ("x402_and_mpp", no)] {
        for answer in answers("modern", tool, meta).await {
            let result = &answer["result"];
            let required = &result["_meta"]["org.paymentauth/payment-required"];
            assert_eq!(
                required["challenges"][0],
                vector!("mpp-challenge-id")["challenge"],
                "{answer}"
            );
            let words = result["content"].as_array().unwrap().last().unwrap();
            assert!(words["text"].as_str().unwrap().contains("0.01 USD"));
        }
    }
    // A client that declares nothing most likely speaks x402, and both are in the result.
    for answer in answers("legacy", "x402_and_mpp", json!({})).await {
        let meta = &answer["result"]["_meta"];
        assert!(meta["x402/error"].is_object(), "{answer}");
        assert!(meta["org.paymentauth/payment-required"].is_object());
    }
}

#[tokio::test]
async fn a_payment_in_a_header_is_of_that_request_only() {
    let shop = shop().await;
    let session = shop.session(&[]).await;
    let v2 = BASE64.encode(x402_payment().to_string().as_bytes());
    let v1 = vector!("24-v1-valid")["paymentPayload"].to_string();
    let v1 = BASE64.encode(v1.as_bytes());
    let mpp = format!(
        "Payment {}",
        BASE64.encode(mpp_payment().to_string().as_bytes())
    );
    let in_session = ("mcp-session-id", session.as_str());
    for (header, value, key) in [
        ("payment-signature", &v2, "x402/payment-response"),
        ("x-payment", &v1, "x402/payment-response"),
        ("authorization", &mpp, "org.paymentauth/receipt"),
    ] {
        let request = call(1, "x402_and_mpp", json!({}));
        let headers = [in_session, (header, value)];
        let paid = json_of(shop.post(&headers, request.clone()).await).await;
        assert!(paid["result"]["_meta"][key].is_object(), "{header}: {paid}");
        let unpaid = json_of(shop.post(&[in_session], request).await).await;
        assert_eq!(unpaid["result"]["structuredContent"]["x402Version"], 2);
        let request = call(1, "x402_and_mpp", json!({"_meta": modern_meta()}));
        let mut headers = modern("x402_and_mpp").to_vec();
        headers.push((header, value));
        let paid = json_of(shop.post(&headers, request).await).await;
        assert!(paid["result"]["_meta"][key].is_object(), "{header}: {paid}");
    }
}

#[tokio::test]
async fn two_different_payments_are_one_too_many() {
    let shop = shop().await;
    let meta = with(modern_meta(), X402, x402_payment());
    let mut headers = modern("x402_only").to_vec();
    let other = BASE64.encode(br#"{"x402Version":2}"#);
    headers.push(("payment-signature", &other));
    let request = call(1, "x402_only", json!({"_meta": meta}));
    let answer = json_of(shop.post(&headers, request).await).await;
    let result = &answer["result"];
    assert_eq!(result["structuredContent"]["error"], "invalid_payload");
    let words = result["content"][1]["text"].as_str().unwrap();
    assert!(words.contains("two different payments"), "{words}");
}
