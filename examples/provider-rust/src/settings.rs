//! What the operator says in `[accounts.NAME.settings]`.

use crate::bindings::wasi::config::store;

/// The settings of an Acme account.
pub(crate) struct Settings {
    /// Where the API is, without a slash at the end.
    pub(crate) api: String,
    /// The key that authorises us; `test_…` moves pretended money.
    pub(crate) key: String,
    /// What webhooks are signed with; without it there are none.
    pub(crate) webhook_secret: Option<String>,
}

impl Settings {
    /// # Errors
    /// Which one is missing or wrong, and what it should be.
    pub(crate) fn read() -> Result<Self, String> {
        let api = get("api").unwrap_or_else(|| "https://api.acme.example".to_owned());
        let api = api.trim_end_matches('/').to_owned();
        let web = api.starts_with("https://") || api.starts_with("http://");
        if !web
            || api
                .split("://")
                .nth(1)
                .is_none_or(|rest| rest.contains(['?', '#', '@']))
        {
            return Err(
                "api must be the base URL of Acme's API, such as https://api.acme.example"
                    .to_owned(),
            );
        }
        let key = get("key").ok_or("key is missing: Acme's secret key, test_… or live_…")?;
        if !key.starts_with("test_") && !key.starts_with("live_") {
            return Err("key must be Acme's secret key, test_… or live_…".to_owned());
        }
        Ok(Self {
            api,
            key,
            webhook_secret: get("webhook_secret"),
        })
    }
}

fn get(name: &str) -> Option<String> {
    store::get(name)
        .ok()
        .flatten()
        .filter(|value| !value.is_empty())
}
