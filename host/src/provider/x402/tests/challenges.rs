//! Challenges: what is asked for, and that a payment for one call buys no other.

use coinop_core::digest::Digest;
use coinop_core::money::Money;

use super::wallet::Wallet;
use super::{NOW_S, account, credential, offer, required};
use crate::provider::rail::{Challenge, Offer, Rail as _, Rejected};

fn alone() -> super::X402 {
    account("verify = \"local\"").unwrap()
}

#[tokio::test]
async fn the_offer_is_said_in_both_versions() {
    let Challenge::X402 { v2, v1 } = alone().challenge(&offer()).await.unwrap() else {
        panic!("not x402");
    };
    assert_eq!(v2["x402Version"], 2);
    assert_eq!(v2["resource"]["url"], "mcp://tool/summarize");
    assert_eq!(v2["accepts"][0]["network"], "eip155:84532");
    let sealed = v2["accepts"][0]["extra"]["challengeId"].as_str().unwrap();
    assert!(sealed.starts_with("1795000900."), "{sealed}");
    assert_eq!(
        v2["extensions"]["payment-identifier"]["info"]["required"],
        false
    );
    let v1 = v1.unwrap();
    assert_eq!(v1["x402Version"], 1);
    assert_eq!(v1["accepts"][0]["network"], "base-sepolia");
    assert_eq!(v1["accepts"][0]["maxAmountRequired"], "10000");
    assert_eq!(v1["accepts"][0]["extra"].get("challengeId"), None);
}

#[tokio::test]
async fn a_network_without_a_name_in_version_1_is_offered_in_version_2_only() {
    let more = "network = \"eip155:31337\"\nasset = \"0x036CbD53842c5426634e7929541eC2318f3dCF7e\"\nasset_name = \"USDC\"\n\
                asset_version = \"2\"\ndecimals = 6\ncurrency = \"USD\"\nrate = \"1\"";
    let challenge = account(more).unwrap().challenge(&offer()).await.unwrap();
    assert!(matches!(challenge, Challenge::X402 { v1: None, .. }));
}

/// Pays `made` and presents the payment for `presented`.
async fn presented(made: &Offer, presented: &Offer) -> Result<(), Rejected> {
    let account = alone();
    let requirement = required(&account, made).await;
    let payload = Wallet::of(1).pay(&requirement, 1);
    account
        .verify(presented, &credential(payload))
        .await
        .map(drop)
}

fn code(result: Result<(), Rejected>) -> String {
    match result.unwrap_err() {
        Rejected::Invalid { code, .. } => code,
        Rejected::Unavailable(reason) => panic!("unavailable: {reason}"),
    }
}

#[tokio::test]
async fn a_payment_buys_the_call_it_was_made_for_and_no_other() {
    assert_eq!(presented(&offer(), &offer()).await, Ok(()));
    type Change = fn(&mut Offer);
    let changes: [(&str, Change); 4] = [
        ("tool", |o| o.tool = "translate".to_owned()),
        ("component", |o| o.component = Digest::of(b"another")),
        ("arguments", |o| o.arguments = Digest::of(b"{\"a\":1}")),
        ("account", |o| o.account = "others".to_owned()),
    ];
    for (what, change) in changes {
        let mut other = offer();
        change(&mut other);
        assert_eq!(
            code(presented(&offer(), &other).await),
            "invalid_payment_requirements",
            "{what}"
        );
        assert_eq!(
            code(presented(&other, &offer()).await),
            "invalid_payment_requirements",
            "{what}"
        );
    }
    let mut dearer = offer();
    dearer.price = Money::parse("0.02", "USD").unwrap();
    let mismatch = "invalid_exact_evm_payload_authorization_value_mismatch";
    assert_eq!(code(presented(&offer(), &dearer).await), mismatch);
}

#[tokio::test]
async fn the_boundary_between_fields_cannot_be_moved() {
    let (mut one, mut other) = (offer(), offer());
    (one.tool, one.account) = ("ab".to_owned(), "c".to_owned());
    (other.tool, other.account) = ("a".to_owned(), "bc".to_owned());
    assert_eq!(
        code(presented(&one, &other).await),
        "invalid_payment_requirements"
    );
}

#[tokio::test]
async fn a_challenge_stands_until_it_says() {
    let mut later = offer();
    // The authorisation itself would still hold.
    let mut short = offer();
    short.expires_at = (NOW_S + 10) * 1000;
    later.now = (NOW_S + 9) * 1000 + 999;
    assert_eq!(presented(&short, &later).await, Ok(()));
    later.now = (NOW_S + 10) * 1000;
    assert_eq!(
        code(presented(&short, &later).await),
        "invalid_payment_requirements"
    );
}

#[tokio::test]
async fn secrets_may_be_changed_while_offers_are_out() {
    let (mut before, mut after) = (offer(), offer());
    before.secrets = vec![b"one before".to_vec()];
    assert_eq!(presented(&before, &after).await, Ok(()));
    after.secrets = vec![b"another".to_vec()];
    assert_eq!(
        code(presented(&before, &after).await),
        "invalid_payment_requirements"
    );
    after.secrets.clear();
    assert!(alone().challenge(&after).await.is_err());
}

#[tokio::test]
async fn forged_challenges_are_refused() {
    let account = alone();
    let requirement = required(&account, &offer()).await;
    let sealed = requirement["extra"]["challengeId"]
        .as_str()
        .unwrap()
        .to_owned();
    let (expiry, mac) = sealed.split_once('.').unwrap();
    let forged = [
        String::new(),
        ".".to_owned(),
        expiry.to_owned(),
        format!("{expiry}."),
        format!("{}.{mac}", NOW_S + 100_000),
        format!("-1.{mac}"),
        format!("{expiry}.{}", &mac[..20]),
        format!("{expiry}.{}", "A".repeat(43)),
        format!("{expiry}.{mac}{}", "A".repeat(4_000)),
        "1795000900.é".to_owned(),
    ];
    for challenge in forged {
        let mut required = requirement.clone();
        required["extra"]["challengeId"] = challenge.clone().into();
        let payload = Wallet::of(1).pay(&required, 1);
        let verified = account.verify(&offer(), &credential(payload)).await;
        assert_eq!(
            code(verified.map(drop)),
            "invalid_payment_requirements",
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn a_challenge_that_is_not_echoed_is_missed_unless_the_operator_says_otherwise() {
    let mut requirement = required(&alone(), &offer()).await;
    requirement["extra"]
        .as_object_mut()
        .unwrap()
        .remove("challengeId");
    let payload = credential(Wallet::of(1).pay(&requirement, 1));
    let strict = alone().verify(&offer(), &payload).await.map(drop);
    assert_eq!(code(strict), "invalid_payment_requirements");
    let lenient = account("verify = \"local\"\nrequire_challenge = false").unwrap();
    lenient.verify(&offer(), &payload).await.unwrap();
    // One that is echoed must hold all the same.
    requirement["extra"]["challengeId"] = "1795000900.AAAA".into();
    let payload = credential(Wallet::of(1).pay(&requirement, 1));
    assert!(lenient.verify(&offer(), &payload).await.is_err());
}

/// Every pair of offers out of many: only a payment's own offer is bought by it.
#[tokio::test]
async fn of_many_offers_each_is_bought_by_its_own_payment_only() {
    let mut offers = Vec::new();
    for tool in ["a", "ab"] {
        for arguments in [&b"{}"[..], b"[]"] {
            for component in [&b"one"[..], b"two"] {
                let mut offer = offer();
                offer.tool = tool.to_owned();
                offer.arguments = Digest::of(arguments);
                offer.component = Digest::of(component);
                offers.push(offer);
            }
        }
    }
    for (i, made) in offers.iter().enumerate() {
        for (k, other) in offers.iter().enumerate() {
            assert_eq!(presented(made, other).await.is_ok(), i == k, "{i} {k}");
        }
    }
}
