//! What a single value may be: the readers of prices, addresses and the like. Each returns a reason a person can act on.

use std::net::SocketAddr;

use coinop_core::digest::Digest;
use coinop_core::money::{Amount, Money};
use coinop_core::price::Price;
use serde::Deserialize;

/// How a price is written, for messages.
pub(super) const PRICE_FORMS: &str =
    "write \"free\", \"0.50 USD\" or { amount = \"0.50\", currency = \"USD\" }";

/// Reads `free` or `0.50 USD`.
pub(super) fn price(text: &str) -> Result<Price, String> {
    if text.trim().eq_ignore_ascii_case("free") {
        return Ok(Price::Free);
    }
    let mut words = text.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(amount), Some(currency), None) => price_of(amount, currency),
        _ => Err(format!("{text:?} is not a price: {PRICE_FORMS}")),
    }
}

/// Reads an amount and a currency that stand apart.
pub(super) fn price_of(amount: &str, currency: &str) -> Result<Price, String> {
    let money = Money::parse(amount, currency).map_err(|e| e.to_string())?;
    Price::per_call(money).map_err(|e| e.to_string())
}

/// How a cap is written, for messages.
pub(super) const CAP_FORMS: &str = "write \"5.00 USD\", { amount = \"5.00\", currency = \"USD\" } or a list of them, one a currency";

/// Reads a cap such as `5.00 USD`.
pub(super) fn cap(text: &str) -> Result<Money, String> {
    let mut words = text.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(amount), Some(currency), None) => cap_of(amount, currency),
        _ => Err(format!("{text:?} is not an amount of money: {CAP_FORMS}")),
    }
}

/// Reads a cap whose amount and currency stand apart.
pub(super) fn cap_of(amount: &str, currency: &str) -> Result<Money, String> {
    let money = Money::parse(amount, currency).map_err(|e| e.to_string())?;
    match money.amount.is_zero() {
        true => Err("a cap of nothing lets no paid call through: take tools off the list with enabled = false".to_owned()),
        false => Ok(money),
    }
}

/// An amount without its currency.
pub(super) fn amount(text: &str) -> Result<(), String> {
    text.parse::<Amount>()
        .map(|_| ())
        .map_err(|e| e.to_string())
}

/// A price as serde meets it, in either form.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "PriceForm")]
pub(super) struct PriceText(pub(super) Price);

/// The two forms in which money is written.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum PriceForm {
    Text(String),
    Parts { amount: String, currency: String },
}

impl TryFrom<PriceForm> for PriceText {
    type Error = String;

    fn try_from(form: PriceForm) -> Result<Self, String> {
        match form {
            PriceForm::Text(text) => price(&text),
            PriceForm::Parts { amount, currency } => price_of(&amount, &currency),
        }
        .map(Self)
    }
}

/// A mode's name.
pub(super) fn mode(text: &str) -> Result<(), String> {
    coinop_core::mode::by_name(text)
        .map(|_| ())
        .map_err(|e| e.to_string())
}

/// An address with its port.
pub(super) fn address(text: &str) -> Result<(), String> {
    text.parse::<SocketAddr>()
        .map(|_| ())
        .map_err(|_| format!("{text:?} is not an address with a port: write \"127.0.0.1:7402\""))
}

/// A host name, with or without a port.
pub(super) fn host(text: &str) -> Result<(), String> {
    let valid = !text.contains('/') && text.parse::<http::uri::Authority>().is_ok();
    let wrong = || format!("{text:?} is not a host: write \"tools.example.com\", without https://");
    valid.then_some(()).ok_or_else(wrong)
}

/// A web origin: scheme, host and port, nothing after them.
pub(super) fn origin(text: &str) -> Result<(), String> {
    let wrong = || format!("{text:?} is not an origin: write \"https://app.example.com\"");
    let (_, rest) = text.split_once("://").ok_or_else(wrong)?;
    host(rest).map_err(|_| wrong())
}

/// A base address that links start with.
pub(super) fn public_url(text: &str) -> Result<(), String> {
    let wrong = || format!("{text:?} is not a base address: write \"https://tools.example.com\"");
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or_else(wrong)?;
    let valid = !rest.contains(['?', '#', '@']) && text.parse::<http::Uri>().is_ok();
    let host = rest.split('/').next().unwrap_or_default();
    (valid && !host.is_empty()).then_some(()).ok_or_else(wrong)
}

/// Where the ledger is: a path, `sqlite:PATH`, or a PostgreSQL URL. The reason never repeats a URL.
pub(super) fn state(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("is empty: write a file's path or a postgres:// URL".to_owned());
    }
    if super::state::is_postgres(text) {
        return crate::ledger::postgres::name_of(text).map(drop);
    }
    // A database's URL with a slash missing must not become a file's path, which messages show.
    if let Some((scheme @ ("postgres" | "postgresql"), _)) = text.split_once(':') {
        return Err(format!("is no PostgreSQL URL: it starts with {scheme}://"));
    }
    match text.split_once("://") {
        Some((scheme, _)) => Err(format!(
            "{scheme}:// is no ledger: write a file's path for SQLite, or a postgres:// URL"
        )),
        None => Ok(()),
    }
}

/// A file's SHA-256 in hex.
pub(super) fn digest(text: &str) -> Result<(), String> {
    let wrong = "is not a SHA-256 in hex: `coinop check` and sha256sum tell it";
    text.parse::<Digest>()
        .map(|_| ())
        .map_err(|_| wrong.to_owned())
}

/// A SHA-256 in hex.
pub(super) fn sha256(text: &str) -> Result<(), String> {
    let wrong = "is not a SHA-256 in hex: hash the key with `printf %s KEY | sha256sum`";
    text.parse::<Digest>()
        .map(|_| ())
        .map_err(|_| wrong.to_owned())
}

/// A tool's published name, or the front of it.
pub(super) fn tool_name(text: &str) -> Result<(), String> {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let valid = (1..=64).contains(&text.len()) && text.bytes().all(known);
    valid
        .then_some(())
        .ok_or_else(|| format!("{text:?} is not a tool name: 1 to 64 of A-Z a-z 0-9 _ - ."))
}

/// Something, not nothing.
pub(super) fn filled(text: &str) -> Result<(), String> {
    (!text.trim().is_empty())
        .then_some(())
        .ok_or_else(|| "is empty".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_in_every_form_people_write() {
        let shown = |text: &str| price(text).map(|p| p.to_string());
        assert_eq!(shown("free").unwrap(), "free");
        assert_eq!(shown(" 0.003  USD ").unwrap(), "0.003 USD per call");
        for bad in [
            "",
            "0.50",
            "USD 0.50",
            "0.50 usd",
            "0 USD",
            "1,5 EUR",
            "0.5 USD a call",
            "-1 USD",
        ] {
            assert!(price(bad).is_err(), "{bad:?}");
        }
        assert!(price("0.00 USD").unwrap_err().contains("\"free\""));
    }

    #[test]
    fn single_values_are_refused_with_what_to_write() {
        type Case = (
            fn(&str) -> Result<(), String>,
            &'static [&'static str],
            &'static [&'static str],
        );
        let cases: &[Case] = &[
            (
                address,
                &["127.0.0.1:7402", "[::1]:80"],
                &["localhost:80", "127.0.0.1", ""],
            ),
            (
                host,
                &["a.example", "localhost:80"],
                &["https://a", "a/b", ""],
            ),
            (
                origin,
                &["https://a.example", "http://localhost:3000"],
                &["a.example", "https://a/b"],
            ),
            (
                public_url,
                &["https://a.example", "http://10.0.0.1:8/x"],
                &["a.example", "ftp://a", "https://", "https://a?x"],
            ),
            (
                state,
                &[
                    "/var/lib/ledger.sqlite3",
                    "C:\\x",
                    "postgres://me:secret@h/db?sslmode=require",
                    "postgresql://me@h/db",
                ],
                &["mysql://h/db", "postgres://h:port/db", ""],
            ),
            (
                sha256,
                &["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
                &["secret", ""],
            ),
            (amount, &["0", "0.01"], &["0.01 USD", "-1", ".5", ""]),
            (tool_name, &["a.b-c_D9"], &["", "a b", "ü"]),
        ];
        for (check, good, bad) in cases {
            for text in *good {
                assert_eq!(check(text), Ok(()), "{text:?}");
            }
            for text in *bad {
                assert!(check(text).is_err(), "{text:?}");
            }
        }
    }
}
