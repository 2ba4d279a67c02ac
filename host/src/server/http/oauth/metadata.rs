//! What is published of the protected resource: who issues tokens for it, and what they must grant (RFC 9728).

use axum::Router;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use reqwest::Url;
use serde_json::json;

use super::Settings;

/// Where the metadata of the whole origin is; clients that are not told look there.
const PATH: &str = "/.well-known/oauth-protected-resource";
/// The endpoint, and what the path of its own metadata ends with.
const ENDPOINT: &str = "/mcp";
/// Clients may keep it for as long as an operator who changes issuers can wait.
const CACHED: &str = "public, max-age=300";

/// The resource, as its metadata and its challenges name it.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// The metadata's URL.
    pub(super) metadata_url: String,
    /// What tokens must grant, with spaces.
    pub(super) scope: String,
    document: String,
}

impl Resource {
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let base = settings.base.trim_end_matches('/');
        let url = |path: &str| {
            let url = format!("{base}{path}");
            let url = Url::parse(&url).map_err(|error| format!("{url} is no URL: {error}"))?;
            Ok::<String, String>(url.into())
        };
        let issuers: Vec<&str> = settings.issuers.iter().map(|i| &*i.name).collect();
        let mut document = json!({
            "resource": url(ENDPOINT)?,
            "authorization_servers": issuers,
            "bearer_methods_supported": ["header"],
        });
        let scopes = &settings.rules.scopes;
        if !scopes.is_empty() {
            document["scopes_supported"] = json!(scopes);
        }
        Ok(Self {
            metadata_url: url(&format!("{PATH}{ENDPOINT}"))?,
            scope: scopes.join(" "),
            document: document.to_string(),
        })
    }

    pub(super) fn router(&self) -> Router {
        let answer = |document: String| async move || page(&document);
        Router::new()
            .route(PATH, get(answer(self.document.clone())))
            .route(
                &format!("{PATH}{ENDPOINT}"),
                get(answer(self.document.clone())),
            )
    }
}

fn page(document: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, CACHED),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, document.to_owned()).into_response()
}
