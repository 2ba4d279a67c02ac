//! The whole of a sale with nobody's word taken for it: published wallets pay the real host for a tool, published
//! facilitators settle it on a chain, and both sides' balances are looked up there.

use std::process::Stdio;

use coinop_tests::answer::Answer;
use coinop_tests::chain::{Kind, PRICE, Said, Shop, TOOL, Wallet, call, check_taken};
use coinop_tests::matrix::Transport;
use coinop_tests::matrix::wallets::{self, Purchase, WALLETS};
use coinop_tests::paths;
use coinop_tests::wait::within;
use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::process::Command;

/// What each payer has: enough to be charged twice.
const MONEY: u128 = 3 * PRICE;
/// What the payer's wallet saw of a purchase, held against the chain and the ledger.
async fn check_bought(shop: &Shop, payer: &Wallet, receipt: &Value) {
    assert_eq!(receipt["success"], true, "{receipt}");
    let transaction = receipt["transaction"].as_str().expect("a hash");
    let payer = payer.address();
    let moved = shop.chain.moved_by(transaction, &payer, &shop.payee).await;
    assert_eq!(moved, [PRICE]);
    assert_eq!(shop.chain.transfers(&payer, &shop.payee).await, 1);
    assert_eq!(shop.chain.balance(&payer).await, MONEY - PRICE);
    check_taken(&shop.home, &payer.to_string()).await;
}

/// A wallet pays, and what it paid with is presented again.
async fn buys(shop: &Shop, wallet: wallets::Wallet, transport: Transport) {
    let payer = shop.payer(MONEY).await;
    let purchase = Purchase {
        wallet,
        key: &payer.key(),
        tool: TOOL,
        transport,
        home: &shop.home,
        host: shop.host(),
    };
    let saw = purchase.make().await;
    let saw = saw.unwrap_or_else(|failure| panic!("{wallet:?} {transport:?}: {failure}"));
    assert_eq!(saw["error"], false, "{wallet:?} {transport:?}: {saw}");
    assert_eq!(
        saw["receipt"]["success"], true,
        "{wallet:?} {transport:?}: {saw}"
    );
    check_bought(shop, &payer, &saw["receipt"]).await;

    let again = call(TOOL, &json!({ "text": "to pay" }), &saw["payment"]);
    let answer = shop.client().await.request("tools/call", again).await;
    let said = Said::of(&Answer(answer));
    let (text, transaction) = said.delivered();
    assert_eq!(text, saw["text"]);
    assert_eq!(transaction, saw["receipt"]["transaction"]);
    check_bought(shop, &payer, &saw["receipt"]).await;
}

async fn published_wallets_pay(kind: Kind) {
    let shop = &Shop::open(kind, "").await;
    // One after another: of two payments at one moment the npm facilitator may send one under a number that is taken. The
    // host then delivers later, by the chain's word (`chain_host.rs`), and not with the answer that is looked at here.
    for wallet in WALLETS {
        for transport in Transport::ALL {
            buys(shop, wallet, transport).await;
        }
    }
    shop.check_till(WALLETS.len() * Transport::ALL.len()).await;
}

#[tokio::test]
async fn published_wallets_pay_by_the_npm_facilitator() {
    published_wallets_pay(Kind::Ts).await;
}

#[tokio::test]
async fn published_wallets_pay_by_the_python_facilitator() {
    published_wallets_pay(Kind::Py).await;
}

/// By plain HTTP: pip `x402` behind `httpx`, then a wallet of ours with version 1's header.
#[tokio::test]
async fn a_tool_is_paid_by_plain_http() {
    let shop = Shop::open(Kind::Ts, "").await;
    let payer = shop.payer(MONEY).await;
    let url = format!("http://{}/tools/{TOOL}", shop.host().address);
    let mut driver = Command::new(paths::python_x402());
    driver.arg(paths::client_script("python/http_wallet.py"));
    driver.args([url.as_str(), r#"{"by":"http"}"#]);
    driver.env("WALLET_KEY", payer.key()).stdin(Stdio::null());
    let done = within("the wallet's end", driver.kill_on_drop(true).output()).await;
    let done = done.expect("the wallet starts");
    let told = String::from_utf8_lossy(&done.stderr);
    let saw: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{told}"));
    assert_eq!(saw["status"], 200, "{saw}");
    let text = saw["body"]["content"][0]["text"].as_str();
    assert!(
        text.is_some_and(|text| text.starts_with("ran at ")),
        "{saw}"
    );
    check_bought(&shop, &payer, &saw["receipt"]).await;

    let sale = shop.signed(shop.payer(MONEY).await, 1).await;
    let payment = json!({
        "x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": sale.payment["payload"],
    });
    let header = BASE64.encode(payment.to_string().as_bytes());
    let headers = format!("Content-Type: application/json\r\nX-PAYMENT: {header}\r\n");
    let posted = shop.post(TOOL, &headers, &sale.arguments).await;
    assert_eq!(posted.status, 200, "{}", posted.text());
    let receipt = posted.header("x-payment-response").expect("a receipt");
    let receipt = BASE64.decode(receipt.as_bytes()).expect("base64");
    let receipt = serde_json::from_slice(&receipt).expect("JSON");
    check_bought(&shop, &sale.wallet, &receipt).await;
    let again = shop.post(TOOL, &headers, &sale.arguments).await;
    assert_eq!((again.status, again.text()), (200, posted.text()));
    check_bought(&shop, &sale.wallet, &receipt).await;
    shop.check_till(2).await;
}
