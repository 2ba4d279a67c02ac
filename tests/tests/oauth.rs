//! Access tokens at a real host: a caller is told where to get one, pays with it, and nobody else has what they paid for.

use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::http_client::HttpClient;
use coinop_tests::issuer::Issuer;
use coinop_tests::pay::pay;
use serde_json::{Value, json};

const SCOPE: &str = "tools:call";

async fn home(issuer: &Issuer) -> Home {
    let name = issuer.name();
    let config =
        format!("mode = \"two_step\"\n[http.oauth]\nissuer = \"{name}\"\nscopes = [\"{SCOPE}\"]\n");
    Home::new().plugin("echo").config(&config)
}

/// Follows a 401 to the issuer, as a client does: the challenge names the metadata, and that names resource and issuer.
async fn discovered(host: &coinop_tests::host::HttpHost) -> Value {
    let client = HttpClient::modern(host.address);
    let refused = client.post(&Era::Modern.hello(1)).await.unwrap();
    assert_eq!(refused.status, 401, "{}", refused.text());
    let challenge = refused.header("www-authenticate").unwrap();
    let (_, url) = challenge.split_once("resource_metadata=\"").unwrap();
    let url = url.split('"').next().unwrap();
    let path = url
        .strip_prefix(&format!("http://{}", host.address))
        .unwrap();
    let metadata = host.get(path).await;
    assert_eq!(metadata.status, 200, "{}", metadata.text());
    serde_json::from_slice(&metadata.body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_finds_the_issuer_and_pays_and_nobody_else_has_the_outcome() {
    let issuer = Issuer::start().await;
    let home = home(&issuer).await;
    let host = home.http().await;
    let metadata = discovered(&host).await;
    assert_eq!(metadata["authorization_servers"], json!([issuer.name()]));
    assert_eq!(metadata["scopes_supported"], json!([SCOPE]));
    let resource = metadata["resource"].as_str().unwrap();
    assert_eq!(resource, host.url());

    let token = |subject: &str| issuer.token(subject, resource, SCOPE);
    for era in [Era::Legacy, Era::Modern] {
        let open = async |token: String| {
            Client::Http(HttpClient::open(host.address, era, Some(&token)).await)
        };
        let ada = open(token("ada")).await;
        let text = format!("bought in {era:?}");
        let asked = ada
            .call("echo_paid", json!({ "text": text }))
            .await
            .payment();
        pay(&asked.url).await;

        let confirm = json!({ "payment_id": asked.id });
        let stranger = open(token("eve")).await;
        let refused = stranger.call("confirm_echo_paid", confirm.clone()).await;
        assert!(
            refused.is_refused() && !refused.text().contains(&text),
            "{refused:?}"
        );
        let unknown = json!({ "payment_id": asked.id.chars().rev().collect::<String>() });
        let unknown = stranger.call("confirm_echo_paid", unknown).await;
        assert_eq!(refused.error_code(), unknown.error_code());

        // Another token of the same subject is the same caller.
        let ada = open(token("ada")).await;
        let bought = ada.call("confirm_echo_paid", confirm).await;
        assert!(bought.text().contains(&text), "{bought:?}");
    }

    let weak = issuer.token("ada", resource, "other");
    let elsewhere = issuer.token("ada", "https://elsewhere.example/mcp", SCOPE);
    for (token, status) in [(weak, 403), (elsewhere, 401)] {
        let client = HttpClient::with_bearer(host.address, Era::Modern, &token);
        let refused = client.post(&Era::Modern.hello(1)).await.unwrap();
        assert_eq!(refused.status, status, "{}", refused.text());
    }
    let log = host.log.text();
    assert!(!log.contains(&token("ada")), "no token is logged");
}
