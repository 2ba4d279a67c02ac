//! Settling: for every answer that the official facilitators were seen to give, and for what the chain says beside it,
//! whether the payment is made, never was, or cannot be told. Their table is that of the scenes in `tests/tests/chain`.

use std::sync::Arc;

use coinop_core::ids::PaymentId;
use coinop_core::money::Money;
use serde_json::{Value, json};

use super::fakes::{End, FakeFacilitator, FakeNode, Ledger, Say, TRANSACTION, cutting};
use super::wallet::Wallet;
use super::{NOW_S, X402, account, credential, offer, required};
use crate::provider::rail::Rail as _;
use crate::provider::{PaymentRef, Provider as _, ProviderError, Settled, Standing};

/// A success as the official facilitators say it.
pub(super) fn success() -> Say {
    Say::Json(
        200,
        json!({
            "success": true, "transaction": "0xaa", "network": "eip155:84532",
            "payer": Wallet::of(1).address().checksummed(),
        }),
    )
}

fn failure(reason: &str, transaction: &str) -> Say {
    Say::Json(
        200,
        json!({
            "success": false, "errorReason": reason, "transaction": transaction, "network": "eip155:84532",
        }),
    )
}

/// A scene: what the facilitator says when it settles, and what the chain shows; `None` without a node.
pub(super) struct Scene {
    pub(super) facilitator: FakeFacilitator,
    node: Option<FakeNode>,
    account: X402,
    payment: PaymentRef,
}

impl Scene {
    pub(super) async fn new(
        script: impl IntoIterator<Item = Say>,
        ledger: Option<Ledger>,
        more: &str,
    ) -> Self {
        let facilitator = FakeFacilitator::saying(script).await;
        let unaddressed = account("").unwrap();
        let requirement = required(&unaddressed, &offer()).await;
        let transfer = Wallet::of(1).transfer(&requirement, 1);
        let mut text = format!(
            "{more}\nverify = \"local\"\nsettle_timeout_s = 1\nfacilitator = {:?}",
            facilitator.served.url
        );
        // Verified before the chain came to show what it shows.
        let payload = credential(Wallet::of(1).pay(&requirement, 1));
        let verifying = account(&text).unwrap();
        let verified = verifying.verify(&offer(), &payload).await.unwrap();
        let mut node = None;
        if let Some(ledger) = ledger {
            let made = FakeNode::of(transfer, ledger).await;
            text += &format!("\nrpc = {:?}", made.served.url);
            node = Some(made);
        }
        let account = account(&text).unwrap();
        let payment = PaymentRef {
            key: PaymentId::from_random([1; 16]),
            reference: verified.reference,
            price: offer().price,
            credential: Some(Arc::from(verified.keep)),
        };
        Self {
            facilitator,
            node,
            account,
            payment,
        }
    }

    pub(super) async fn settle(&self) -> Result<Settled, ProviderError> {
        self.account.settle(&self.payment).await
    }

    fn change(&self, change: impl FnOnce(&mut Ledger)) {
        self.node.as_ref().unwrap().change(change);
    }
}

/// What became of it, in a word, with the transaction where there is one.
pub(super) fn word(settled: &Result<Settled, ProviderError>) -> String {
    let transaction = |settled: &Settled| {
        let proof: Value = serde_json::from_str(settled.proof.as_deref().unwrap()).unwrap();
        assert_eq!(
            proof["success"],
            settled.standing == Standing::Paid(offer().price)
        );
        proof["transaction"].as_str().unwrap().to_owned()
    };
    match settled {
        Ok(settled) => match settled.standing {
            Standing::Paid(price) => {
                assert_eq!(price, Money::parse("0.01", "USD").unwrap());
                format!("paid {}", transaction(settled))
            }
            Standing::Pending => format!("pending {}", transaction(settled)),
            Standing::Released => "released".to_owned(),
            other => panic!("{other:?}"),
        },
        Err(ProviderError::Unreachable(_)) => "unknown".to_owned(),
        Err(other) => panic!("{other}"),
    }
}

/// Settles once and says what became of it.
async fn check(said: Say, ledger: Option<Ledger>, expected: &str) {
    let shown = format!("{said:?} {ledger:?}");
    let scene = Scene::new([said], ledger, "").await;
    assert_eq!(word(&scene.settle().await), expected, "{shown}");
}

/// Nothing happened on the chain, as of `seconds` from now.
fn untouched(seconds: i64) -> Option<Ledger> {
    Some(Ledger {
        now_s: NOW_S + seconds,
        ..Ledger::default()
    })
}

/// The nonce ended so many blocks ago.
fn ended(end: End, ago: u64) -> Option<Ledger> {
    let ledger = Ledger::default();
    Some(Ledger {
        ended: Some((ledger.latest - ago, end)),
        ..ledger
    })
}

/// Later than the authorisation holds (300 s), by more than the blocks that count as final.
const LONG_OVER: i64 = 300 + 24;

#[tokio::test]
async fn a_success_is_paid() {
    check(success(), None, "paid 0xaa").await;
    check(success(), untouched(0), "paid 0xaa").await;
}

#[tokio::test]
async fn the_facilitator_is_sent_our_requirement_and_the_payload_as_it_was_signed() {
    let scene = Scene::new([success()], None, "").await;
    let settled = scene.settle().await.unwrap();
    let (path, authorization, body) = scene.facilitator.asked().remove(0);
    assert_eq!((path.as_str(), authorization), ("settle", None));
    assert_eq!(body["x402Version"], 2);
    assert_eq!(body["paymentRequirements"]["amount"], "10000");
    assert_eq!(
        body["paymentRequirements"],
        body["paymentPayload"]["accepted"]
    );
    let proof: Value = serde_json::from_str(&settled.proof.unwrap()).unwrap();
    assert_eq!(
        proof,
        json!({
            "success": true, "transaction": "0xaa", "network": "eip155:84532", "amount": "10000",
            "payer": Wallet::of(1).address().checksummed(),
        })
    );
}

#[tokio::test]
async fn no_failure_proves_that_nothing_moved() {
    let reasons = [
        "invalid_exact_evm_nonce_already_used",
        "invalid_exact_evm_insufficient_balance",
        "invalid_exact_evm_transaction_failed",
        "invalid_exact_evm_signature",
        "invalid_exact_evm_payload_authorization_valid_before",
        "transaction_failed",
    ];
    for reason in reasons {
        check(failure(reason, ""), None, "unknown").await;
        check(failure(reason, ""), untouched(0), "unknown").await;
        check(
            failure(reason, ""),
            ended(End::Paid, 0),
            &format!("paid {TRANSACTION}"),
        )
        .await;
        check(failure(reason, ""), untouched(LONG_OVER), "released").await;
    }
    // A hash may be that of a reverted transaction, or of one still to come.
    check(
        failure("transaction_failed", "0xbb"),
        untouched(0),
        "pending 0xbb",
    )
    .await;
    check(
        failure("transaction_failed", "0xbb"),
        ended(End::Paid, 3),
        &format!("paid {TRANSACTION}"),
    )
    .await;
    check(
        failure("transaction_failed", "0xbb"),
        untouched(LONG_OVER),
        "released",
    )
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_on_the_chain() {
    for lost in [
        Say::Nothing,
        Say::Junk,
        Say::Json(502, Value::Null),
        Say::Json(302, json!({})),
        Say::Json(200, json!([])),
    ] {
        check(lost.clone(), None, "unknown").await;
        check(lost.clone(), untouched(0), "unknown").await;
        check(lost, ended(End::Paid, 0), &format!("paid {TRANSACTION}")).await;
    }
    let port = cutting().await;
    let cut = account(&format!("verify = \"local\"\nfacilitator = {:?}", port.url)).unwrap();
    let scene = Scene::new([], None, "").await;
    assert_eq!(word(&cut.settle(&scene.payment).await), "unknown");
}

#[tokio::test]
async fn a_success_that_is_none_is_not_believed() {
    let no_transaction = json!({ "success": true, "transaction": "", "network": "eip155:84532" });
    let elsewhere = json!({ "success": true, "transaction": "0xaa", "network": "eip155:8453" });
    let a_word = json!({ "success": "true", "transaction": "0xaa" });
    for answer in [no_transaction, elsewhere, a_word] {
        check(Say::Json(200, answer), None, "unknown").await;
    }
    let body = json!({ "success": true, "transaction": "0xaa", "network": "eip155:84532" });
    check(Say::Json(500, body), None, "unknown").await;
}

#[tokio::test]
async fn a_stalled_transaction_is_pending_until_it_is_mined() {
    let pending = || failure("settlement_pending", "0xbb");
    check(pending(), None, "pending 0xbb").await;
    let scene = Scene::new([pending(), pending(), success()], untouched(0), "").await;
    assert_eq!(word(&scene.settle().await), "pending 0xbb");
    assert_eq!(word(&scene.settle().await), "pending 0xbb");
    assert_eq!(word(&scene.settle().await), "paid 0xaa");
}

#[tokio::test]
async fn a_dropped_transaction_ends_with_its_authorisation() {
    let pending = || failure("settlement_pending", "0xbb");
    let scene = Scene::new([pending(), pending(), pending()], untouched(0), "").await;
    assert_eq!(word(&scene.settle().await), "pending 0xbb");
    // Over, but not by enough blocks: a reorganisation could still bring it.
    scene.change(|ledger| ledger.now_s = NOW_S + LONG_OVER - 1);
    assert_eq!(word(&scene.settle().await), "pending 0xbb");
    scene.change(|ledger| ledger.now_s = NOW_S + LONG_OVER);
    assert_eq!(word(&scene.settle().await), "released");
}

#[tokio::test]
async fn a_cancelled_nonce_is_no_payment_once_it_is_final() {
    let used = || failure("invalid_exact_evm_nonce_already_used", "");
    for end in [End::Canceled, End::Elsewhere] {
        check(used(), ended(end, 0), "unknown").await;
        check(used(), ended(end, 10), "unknown").await;
        check(used(), ended(end, 11), "released").await;
    }
    // Used, and the node does not say for what: a person must look.
    check(used(), ended(End::Pruned, 100), "unknown").await;
}

#[tokio::test]
async fn a_payment_is_found_however_long_ago_it_was_made() {
    for ago in [0, 127, 128, 129, 999, 1_000, 20_000] {
        let mut ledger = ended(End::Paid, ago).unwrap();
        ledger.now_s += 2 * i64::try_from(ago).unwrap();
        check(Say::Junk, Some(ledger), &format!("paid {TRANSACTION}")).await;
    }
}

#[tokio::test]
async fn a_node_that_is_down_or_of_another_chain_proves_nothing() {
    let failed = || failure("invalid_exact_evm_signature", "");
    let down = Ledger {
        up: false,
        ..untouched(LONG_OVER).unwrap()
    };
    check(failed(), Some(down), "unknown").await;
    // Another chain has never heard of the payment, which is no reason to give it up.
    let mainnet = Ledger {
        id: 8453,
        ..untouched(LONG_OVER).unwrap()
    };
    check(failed(), Some(mainnet), "unknown").await;
    let young = Ledger {
        latest: 3,
        ..untouched(LONG_OVER).unwrap()
    };
    check(failed(), Some(young), "unknown").await;
}

#[tokio::test]
async fn where_a_success_can_be_undone_it_counts_after_enough_blocks() {
    let used = || failure("invalid_exact_evm_nonce_already_used", "");
    let scene = Scene::new(
        [success(), used(), success(), used(), used()],
        ended(End::Paid, 0),
        "confirmations = 3",
    )
    .await;
    assert_eq!(
        word(&scene.settle().await),
        format!("pending {TRANSACTION}")
    );
    scene.change(|ledger| ledger.latest += 1);
    assert_eq!(
        word(&scene.settle().await),
        format!("pending {TRANSACTION}")
    );
    // Reorganised away: it is settled again, in a later block.
    scene.change(|ledger| ledger.ended = None);
    assert_eq!(word(&scene.settle().await), "pending 0xaa");
    scene.change(|ledger| ledger.ended = Some((ledger.latest, End::Paid)));
    assert_eq!(
        word(&scene.settle().await),
        format!("pending {TRANSACTION}")
    );
    scene.change(|ledger| ledger.latest += 2);
    assert_eq!(word(&scene.settle().await), format!("paid {TRANSACTION}"));
}

#[tokio::test]
async fn a_payment_that_is_not_kept_is_unknown_and_never_sent() {
    let mut scene = Scene::new([], untouched(LONG_OVER), "").await;
    for kept in [None, Some("junk".into()), Some("{}".into())] {
        scene.payment.credential = kept;
        assert_eq!(word(&scene.settle().await), "unknown");
    }
    assert_eq!(scene.facilitator.asked(), []);
}

#[tokio::test]
async fn what_was_never_sent_is_given_back_by_letting_it_lie() {
    let release = async |ledger: Option<Ledger>| {
        let scene = Scene::new([], ledger, "").await;
        let released = scene.account.release(&scene.payment).await;
        assert_eq!(scene.facilitator.asked(), []);
        released.map_err(|error| assert!(matches!(error, ProviderError::Unreachable(_))))
    };
    assert_eq!(release(None).await, Ok(Standing::Released));
    assert_eq!(release(untouched(0)).await, Ok(Standing::Released));
    assert_eq!(
        release(ended(End::Canceled, 20)).await,
        Ok(Standing::Released)
    );
    // Somebody else sent it.
    assert_eq!(
        release(ended(End::Paid, 5)).await,
        Ok(Standing::Paid(offer().price))
    );
    assert_eq!(release(ended(End::Canceled, 0)).await, Err(()));
    let down = Ledger {
        up: false,
        ..Ledger::default()
    };
    assert_eq!(release(Some(down)).await, Err(()));
}

#[tokio::test]
async fn a_reservation_stands_until_it_is_settled() {
    let mut scene = Scene::new([], None, "").await;
    let status = scene.account.status(&scene.payment).await.unwrap();
    assert_eq!(status, Standing::Authorized(offer().price));
    scene.payment.credential = None;
    let status = scene.account.status(&scene.payment).await.unwrap();
    assert_eq!(status, Standing::Pending);
    let refused = scene
        .account
        .create_offline(&crate::provider::CreatePayment {
            key: scene.payment.key.clone(),
            link: coinop_core::ids::LinkToken::from_random([1; 16]),
            price: offer().price,
            description: String::new(),
            expires_at: 0,
        });
    assert_eq!(refused, None);
}
