//! Where an issuer's keys are, and fetching them: from the place that is configured, or from the one that the issuer's
//! metadata names (RFC 8414, OpenID Connect Discovery).

use reqwest::{Client, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::jwks::{KEY_SET_BYTES_MAX, KeySet};
use crate::outbound;

/// Where keys are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At this URL.
    Url(Url),
    /// Where the metadata of the issuer at this URL says.
    Metadata(Url),
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Place {
    /// Fetches the keys of the issuer called `name`.
    ///
    /// # Errors
    /// In words for the operator.
    pub(super) async fn fetch(&self, name: &str, http: &Client) -> Result<KeySet, String> {
        let url = match self {
            Self::Url(url) => url.clone(),
            Self::Metadata(issuer) => discover(name, issuer, http).await?,
        };
        let text = get(http, url.clone()).await?;
        KeySet::parse(&text).map_err(|error| format!("{url}: {error}"))
    }
}

/// Asks for the metadata in each place where it may be. Metadata of another issuer is nobody's.
async fn discover(name: &str, issuer: &Url, http: &Client) -> Result<Url, String> {
    let mut last = String::new();
    for url in metadata_urls(issuer) {
        match get_json::<Metadata>(http, url.clone()).await {
            Ok(found) if found.issuer != name => {
                last = format!("{url} is the metadata of another issuer");
            }
            Ok(found) => match safe_url(&found.jwks_uri, issuer) {
                Some(keys) => return Ok(keys),
                None => last = format!("{url}: jwks_uri is no https URL"),
            },
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The issuer's path goes behind the well-known one (RFC 8414, section 3.1), or before it (OpenID Connect).
fn metadata_urls(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let mut paths = vec![
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        paths.push(format!("{path}/.well-known/openid-configuration"));
    }
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    paths.into_iter().map(at).collect()
}

/// Keys come by https; without it only on the machine that is configured so.
fn safe_url(keys: &str, issuer: &Url) -> Option<Url> {
    let keys = Url::parse(keys).ok()?;
    let same_machine = keys.scheme() == "http" && keys.origin() == issuer.origin();
    (keys.scheme() == "https" || same_machine).then_some(keys)
}

async fn get_json<T: DeserializeOwned>(http: &Client, url: Url) -> Result<T, String> {
    let text = get(http, url.clone()).await?;
    serde_json::from_slice(&text).map_err(|_| format!("{url} is no metadata of an issuer"))
}

async fn get(http: &Client, url: Url) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| format!("{url}: {}", error.without_url());
    let request = http.get(url.clone()).header("accept", "application/json");
    let response = request.send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(format!("{url} answered {}", response.status()));
    }
    let text = outbound::body(response, KEY_SET_BYTES_MAX).await;
    text.map_err(|unread| format!("{url}: {unread}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_asked_for_where_the_specifications_put_it() {
        let urls = |issuer: &str| {
            let urls = metadata_urls(&issuer.parse().unwrap());
            urls.into_iter().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(
            urls("https://auth.example/"),
            [
                "https://auth.example/.well-known/oauth-authorization-server",
                "https://auth.example/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            urls("https://auth.example/realms/shop"),
            [
                "https://auth.example/.well-known/oauth-authorization-server/realms/shop",
                "https://auth.example/.well-known/openid-configuration/realms/shop",
                "https://auth.example/realms/shop/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn keys_come_by_https() {
        let safe = |keys: &str, issuer: &str| safe_url(keys, &issuer.parse().unwrap()).is_some();
        assert!(safe("https://keys.example/k", "https://auth.example"));
        assert!(safe("http://127.0.0.1:9/k", "http://127.0.0.1:9"));
        assert!(!safe("http://127.0.0.1:9/k", "https://auth.example"));
        assert!(!safe("file:///etc/keys", "https://auth.example"));
    }
}
