//! Tools by plain HTTP: `POST /tools/NAME`.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::http::{Shop, json_of};
use crate::provider::rail::Protocol;
use crate::server::http::{Anonymous, Settings};
use crate::server::testing_rails::{mpp_payment, receipt, vector, x402_payment};

async fn shop() -> Shop {
    let shop = Shop::open(Settings::default()).await;
    shop.fixture.publish_wallet_tools();
    shop
}

impl Shop {
    async fn tool(
        &self,
        name: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let request = self.http.post(self.url(&format!("/tools/{name}")));
        let mut request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().await.unwrap()
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

fn base64(value: &Value) -> String {
    BASE64.encode(value.to_string().as_bytes())
}

fn from_base64(text: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(text.as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_free_tool_answers_mcps_result_object() {
    let shop = shop().await;
    let answer = shop.tool("echo", &[], r#"{"a":1}"#).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        json_of(answer).await,
        json!({"content": [{"type": "text", "text": "anonymous {\"a\":1}"}], "isError": false})
    );
    let nothing = shop.http.post(shop.url("/tools/echo")).send().await;
    let nothing = json_of(nothing.unwrap()).await;
    assert_eq!(nothing["content"][0]["text"], "anonymous {}");
}

#[tokio::test]
async fn what_is_no_call_is_refused_by_the_book() {
    let shop = shop().await;
    for (body, part) in [
        ("{", "EOF"),
        (r#"{"a":1,"a":2}"#, "\"a\""),
        ("[1]", "a JSON object"),
    ] {
        let answer = shop.tool("echo", &[], body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let answer = json_of(answer).await;
        let text = answer["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(part), "{text}");
        assert_eq!(
            answer["_meta"]["coinop/refusal"]["kind"],
            "invalid_arguments"
        );
    }
    assert_eq!(shop.tool("nothing", &[], "{}").await.status(), 404);
    let long = vec![b' '; Settings::default().body_bytes_max + 1];
    assert_eq!(shop.tool("echo", &[], long).await.status(), 413);
    let plain = shop.http.post(shop.url("/tools/echo")).body("{}");
    assert_eq!(plain.send().await.unwrap().status(), 415);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = shop.http.request(method, shop.url("/tools/echo"));
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header(&answer, "allow").unwrap(), "POST");
    }
    for sent in [("host", "evil.example"), ("origin", "https://evil.example")] {
        assert_eq!(shop.tool("echo", &[sent], "{}").await.status(), 403);
    }
    let wrong = [("x-api-key", "guess")];
    assert_eq!(shop.tool("echo", &wrong, "{}").await.status(), 401);
    let closed = Shop::open(Settings {
        anonymous: Anonymous::Refused,
        ..Settings::default()
    });
    let payment = format!("Payment {}", base64(&mpp_payment()));
    let sent = [("authorization", payment.as_str())];
    assert_eq!(closed.await.tool("echo", &sent, "{}").await.status(), 401);
}

#[tokio::test]
async fn what_to_pay_is_in_the_header_of_version_2_the_body_of_version_1_and_mpps_challenge() {
    let shop = shop().await;
    let answer = shop.tool("x402_and_mpp", &[], "{}").await;
    assert_eq!(answer.status(), StatusCode::PAYMENT_REQUIRED);
    let v2 = from_base64(&header(&answer, "payment-required").unwrap());
    assert_eq!(v2["accepts"], vector!("payment-required-v2")["accepts"]);
    let mpp = header(&answer, "www-authenticate").unwrap();
    let request = mpp.split("request=\"").nth(1).unwrap().split('"').next();
    let request = BASE64URL_NOPAD.decode(request.unwrap().as_bytes()).unwrap();
    let request: Value = serde_json::from_slice(&request).unwrap();
    assert_eq!(request, vector!("mpp-challenge-id")["challenge"]["request"]);
    let v1 = json_of(answer).await;
    assert_eq!(v1["accepts"], vector!("payment-required-v1")["accepts"]);
    assert!(v1["error"].as_str().unwrap().contains("0.01 USD"), "{v1}");

    let answer = shop.tool("mpp_only", &[], "{}").await;
    assert_eq!(answer.status(), StatusCode::PAYMENT_REQUIRED);
    assert!(header(&answer, "payment-required").is_none());
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(
        problem["type"],
        "https://paymentauth.org/problems/payment-required"
    );
}

#[tokio::test]
async fn a_payment_in_any_header_is_answered_with_the_result_and_its_receipt() {
    let shop = shop().await;
    let v2 = base64(&x402_payment());
    let v1 = base64(&vector!("24-v1-valid")["paymentPayload"]);
    for (name, value) in [("payment-signature", &v2), ("x-payment", &v1)] {
        let answer = shop
            .tool("x402_and_mpp", &[(name, value)], r#"{"a":1}"#)
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        let expected = receipt(Protocol::X402).json;
        for name in ["payment-response", "x-payment-response"] {
            assert_eq!(from_base64(&header(&answer, name).unwrap()), expected);
        }
        let result = json_of(answer).await;
        assert_eq!(result["_meta"]["x402/payment-response"], expected);
        assert_eq!(result["content"][0]["text"], "anonymous {\"a\":1}");
    }
    let mpp = BASE64URL_NOPAD.encode(mpp_payment().to_string().as_bytes());
    let mpp = format!("Payment {mpp}");
    let answer = shop
        .tool("mpp_only", &[("authorization", &mpp)], "{}")
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let told = header(&answer, "payment-receipt").unwrap();
    let told = BASE64URL_NOPAD.decode(told.as_bytes()).unwrap();
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told, receipt(Protocol::Mpp).json);
}

#[tokio::test]
async fn a_payment_that_is_not_taken_is_told_why() {
    let shop = shop().await;
    let no = base64(&json!({"say": "no"}));
    let later = base64(&json!({"say": "later"}));
    for (value, error) in [
        ("%", "invalid_payload"),
        (no.as_str(), "invalid_exact_evm_payload_signature"),
    ] {
        let sent = [("payment-signature", value)];
        let answer = shop.tool("x402_only", &sent, "{}").await;
        assert_eq!(answer.status(), StatusCode::PAYMENT_REQUIRED);
        let v2 = from_base64(&header(&answer, "payment-required").unwrap());
        assert_eq!(v2["error"], error);
        assert_eq!(json_of(answer).await["error"], error);
    }
    let sent = [("payment-signature", later.as_str())];
    let answer = shop.tool("x402_only", &sent, "{}").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(header(&answer, "payment-required").is_none());
    assert!(header(&answer, "retry-after").is_some());
}

#[tokio::test]
async fn a_tool_paid_by_link_is_redeemed_by_the_payments_id() {
    let shop = shop().await;
    let answer = shop.tool("paid", &[], r#"{"a":1}"#).await;
    assert_eq!(answer.status(), StatusCode::PAYMENT_REQUIRED);
    let object = json_of(answer).await;
    assert_eq!(object["status"], "payment_required");
    let id = object["payment_id"].as_str().unwrap();
    let next_step = object["next_step"].as_str().unwrap();
    assert!(next_step.contains(&format!("Payment-Id: {id}")), "{object}");
    let message = object["message"].as_str().unwrap();
    for part in ["0.50 USD", object["payment_url"].as_str().unwrap(), id] {
        assert!(message.contains(part), "{message}");
    }
    let payment = base64(&x402_payment());
    for (headers, body, status) in [
        (vec![("payment-id", id)], r#"{"a":1}"#, 200),
        (vec![("payment-id", id)], r#"{"a":2}"#, 409),
        (vec![("payment-id", "pay_unknown")], r#"{"a":1}"#, 403),
        (
            vec![("payment-id", id), ("payment-signature", &payment)],
            r#"{"a":1}"#,
            400,
        ),
    ] {
        let answer = shop.tool("paid", &headers, body).await;
        assert_eq!(answer.status().as_u16(), status, "{headers:?} {body}");
    }
    // A payment that the tool does not take buys nothing, and changes nothing.
    let answer = shop
        .tool("paid", &[("payment-signature", &payment)], "{}")
        .await;
    assert_eq!(answer.status(), StatusCode::PAYMENT_REQUIRED);
    let next_step = json_of(answer).await["next_step"].to_string();
    assert!(next_step.contains("Payment-Id"), "{next_step}");
    let confirm = shop.tool("confirm_paid", &[], "{}").await;
    assert_eq!(confirm.status(), StatusCode::PAYMENT_REQUIRED);
    let next_step = json_of(confirm).await["next_step"].to_string();
    assert!(!next_step.contains("Payment-Id"), "{next_step}");
}

#[tokio::test]
async fn a_tool_that_is_gone_is_still_owed_to_whoever_brings_its_payment_again() {
    let shop = shop().await;
    let payment = base64(&x402_payment());
    let headers = [("payment-signature", &*payment)];
    let answer = shop.tool("gone", &headers, r#"{"a":1}"#).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(header(&answer, "payment-response").is_some());
    assert_eq!(json_of(answer).await["content"][0]["text"], r#"{"a":1}"#);
    for headers in [&[][..], &[("payment-signature", "e")]] {
        let answer = shop.tool("gone", headers, r#"{"a":1}"#).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_shutdown_answers_what_is_in_flight() {
    let shop = shop().await;
    // Not answered before the first scan: in flight when the server closes.
    shop.fixture.ready.send_replace(false);
    let server = shop.fixture.server.clone();
    let ready = shop.fixture.ready.clone();
    let closing = async {
        while server.calls_in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        server.closing().cancel();
        ready.send_replace(true);
    };
    let (answer, ()) = tokio::join!(shop.tool("echo", &[], "{}"), closing);
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(json_of(answer).await["isError"], false);
}
