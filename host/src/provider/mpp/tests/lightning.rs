//! lightning/charge: preimages right and wrong, invoices bounded, the node's word checked.

use super::*;
use crate::provider::rail::Funds;
use crate::provider::{PaymentRef, Provider as _, ProviderError};

fn payment_hash(challenge: &Value) -> String {
    let hash = &challenge["request"]["methodDetails"]["paymentHash"];
    hash.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_challenge_is_an_invoice_and_its_preimage_pays() {
    let (account, node) = by_lightning("").await;
    let offer = offer();
    let challenge = challenges(&account, &offer).await.remove(0);
    assert_eq!(challenge["method"], "lightning");
    assert_eq!(challenge["expires"], "2026-11-20T10:47:05Z");
    let request = &challenge["request"];
    assert_eq!(
        (&request["amount"], &request["currency"]),
        (&json!("500"), &json!("sat"))
    );
    assert_eq!(*node.memos.lock().unwrap(), ["add"]);

    let hash = payment_hash(&challenge);
    let credential = credential(&challenge, json!({ "preimage": preimage_of(&hash) }));
    let verified = account.verify(&offer, &credential).await.unwrap();
    assert_eq!(verified.reference, format!("lightning:{hash}"));
    assert_eq!(account.reference(&credential), Some(verified.reference));
    assert!(!verified.payer.is_known());
    let Funds::Received { money, proof } = verified.funds else {
        panic!("money is here");
    };
    assert_eq!(money, offer.price);
    let proof: Value = serde_json::from_str(&proof).unwrap();
    assert_eq!(
        (&proof["reference"], &proof["challengeId"]),
        (&json!(hash), &challenge["id"])
    );
    assert!(
        !proof.to_string().contains(&preimage_of(&hash)),
        "the preimage is a secret"
    );
}

#[tokio::test]
async fn another_preimage_pays_nothing() {
    let (account, _) = by_lightning("").await;
    let offer = offer();
    let challenge = challenges(&account, &offer).await.remove(0);
    let hash = payment_hash(&challenge);
    let right = preimage_of(&hash);
    let wrong = [
        json!({ "preimage": hash }),
        json!({ "preimage": "00".repeat(32) }),
        json!({ "preimage": right.to_ascii_uppercase() }),
        json!({ "preimage": right[..62] }),
        json!({ "preimage": "" }),
        json!({ "preimage": 1 }),
        json!({}),
        json!(null),
    ];
    for payload in wrong {
        let credential = credential(&challenge, payload.clone());
        let refused = account.verify(&offer, &credential).await;
        assert_eq!(code(refused), "verification-failed", "{payload}");
        let name = account.reference(&credential);
        assert_ne!(name, Some(format!("lightning:{hash}")), "{payload}");
    }
}

#[tokio::test]
async fn what_was_paid_in_time_counts_for_a_day() {
    let (account, _) = by_lightning("").await;
    let mut offer = offer();
    let challenge = challenges(&account, &offer).await.remove(0);
    let payload = json!({ "preimage": preimage_of(&payment_hash(&challenge)) });
    let credential = credential(&challenge, payload);
    for (later_s, held) in [
        (0, true),
        (901, true),
        (900 + 86_399, true),
        (900 + 86_400, false),
    ] {
        offer.now = NOW + later_s * 1000;
        let verified = account.verify(&offer, &credential).await;
        assert_eq!(verified.is_ok(), held, "{later_s}");
    }
}

/// Its money is with the seller, who cannot send it back.
#[tokio::test]
async fn what_was_paid_counts_whatever_the_tool_costs_and_is_since() {
    let (account, _) = by_lightning("").await;
    let asked = offer();
    let challenge = challenges(&account, &asked).await.remove(0);
    let payload = json!({ "preimage": preimage_of(&payment_hash(&challenge)) });
    let credential = credential(&challenge, payload);
    let mut now = asked.clone();
    now.component = Digest::of(b"another component");
    now.price = Money::parse("0.51", "USD").unwrap();
    let verified = account.verify(&now, &credential).await.unwrap();
    assert!(matches!(verified.funds, Funds::Received { money, .. } if money == asked.price));
}

#[tokio::test]
async fn a_call_has_one_open_invoice_and_another_once_it_is_paid() {
    let (account, node) = by_lightning("").await;
    let offer = offer();
    let first = challenges(&account, &offer).await.remove(0);
    let again = challenges(&account, &offer).await.remove(0);
    assert_eq!(payment_hash(&first), payment_hash(&again));
    assert_eq!(node.made.load(Ordering::SeqCst), 1);
    let payload = json!({ "preimage": preimage_of(&payment_hash(&first)) });
    account
        .verify(&offer, &credential(&first, payload))
        .await
        .unwrap();
    let next = challenges(&account, &offer).await.remove(0);
    assert_ne!(payment_hash(&first), payment_hash(&next));
}

#[tokio::test]
async fn a_flood_of_questions_makes_a_bounded_number_of_invoices() {
    let (account, node) = by_lightning("").await;
    let mut refused = 0;
    for n in 0..200 {
        let mut offer = offer();
        offer.arguments = Digest::of(format!("{{\"a\":{n}}}").as_bytes());
        match account.challenge(&offer).await {
            Ok(_) => {}
            Err(ProviderError::Busy(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((node.made.load(Ordering::SeqCst), refused), (120, 80));
}

#[tokio::test]
async fn an_invoice_of_another_amount_or_network_is_not_handed_out() {
    for amount in ["bcrt4990n", "bc5000n", "bcrt"] {
        let (account, node) = by_lightning("").await;
        *node.amount.lock().unwrap() = Some(amount.to_owned());
        let asked = account.challenge(&offer()).await;
        assert!(matches!(asked, Err(ProviderError::Refused(_))), "{amount}");
    }
}

#[tokio::test]
async fn a_node_that_is_away_keeps_nobody_from_another_method() {
    let away = "realm = \"a\"\n[lightning]\nnetwork = \"regtest\"\ncurrency = \"USD\"\nsats_per_unit = \"1000\"\n\
         invoices = { url = \"http://127.0.0.1:1\", key = \"invoice-key\" }\n";
    let asked = account(away).unwrap().challenge(&offer()).await;
    assert!(matches!(asked, Err(ProviderError::Unreachable(_))));
    let card = format!(
        "{away}[stripe]\nsecret_key = \"sk_test_1\"\nnetwork_id = \"profile\"\ncurrency = \"USD\"\n"
    );
    let asked = challenges(&account(&card).unwrap(), &offer()).await;
    let methods: Vec<&Value> = asked.iter().map(|challenge| &challenge["method"]).collect();
    assert_eq!(methods, [&json!("stripe")]);
}

#[tokio::test]
async fn prices_are_converted_as_the_operator_said_or_not_at_all() {
    let (account, _) = by_lightning("").await;
    let chargeable = |amount, currency| {
        account
            .chargeable(&Money::parse(amount, currency).unwrap())
            .is_ok()
    };
    assert!(chargeable("0.50", "USD") && chargeable("0.001", "USD"));
    assert!(!chargeable("0.0015", "USD"), "half a satoshi");
    assert!(!chargeable("0.50", "EUR"), "no rate");
    assert!(chargeable("21", "SAT") && !chargeable("0.5", "SAT"));
    assert!(chargeable("0.00000001", "BTC") && !chargeable("0.000000001", "BTC"));
}

#[tokio::test]
async fn what_was_received_is_there_and_cannot_go_back() {
    let (account, _) = by_lightning("").await;
    let payment = PaymentRef {
        key: coinop_core::ids::PaymentId::from_random([7; 16]),
        reference: "lightning:00".into(),
        price: offer().price,
        credential: None,
    };
    let paid = crate::provider::Standing::Paid(offer().price);
    assert_eq!(account.status(&payment).await.unwrap(), paid);
    assert_eq!(account.cancel(&payment).await.unwrap(), paid);
    assert_eq!(account.release(&payment).await.unwrap(), paid);
    let capabilities = account.capabilities();
    assert!(!capabilities.refunds && !capabilities.links && !capabilities.authorizes);
    assert!(capabilities.test);
}
