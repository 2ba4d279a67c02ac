//! A paid tool by plain HTTP, of the real host: asked, paid by its link, redeemed by the payment's id.

use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::http::{Connection, Response};
use coinop_tests::pay::pay;
use serde_json::{Value, json};

async fn post(host: &HttpHost, path: &str, headers: &str, body: &Value) -> Response {
    let address = host.address;
    let mut connection = Connection::open(address).await.unwrap();
    let headers = format!("Content-Type: application/json\r\n{headers}");
    let body = body.to_string();
    let answer = connection.send("POST", path, &headers, body.as_bytes());
    answer.await.unwrap()
}

fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

#[tokio::test]
async fn a_tool_is_bought_without_mcp() {
    let home = Home::new().plugin("echo").mode("two_step");
    let host = home.http().await;
    let arguments = json!({ "text": "by http" });
    let free = post(&host, "/tools/echo", "", &arguments).await;
    assert_eq!(free.status, 200);
    assert_eq!(json(&free)["content"][0]["text"], "by http");

    let asked = post(&host, "/tools/echo_paid", "", &arguments).await;
    assert_eq!(asked.status, 402);
    let asked = json(&asked);
    let redeem = format!("Payment-Id: {}\r\n", asked["payment_id"].as_str().unwrap());
    let pending = post(&host, "/tools/echo_paid", &redeem, &arguments).await;
    assert_eq!(pending.status, 402);
    assert!(pending.header("retry-after").is_some());
    assert_eq!(json(&pending)["payment_url"], asked["payment_url"]);

    pay(asked["payment_url"].as_str().unwrap()).await;
    let other = post(&host, "/tools/echo_paid", &redeem, &json!({ "text": "x" })).await;
    assert_eq!(other.status, 409);
    for _ in 0..2 {
        let bought = post(&host, "/tools/echo_paid", &redeem, &arguments).await;
        assert_eq!(bought.status, 200, "{}", bought.text());
        let bought = json(&bought);
        assert_eq!(bought["content"][0]["text"], "by http");
        assert!(bought["_meta"]["coinop/receipt"]["jws"].is_string());
    }
}
