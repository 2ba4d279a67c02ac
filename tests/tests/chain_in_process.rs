//! Our verification against a chain in this very process: what the token does with each vector, by revm. No node, no
//! compiler, no clock.

use std::path::PathBuf;

use coinop::provider::x402::check::{SignatureBy, check};
use coinop::provider::x402::evm::{Address, Domain, Transfer, Uint, address};
use coinop::provider::x402::network::Network;
use coinop::provider::x402::payload::{Envelope, Signed};
use coinop::provider::x402::reason::Reason;
use coinop::provider::x402::terms::{Method, Recipient, Requirement, Terms};
use coinop_tests::chain::abi;
use coinop_tests::paths;
use revm::context::result::ExecutionResult;
use revm::context::{Context, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::primitives::{Bytes, TxKind, U256};
use revm::state::{AccountInfo, Bytecode};
use revm::{ExecuteCommitEvm as _, MainBuilder as _, MainContext as _};
use serde_json::Value;

const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
const PRICE: u128 = 10_000;

/// A chain with the token, at a given time, on which the payer of the vectors has a dollar.
struct Chain {
    db: CacheDB<EmptyDB>,
    at_s: u64,
    sent: u64,
}

fn evm(address: &Address) -> revm::primitives::Address {
    (*address.as_bytes()).into()
}

fn parsed(text: &str) -> Address {
    text.parse().unwrap()
}

impl Chain {
    fn new(at_s: u64, payer: Address) -> Self {
        let code = data_of(&format!("0x{}", abi::TOKEN_CODE.trim()));
        let mut db = CacheDB::new(EmptyDB::default());
        let token = AccountInfo::from_bytecode(Bytecode::new_raw(code.into()));
        db.insert_account_info(evm(&parsed(abi::TOKEN)), token);
        let mut chain = Self { db, at_s, sent: 0 };
        let value = *Uint::from(1_000_000).as_word();
        assert!(
            chain
                .send(abi::call(
                    "mint(address,uint256)",
                    &[payer.as_word(), value]
                ))
                .is_some()
        );
        chain
    }

    /// Sends a call to the token: its answer, or `None` when it was reverted.
    fn send(&mut self, data: Vec<u8>) -> Option<Vec<u8>> {
        let at_s = self.at_s;
        let mut machine = Context::mainnet()
            .with_db(&mut self.db)
            .modify_cfg_chained(|cfg| cfg.chain_id = 84_532)
            .modify_block_chained(|block| block.timestamp = U256::from(at_s))
            .build_mainnet();
        let transaction = TxEnv::builder()
            .caller(evm(&Address::new([9; 20])))
            .kind(TxKind::Call(evm(&parsed(abi::TOKEN))))
            .data(Bytes::from(data))
            .nonce(self.sent)
            .chain_id(Some(84_532))
            .gas_limit(1_000_000)
            .gas_price(0)
            .build()
            .unwrap();
        let result = machine.transact_commit(transaction).unwrap();
        self.sent += 1;
        match result {
            ExecutionResult::Success { output, .. } => Some(output.into_data().to_vec()),
            _ => None,
        }
    }

    fn balance(&mut self, of: &str) -> u128 {
        let answer = self.send(abi::call("balanceOf(address)", &[parsed(of).as_word()]));
        let word: [u8; 32] = answer.unwrap().try_into().unwrap();
        u128::from_be_bytes(word[16..].try_into().unwrap())
    }

    /// Settles as a facilitator does; whether the token took it.
    fn settle(&mut self, transfer: &Transfer, signature: &[u8]) -> bool {
        self.send(abi::transfer_with_authorization(transfer, signature))
            .is_some()
    }
}

fn data_of(hex: &str) -> Vec<u8> {
    let digits = hex.strip_prefix("0x").unwrap().as_bytes();
    let nibble = |b: u8| char::from(b).to_digit(16).unwrap() as u8;
    digits
        .chunks(2)
        .map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]))
        .collect()
}

fn vectors() -> Vec<(String, Value)> {
    let folder: PathBuf = paths::root().join("host/tests/vectors/x402");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let read = |file: std::fs::DirEntry| {
        let name = file.file_name().into_string().unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        (name, serde_json::from_str(&text).unwrap())
    };
    let mut vectors: Vec<_> = files.map(read).collect();
    vectors.retain(|(name, _)| name.starts_with(|c: char| c.is_ascii_digit()));
    vectors.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(vectors.len(), 18);
    vectors
}

fn terms() -> Terms {
    let recipient = Recipient {
        asset: parsed(abi::TOKEN),
        pay_to: parsed(PAYEE),
    };
    let domain = Domain {
        name: "USDC".to_owned(),
        version: "2".to_owned(),
        chain_id: 84_532,
        contract: recipient.asset,
    };
    Terms {
        network: Network::named("base-sepolia").unwrap(),
        method: Method::Eip3009(recipient, domain),
        asset: abi::TOKEN.to_owned(),
        pay_to: PAYEE.to_owned(),
        max_timeout_s: 60,
    }
}

/// What we say of a payload.
fn ours(payload: &Value, now_s: i64) -> Result<(), Reason> {
    let terms = terms();
    let requirement = Requirement {
        terms: &terms,
        amount: PRICE,
        challenge: None,
        fee_payer: None,
    };
    let envelope = Envelope::read(payload)?;
    check(&envelope, &requirement, now_s, SignatureBy::Us).map(drop)
}

/// The transfer and the signature of a payload, whatever version it claims to be.
fn signed(payload: &Value) -> (Transfer, Vec<u8>) {
    let mut payload = payload.clone();
    if payload["x402Version"] == 3 {
        payload["x402Version"] = 2.into();
    }
    match Envelope::read(&payload).unwrap().signed().unwrap() {
        Signed::Eip3009(transfer, signature) => (transfer, data_of(&signature)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_we_take_the_chain_pays_and_what_we_refuse_it_does_not() {
    for (name, vector) in vectors() {
        let payload = &vector["paymentPayload"];
        let now_s = vector["now"].as_i64().unwrap();
        let (transfer, signature) = signed(payload);
        let mut chain = Chain::new(now_s.try_into().unwrap(), transfer.from);
        chain.settle(&transfer, &signature);
        let paid = chain.balance(PAYEE) == PRICE;
        match ours(payload, now_s) {
            // Signed for this chain and presented for another, or in a version that is none: the token never sees that.
            Err(Reason::Network | Reason::Version) => assert!(paid, "{name}"),
            verdict => assert_eq!(verdict.is_ok(), paid, "{name}: {verdict:?}"),
        }
    }
}

#[test]
fn an_official_clients_payment_settles_once() {
    let (_, vector) = vectors().remove(0);
    let (transfer, signature) = signed(&vector["paymentPayload"]);
    let mut chain = Chain::new(1_795_000_000, transfer.from);
    let spent = abi::call(
        "authorizationState(address,bytes32)",
        &[transfer.from.as_word(), transfer.nonce],
    );
    assert_eq!(chain.send(spent.clone()), Some(vec![0; 32]));
    assert!(chain.settle(&transfer, &signature));
    assert_eq!(chain.send(spent), Some(Uint::from(1).as_word().to_vec()));
    assert!(
        !chain.settle(&transfer, &signature),
        "a replay must be reverted"
    );
    assert_eq!(chain.balance(PAYEE), PRICE);
    assert_eq!(chain.balance(&transfer.from.to_string()), 1_000_000 - PRICE);
}

#[test]
fn the_token_has_the_domain_that_payers_sign() {
    let mut chain = Chain::new(1, Address::new([1; 20]));
    let separator = chain.send(abi::call("DOMAIN_SEPARATOR()", &[])).unwrap();
    // That of the real token on Base Sepolia.
    let real = "0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818";
    assert_eq!(address::hex(&separator), real);
}

/// Every spelling of a signature is taken by us exactly when the token takes it.
#[test]
fn we_are_as_strict_as_the_token() {
    let (_, vector) = vectors().remove(0);
    let payload = &vector["paymentPayload"];
    let (transfer, good) = signed(payload);
    let with_v = |v: u8| [&good[..64], &[v]].concat();
    let other = if good[64] == 27 { 28 } else { 27 };
    let high = [&good[..32], &negated(&good[32..64])[..], &[other]].concat();
    let cases = [
        good.clone(),
        high,
        with_v(other),
        with_v(good[64] - 27),
        with_v(29),
        good[..64].to_vec(),
        [&good[..], &[0]].concat(),
        vec![0; 65],
        Vec::new(),
    ];
    for (at, signature) in cases.iter().enumerate() {
        let mut chain = Chain::new(1_795_000_000, transfer.from);
        let taken = chain.settle(&transfer, signature);
        let mut payload = payload.clone();
        payload["payload"]["signature"] = address::hex(signature).into();
        let ours = ours(&payload, 1_795_000_000).is_ok();
        assert_eq!(
            (ours, taken),
            (at == 0, at == 0),
            "{}",
            address::hex(signature)
        );
    }
}

/// The order of the curve less `s`: the other form of a signature.
fn negated(s: &[u8]) -> [u8; 32] {
    let order = data_of("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    let mut difference = [0; 32];
    let mut borrow = false;
    for at in (0..32).rev() {
        let (part, less) = order[at].overflowing_sub(s[at]);
        let (part, lesser) = part.overflowing_sub(u8::from(borrow));
        (difference[at], borrow) = (part, less || lesser);
    }
    difference
}
