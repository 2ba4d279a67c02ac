//! evm/charge: transfers right and wrong, signed by a wallet of our own, settled by a pretended facilitator.

use axum::http::Uri;
use coinop_core::ids::PaymentId;
use k256::ecdsa::SigningKey;

use super::*;
use crate::provider::rail::Funds;
use crate::provider::x402::evm::address::hex;
use crate::provider::x402::evm::typed_data::keccak;
use crate::provider::x402::evm::{Domain, Transfer, signature};
use crate::provider::{PaymentRef, Provider as _, Standing};

const TOKEN: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

/// What the facilitator answers to `/settle`, and what it was asked.
#[derive(Default)]
struct Facilitator {
    settles: Mutex<Value>,
    asked: Mutex<Vec<(String, Value)>>,
}

async fn asked(State(facilitator): State<Arc<Facilitator>>, uri: Uri, body: String) -> String {
    let body = serde_json::from_str(&body).unwrap();
    let asked = (uri.path().to_owned(), body);
    facilitator.asked.lock().unwrap().push(asked);
    match uri.path() {
        "/verify" => json!({ "isValid": true }).to_string(),
        _ => facilitator.settles.lock().unwrap().to_string(),
    }
}

async fn by_transfer() -> (Mpp, Arc<Facilitator>) {
    let facilitator = Arc::new(Facilitator::default());
    let app = axum::Router::new()
        .route("/verify", post(asked))
        .route("/settle", post(asked))
        .with_state(Arc::clone(&facilitator));
    let url = serve(app).await;
    let settings = format!(
        "realm = \"tools.example.com\"\n[evm]\nnetwork = \"base-sepolia\"\npay_to = \"{PAYEE}\"\nfacilitator = \"{url}\"\n"
    );
    (account(&settings).unwrap(), facilitator)
}

/// How the official clients make the nonce.
#[derive(Clone, Copy, PartialEq)]
enum Client {
    Mppx,
    Pympp,
}

fn nonce(challenge: &Value, client: Client) -> [u8; 32] {
    let text = |key: &str| challenge[key].as_str().unwrap();
    let (id, realm) = (text("id"), text("realm"));
    let hashed = match client {
        Client::Mppx => format!("{id}{realm}"),
        Client::Pympp => format!("[\"{id}\",\"{realm}\"]"),
    };
    keccak(hashed.as_bytes())
}

fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

/// The transfer that answers a challenge.
fn transfer(challenge: &Value, client: Client) -> Transfer {
    let expires: jiff::Timestamp = challenge["expires"].as_str().unwrap().parse().unwrap();
    Transfer {
        from: signature::address_of(key().verifying_key()),
        to: PAYEE.parse().unwrap(),
        value: 500_000.into(),
        valid_after: 0.into(),
        valid_before: u128::try_from(expires.as_second()).unwrap().into(),
        nonce: nonce(challenge, client),
    }
}

fn payload(transfer: &Transfer) -> Value {
    let domain = Domain {
        name: "USDC".into(),
        version: "2".into(),
        chain_id: 84_532,
        contract: TOKEN.parse().unwrap(),
    };
    let digest = transfer.digest(&domain);
    let (signed, id) = key().sign_prehash_recoverable(&digest);
    let mut bytes = signed.to_bytes().to_vec();
    bytes.push(27 + id.to_byte());
    json!({
        "type": "authorization",
        "from": transfer.from.checksummed(),
        "to": transfer.to.checksummed(),
        "value": transfer.value.to_string(),
        "validAfter": transfer.valid_after.to_string(),
        "validBefore": transfer.valid_before.to_string(),
        "nonce": hex(&transfer.nonce),
        "signature": hex(&bytes),
    })
}

#[tokio::test]
async fn a_challenge_is_what_the_official_clients_sign() {
    let (account, _) = by_transfer().await;
    let challenge = challenges(&account, &offer()).await.remove(0);
    assert_eq!(challenge["method"], "evm");
    assert_eq!(
        challenge["request"],
        json!({
            "amount": "500000",
            "currency": TOKEN,
            "recipient": PAYEE,
            "methodDetails": { "chainId": 84_532, "credentialTypes": ["authorization"], "decimals": 6 },
        })
    );
    let capabilities = account.capabilities();
    assert!(capabilities.authorizes && capabilities.test && !capabilities.refunds);
}

#[tokio::test]
async fn a_transfer_bound_to_its_challenge_is_reserved_and_settled() {
    for client in [Client::Mppx, Client::Pympp] {
        let (account, facilitator) = by_transfer().await;
        let offer = offer();
        let challenge = challenges(&account, &offer).await.remove(0);
        let transfer = transfer(&challenge, client);
        let credential = credential(&challenge, payload(&transfer));
        let verified = account.verify(&offer, &credential).await.unwrap();
        assert_eq!(verified.funds, Funds::Reserved(offer.price));
        assert_eq!(verified.payer.subject, transfer.from.to_string());
        assert_eq!(verified.valid_until, NOW + 900_000);
        assert_eq!(
            account.reference(&credential),
            Some(verified.reference.clone())
        );
        assert!(verified.reference.ends_with(&hex(&transfer.nonce)));

        let payment = PaymentRef {
            key: PaymentId::from_random([7; 16]),
            reference: verified.reference,
            price: offer.price,
            credential: Some(verified.keep.into()),
        };
        let authorized = Standing::Authorized(offer.price);
        assert_eq!(account.status(&payment).await.unwrap(), authorized);
        let success = json!({ "success": true, "transaction": "0xabc", "network": "eip155:84532" });
        *facilitator.settles.lock().unwrap() = success;
        let settled = account.settle(&payment).await.unwrap();
        assert_eq!(settled.standing, Standing::Paid(offer.price));
        let proof: Value = serde_json::from_str(&settled.proof.unwrap()).unwrap();
        assert_eq!(
            proof,
            json!({ "method": "evm", "challengeId": challenge["id"], "reference": "0xabc", "at": NOW })
        );
        let asked = std::mem::take(&mut *facilitator.asked.lock().unwrap());
        assert_eq!(asked.last().unwrap().0, "/settle");
        let sent = &asked.last().unwrap().1;
        assert_eq!(sent["paymentRequirements"]["payTo"], PAYEE);
        let authorization = &sent["paymentPayload"]["payload"]["authorization"];
        assert_eq!(authorization["nonce"], json!(hex(&transfer.nonce)));
    }
}

#[tokio::test]
async fn a_settlement_that_is_not_certain_has_no_receipt() {
    let (account, facilitator) = by_transfer().await;
    let offer = offer();
    let challenge = challenges(&account, &offer).await.remove(0);
    let credential = credential(&challenge, payload(&transfer(&challenge, Client::Mppx)));
    let verified = account.verify(&offer, &credential).await.unwrap();
    let payment = PaymentRef {
        key: PaymentId::from_random([7; 16]),
        reference: verified.reference,
        price: offer.price,
        credential: Some(verified.keep.into()),
    };
    *facilitator.settles.lock().unwrap() = json!({
        "success": false, "errorReason": "settlement_pending", "transaction": "0xabc", "network": "eip155:84532",
    });
    let settled = account.settle(&payment).await.unwrap();
    assert_eq!((settled.standing, settled.proof), (Standing::Pending, None));
    *facilitator.settles.lock().unwrap() = json!({
        "success": false, "errorReason": "invalid_exact_evm_nonce_already_used", "transaction": "", "network": "eip155:84532",
    });
    account.settle(&payment).await.unwrap_err();
}

#[tokio::test]
async fn a_transfer_that_is_another_pays_nothing() {
    let (account, facilitator) = by_transfer().await;
    let offer = offer();
    let challenge = challenges(&account, &offer).await.remove(0);
    let other = challenges(&account, &offer).await.remove(0);
    let good = transfer(&challenge, Client::Mppx);
    let changed = |change: fn(&mut Transfer)| {
        let mut other = good;
        change(&mut other);
        payload(&other)
    };
    let with = |key: &str, value: Value| {
        let mut payload = payload(&good);
        payload[key] = value;
        payload
    };
    let wrong = [
        (
            "the nonce of another challenge",
            payload(&transfer(&other, Client::Mppx)),
        ),
        ("a random nonce", changed(|t| t.nonce = [9; 32])),
        (
            "to somebody else",
            changed(|t| t.to = TOKEN.parse().unwrap()),
        ),
        ("too little", changed(|t| t.value = 499_999.into())),
        ("too much", changed(|t| t.value = 500_001.into())),
        (
            "over",
            changed(|t| t.valid_before = ((NOW / 1000) as u128 + 5).into()),
        ),
        (
            "not begun",
            changed(|t| t.valid_after = ((NOW / 1000) as u128 + 5).into()),
        ),
        (
            "in somebody else's name",
            changed(|t| t.from = PAYEE.parse().unwrap()),
        ),
        ("a name that was not signed", with("from", json!(PAYEE))),
        ("no signature", with("signature", json!("0x"))),
        ("another type", with("type", json!("transaction"))),
        ("no nonce", with("nonce", Value::Null)),
        ("nothing", json!(null)),
    ];
    for (what, payload) in wrong {
        let refused = account
            .verify(&offer, &credential(&challenge, payload))
            .await;
        assert_eq!(code(refused), "verification-failed", "{what}");
    }
    assert!(
        facilitator.asked.lock().unwrap().is_empty(),
        "nobody was asked"
    );
}

/// Payer, nonce and signature of a settled transfer are on the chain for everybody. The challenge's id is not.
#[tokio::test]
async fn what_a_chain_shows_does_not_name_a_payment() {
    let (account, _) = by_transfer().await;
    let offer = offer();
    let paid = challenges(&account, &offer).await.remove(0);
    let public = payload(&transfer(&paid, Client::Mppx));
    let own = challenges(&account, &offer).await.remove(0);
    let stolen = credential(&own, public);
    assert_eq!(account.reference(&stolen), None);
    assert_eq!(
        code(account.verify(&offer, &stolen).await),
        "verification-failed"
    );
}

#[tokio::test]
async fn what_is_only_signed_is_for_the_tool_and_price_of_now() {
    let (account, _facilitator) = by_transfer().await;
    let asked = offer();
    let challenge = challenges(&account, &asked).await.remove(0);
    let credential = credential(&challenge, payload(&transfer(&challenge, Client::Mppx)));
    account.verify(&asked, &credential).await.unwrap();
    let component = Digest::of(b"another component");
    let price = Money::parse("0.51", "USD").unwrap();
    for now in [
        Offer {
            component,
            ..offer()
        },
        Offer { price, ..offer() },
    ] {
        let refused = account.verify(&now, &credential).await;
        assert_eq!(code(refused), "invalid-challenge", "{now:?}");
    }
}

#[tokio::test]
async fn terms_that_changed_since_are_not_paid_on() {
    let (account, facilitator) = by_transfer().await;
    let offer = offer();
    let challenge = challenges(&account, &offer).await.remove(0);
    let credential = credential(&challenge, payload(&transfer(&challenge, Client::Mppx)));
    let settings = format!(
        "realm = \"tools.example.com\"\n[evm]\nnetwork = \"base-sepolia\"\npay_to = \"{TOKEN}\"\nfacilitator = \"http://127.0.0.1:9\"\n"
    );
    let later = super::account(&settings).unwrap();
    assert_eq!(
        code(later.verify(&offer, &credential).await),
        "invalid-challenge"
    );
    drop(facilitator);
}
