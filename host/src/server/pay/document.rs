//! The document around every page: head, style, and the headers that keep browsers strict.

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("style.css");
/// A coin with its slot, as the tab's icon.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Ccircle cx='12' cy='12' r='11' fill='%23c98a12'/%3E%3Cpath d='M12 6v12' stroke='%23fff' stroke-width='3.4' stroke-linecap='round'/%3E%3C/svg%3E";
const MARK: &str = r#"<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="11"/><path d="M12 6.6v10.8"/></svg>"#;

/// One style sheet by its hash, forms to ourselves, pictures in place; no script, no frame, no other address.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64.encode(&Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    )
});

/// A document before it is written.
pub(super) struct Document {
    /// Escaped.
    pub title: String,
    /// Seconds until the browser asks again by itself.
    pub refresh_s: Option<u64>,
    /// Whether to say that the money is pretended.
    pub test: bool,
    /// HTML.
    pub body: String,
}

impl Document {
    pub(super) fn html(&self) -> String {
        let Self { title, body, .. } = self;
        let refresh = self.refresh_s.map_or_else(String::new, |seconds| {
            format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n")
        });
        let banner = if self.test {
            "<p class=\"banner\"><strong>TEST</strong> No real money moves.</p>\n"
        } else {
            ""
        };
        format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
{refresh}<link rel="icon" href="{ICON}">
<style>{STYLE}</style>
</head>
<body>
<main>
{banner}<div class="card">
<p class="brand">{MARK}coinop</p>
{body}
</div>
</main>
</body>
</html>
"#
        )
    }
}

/// Adds the headers that every answer below `/pay/` carries, errors and redirects included.
pub(super) async fn with_headers(mut response: Response) -> Response {
    const FIXED: [(HeaderName, &str); 7] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`, which makes browsers send `Origin: null` with our own forms. Like it, this tells no other
        // site anything.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("x-robots-tag"),
            "noindex, nofollow, noarchive",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
