//! lightning/charge with real payments: two Lightning nodes in this process, a channel between them, a BOLT11 invoice that
//! one made and the other paid. And pympp's client, which pays the real host so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use coinop::clock::{Clock as _, SystemClock};
use coinop::provider::rail::{Challenge, Credential, Funds, Offer, Protocol, Rejected};
use coinop::provider::{Provider, mpp};
use coinop_core::digest::Digest;
use coinop_core::money::Money;
use coinop_tests::mpp::{call, home, pympp, served};
use lightning::bitcoin::hashes::{Hash as _, sha256};
use lightning::bitcoin::secp256k1::{Secp256k1, SecretKey};
use lightning::bolt11_invoice::{Bolt11Invoice, Currency, InvoiceBuilder};
use lightning::events::Event;
use lightning::ln::channelmanager::{Bolt11InvoiceParameters, PaymentId, Retry};
use lightning::ln::functional_test_utils::*;
use lightning::ln::msgs::BaseMessageHandler as _;
use lightning::types::payment::{PaymentHash, PaymentPreimage, PaymentSecret};
use serde_json::{Value, json};

const SATS: u64 = 500;

/// A node's LNbits, which has made one invoice.
async fn serve_invoice(invoice: String) -> String {
    let made = async move || json!({ "bolt11": invoice }).to_string();
    served(Router::new().route("/api/v1/payments", post(made))).await
}

async fn account(url: &str) -> Arc<dyn Provider> {
    let settings = format!(
        "realm = \"tools.example.com\"\n[lightning]\nnetwork = \"testnet\"\n\
         invoices = {{ url = \"{url}\", key = \"invoice-key\" }}\n"
    );
    let made = mpp::maker(Arc::new(SystemClock))("machines", settings.parse().unwrap());
    made.await.unwrap()
}

fn offer() -> Offer {
    let now = SystemClock.now();
    Offer {
        tool: "add".into(),
        description: "Adds numbers.".into(),
        component: Digest::of(b"component"),
        arguments: Digest::of(b"{}"),
        price: Money::parse(&SATS.to_string(), "SAT").unwrap(),
        account: "machines".into(),
        resource: "mcp://tool/add".into(),
        now,
        expires_at: now + 900_000,
        secrets: vec![b"secret".to_vec()],
    }
}

fn credential(challenge: &Value, preimage: &[u8]) -> Credential {
    let hex: String = preimage.iter().map(|byte| format!("{byte:02x}")).collect();
    Credential {
        protocol: Protocol::Mpp,
        json: json!({ "challenge": challenge, "payload": { "preimage": hex } }),
    }
}

#[test]
fn the_preimage_of_a_paid_invoice_pays_and_no_other() {
    let chanmon_cfgs = create_chanmon_cfgs(2);
    let node_cfgs = create_node_cfgs(2, &chanmon_cfgs);
    let node_chanmgrs = create_node_chanmgrs(2, &node_cfgs, &[None, None]);
    let nodes = create_network(2, &node_cfgs, &node_chanmgrs);
    create_announced_chan_between_nodes(&nodes, 0, 1);
    let (payer, seller) = (&nodes[0], &nodes[1]);

    let made = seller.node.create_bolt11_invoice(Bolt11InvoiceParameters {
        amount_msats: Some(SATS * 1000),
        invoice_expiry_delta_secs: Some(900),
        ..Default::default()
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(serve_invoice(made.unwrap().to_string()));
    let account = runtime.block_on(account(&url));
    let rail = account.rail().unwrap();
    let offer = offer();
    let asked = runtime.block_on(rail.challenge(&offer)).unwrap();
    let Challenge::Mpp(challenges) = asked else {
        panic!("another protocol");
    };
    let challenge = &challenges[0];

    // What the payer's wallet reads of the challenge is the invoice alone.
    let details = &challenge["request"]["methodDetails"];
    let invoice: Bolt11Invoice = details["invoice"].as_str().unwrap().parse().unwrap();
    assert_eq!(details["paymentHash"], invoice.payment_hash().to_string());
    assert_eq!(invoice.amount_milli_satoshis(), Some(SATS * 1000));

    let verify = |preimage: &[u8]| {
        let credential = credential(challenge, preimage);
        runtime.block_on(rail.verify(&offer, &credential))
    };
    let hash: &[u8] = invoice.payment_hash().as_ref();
    for guess in [hash, &[0; 32], &invoice.payment_secret().0] {
        let refused = verify(guess).unwrap_err();
        assert!(matches!(refused, Rejected::Invalid { .. }), "{refused}");
    }

    let preimage = pay(payer, seller, &invoice);
    let verified = verify(&preimage.0).unwrap();
    assert_eq!(
        verified.reference,
        format!("lightning:{}", invoice.payment_hash())
    );
    let Funds::Received { money, .. } = verified.funds else {
        panic!("it was received");
    };
    assert_eq!(money, offer.price);
    let mut other = preimage.0;
    other[31] ^= 1;
    verify(&other).unwrap_err();
}

/// Pays an invoice through the channel; the preimage as the payer's node learns it.
fn pay<'a, 'b, 'c>(
    payer: &Node<'a, 'b, 'c>,
    seller: &Node<'a, 'b, 'c>,
    invoice: &Bolt11Invoice,
) -> PaymentPreimage {
    let (id, retry) = (PaymentId([42; 32]), Retry::Attempts(0));
    let sent = payer
        .node
        .pay_for_bolt11_invoice(invoice, id, None, Default::default(), retry);
    sent.unwrap();
    check_added_monitors(payer, 1);
    let seller_id = seller.node.get_our_node_id();
    let mut messages = payer.node.get_and_clear_pending_msg_events();
    let message = remove_first_msg_event_to_node(&seller_id, &mut messages);
    let hash = PaymentHash(*invoice.payment_hash().as_ref());
    let path: &[&Node<'a, 'b, 'c>] = &[seller];
    let paths = [path];
    let secret = *invoice.payment_secret();
    let kept = seller.node.get_payment_preimage(hash, secret).unwrap();
    let arrived = pass_along_path(
        payer,
        path,
        SATS * 1000,
        hash,
        Some(secret),
        message,
        true,
        Some(kept),
    );
    assert!(matches!(arrived, Some(Event::PaymentClaimable { .. })));
    let claimed = ClaimAlongRouteArgs::new(payer, &paths, kept);
    do_claim_payment_along_route(claimed);
    let events = payer.node.get_and_clear_pending_events();
    let preimage = events.iter().find_map(|event| match event {
        Event::PaymentSent {
            payment_preimage, ..
        } => Some(*payment_preimage),
        _ => None,
    });
    // The nodes check on their way out that nothing is left undone.
    check_added_monitors(payer, 1);
    preimage.unwrap()
}

/// A pretended node and a wallet that is paid for by nobody: every invoice is real, signed and of its own hash.
struct Pretended {
    /// Preimages by payment hash, in hex.
    made: Mutex<BTreeMap<String, String>>,
    /// Whether its wallet gives the right ones.
    honest: bool,
}

async fn make(State(node): State<Arc<Pretended>>, asked: String) -> String {
    let asked: Value = serde_json::from_str(&asked).unwrap();
    let mut made = node.made.lock().unwrap();
    let preimage = sha256::Hash::hash(&made.len().to_be_bytes());
    let hash = sha256::Hash::hash(preimage.as_ref());
    made.insert(hash.to_string(), preimage.to_string());
    let key = SecretKey::from_slice(&[7; 32]).unwrap();
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let invoice = InvoiceBuilder::new(Currency::Regtest)
        .description("a call".into())
        .payment_hash(hash)
        .payment_secret(PaymentSecret([42; 32]))
        .duration_since_epoch(since_epoch.unwrap())
        .expiry_time(Duration::from_secs(asked["expiry"].as_u64().unwrap()))
        .min_final_cltv_expiry_delta(144)
        .amount_milli_satoshis(asked["amount"].as_u64().unwrap() * 1000)
        .build_signed(|hash| Secp256k1::new().sign_ecdsa_recoverable(hash, &key));
    json!({ "bolt11": invoice.unwrap().to_string() }).to_string()
}

async fn paid(State(node): State<Arc<Pretended>>, Path(hash): Path<String>) -> String {
    match node.honest {
        true => node.made.lock().unwrap()[&hash].clone(),
        false => "00".repeat(32),
    }
}

async fn pympp_pays(honest: bool) -> Value {
    let made = Mutex::default();
    let app = Router::new()
        .route("/api/v1/payments", post(make))
        .route("/pay/{hash}", get(paid))
        .with_state(Arc::new(Pretended { made, honest }));
    let url = served(app).await;
    let home = home(&format!(
        "[accounts.machines.lightning]\nnetwork = \"regtest\"\ncurrency = \"USD\"\nsats_per_unit = \"1000\"\n\
         invoices = {{ url = \"{url}\", key = {{ file = \"invoice.key\" }} }}\n"
    ));
    std::fs::write(home.path("invoice.key"), "key\n").unwrap();
    call(
        pympp(),
        &home,
        json!({ "method": "lightning", "wallet": url }),
    )
    .await
}

#[tokio::test]
async fn pympp_pays_by_lightning_with_a_method_of_its_users() {
    let said = pympp_pays(true).await;
    assert_eq!(said["text"], "worth a cent", "{said}");
    assert_eq!(said["receipt"]["method"], "lightning", "{said}");
}

#[tokio::test]
async fn a_wrong_preimage_buys_nothing() {
    let said = pympp_pays(false).await;
    let raised = said["raised"].as_str();
    assert!(
        raised.is_some_and(|why| why.starts_with("PaymentOutcomeUnknownError")),
        "{said}"
    );
}
