//! Who sends a request: the holder of a named API key, the subject of an access token, or nobody in particular.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use coinop_core::digest::Digest;
use coinop_core::principal::Principal;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::Settings;
use super::oauth::{Refused, ResourceServer};
use crate::server::credential;

/// Longest key that is looked at, bytes.
const KEY_BYTES_MAX: usize = 1 << 10;
/// Longest access token that is looked at, bytes: those that list many groups take several KiB.
const TOKEN_BYTES_MAX: usize = 16 << 10;

/// An API key as configured: its text is never stored.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The name, and the principal's subject.
    pub name: String,
    /// SHA-256 of the key's text.
    pub sha256: Digest,
}

/// What happens to callers without a key or token.
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
    /// A key or token is required.
    NoKey,
    /// What was sent is no key of ours, and cannot be a token.
    WrongKey,
    /// What was sent is a token that is not taken.
    Token(Refused),
}

/// What a request presents.
#[derive(Clone, Copy)]
enum Presented<'a> {
    Nothing,
    /// Only an API key comes this way.
    Key(&'a str),
    /// `Authorization: Bearer`: an API key, or an access token.
    Bearer(&'a str),
}

/// Recognises the sender by `Authorization: Bearer KEY_OR_TOKEN` or `x-api-key: KEY`. A key of ours is a key whatever it
/// looks like; only what is none, and looks like a token, is taken for one.
pub(super) async fn identify(
    settings: &Settings,
    headers: &HeaderMap,
) -> Result<Principal, Unauthorized> {
    let presented = presented(headers)?;
    let text = match presented {
        Presented::Key(text) | Presented::Bearer(text) => text,
        Presented::Nothing => {
            return match settings.anonymous {
                Anonymous::Allowed => Ok(Principal::anonymous()),
                Anonymous::Refused => Err(Unauthorized::NoKey),
            };
        }
    };
    if let Some(name) = key_name(&settings.api_keys, text) {
        return Ok(Principal::api_key(name));
    }
    match (presented, &settings.tokens) {
        (Presented::Bearer(token), Some(tokens)) if ResourceServer::is_for(token) => {
            tokens.admit(token).await.map_err(Unauthorized::Token)
        }
        _ => Err(Unauthorized::WrongKey),
    }
}

/// The one key or token a request presents; two are a mistake, even when they are the same.
fn presented(headers: &HeaderMap) -> Result<Presented<'_>, Unauthorized> {
    let authorizations = headers.get_all(AUTHORIZATION).iter();
    // A payment says nothing of who sends it.
    let authorizations = authorizations.filter(|value| !credential::is_payment(value));
    let bearers = authorizations.map(|value| {
        let (scheme, text) = value.to_str().ok()?.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        is_bearer.then_some(Presented::Bearer(text.trim()))
    });
    let bare = headers
        .get_all("x-api-key")
        .iter()
        .map(|value| value.to_str().ok().map(Presented::Key));
    let mut all = bearers.chain(bare);
    let one = match (all.next(), all.next()) {
        (None, _) => return Ok(Presented::Nothing),
        (Some(Some(one)), None) => one,
        _ => return Err(Unauthorized::WrongKey),
    };
    let (length, most) = match one {
        Presented::Key(key) => (key.len(), KEY_BYTES_MAX),
        Presented::Bearer(text) => (text.len(), TOKEN_BYTES_MAX),
        Presented::Nothing => (0, 0),
    };
    let bounded = (1..=most).contains(&length);
    bounded.then_some(one).ok_or(Unauthorized::WrongKey)
}

/// Looks at every key and at all of each, so that the time taken says nothing.
fn key_name<'a>(keys: &'a [ApiKey], text: &str) -> Option<&'a str> {
    if text.len() > KEY_BYTES_MAX {
        return None;
    }
    let digest = Digest::of(text.as_bytes());
    let mut found = u64::MAX;
    for (index, key) in (0_u64..).zip(keys) {
        let same: Choice = key.sha256.as_bytes()[..].ct_eq(&digest.as_bytes()[..]);
        found.conditional_assign(&index, same);
    }
    let index = usize::try_from(found).ok()?;
    keys.get(index).map(|key| &*key.name)
}

impl Unauthorized {
    /// What the sender is told, by the settings that refused it.
    pub(super) fn answer(self, settings: &Settings) -> Response {
        let tokens = settings.tokens.as_deref();
        let (error, text) = match (self, tokens) {
            (Self::Token(refused), Some(tokens)) => return tokens.refuse(refused),
            (Self::NoKey, Some(_)) => (None, "Unauthorized: send an access token.\n"),
            (Self::NoKey, None) => (None, "Unauthorized: send an API key.\n"),
            (_, Some(_)) => (
                Some("invalid_token"),
                "Unauthorized: this is no valid access token or API key.\n",
            ),
            (_, None) => (
                Some("invalid_token"),
                "Unauthorized: this is not a valid API key.\n",
            ),
        };
        let challenge = match (tokens, error) {
            (Some(tokens), error) => tokens.challenge(error),
            (None, None) => r#"Bearer realm="coinop""#.to_owned(),
            (None, Some(error)) => format!(r#"Bearer realm="coinop", error="{error}""#),
        };
        let headers = [(WWW_AUTHENTICATE, challenge)];
        (StatusCode::UNAUTHORIZED, headers, text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(
        anonymous: Anonymous,
        sent: &[(&'static str, &str)],
    ) -> Result<String, Unauthorized> {
        let api_keys = ["ada", "bob"].map(|name| ApiKey {
            name: name.to_owned(),
            sha256: Digest::of(format!("key-of-{name}").as_bytes()),
        });
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, value.parse().unwrap());
        }
        let settings = Settings {
            api_keys: api_keys.to_vec(),
            anonymous,
            ..Settings::default()
        };
        let identified = identify(&settings, &headers).await;
        identified.map(|principal| principal.to_string())
    }

    #[tokio::test]
    async fn keys_are_recognised_by_name_in_either_header() {
        use Anonymous::Refused;
        let ok = |name: &str| Ok(format!("api_key:{name}"));
        assert_eq!(
            check(Refused, &[("authorization", "Bearer key-of-ada")]).await,
            ok("ada")
        );
        assert_eq!(
            check(Refused, &[("authorization", "bearer key-of-bob")]).await,
            ok("bob")
        );
        assert_eq!(
            check(Refused, &[("x-api-key", "key-of-bob")]).await,
            ok("bob")
        );
    }

    #[tokio::test]
    async fn a_payment_is_no_key_and_hides_none() {
        use Anonymous::{Allowed, Refused};
        let payment = ("authorization", "Payment e30");
        assert_eq!(check(Allowed, &[payment]).await, Ok("anonymous".into()));
        assert_eq!(check(Refused, &[payment]).await, Err(Unauthorized::NoKey));
        let ada = Ok("api_key:ada".into());
        for key in [
            ("authorization", "Bearer key-of-ada"),
            ("x-api-key", "key-of-ada"),
        ] {
            assert_eq!(check(Refused, &[payment, key]).await, ada, "{key:?}");
        }
    }

    #[tokio::test]
    async fn no_key_is_nobody_or_nothing_and_a_wrong_key_is_always_wrong() {
        use Anonymous::{Allowed, Refused};
        use Unauthorized::{NoKey, WrongKey};
        assert_eq!(check(Allowed, &[]).await, Ok("anonymous".into()));
        assert_eq!(check(Refused, &[]).await, Err(NoKey));
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
            assert_eq!(check(Allowed, sent).await, Err(WrongKey), "{sent:?}");
        }
    }
}
