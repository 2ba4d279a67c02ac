//! Who sends a request: the holder of a named API key, or nobody in particular.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use coinop_core::digest::Digest;
use coinop_core::principal::Principal;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::server::credential;

/// Longest key that is looked at, bytes.
const KEY_BYTES_MAX: usize = 1 << 10;

/// An API key as configured: its text is never stored.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The name, and the principal's subject.
    pub name: String,
    /// SHA-256 of the key's text.
    pub sha256: Digest,
}

/// What happens to callers without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// They are served; a payment's id is their right to redeem it.
    Allowed,
    /// 401.
    Refused,
}

/// Why a request has no principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unauthorized {
    /// A key is required.
    NoKey,
    /// What was sent is no key of ours.
    WrongKey,
}

/// Recognises the sender by `Authorization: Bearer KEY` or `x-api-key: KEY`.
pub(super) fn identify(
    keys: &[ApiKey],
    anonymous: Anonymous,
    headers: &HeaderMap,
) -> Result<Principal, Unauthorized> {
    let Some(key) = presented(headers)? else {
        return match anonymous {
            Anonymous::Allowed => Ok(Principal::anonymous()),
            Anonymous::Refused => Err(Unauthorized::NoKey),
        };
    };
    let found = find(keys, &Digest::of(key.as_bytes())).ok_or(Unauthorized::WrongKey)?;
    Ok(Principal::api_key(&found.name))
}

/// The one key a request presents; two are a mistake, even when they are the same.
fn presented(headers: &HeaderMap) -> Result<Option<&str>, Unauthorized> {
    let authorizations = headers.get_all(AUTHORIZATION).iter();
    // A payment says nothing of who sends it.
    let authorizations = authorizations.filter(|value| !credential::is_payment(value));
    let bearers = authorizations.map(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    });
    let bare = headers
        .get_all("x-api-key")
        .iter()
        .map(|value| value.to_str().ok());
    let mut all = bearers.chain(bare);
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(Some(key)), None) if (1..=KEY_BYTES_MAX).contains(&key.len()) => Ok(Some(key)),
        _ => Err(Unauthorized::WrongKey),
    }
}

/// Looks at every key and at all of each, so that the time taken says nothing.
fn find<'a>(keys: &'a [ApiKey], digest: &Digest) -> Option<&'a ApiKey> {
    let mut found = u64::MAX;
    for (index, key) in (0_u64..).zip(keys) {
        let same: Choice = key.sha256.as_bytes()[..].ct_eq(&digest.as_bytes()[..]);
        found.conditional_assign(&index, same);
    }
    usize::try_from(found)
        .ok()
        .and_then(|index| keys.get(index))
}

impl IntoResponse for Unauthorized {
    fn into_response(self) -> Response {
        let (challenge, text) = match self {
            Self::NoKey => (
                r#"Bearer realm="coinop""#,
                "Unauthorized: send an API key.\n",
            ),
            Self::WrongKey => (
                r#"Bearer realm="coinop", error="invalid_token""#,
                "Unauthorized: this is not a valid API key.\n",
            ),
        };
        (
            StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, challenge)],
            text,
        )
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(anonymous: Anonymous, sent: &[(&'static str, &str)]) -> Result<String, Unauthorized> {
        let keys = ["ada", "bob"].map(|name| ApiKey {
            name: name.to_owned(),
            sha256: Digest::of(format!("key-of-{name}").as_bytes()),
        });
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, value.parse().unwrap());
        }
        identify(&keys, anonymous, &headers).map(|principal| principal.to_string())
    }

    #[test]
    fn keys_are_recognised_by_name_in_either_header() {
        use Anonymous::Refused;
        let ok = |name: &str| Ok(format!("api_key:{name}"));
        assert_eq!(
            check(Refused, &[("authorization", "Bearer key-of-ada")]),
            ok("ada")
        );
        assert_eq!(
            check(Refused, &[("authorization", "bearer key-of-bob")]),
            ok("bob")
        );
        assert_eq!(check(Refused, &[("x-api-key", "key-of-bob")]), ok("bob"));
    }

    #[test]
    fn a_payment_is_no_key_and_hides_none() {
        use Anonymous::{Allowed, Refused};
        let payment = ("authorization", "Payment e30");
        assert_eq!(check(Allowed, &[payment]), Ok("anonymous".into()));
        assert_eq!(check(Refused, &[payment]), Err(Unauthorized::NoKey));
        let ada = Ok("api_key:ada".into());
        for key in [
            ("authorization", "Bearer key-of-ada"),
            ("x-api-key", "key-of-ada"),
        ] {
            assert_eq!(check(Refused, &[payment, key]), ada, "{key:?}");
        }
    }

    #[test]
    fn no_key_is_nobody_or_nothing_and_a_wrong_key_is_always_wrong() {
        use Anonymous::{Allowed, Refused};
        use Unauthorized::{NoKey, WrongKey};
        assert_eq!(check(Allowed, &[]), Ok("anonymous".into()));
        assert_eq!(check(Refused, &[]), Err(NoKey));
        let wrong: [&[(&str, &str)]; 5] = [
            &[("x-api-key", "key-of-eve")],
            &[("x-api-key", "")],
            &[("authorization", "Basic key-of-ada")],
            &[("authorization", "Bearer")],
            &[
                ("authorization", "Bearer key-of-ada"),
                ("x-api-key", "key-of-bob"),
            ],
        ];
        for sent in wrong {
            assert_eq!(check(Allowed, sent), Err(WrongKey), "{sent:?}");
        }
    }
}
