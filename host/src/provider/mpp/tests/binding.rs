//! A payment for one call buys no other, whatever a credential says.

use super::*;

async fn paid() -> (Mpp, Offer, Value, Value) {
    let (account, _) = by_lightning("").await;
    let offer = offer();
    let challenge = challenges(&account, &offer).await.remove(0);
    let hash = challenge["request"]["methodDetails"]["paymentHash"].as_str();
    let payload = json!({ "preimage": preimage_of(hash.unwrap()) });
    (account, offer, challenge, payload)
}

#[tokio::test]
async fn a_payment_is_for_its_call_only() {
    let (account, offer, challenge, payload) = paid().await;
    let credential = credential(&challenge, payload);
    account.verify(&offer, &credential).await.unwrap();
    let other = |change: fn(&mut Offer)| {
        let mut other = offer.clone();
        change(&mut other);
        other
    };
    let others = [
        other(|o| o.tool = "subtract".into()),
        other(|o| o.arguments = Digest::of(b"{\"a\":2}")),
        other(|o| o.account = "another".into()),
        other(|o| o.secrets = vec![b"another".to_vec()]),
        other(|o| o.secrets.clear()),
    ];
    for offer in others {
        let refused = account.verify(&offer, &credential).await;
        assert_eq!(code(refused), "invalid-challenge", "{offer:?}");
    }
    let described = other(|o| (o.description, o.resource) = ("Other words.".into(), String::new()));
    account.verify(&described, &credential).await.unwrap();
}

#[tokio::test]
async fn a_rotated_secret_still_counts() {
    let (account, mut offer, challenge, payload) = paid().await;
    offer.secrets.insert(0, b"newest".to_vec());
    let credential = credential(&challenge, payload);
    account.verify(&offer, &credential).await.unwrap();
}

#[tokio::test]
async fn a_challenge_that_was_changed_is_not_ours() {
    let (account, offer, challenge, payload) = paid().await;
    let changes = [
        ("/id", json!("Sc9Vp96qFjU_C2SUCEVjmhwYTuz6q69eApe4bcyxpk8")),
        ("/id", json!("")),
        ("/id", json!("not base64url!")),
        ("/expires", json!("2099-01-01T00:00:00Z")),
        ("/expires", Value::Null),
        ("/request/amount", json!("1")),
        ("/request/methodDetails/paymentHash", json!("00".repeat(32))),
        ("/request/methodDetails/network", json!("mainnet")),
        ("/opaque", json!("e30")),
        ("/opaque", Value::Null),
        ("/opaque", json!({ "tool": "add" })),
    ];
    for (at, value) in changes {
        let mut changed = challenge.clone();
        *changed.pointer_mut(at).unwrap() = value;
        let credential = credential(&changed, payload.clone());
        let refused = account.verify(&offer, &credential).await;
        let expected = match at {
            "/opaque" => "malformed-credential",
            _ => "invalid-challenge",
        };
        assert_eq!(code(refused), expected, "{at}");
    }
    for (key, value) in [("digest", "sha-256=abc"), ("extra", "ignored")] {
        let mut changed = challenge.clone();
        changed[key] = json!(value);
        let credential = credential(&changed, payload.clone());
        let verified = account.verify(&offer, &credential).await;
        assert_eq!(verified.is_ok(), key == "extra", "{key}");
    }
}

/// Every single letter of the sealed parts counts.
#[tokio::test]
async fn no_letter_of_what_is_sealed_can_be_another() {
    let (account, offer, challenge, payload) = paid().await;
    for at in ["/id", "/opaque", "/request/methodDetails/invoice"] {
        let text = challenge.pointer(at).unwrap().as_str().unwrap().to_owned();
        for n in 0..text.len() {
            let other = if &text[n..=n] == "A" { "B" } else { "A" };
            let mut changed = challenge.clone();
            *changed.pointer_mut(at).unwrap() =
                json!(format!("{}{other}{}", &text[..n], &text[n + 1..]));
            let credential = credential(&changed, payload.clone());
            assert!(
                account.verify(&offer, &credential).await.is_err(),
                "{at} letter {n}"
            );
        }
    }
}

#[tokio::test]
async fn both_forms_of_an_echo_are_read() {
    let (account, offer, challenge, payload) = paid().await;
    let encoded = super::super::challenge::canonical(&challenge["request"]);
    for request in [encoded.clone(), format!("{encoded}==")] {
        let mut http = challenge.clone();
        http["request"] = json!(request);
        let credential = credential(&http, payload.clone());
        account.verify(&offer, &credential).await.unwrap();
    }
    // Older clients take `opaque` apart.
    let opaque =
        data_encoding::BASE64URL_NOPAD.decode(challenge["opaque"].as_str().unwrap().as_bytes());
    let mut apart = challenge.clone();
    apart["opaque"] = serde_json::from_slice(&opaque.unwrap()).unwrap();
    account
        .verify(&offer, &credential(&apart, payload))
        .await
        .unwrap();
}

#[tokio::test]
async fn only_answers_to_this_account_are_recognised() {
    let (account, _, challenge, payload) = paid().await;
    let ours = credential(&challenge, payload.clone());
    assert!(account.recognizes(&ours));
    let x402 = Credential {
        protocol: Protocol::X402,
        ..ours.clone()
    };
    assert!(!account.recognizes(&x402));
    for (key, value) in [
        ("realm", "other.example.com"),
        ("method", "evm"),
        ("intent", "session"),
    ] {
        let mut changed = challenge.clone();
        changed[key] = json!(value);
        let credential = credential(&changed, payload.clone());
        assert!(!account.recognizes(&credential), "{key}");
        assert_eq!(account.reference(&credential), None, "{key}");
    }
    for json in [
        json!(null),
        json!([]),
        json!({}),
        json!({ "challenge": challenge }),
        json!({ "payload": payload }),
    ] {
        let protocol = Protocol::Mpp;
        assert!(!account.recognizes(&Credential { protocol, json }));
    }
}

#[tokio::test]
async fn no_two_challenges_are_the_same() {
    let (account, offer, challenge, _) = paid().await;
    let again = challenges(&account, &offer).await.remove(0);
    assert_eq!(again["request"], challenge["request"]);
    assert_ne!(again["id"], challenge["id"]);
}

#[tokio::test]
async fn a_description_is_one_line_of_bounded_length() {
    let (account, mut offer, _, _) = paid().await;
    offer.description = format!("Adds\r\nnumbers. {}", "é".repeat(1000));
    let challenge = challenges(&account, &offer).await.remove(0);
    let description = challenge["description"].as_str().unwrap();
    assert!(description.starts_with("Adds  numbers. é"), "{description}");
    assert_eq!(description.chars().count(), 200);
}
