//! What a facilitator wants to see before it works for us: nothing, a secret in a header, or a token of Coinbase's
//! Developer Platform (CDP) made for each request.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use ed25519_dalek::{Signer as _, SigningKey};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;

use crate::config::Secret;

/// How long a CDP token holds, seconds.
const TOKEN_LIFE_S: i64 = 120;

/// `facilitator_auth` as written. One of three forms.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthSettings {
    bearer: Option<Secret>,
    header: Option<String>,
    value: Option<Secret>,
    cdp_key_id: Option<String>,
    cdp_key_secret: Option<Secret>,
}

/// What is shown.
pub enum Auth {
    /// Nothing.
    None,
    /// The same with each request.
    Header(HeaderName, HeaderValue),
    /// A token for each request.
    Cdp(Box<CdpKey>),
}

/// A CDP key.
pub struct CdpKey {
    id: String,
    key: SigningKey,
    /// Host and path of the facilitator, as tokens name them.
    base: String,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Header(..) => "Header(…)",
            Self::Cdp(_) => "Cdp(…)",
        })
    }
}

impl AuthSettings {
    /// Checks the settings together. `facilitator` is its base URL.
    ///
    /// # Errors
    /// One line that names the setting.
    pub fn resolve(self, facilitator: &str) -> Result<Auth, String> {
        match (self.bearer, self.header, self.value, self.cdp_key_id, self.cdp_key_secret) {
            (None, None, None, None, None) => Ok(Auth::None),
            (Some(bearer), None, None, None, None) => {
                let value = secret_value("bearer", &format!("Bearer {}", bearer.expose()))?;
                Ok(Auth::Header(http::header::AUTHORIZATION, value))
            }
            (None, Some(name), Some(value), None, None) => {
                let name = name.parse();
                let name = name.map_err(|_| "facilitator_auth.header: is not a header's name")?;
                Ok(Auth::Header(name, secret_value("value", value.expose())?))
            }
            (None, None, None, Some(id), Some(secret)) => {
                let key = CdpKey::new(id, &secret, facilitator)?;
                Ok(Auth::Cdp(Box::new(key)))
            }
            _ => Err(
                "facilitator_auth: write bearer, or header and value, or cdp_key_id and cdp_key_secret".to_owned(),
            ),
        }
    }
}

fn secret_value(setting: &str, text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        format!("facilitator_auth.{setting}: has characters that no header may have")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl Auth {
    /// The header for a request of `method` to `path` below the facilitator's base URL.
    pub fn header(
        &self,
        method: &str,
        path: &str,
        now_s: i64,
    ) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::None => None,
            Self::Header(name, value) => Some((name.clone(), value.clone())),
            Self::Cdp(key) => {
                let token = key.token(method, path, now_s, &crate::random::bytes());
                let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
                value.set_sensitive(true);
                Some((http::header::AUTHORIZATION, value))
            }
        }
    }
}

impl CdpKey {
    /// CDP gives 64 bytes: the seed and its public key. The seed alone will do.
    fn new(id: String, secret: &Secret, facilitator: &str) -> Result<Self, String> {
        let wrong =
            "facilitator_auth.cdp_key_secret: is not an Ed25519 key of CDP (base64 of 64 bytes)";
        let bytes = BASE64.decode(secret.expose().trim().as_bytes());
        let bytes = bytes.map_err(|_| wrong)?;
        let (seed, public) = bytes.split_at_checked(32).ok_or(wrong)?;
        let key = SigningKey::from_bytes(seed.try_into().map_err(|_| wrong)?);
        if !public.is_empty() && public != key.verifying_key().as_bytes() {
            return Err(wrong.to_owned());
        }
        let base = facilitator
            .split_once("://")
            .map_or(facilitator, |(_, rest)| rest);
        let base = base.to_owned();
        Ok(Self { id, key, base })
    }

    /// A token as CDP's own libraries make it, for one request of one path.
    fn token(&self, method: &str, path: &str, now_s: i64, nonce: &[u8; 16]) -> String {
        let header = json!({
            "alg": "EdDSA", "kid": self.id, "typ": "JWT", "nonce": HEXLOWER.encode(nonce),
        });
        let claims = json!({
            "sub": self.id, "iss": "cdp",
            "uris": [format!("{method} {}{path}", self.base)],
            "iat": now_s, "nbf": now_s, "exp": now_s + TOKEN_LIFE_S,
        });
        let part = |json: serde_json::Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature.to_bytes()))
    }
}
