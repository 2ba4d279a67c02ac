//! OAuth 2.1, as a resource server: access tokens that others issue say who calls. Nothing is issued here, no token is
//! stored, logged or passed on, and none is taken from anywhere but the `Authorization` header.

mod challenge;
mod discovery;
mod keys;
mod metadata;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use coinop_core::principal::Principal;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

pub use self::discovery::Place;
use self::keys::Keys;
use self::metadata::Resource;
pub use self::token::Rules;
use self::token::Unverified;
use crate::clock::Clock;
use crate::jwks::KeySet;
use crate::outbound;

/// How long an issuer may take to answer one request.
const ISSUER_WAIT: Duration = Duration::from_secs(5);

/// Whose tokens are taken, and for what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the endpoint is reached under, without `/mcp`.
    pub base: String,
    /// Whose tokens are taken.
    pub issuers: Vec<Issuer>,
    /// What a token must be.
    pub rules: Rules,
}

/// Who issues tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its identifier, exactly as in the tokens' `iss`.
    pub name: String,
    /// Where its keys come from.
    pub keys: KeySource,
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// They were given, and do not change.
    Given(KeySet),
    /// They are fetched from there.
    At(Place),
}

/// Why a token is not taken. The words are for the developer of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the token is no JSON Web Token with iss, aud and exp")]
    Malformed,
    #[error("the token is of a kind that is not taken here")]
    Kind,
    #[error("the token is signed by an algorithm that is not taken")]
    Algorithm,
    #[error("the token's issuer is not one whose tokens are taken")]
    Issuer,
    #[error("the token is not signed by a key of its issuer")]
    Signature,
    #[error("the token is for another audience")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    Early,
    #[error("the token is bound to a key, and is no bearer token")]
    Bound,
    #[error("the token names no subject")]
    Subject,
    #[error("the token does not grant every scope that is needed")]
    Scope,
    #[error("the issuer's keys cannot be had at the moment")]
    Unavailable,
}

/// Takes tokens, and says where they are to be had.
pub struct ResourceServer {
    issuers: Vec<(String, Keys)>,
    rules: Rules,
    resource: Resource,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
}

impl ResourceServer {
    /// A resource server that asks its issuers for their keys while [`ResourceServer::keep_keys`] runs.
    ///
    /// # Errors
    /// The base is no URL, or TLS cannot be set up.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let resource = Resource::new(&settings)?;
        let issuers = settings.issuers.into_iter();
        let issuers = issuers.map(|issuer| {
            let keys = Keys::new(issuer.keys, clock.clone());
            (issuer.name, keys)
        });
        Ok(Self {
            issuers: issuers.collect(),
            rules: settings.rules,
            resource,
            clock,
            http: outbound::client(ISSUER_WAIT)?,
        })
    }

    /// Whose token it is.
    pub(super) async fn admit(&self, token: &str) -> Result<Principal, Refused> {
        let unverified = Unverified::read(token)?;
        let algorithm = unverified.algorithm;
        if !self.rules.algorithms.contains(&algorithm) {
            return Err(Refused::Algorithm);
        }
        let mut issuers = self.issuers.iter();
        let (issuer, keys) = issuers
            .find(|(name, _)| *name == unverified.issuer)
            .ok_or(Refused::Issuer)?;
        let key = keys.find(unverified.key.as_deref(), algorithm).await?;
        let claims = token::verify(token, algorithm, &key)?;
        claims.admit(issuer, &self.rules, self.clock.now().div_euclid(1_000))
    }

    /// Whether a bearer token is one that [`ResourceServer::admit`] should look at.
    pub(super) fn is_for(token: &str) -> bool {
        token::looks_like_one(token)
    }

    /// Fetches the issuers' keys, now and whenever they are needed, until `closing`.
    pub(super) async fn keep_keys(&self, closing: &CancellationToken) {
        let each = self.issuers.iter();
        join_all(each.map(|(name, keys)| keys.keep(name, &self.http, closing))).await;
    }

    /// The pages that say where tokens are to be had (RFC 9728).
    pub(super) fn pages(&self) -> Router {
        self.resource.router()
    }
}

impl std::fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResourceServer")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
