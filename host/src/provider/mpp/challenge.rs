//! Challenges and their echoes: the id that seals what was asked, and reading it back out of a credential.
//!
//! Nothing is recorded of a challenge. Its id is a MAC over every part of it, so what comes back unchanged was ours, and
//! what was changed is not. The form is the protocol's own ("The 'Payment' HTTP Authentication Scheme",
//! draft-ietf-httpauth-payment), equal to that of the official clients and servers.

use coinop_core::Millis;
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::clock::rfc3339;

/// The one intent that is served: a single payment for a single call.
pub(super) const CHARGE: &str = "charge";

/// What one method asks for.
pub(super) struct Terms {
    /// The method's own request.
    pub(super) request: Value,
    /// Until when it can be paid.
    pub(super) expires_at: Millis,
}

/// What a challenge is made of, besides its terms.
pub(super) struct Heading<'a> {
    pub(super) realm: &'a str,
    pub(super) method: &'a str,
    /// For people; not sealed.
    pub(super) description: &'a str,
    /// Text form of what the challenge is bound to.
    pub(super) opaque: &'a str,
}

/// The challenge as JSON: `request` as it is, `opaque` as base64url text, which is what both official MCP clients read.
pub(super) fn sealed(heading: &Heading<'_>, terms: &Terms, secret: &[u8]) -> Value {
    let expires = rfc3339(terms.expires_at);
    let request = canonical(&terms.request);
    let id = BASE64URL_NOPAD.encode(&mac(
        secret,
        &[
            heading.realm,
            heading.method,
            CHARGE,
            &request,
            &expires,
            "",
            heading.opaque,
        ],
    ));
    json!({
        "id": id,
        "realm": heading.realm,
        "method": heading.method,
        "intent": CHARGE,
        "request": terms.request,
        "expires": expires,
        "description": heading.description,
        "opaque": heading.opaque,
    })
}

/// A challenge as a credential echoes it. Nothing of it is believed before [`Echo::is_sealed_by`] says so.
#[derive(Debug, PartialEq)]
pub(super) struct Echo {
    pub(super) id: String,
    pub(super) realm: String,
    pub(super) method: String,
    pub(super) intent: String,
    pub(super) request: Value,
    /// Text form of what the challenge is bound to.
    pub(super) opaque: String,
    request_text: String,
    expires: String,
    digest: String,
}

impl Echo {
    /// Reads `credential.challenge`. `request` and `opaque` are JSON over MCP and base64url over HTTP; both are read.
    pub(super) fn read(credential: &Value) -> Option<Self> {
        let challenge = credential.get("challenge")?;
        let required = |key: &str| challenge.get(key)?.as_str().map(str::to_owned);
        let optional = |key: &str| match challenge.get(key) {
            None | Some(Value::Null) => Some(String::new()),
            Some(value) => value.as_str().map(str::to_owned),
        };
        let (request, request_text) = either_form(challenge.get("request")?)?;
        let opaque = match challenge.get("opaque") {
            None | Some(Value::Null) => String::new(),
            Some(opaque) => either_form(opaque)?.1,
        };
        Some(Self {
            id: required("id")?,
            realm: required("realm")?,
            method: required("method")?,
            intent: required("intent")?,
            request,
            opaque,
            request_text,
            expires: optional("expires")?,
            digest: optional("digest")?,
        })
    }

    /// Whether one of the secrets made the id for exactly these parts. Takes the same time whichever did, or none.
    pub(super) fn is_sealed_by(&self, secrets: &[Vec<u8>]) -> bool {
        let Ok(id) = BASE64URL_NOPAD.decode(self.id.as_bytes()) else {
            return false;
        };
        let parts = [
            &*self.realm,
            &self.method,
            &self.intent,
            &self.request_text,
            &self.expires,
            &self.digest,
            &self.opaque,
        ];
        // A part with a bar in it could stand for two parts.
        if parts.iter().any(|part| part.contains('|')) {
            return false;
        }
        let mut matches = Choice::from(0);
        for secret in secrets {
            matches |= mac(secret, &parts).as_slice().ct_eq(&id);
        }
        matches.into()
    }

    /// Until when it could be paid; `None` where it does not say.
    pub(super) fn expires_at(&self) -> Option<Millis> {
        let at: jiff::Timestamp = self.expires.parse().ok()?;
        Some(at.as_millisecond())
    }
}

/// A value that arrives as JSON or as base64url of its JSON: both forms of it.
fn either_form(value: &Value) -> Option<(Value, String)> {
    match value {
        Value::Object(_) => Some((value.clone(), encoded(value)?)),
        Value::String(text) => {
            let text = text.trim_end_matches('=');
            let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
            Some((serde_json::from_slice(&bytes).ok()?, text.to_owned()))
        }
        _ => None,
    }
}

/// Base64url of the canonical JSON (RFC 8785) of a value of our own.
pub(super) fn canonical(value: &Value) -> String {
    encoded(value).expect("texts and small numbers have a canonical form")
}

/// The same of anybody's value, `None` where it has no such form.
fn encoded(value: &Value) -> Option<String> {
    let json = serde_json_canonicalizer::to_vec(value).ok()?;
    Some(BASE64URL_NOPAD.encode(&json))
}

fn mac(secret: &[u8], parts: &[&str]) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length is a key for HMAC");
    mac.update(parts.join("|").as_bytes());
    mac.finalize().into_bytes().to_vec()
}
