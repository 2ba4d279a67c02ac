//! What a modern client carries from one round of a conversation to the next: readable by anybody, made by us alone.
//!
//! A state names the payment that was asked for and how often. It holds for one principal, one tool and one set of
//! arguments, until a day after the offer's end. It can be sent again as often as anybody likes: it leads to the payment,
//! and a payment runs once.

use coinop_core::Millis;
use coinop_core::digest::Digest;
use coinop_core::ids::PaymentId;
use coinop_core::principal::Principal;
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Said first, so that no tag made for another purpose passes for one of these.
const PURPOSE: &[u8] = b"coinop/request-state/1";
/// How long after an offer's end its states still lead to its payment, milliseconds: who paid in the last second comes
/// back for the result.
const KEPT_MS: Millis = 24 * 60 * 60 * 1_000;
/// Longest state that is looked at, bytes; ours are shorter.
const BYTES_MAX: usize = 256;

/// What a state says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// The payment that was asked for.
    pub(super) payment: PaymentId,
    /// How often the user was asked.
    pub(super) asked: u32,
    /// Until when it holds.
    pub(super) until: Millis,
}

/// What a state is bound to and does not say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound<'a> {
    pub(super) principal: &'a Principal,
    pub(super) tool: &'a str,
    pub(super) arguments: &'a Digest,
}

impl State {
    /// A state of a payment whose offer ends at `expires_at`.
    pub(super) fn new(payment: PaymentId, asked: u32, expires_at: Millis) -> Self {
        let until = expires_at.saturating_add(KEPT_MS);
        Self {
            payment,
            asked,
            until,
        }
    }

    /// The state as it is sent.
    pub(super) fn seal(&self, bound: &Bound<'_>, secret: &[u8]) -> String {
        let said = format!("{}.{}.{}", self.payment, self.asked, self.until);
        let tag = mac(&said, bound, secret).finalize().into_bytes();
        format!("{said}.{}", BASE64URL_NOPAD.encode(&tag))
    }

    /// Reads a state back that one of the secrets sealed for the same caller and call, while it holds at `now`.
    pub(super) fn open(
        sealed: &str,
        bound: &Bound<'_>,
        secrets: &[Vec<u8>],
        now: Millis,
    ) -> Option<Self> {
        if sealed.len() > BYTES_MAX {
            return None;
        }
        let (said, tag) = sealed.rsplit_once('.')?;
        let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
        let sealed_by = |secret: &Vec<u8>| mac(said, bound, secret).verify_slice(&tag).is_ok();
        if !secrets.iter().any(sealed_by) {
            return None;
        }
        let state = Self::read(said)?;
        (now < state.until).then_some(state)
    }

    fn read(said: &str) -> Option<Self> {
        let mut parts = said.split('.');
        let state = Self {
            payment: parts.next()?.parse().ok()?,
            asked: parts.next()?.parse().ok()?,
            until: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(state)
    }
}

/// Over everything said and bound, each with its length before it, so that nothing can move from one to the next.
fn mac(said: &str, bound: &Bound<'_>, secret: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length is a key for HMAC");
    let Principal {
        kind,
        issuer,
        subject,
    } = bound.principal;
    let parts = [
        PURPOSE,
        kind.as_str().as_bytes(),
        issuer.as_bytes(),
        subject.as_bytes(),
        bound.tool.as_bytes(),
        bound.arguments.as_bytes(),
        said.as_bytes(),
    ];
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_170_725_000;

    fn secret(byte: u8) -> Vec<u8> {
        vec![byte; 32]
    }

    fn state() -> State {
        State::new(PaymentId::from_random([7; 16]), 2, NOW + 60_000)
    }

    fn with_bound<T>(check: impl Fn(&Bound<'_>) -> T) -> T {
        check(&Bound {
            principal: &Principal::api_key("ada"),
            tool: "get_forecast",
            arguments: &Digest::of(b"{}"),
        })
    }

    #[test]
    fn a_state_is_read_back_with_either_of_the_two_latest_secrets() {
        with_bound(|bound| {
            let sealed = state().seal(bound, &secret(1));
            let open = |secrets: &[Vec<u8>]| State::open(&sealed, bound, secrets, NOW);
            assert_eq!(open(&[secret(1)]), Some(state()));
            assert_eq!(open(&[secret(2), secret(1)]), Some(state()));
            assert_eq!(open(&[secret(3), secret(2)]), None);
            assert_eq!(open(&[]), None);
            assert!(sealed.len() < BYTES_MAX / 2, "{sealed}");
        });
    }

    #[test]
    fn it_holds_for_whom_and_what_it_was_made_only() {
        let sealed = with_bound(|bound| state().seal(bound, &secret(1)));
        let (ada, bob) = (Principal::api_key("ada"), Principal::api_key("bob"));
        let (these, others) = (Digest::of(b"{}"), Digest::of(b"[]"));
        let token = Principal {
            kind: coinop_core::principal::PrincipalKind::Token,
            ..ada.clone()
        };
        for (principal, tool, arguments, holds) in [
            (&ada, "get_forecast", &these, true),
            (&bob, "get_forecast", &these, false),
            (&token, "get_forecast", &these, false),
            (&Principal::anonymous(), "get_forecast", &these, false),
            (&ada, "get_forecasts", &these, false),
            (&ada, "get_forecast", &others, false),
        ] {
            let bound = Bound {
                principal,
                tool,
                arguments,
            };
            let opened = State::open(&sealed, &bound, &[secret(1)], NOW);
            assert_eq!(opened.is_some(), holds, "{bound:?}");
        }
    }

    #[test]
    fn nothing_of_it_can_be_changed() {
        with_bound(|bound| {
            let sealed = state().seal(bound, &secret(1));
            for at in 0..sealed.len() {
                for byte in [b'a', b'0', b'.', b'_'] {
                    let mut other = sealed.clone().into_bytes();
                    if std::mem::replace(&mut other[at], byte) == byte {
                        continue;
                    }
                    let other = String::from_utf8(other).unwrap();
                    assert_eq!(
                        State::open(&other, bound, &[secret(1)], NOW),
                        None,
                        "{other}"
                    );
                }
            }
            let longer = format!("{sealed}{}", "A".repeat(1 << 20));
            for other in ["", ".", "...", &sealed[1..], &format!("{sealed}="), &longer] {
                assert_eq!(State::open(other, bound, &[secret(1)], NOW), None);
            }
        });
    }

    #[test]
    fn it_ends_a_day_after_the_offer() {
        with_bound(|bound| {
            let sealed = state().seal(bound, &secret(1));
            let open = |now| State::open(&sealed, bound, &[secret(1)], now);
            let end = NOW + 60_000 + KEPT_MS;
            assert!(open(end - 1).is_some());
            assert!(open(end).is_none());
        });
    }
}
