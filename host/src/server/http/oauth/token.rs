//! One access token: what it says of itself, whether its issuer signed it, and whether it is for us and for now.
//!
//! Nothing here waits, fetches or reads a clock.

use coinop_core::principal::Principal;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Refused;

/// Longest subject, bytes; OpenID Connect allows as many.
const SUBJECT_BYTES_MAX: usize = 255;
/// The types of token that are taken, in small letters: access tokens (RFC 9068) and those that do not say. Others
/// (logout tokens, proofs, events) are signed with the same keys and mean something else.
const TYPES: &[&str] = &["jwt", "at+jwt", "application/at+jwt"];

/// What a token must be to be taken.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whom it must be for; one of these.
    pub audiences: Vec<String>,
    /// How it may be signed.
    pub algorithms: Vec<Algorithm>,
    /// What it must grant, all of these.
    pub scopes: Vec<String>,
    /// How far the issuer's clock may be from ours, seconds.
    pub clock_skew_s: u32,
}

/// What a token says before it is verified: good for finding the key that verifies it, and for nothing else.
#[derive(Debug)]
pub(super) struct Unverified {
    pub(super) issuer: String,
    pub(super) algorithm: Algorithm,
    pub(super) key: Option<String>,
}

impl Unverified {
    /// Reads a token's header and issuer.
    ///
    /// # Errors
    /// It is no token that could be verified here.
    pub(super) fn read(token: &str) -> Result<Self, Refused> {
        #[derive(Deserialize)]
        struct Issued {
            iss: String,
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refused::Malformed)?;
        let known_type = header.typ.as_deref().is_none_or(|typ| {
            let typ = typ.to_ascii_lowercase();
            TYPES.contains(&&*typ)
        });
        // Whatever must be understood is not (RFC 7515, section 4.1.11).
        if !known_type || header.crit.is_some() {
            return Err(Refused::Kind);
        }
        let payload = token.split('.').nth(1).unwrap_or_default();
        let payload = BASE64URL_NOPAD.decode(payload.as_bytes());
        let issued: Issued = payload
            .ok()
            .and_then(|payload| serde_json::from_slice(&payload).ok())
            .ok_or(Refused::Malformed)?;
        Ok(Self {
            issuer: issued.iss,
            algorithm: header.alg,
            key: header.kid,
        })
    }
}

/// What a token says once its signature is verified.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    #[serde(default)]
    sub: String,
    aud: OneOrMore,
    exp: Seconds,
    nbf: Option<Seconds>,
    scope: Option<OneOrMore>,
    scp: Option<OneOrMore>,
    cnf: Option<IgnoredAny>,
}

/// A text, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

/// Seconds since the Unix epoch. Fractions are allowed (RFC 7519, section 2), and do not matter.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Seconds {
    Whole(i64),
    Fraction(f64),
}

impl Seconds {
    fn get(self) -> i64 {
        match self {
            Self::Whole(seconds) => seconds,
            Self::Fraction(seconds) => seconds as i64,
        }
    }
}

/// The claims of a token that `key` has signed by `algorithm`.
///
/// # Errors
/// It has not, or the claims are not those of an access token.
pub(super) fn verify(token: &str, algorithm: Algorithm, key: &Jwk) -> Result<Claims, Refused> {
    let key = DecodingKey::from_jwk(key).map_err(|_| Refused::Signature)?;
    // The signature only: what is claimed is judged by `Claims::admit`, with our own clock.
    let mut signature = Validation::new(algorithm);
    signature.required_spec_claims.clear();
    signature.validate_exp = false;
    signature.validate_aud = false;
    let verified = jsonwebtoken::decode::<Claims>(token, &key, &signature);
    verified.map(|token| token.claims).map_err(|error| {
        use jsonwebtoken::errors::ErrorKind;
        match error.kind() {
            ErrorKind::Json(_) => Refused::Malformed,
            _ => Refused::Signature,
        }
    })
}

impl Claims {
    /// Whose token it is, where it is one of `issuer` for us at `now_s`, seconds since the Unix epoch.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn admit(
        &self,
        issuer: &str,
        rules: &Rules,
        now_s: i64,
    ) -> Result<Principal, Refused> {
        let skew_s = i64::from(rules.clock_skew_s);
        let is_ours = |audience| rules.audiences.contains(audience);
        let starts_s = self.nbf.map(Seconds::get);
        if self.iss != issuer {
            return Err(Refused::Issuer);
        }
        if !self.aud.texts().iter().any(is_ours) {
            return Err(Refused::Audience);
        }
        if self.exp.get() <= now_s.saturating_sub(skew_s) {
            return Err(Refused::Expired);
        }
        if starts_s.is_some_and(|starts_s| starts_s > now_s.saturating_add(skew_s)) {
            return Err(Refused::Early);
        }
        if self.cnf.is_some() {
            return Err(Refused::Bound);
        }
        if !is_subject(&self.sub) {
            return Err(Refused::Subject);
        }
        if !rules.scopes.iter().all(|scope| self.grants(scope)) {
            return Err(Refused::Scope);
        }
        Ok(Principal::token(issuer, &self.sub))
    }

    /// Scopes are one text with spaces (RFC 8693), or a list; some issuers call them `scp`.
    fn grants(&self, scope: &str) -> bool {
        let claims = self.scope.iter().chain(&self.scp);
        let mut granted = claims
            .flat_map(|claim| claim.texts())
            .flat_map(|text| text.split(' '));
        granted.any(|granted| granted == scope)
    }
}

fn is_subject(text: &str) -> bool {
    (1..=SUBJECT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Whether a bearer token has the shape of a JSON Web Token; whatever has not was meant to be an API key.
pub(super) fn looks_like_one(text: &str) -> bool {
    let is_part = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.starts_with("ey") && text.split('.').count() == 3 && text.split('.').all(is_part)
}
