//! Settings: what they come to, and what is refused with the setting's name.

use coinop_core::money::Money;

use super::{account, required, settings};
use crate::provider::{NotChargeable, Provider as _};

fn refusal(more: &str) -> String {
    account(more).err().expect("the settings should be refused")
}

#[tokio::test]
async fn usdc_on_a_known_network_needs_no_words() {
    let account = account("").unwrap();
    let requirement = required(&account, &super::offer()).await;
    assert_eq!(
        requirement["asset"],
        "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
    );
    assert_eq!(requirement["amount"], "10000");
    assert_eq!(requirement["maxTimeoutSeconds"], 300);
    assert!(account.capabilities().test && !account.capabilities().links);
    let real = super::account("network = \"eip155:8453\"").unwrap();
    assert!(!real.capabilities().test);
    assert_eq!(
        required(&real, &super::offer()).await["extra"]["name"],
        "USD Coin"
    );
}

#[test]
fn nothing_is_a_dollar_by_accident() {
    let account = account("").unwrap();
    let charge = |amount, currency| account.chargeable(&Money::parse(amount, currency).unwrap());
    assert_eq!(charge("0.000001", "USD"), Ok(()));
    assert!(matches!(
        charge("0.0000001", "USD"),
        Err(NotChargeable::Money(_))
    ));
    assert!(matches!(
        charge("0.01", "EUR"),
        Err(NotChargeable::Currency { .. })
    ));

    assert!(refusal("currency = \"EUR\"").starts_with("rate:"));
    let token = "asset = \"0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42\"\nasset_name = \"X\"\nasset_version = \"1\"";
    assert!(refusal(token).starts_with("currency:"));
    let currency = format!("{token}\ncurrency = \"EUR\"");
    assert!(refusal(&currency).starts_with("rate:"));
    let rate = format!("{currency}\nrate = \"1\"");
    assert!(refusal(&rate).starts_with("decimals:"));
    super::account(&format!("{rate}\ndecimals = 18")).unwrap();
    assert!(refusal("decimals = 18").starts_with("decimals:"));
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        ("network = \"bass\"", "network:"),
        ("network = \"polygon\"", "asset:"),
        (
            "pay_to = \"0x209693Bc6afc0C5328bA36FaF03C514EF312287c\"",
            "pay_to:",
        ),
        ("pay_to = \"me\"", "pay_to:"),
        (
            "asset = \"0x1\"\ncurrency = \"USD\"\nrate = \"1\"\ndecimals = 6",
            "asset:",
        ),
        ("rate = \"0\"", "rate:"),
        ("rate = \"1,5\"", "rate:"),
        (
            "facilitator = \"http://facilitator.example\"",
            "facilitator:",
        ),
        ("facilitator = \"http://127.0.0.1.example\"", "facilitator:"),
        ("facilitator = \"x402.org\"", "facilitator:"),
        ("rpc = \"http://10.0.0.1:8545\"", "rpc:"),
        ("verify = \"both\"\ntransfer = \"permit2\"", "verify:"),
        (
            "facilitator_auth = { header = \"x-key\" }",
            "facilitator_auth:",
        ),
        (
            "facilitator_auth = { bearer = \"a\\nb\" }",
            "facilitator_auth.bearer:",
        ),
        (
            "facilitator_auth = { cdp_key_id = \"k\", cdp_key_secret = \"short\" }",
            "facilitator_auth.cdp_key_secret:",
        ),
        ("network = \"solana\"", "pay_to:"),
        ("network = \"solana\"\ntransfer = \"permit2\"", "transfer:"),
    ];
    for (more, setting) in cases {
        let refusal = refusal(more);
        assert!(refusal.starts_with(setting), "{more}: {refusal}");
    }
    assert!(settings("colour = \"red\"").is_err());
}

#[test]
fn a_url_is_never_repeated_since_it_may_carry_a_key() {
    let refusal = refusal("rpc = \"http://node.example/v2/hunter2\"");
    assert!(!refusal.contains("hunter2"), "{refusal}");
}

#[test]
fn the_accounts_of_the_example_are_accounts() {
    let text = include_str!("../../../../../examples/coinop.toml");
    let mut example: toml::Table = text.parse().unwrap();
    let accounts = example["accounts"].as_table_mut().unwrap();
    for (name, more) in [("wallets", None), ("euros", Some("cdp_key_secret"))] {
        let account = accounts[name].as_table_mut().unwrap();
        account.remove("kind");
        if let Some(secret) = more {
            let auth = account["facilitator_auth"].as_table_mut().unwrap();
            let key = data_encoding::BASE64.encode(&[7; 32]);
            auth.insert(secret.to_owned(), key.into());
        }
        super::account(&account.to_string()).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn every_word_of_the_configuration_is_understood() {
    for transfer in ["eip3009", "permit2"] {
        account(&format!("transfer = {transfer:?}")).unwrap();
    }
    for verify in ["local", "facilitator", "both"] {
        account(&format!("verify = {verify:?}")).unwrap();
    }
}
