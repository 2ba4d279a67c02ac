//! How the sandbox signs its webhooks, and how a signature is checked: Stripe's scheme, so that the path a real provider
//! takes is the one that is exercised (<https://docs.stripe.com/webhooks/signature>).
//!
//! `coinop-signature: t=UNIX_SECONDS,v1=HEX[,v1=HEX…]`, where each `v1` is HMAC-SHA256 over `UNIX_SECONDS.BODY`. While a
//! secret is being replaced there is one `v1` for each that counts, and any that matches will do.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::provider::Webhook;

/// The header.
pub const HEADER: &str = "coinop-signature";
/// How far the time of signing may be from ours, seconds, either way: what is older has been recorded and replayed.
const TOLERANCE_S: i64 = 300;
/// Signatures looked at in one header.
const SIGNATURES_MAX: usize = 8;

/// The header's value for a body sent now, signed with each secret.
pub fn sign(secrets: &[Vec<u8>], unix_seconds: i64, body: &[u8]) -> String {
    let signatures = secrets.iter().map(|secret| {
        let mac = mac(secret, &unix_seconds.to_string(), body);
        format!(",v1={}", HEXLOWER.encode(&mac))
    });
    format!("t={unix_seconds}{}", signatures.collect::<String>())
}

/// Whether a webhook carries one signature header, of a time near ours, in which one of the secrets signed the body.
pub fn holds(webhook: &Webhook<'_>, secrets: &[Vec<u8>]) -> bool {
    let mut headers = webhook.headers.iter().filter(|(name, _)| name == HEADER);
    let (Some((_, header)), None) = (headers.next(), headers.next()) else {
        return false;
    };
    let Some(signed) = Signed::parse(header) else {
        return false;
    };
    let now = webhook.now.div_euclid(1_000);
    let is_fresh = now.abs_diff(signed.at) <= TOLERANCE_S.unsigned_abs();
    is_fresh && signed.by_any_of(secrets, webhook.body)
}

/// A header taken apart.
struct Signed<'a> {
    at: i64,
    /// As written: what was signed is these very letters.
    at_text: &'a str,
    signatures: Vec<Vec<u8>>,
}

impl<'a> Signed<'a> {
    /// Parts of other names are of other schemes, and passed over.
    fn parse(header: &'a str) -> Option<Self> {
        let mut at_text = None;
        let mut signatures = Vec::new();
        for part in header.split(',') {
            match part.trim().split_once('=')? {
                ("t", text) if at_text.is_none() => at_text = Some(text),
                ("t", _) => return None,
                ("v1", hex) => signatures.push(HEXLOWER.decode(hex.as_bytes()).ok()?),
                _ => {}
            }
        }
        let at_text = at_text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        (signatures.len() <= SIGNATURES_MAX).then_some(Self {
            at: at_text.parse().ok()?,
            at_text,
            signatures,
        })
    }

    /// Takes the same time whichever secret matches, or none.
    fn by_any_of(&self, secrets: &[Vec<u8>], body: &[u8]) -> bool {
        let mut matches = Choice::from(0);
        for secret in secrets {
            let expected = mac(secret, self.at_text, body);
            for signature in &self.signatures {
                matches |= expected.as_slice().ct_eq(signature);
            }
        }
        matches.into()
    }
}

fn mac(secret: &[u8], at: &str, body: &[u8]) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length is a key for HMAC");
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_795_170_725;
    const BODY: &[u8] = br#"{"id":"evt_1","reference":"sbx_1"}"#;

    fn secret(text: &str) -> Vec<u8> {
        text.as_bytes().to_vec()
    }

    fn checked(headers: &[&str], body: &[u8]) -> bool {
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|value| (HEADER.to_owned(), (*value).to_owned()))
            .collect();
        let webhook = Webhook {
            headers: &headers,
            body,
            now: NOW_S * 1_000 + 999,
        };
        holds(&webhook, &[secret("new"), secret("old")])
    }

    fn v1(key: &str, at: i64) -> String {
        let signed = sign(&[secret(key)], at, BODY);
        signed.split_once(',').unwrap().1.to_owned()
    }

    #[test]
    fn the_signature_is_the_published_scheme() {
        // As computed by openssl dgst -sha256 -hmac new.
        assert_eq!(
            sign(&[secret("new")], 1_795_170_725, b"{}"),
            "t=1795170725,v1=1e693ced5de2d175a0866cdd54bdbcd15c372af242d14e5dd013d394f98b2984"
        );
    }

    #[test]
    fn a_signature_holds_for_its_body_its_time_and_a_secret_that_counts() {
        let at = |key, at| format!("t={at},{}", v1(key, at));
        let (good, forged) = (v1("new", NOW_S), v1("other", NOW_S));
        let cases: Vec<(&str, String, bool)> = vec![
            ("the latest secret", at("new", NOW_S), true),
            ("the secret before", at("old", NOW_S), true),
            ("another secret", at("other", NOW_S), false),
            ("five minutes ago", at("new", NOW_S - 300), true),
            ("longer ago", at("new", NOW_S - 301), false),
            ("a clock ahead", at("new", NOW_S + 300), true),
            ("a clock further ahead", at("new", NOW_S + 301), false),
            ("any one of two", format!("t={NOW_S},{forged},{good}"), true),
            ("spaces", format!("t={NOW_S}, {good}"), true),
            (
                "another scheme beside",
                format!("t={NOW_S},v0=aa,{good}"),
                true,
            ),
            (
                "only another scheme",
                format!("t={NOW_S},{}", good.replace("v1", "v0")),
                false,
            ),
            (
                "another time than signed",
                format!("t={},{good}", NOW_S - 1),
                false,
            ),
            ("a time with a sign", format!("t=+{NOW_S},{good}"), false),
            ("a negative time", format!("t=-1,{good}"), false),
            ("no number", format!("t=now,{good}"), false),
            (
                "more than a number holds",
                format!("t={},{good}", "9".repeat(40)),
                false,
            ),
            ("no time", good.clone(), false),
            ("two times", format!("t={NOW_S},t={NOW_S},{good}"), false),
            ("no signature", format!("t={NOW_S}"), false),
            ("an empty signature", format!("t={NOW_S},v1="), false),
            (
                "a cut signature",
                format!("t={NOW_S},{}", &good[..good.len() - 2]),
                false,
            ),
            ("no hexadecimal", format!("t={NOW_S},v1=zz,{good}"), false),
            ("no pairs", format!("{NOW_S}{good}x"), false),
            ("nothing", String::new(), false),
            (
                "too many",
                format!("t={NOW_S}{}", format!(",{good}").repeat(9)),
                false,
            ),
        ];
        for (name, header, expected) in cases {
            assert_eq!(checked(&[&header], BODY), expected, "{name}: {header}");
        }
        let whole = at("new", NOW_S);
        assert!(!checked(&[&whole], br#"{"id":"evt_2"}"#), "another body");
        assert!(!checked(&[], BODY), "no header");
        assert!(!checked(&[&whole, &whole], BODY), "two headers");
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign() {
        let header = sign(&[secret("newest"), secret("new")], NOW_S, BODY);
        assert!(checked(&[&header], BODY));
    }
}
