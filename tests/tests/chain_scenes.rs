//! The x402 rail against a real chain and the official facilitators, while everything between them goes wrong. After each
//! scene the rail's word is held against the chain: paid and moved once, or not paid and not moved, never a second charge.
//!
//! The scenes of one test share a chain; each has a payer of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use coinop::clock::{Clock as _, SystemClock};
use coinop::provider::rail::{
    Challenge, Credential, Offer, Protocol, Rail as _, Rejected, Verified,
};
use coinop::provider::x402::X402;
use coinop::provider::x402::evm::{Address, address};
use coinop::provider::{PaymentRef, Provider as _, ProviderError, Settled, Standing};
use coinop_core::digest::Digest;
use coinop_core::ids::PaymentId;
use coinop_core::money::Money;
use coinop_tests::chain::{Chain, Facilitator, Fault, Kind, Wallet};
use futures::future::join_all;
use serde_json::{Value, json};

const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
/// A cent.
const PRICE: u128 = 10_000;
/// How long payments hold.
const VALID_S: i64 = 300;
/// How often an end is asked for, and after how long again.
const ASKED_MAX: usize = 40;
const ASKED_AGAIN: Duration = Duration::from_millis(250);
/// Blocks after which nothing is undone any more.
const FINAL: u32 = 13;

/// A chain, a facilitator, and an account that is paid by them.
struct Shop {
    chain: Chain,
    facilitator: Facilitator,
    account: X402,
    payee: Address,
    wallets: AtomicU8,
}

/// A payment that was verified, and whose it is.
struct Paying {
    payment: PaymentRef,
    payer: Address,
    wallet: Wallet,
    nonce: [u8; 32],
}

fn account(facilitator: &Facilitator, more: &Value) -> X402 {
    let mut settings = json!({
        "network": "base-sepolia", "pay_to": PAYEE, "facilitator": facilitator.url(),
        "max_timeout_s": VALID_S, "settle_timeout_s": 5,
    });
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    let settings = serde_json::from_value(settings).unwrap();
    X402::new(settings, Arc::new(SystemClock)).unwrap()
}

fn offer() -> Offer {
    let now = SystemClock.now();
    Offer {
        tool: "summarize".to_owned(),
        description: "Summarize text".to_owned(),
        component: Digest::of(b"component"),
        arguments: Digest::of(b"{}"),
        price: Money::parse("0.01", "USD").unwrap(),
        account: "wallets".to_owned(),
        resource: "mcp://tool/summarize".to_owned(),
        now,
        expires_at: now + 900_000,
        secrets: vec![b"secret".to_vec()],
    }
}

impl Shop {
    /// With a node to ask, and more settings.
    async fn open(kind: Kind, more: Value) -> Self {
        let chain = Chain::start().await;
        let facilitator = chain.facilitator(kind).await;
        let mut settings = json!({ "rpc": chain.rpc_url() });
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        Self {
            account: account(&facilitator, &settings),
            chain,
            facilitator,
            payee: PAYEE.parse().unwrap(),
            wallets: AtomicU8::new(1),
        }
    }

    /// A payer that nobody has seen, with so much money.
    async fn payer(&self, money: u128) -> Wallet {
        let wallet = Wallet::of(self.wallets.fetch_add(1, Ordering::SeqCst));
        self.chain.mint(&wallet.address(), money).await;
        wallet
    }

    /// What a wallet presents for the offer.
    async fn credential(&self, wallet: &Wallet, nonce: [u8; 32]) -> (Offer, Credential) {
        let offer = offer();
        let Challenge::X402 { v2, .. } = self.account.challenge(&offer).await.unwrap() else {
            panic!("not x402");
        };
        let requirement = &v2["accepts"][0];
        let valid_before_s = offer.now / 1000 + VALID_S;
        let transfer = wallet.transfer(requirement, nonce, valid_before_s);
        let protocol = Protocol::X402;
        let json = wallet.pay(requirement, &transfer);
        (offer, Credential { protocol, json })
    }

    async fn verify(&self, wallet: &Wallet, nonce: [u8; 32]) -> Result<Verified, Rejected> {
        let (offer, credential) = self.credential(wallet, nonce).await;
        self.account.verify(&offer, &credential).await
    }

    /// A payment by `wallet`, verified by us and by the facilitator.
    async fn reserved(&self, wallet: Wallet, nonce: u8) -> Paying {
        let nonce = [nonce; 32];
        let verified = self.verify(&wallet, nonce).await.unwrap();
        let payment = PaymentRef {
            key: PaymentId::from_random([1; 16]),
            reference: verified.reference,
            price: offer().price,
            credential: Some(Arc::from(verified.keep)),
        };
        let payer = wallet.address();
        Paying {
            payment,
            payer,
            wallet,
            nonce,
        }
    }

    /// A payment by a payer with just the money for it.
    async fn paying(&self) -> Paying {
        let wallet = self.payer(PRICE).await;
        self.reserved(wallet, 1).await
    }

    async fn settle(&self, paying: &Paying) -> &'static str {
        word(&self.account.settle(&paying.payment).await)
    }

    /// Settles as often as a sweeper would, until it is told an end.
    async fn end(&self, paying: &Paying) -> &'static str {
        for _ in 0..ASKED_MAX {
            let settled = self.account.settle(&paying.payment).await;
            match word(&settled) {
                end @ ("paid" | "released") => return end,
                _ => println!("not yet: {settled:?}"),
            }
            tokio::time::sleep(ASKED_AGAIN).await;
        }
        panic!("it never ends");
    }

    /// How often the payer's money came to the payee.
    async fn moved(&self, paying: &Paying) -> usize {
        self.chain.transfers(&paying.payer, &self.payee).await
    }

    /// The rail's word against the chain: paid once, and told so, however often it is asked.
    async fn check_paid(&self, paying: &Paying) {
        assert_eq!(self.end(paying).await, "paid");
        assert_eq!(self.moved(paying).await, 1);
        assert_eq!(self.end(paying).await, "paid");
        assert_eq!(self.moved(paying).await, 1);
        assert_eq!(self.chain.balance(&paying.payer).await, 0);
    }

    /// Nothing moved, and the rail does not say that anything did, nor yet that nothing will.
    async fn check_open(&self, paying: &Paying) {
        let said = self.settle(paying).await;
        assert!(matches!(said, "pending" | "unknown"), "{said}");
        assert_eq!(self.moved(paying).await, 0);
    }

    /// Nothing moved, and nothing will.
    async fn check_released(&self, paying: &Paying) {
        assert_eq!(self.end(paying).await, "released");
        assert_eq!(self.moved(paying).await, 0);
    }
}

/// What became of it, in a word.
fn word(settled: &Result<Settled, ProviderError>) -> &'static str {
    match settled {
        Ok(settled) => match settled.standing {
            Standing::Paid(price) => {
                assert_eq!(price, offer().price);
                let proof: Value = serde_json::from_str(settled.proof.as_deref().unwrap()).unwrap();
                assert_eq!(proof["success"], true);
                let hash = proof["transaction"].as_str().unwrap();
                assert!(address::bytes::<32>(hash).is_some(), "{hash}");
                "paid"
            }
            Standing::Pending => "pending",
            Standing::Released => "released",
            other => panic!("{other:?}"),
        },
        Err(ProviderError::Unreachable(_)) => "unknown",
        Err(other) => panic!("{other}"),
    }
}

/// A payment is settled, and settled again.
async fn honest(shop: &Shop) {
    let paying = shop.paying().await;
    assert_eq!(shop.settle(&paying).await, "paid");
    shop.check_paid(&paying).await;
    assert!(shop.chain.nonce_ended(&paying.payer, paying.nonce).await);
    // The same authorization presented again is found out before any run.
    let again = shop.verify(&paying.wallet, paying.nonce).await;
    assert!(matches!(again, Err(Rejected::Invalid { .. })), "{again:?}");
}

/// The answer to `/settle` is lost, and the payment made.
async fn lost_answers(shop: &Shop) {
    for fault in [Fault::HangAfter, Fault::CutAfter, Fault::BadGatewayAfter] {
        let paying = shop.paying().await;
        shop.facilitator.fault(fault).await;
        assert_eq!(shop.end(&paying).await, "paid", "{fault:?}");
        shop.check_paid(&paying).await;
    }
}

/// The facilitator hangs before it does anything: unknown, and no loss to ask again.
async fn hangs_before(shop: &Shop) {
    let paying = shop.paying().await;
    shop.facilitator.fault(Fault::HangBefore).await;
    assert_eq!(shop.settle(&paying).await, "unknown");
    assert_eq!(shop.moved(&paying).await, 0);
    assert_eq!(shop.end(&paying).await, "paid");
    shop.check_paid(&paying).await;
}

/// The node takes the transaction, and the facilitator never hears of it.
async fn node_loses_its_answer(shop: &Shop) {
    let paying = shop.paying().await;
    shop.chain.lose_next_answer();
    // At once, or once the block is there.
    assert_eq!(shop.end(&paying).await, "paid");
    shop.check_paid(&paying).await;
}

/// The facilitator cannot reach the node at all.
async fn facilitator_cut_off(shop: &Shop) {
    let paying = shop.paying().await;
    shop.chain.cut_facilitators_off(true);
    shop.check_open(&paying).await;
    let stranger = shop.payer(PRICE).await;
    let refused = shop.verify(&stranger, [1; 32]).await;
    // Whatever it says of a good signature then, nobody is told that the payment is wrong and to pay again.
    assert!(refused.is_err());
    shop.chain.cut_facilitators_off(false);
    assert_eq!(shop.end(&paying).await, "paid");
    shop.check_paid(&paying).await;
}

/// The payer's account is frozen since it was verified, then thawed.
async fn frozen(shop: &Shop) {
    let paying = shop.paying().await;
    shop.chain.freeze(&paying.payer, true).await;
    shop.check_open(&paying).await;
    shop.chain.freeze(&paying.payer, false).await;
    assert_eq!(shop.end(&paying).await, "paid");
    shop.check_paid(&paying).await;
}

/// The same payment is settled twice at once, as by two hosts.
async fn twice_at_once(shop: &Shop) {
    let paying = shop.paying().await;
    let words = join_all([shop.settle(&paying), shop.settle(&paying)]).await;
    assert!(words.iter().all(|word| *word != "released"), "{words:?}");
    shop.check_paid(&paying).await;
}

/// Ten payments at once.
async fn ten_at_once(shop: &Shop) {
    let mut payments = Vec::new();
    for _ in 0..10 {
        payments.push(shop.paying().await);
    }
    let words = join_all(payments.iter().map(|paying| shop.settle(paying))).await;
    assert!(words.iter().all(|word| *word != "released"), "{words:?}");
    for paying in &payments {
        assert_eq!(shop.end(paying).await, "paid");
        shop.check_paid(paying).await;
    }
}

/// Two authorizations verified, and money for one.
async fn money_for_one(shop: &Shop) -> Paying {
    let wallet = shop.payer(PRICE).await;
    let number = shop.wallets.load(Ordering::SeqCst) - 1;
    let first = shop.reserved(wallet, 1).await;
    let second = shop.reserved(Wallet::of(number), 2).await;
    assert_eq!(first.payer, second.payer);
    assert_eq!(shop.settle(&first).await, "paid");
    let said = shop.settle(&second).await;
    assert!(matches!(said, "unknown" | "pending"), "{said}");
    assert_eq!(shop.moved(&second).await, 1);
    assert!(!shop.chain.nonce_ended(&second.payer, second.nonce).await);
    second
}

/// The payer cancels its authorization after it was verified.
async fn cancelled(shop: &Shop) {
    let paying = shop.paying().await;
    shop.chain.send(&paying.wallet.cancel(paying.nonce)).await;
    assert!(shop.chain.nonce_ended(&paying.payer, paying.nonce).await);
    shop.check_open(&paying).await;
    shop.chain.mine(FINAL).await;
    shop.check_released(&paying).await;
    assert_eq!(shop.chain.balance(&paying.payer).await, PRICE);
}

/// Authorizations run out unsettled: given up once no block can take them any more, and not before.
async fn time_runs_out(shop: &Shop) {
    let poor = money_for_one(shop).await;
    let late = shop.paying().await;
    let passed = late_by(shop).await;
    assert!(passed > 0);
    let said = shop.settle(&late).await;
    assert!(matches!(said, "unknown" | "pending"), "{said}");
    shop.chain.mine(FINAL).await;
    shop.check_released(&late).await;
    assert_eq!(shop.chain.balance(&late.payer).await, PRICE);
    assert_eq!(shop.end(&poor).await, "released");
    assert_eq!(shop.moved(&poor).await, 1);
}

/// Lets the chain's clock pass what holds now; by how much, seconds.
async fn late_by(shop: &Shop) -> i64 {
    shop.chain.pass_time(VALID_S + 60).await;
    shop.chain.now_s().await - (SystemClock.now() / 1000 + VALID_S)
}

async fn everything_goes_wrong(kind: Kind) {
    let shop = Shop::open(kind, json!({})).await;
    honest(&shop).await;
    lost_answers(&shop).await;
    hangs_before(&shop).await;
    node_loses_its_answer(&shop).await;
    facilitator_cut_off(&shop).await;
    frozen(&shop).await;
    twice_at_once(&shop).await;
    ten_at_once(&shop).await;
    cancelled(&shop).await;
    // Last: from then on the chain's clock is ahead of everybody's.
    time_runs_out(&shop).await;
}

#[tokio::test]
async fn everything_goes_wrong_with_the_npm_facilitator() {
    everything_goes_wrong(Kind::Ts).await;
}

#[tokio::test]
async fn everything_goes_wrong_with_the_python_facilitator() {
    everything_goes_wrong(Kind::Py).await;
}

/// Mining stalls: pending, once mined paid; a dropped transaction is given up with its authorization.
async fn mining_stalls(kind: Kind) {
    let shop = Shop::open(kind, json!({})).await;
    let slow = shop.paying().await;
    let dropped = shop.paying().await;
    shop.chain.stall().await;
    let first = shop.account.settle(&slow.payment).await;
    assert_eq!(word(&first), "pending");
    shop.check_open(&slow).await;
    shop.chain.resume().await;
    assert_eq!(shop.end(&slow).await, "paid");
    shop.check_paid(&slow).await;

    shop.chain.stall().await;
    let pending = shop.account.settle(&dropped.payment).await.unwrap();
    let proof: Value = serde_json::from_str(pending.proof.as_deref().unwrap()).unwrap();
    let hash = proof["transaction"].as_str().unwrap();
    shop.chain.drop_transaction(hash).await;
    shop.check_open(&dropped).await;
    shop.chain.resume().await;
    assert_eq!(shop.moved(&dropped).await, 0);
    late_by(&shop).await;
    shop.chain.mine(FINAL).await;
    shop.check_released(&dropped).await;
    assert_eq!(shop.chain.balance(&dropped.payer).await, PRICE);
}

#[tokio::test]
async fn mining_stalls_with_the_npm_facilitator() {
    mining_stalls(Kind::Ts).await;
}

#[tokio::test]
async fn mining_stalls_with_the_python_facilitator() {
    mining_stalls(Kind::Py).await;
}

/// Another facilitator is asked while the first one's transaction waits: its refusal is no reason to give up.
#[tokio::test]
async fn another_facilitators_word_is_not_enough() {
    let shop = Shop::open(Kind::Ts, json!({})).await;
    let other = shop.chain.facilitator(Kind::Ts).await;
    let settings = json!({ "rpc": shop.chain.rpc_url() });
    let elsewhere = account(&other, &settings);
    let paying = shop.paying().await;
    shop.chain.stall().await;
    assert_eq!(shop.settle(&paying).await, "pending");
    let said = word(&elsewhere.settle(&paying.payment).await);
    assert!(matches!(said, "pending" | "unknown"), "{said}");
    shop.chain.resume().await;
    assert_eq!(word(&elsewhere.settle(&paying.payment).await), "paid");
    shop.check_paid(&paying).await;
}

/// A block is reorganised away after the facilitator said success. Who waits for confirmations loses nothing. (The Python
/// facilitator counts its own transactions and has to be started anew after a reorganisation.)
#[tokio::test]
async fn a_block_is_reorganised_away() {
    let shop = Shop::open(Kind::Ts, json!({ "confirmations": 3 })).await;
    let paying = shop.paying().await;
    let before = shop.chain.snapshot().await;
    assert_eq!(shop.settle(&paying).await, "pending");
    assert_eq!(shop.moved(&paying).await, 1);
    shop.chain.revert(before).await;
    assert_eq!(shop.moved(&paying).await, 0);
    assert_eq!(shop.settle(&paying).await, "pending");
    assert_eq!(shop.moved(&paying).await, 1);
    shop.chain.mine(3).await;
    shop.check_paid(&paying).await;
}

/// The facilitator has no money for gas. Given some, the npm one goes on; the Python one has counted a transaction that it
/// never sent, and all that it sends later waits for that: it takes one that was started anew.
async fn no_gas(kind: Kind) {
    let shop = Shop::open(kind, json!({})).await;
    let paying = shop.paying().await;
    let account_of_gas = shop.facilitator.address;
    shop.chain.set_gas_money(account_of_gas, 0).await;
    shop.check_open(&paying).await;
    let much = 1_000_000_000_000_000_000;
    shop.chain.set_gas_money(account_of_gas, much).await;
    if kind == Kind::Py {
        let anew = shop.chain.facilitator(kind).await;
        let settings = json!({ "rpc": shop.chain.rpc_url() });
        let settled = account(&anew, &settings).settle(&paying.payment).await;
        assert_eq!(word(&settled), "paid");
    }
    shop.check_paid(&paying).await;
}

#[tokio::test]
async fn the_npm_facilitator_has_no_money_for_gas() {
    no_gas(Kind::Ts).await;
}

#[tokio::test]
async fn the_python_facilitator_has_no_money_for_gas() {
    no_gas(Kind::Py).await;
}

/// Without a node nothing but a success is believed, not even after the authorization's end.
#[tokio::test]
async fn without_a_node_a_lost_answer_stays_unknown() {
    let shop = Shop::open(Kind::Ts, json!({})).await;
    let blind = account(&shop.facilitator, &json!({}));
    let paying = shop.paying().await;
    shop.facilitator.fault(Fault::CutAfter).await;
    assert_eq!(word(&blind.settle(&paying.payment).await), "unknown");
    assert_eq!(shop.moved(&paying).await, 1);
    assert_eq!(word(&blind.settle(&paying.payment).await), "unknown");
    late_by(&shop).await;
    shop.chain.mine(FINAL).await;
    assert_eq!(word(&blind.settle(&paying.payment).await), "unknown");
    // With one, it is found.
    shop.check_paid(&paying).await;
}
