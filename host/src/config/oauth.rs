//! `[http.oauth]`: whose access tokens are taken. Tokens are verified here and issued elsewhere.

use std::path::Path;

use jsonwebtoken::Algorithm;
use reqwest::Url;
use serde::Deserialize;

use super::check::did_you_mean_ended;
use super::raw::TextOrSecret;
use crate::jwks::{ALGORITHMS, KeySet};

/// The algorithms taken where nothing is said: those that issuers sign with.
const DEFAULT_ALGORITHMS: &[Algorithm] = &[Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
/// How far an issuer's clock may be off where nothing is said, seconds.
const CLOCK_SKEW_S: u32 = 60;

/// Whose access tokens are taken, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth {
    /// Whose tokens are taken: identifiers exactly as in the tokens' `iss`, each with where it answers.
    pub issuers: Vec<(String, Url)>,
    /// Whom tokens must be for; empty for the URL of `/mcp`.
    pub audiences: Vec<String>,
    /// Where the keys of the only issuer come from, where its metadata is not asked.
    pub keys: Option<OAuthKeys>,
    /// How tokens may be signed.
    pub algorithms: Vec<Algorithm>,
    /// What every token must grant.
    pub scopes: Vec<String>,
    /// How far an issuer's clock may be from ours, seconds.
    pub clock_skew_s: u32,
}

/// Where keys come from when the operator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuthKeys {
    /// They are fetched here.
    Url(Url),
    /// These are they.
    Given(KeySet),
}

/// `[http.oauth]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawOAuth {
    issuer: OneOrMore,
    audience: OneOrMore,
    jwks_url: Option<String>,
    jwks: Option<TextOrSecret>,
    algorithms: Option<Vec<String>>,
    scopes: Vec<String>,
    clock_skew_s: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl OneOrMore {
    fn texts(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::More(texts) => texts,
        }
    }
}

impl OAuth {
    /// What is said, with defaults; relative files start from `base`.
    ///
    /// # Errors
    /// The key that is wrong, or none for the whole section, and why.
    pub(super) fn new(raw: RawOAuth, base: &Path) -> Result<Self, (Option<&'static str>, String)> {
        let names = raw.issuer.texts();
        let said = match (names.len(), &raw.jwks_url, &raw.jwks) {
            (0, _, _) => {
                let missing = "has no issuer: add issuer = \"https://…\", exactly as in the tokens";
                return Err((None, missing.to_owned()));
            }
            (_, Some(_), Some(_)) => Some("jwks and jwks_url are both said: keep one"),
            (2.., Some(_), _) | (2.., _, Some(_)) => {
                Some("says whose keys of several issuers? Leave it out: their metadata says it")
            }
            _ => None,
        };
        if let Some(wrong) = said {
            let key = if raw.jwks.is_some() {
                "jwks"
            } else {
                "jwks_url"
            };
            return Err((Some(key), wrong.to_owned()));
        }
        if raw.algorithms.as_ref().is_some_and(Vec::is_empty) {
            let none = "takes no token at all: name one, or leave it out";
            return Err((Some("algorithms"), none.to_owned()));
        }
        let issuer = |name: String| url(&name).map(|url| (name, url));
        let issuers: Result<_, String> = names.into_iter().map(issuer).collect();
        let algorithms = raw
            .algorithms
            .map_or(Ok(DEFAULT_ALGORITHMS.to_vec()), |all| {
                all.iter().map(|name| algorithm_of(name)).collect()
            });
        Ok(Self {
            issuers: issuers.map_err(|why| (Some("issuer"), why))?,
            audiences: raw.audience.texts(),
            keys: keys(raw.jwks_url, raw.jwks, base)?,
            algorithms: algorithms.map_err(|why| (Some("algorithms"), why))?,
            scopes: raw.scopes,
            clock_skew_s: raw.clock_skew_s.unwrap_or(CLOCK_SKEW_S),
        })
    }
}

fn keys(
    at: Option<String>,
    given: Option<TextOrSecret>,
    base: &Path,
) -> Result<Option<OAuthKeys>, (Option<&'static str>, String)> {
    let text = match given {
        None => {
            let parse = |at: String| Url::parse(&at).map_err(|error| error.to_string());
            let at = at.map(|at| parse(at).map(OAuthKeys::Url)).transpose();
            return at.map_err(|why| (Some("jwks_url"), why));
        }
        Some(TextOrSecret::Text(text)) => Ok(text),
        Some(TextOrSecret::Elsewhere(place)) => place.read(base),
    };
    let parsed = text.and_then(|text| {
        KeySet::parse(text.expose().as_bytes()).map_err(|error| error.to_string())
    });
    parsed
        .map(|keys| Some(OAuthKeys::Given(keys)))
        .map_err(|why| (Some("jwks"), why))
}

/// The address of an issuer or its keys: https, or http on this machine.
pub(super) fn address(text: &str) -> Result<(), String> {
    url(text).map(drop)
}

fn url(text: &str) -> Result<Url, String> {
    let wrong = || {
        format!(
            "{text:?} is no address of an issuer: write \"https://auth.example.com\", without ? and #; http:// is for this machine only"
        )
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let local = match url.host_str() {
        Some("localhost" | "127.0.0.1" | "[::1]") => true,
        Some(_) => false,
        None => return Err(wrong()),
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && local);
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (safe && bare).then_some(url).ok_or_else(wrong)
}

/// The address of a key set, which may have a query.
pub(super) fn jwks_url(text: &str) -> Result<(), String> {
    address(text.split('?').next().unwrap_or_default())
}

/// An algorithm with a key pair.
pub(super) fn algorithm(text: &str) -> Result<(), String> {
    algorithm_of(text).map(drop)
}

fn algorithm_of(text: &str) -> Result<Algorithm, String> {
    let known = || {
        ALGORITHMS
            .iter()
            .map(|algorithm| (algorithm, name_of(*algorithm)))
    };
    if let Some((found, _)) = known().find(|(_, name)| name == text) {
        return Ok(*found);
    }
    if text == "none" || text.starts_with("HS") {
        return Err(format!(
            "{text} is never taken: whoever can verify such a token can forge it"
        ));
    }
    let names: Vec<String> = known().map(|(_, name)| name).collect();
    let near = did_you_mean_ended(text, names.iter().map(String::as_str));
    let names = names.join(", ");
    Err(format!("{text:?} is not known{near} Choose from: {names}."))
}

fn name_of(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

/// A scope: printable, without space, quote and backslash (RFC 6749, section 3.3).
pub(super) fn scope(text: &str) -> Result<(), String> {
    let known = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let valid = (1..=128).contains(&text.len()) && text.bytes().all(known);
    let wrong = || format!("{text:?} is not a scope: one word, such as \"tools:call\"");
    valid.then_some(()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_secure_or_of_this_machine() {
        for good in [
            "https://auth.example.com/",
            "https://auth.example/realms/x",
            "http://127.0.0.1:9000",
            "http://localhost:1/t",
        ] {
            assert_eq!(address(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "auth.example.com",
            "http://auth.example.com",
            "http://127.0.0.1.example.com",
            "https://me@auth.example.com",
            "https://auth.example.com?x",
            "ftp://localhost",
        ] {
            assert!(address(bad).is_err(), "{bad:?}");
        }
        assert_eq!(jwks_url("https://auth.example.com/keys?v=1"), Ok(()));
    }

    #[test]
    fn whoever_verifies_must_not_be_able_to_forge() {
        assert_eq!(algorithm("EdDSA"), Ok(()));
        assert_eq!(algorithm("PS384"), Ok(()));
        for bad in ["none", "HS256", "HS512", "RS1", "es256", ""] {
            assert!(algorithm(bad).is_err(), "{bad:?}");
        }
        assert!(algorithm("HS256").unwrap_err().contains("forge"));
        assert!(algorithm("ES265").unwrap_err().contains("ES256"));
    }

    #[test]
    fn scopes_are_words() {
        assert_eq!(scope("mcp:tools"), Ok(()));
        for bad in ["", "two words", "a\"b", "a\\b", "ü"] {
            assert!(scope(bad).is_err(), "{bad:?}");
        }
    }
}
