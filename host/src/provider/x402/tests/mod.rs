//! The rail as its gate sees it: offers, payments signed by a test wallet, a facilitator and a node that are told what
//! to say.

mod accounts;
mod challenges;
mod facilitators;
mod fakes;
mod payments;
mod settling;
mod vectors;
mod wallet;

use std::sync::Arc;

use coinop_core::digest::Digest;
use coinop_core::money::Money;
use serde_json::Value;

use super::X402;
use super::settings::Settings;
use crate::clock::SystemClock;
use crate::provider::rail::{Challenge, Credential, Offer, Protocol, Rail as _};

/// When everything here happens, seconds since the Unix epoch.
const NOW_S: i64 = 1_795_000_000;
const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

/// The settings of an account on Base Sepolia, with more of them in TOML.
fn settings(more: &str) -> Result<Settings, toml::de::Error> {
    let least = [
        ("network", "base-sepolia"),
        ("pay_to", PAYEE),
        ("facilitator", "http://127.0.0.1:9"),
    ];
    let mut table: toml::Table = more.parse().unwrap();
    for (key, value) in least {
        table.entry(key).or_insert_with(|| value.into());
    }
    table.try_into()
}

/// An account with these settings more.
fn account(more: &str) -> Result<X402, String> {
    let settings = settings(more).map_err(|e| e.message().to_owned())?;
    X402::new(settings, Arc::new(SystemClock))
}

/// An offer of a tool for a cent.
fn offer() -> Offer {
    Offer {
        tool: "summarize".to_owned(),
        description: "Summarize text".to_owned(),
        component: Digest::of(b"component"),
        arguments: Digest::of(b"{}"),
        price: Money::parse("0.01", "USD").unwrap(),
        account: "wallets".to_owned(),
        resource: "mcp://tool/summarize".to_owned(),
        now: NOW_S * 1000,
        expires_at: (NOW_S + 900) * 1000,
        secrets: vec![b"latest secret".to_vec(), b"one before".to_vec()],
    }
}

/// The one requirement of version 2 that `account` has for `offer`.
async fn required(account: &X402, offer: &Offer) -> Value {
    match account.challenge(offer).await.unwrap() {
        Challenge::X402 { v2, .. } => v2["accepts"][0].clone(),
        Challenge::Mpp(_) => panic!("not x402"),
    }
}

fn credential(json: Value) -> Credential {
    let protocol = Protocol::X402;
    Credential { protocol, json }
}
