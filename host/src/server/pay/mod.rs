//! Payment pages: what a payment link shows, and where the payer decides. Plain HTML that needs no scripts.
//!
//! A GET never changes anything, whatever its address says: only a POST from one of these pages does, and only through
//! [`Cashier`]. Nothing here knows what redeems a payment.

mod document;
mod guard;
mod notice;
mod page;
mod qr;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use coinop_core::ids::LinkToken;
use serde::Deserialize;

use crate::clock::Clock;
use crate::gate::{Cashier, PageView};
use crate::ledger::LedgerError;
use crate::provider::Decision;

use self::notice::Notice;
use self::page::Showing;

/// The forms have no fields: anything longer than this is not ours.
const BODY_BYTES_MAX: usize = 1024;
/// When a payer should try again while the ledger is away.
const RETRY_AFTER_S: &str = "5";

/// How the pages are reached.
#[derive(Clone)]
pub struct PaySettings {
    /// Where the world sees the pages, without a trailing slash, such as `https://tools.example.org`.
    pub public_base: Arc<ArcSwap<String>>,
}

struct Pages {
    cashier: Arc<dyn Cashier>,
    clock: Arc<dyn Clock>,
    settings: PaySettings,
}

type Link = Result<Path<String>, PathRejection>;

/// The pages below `/pay/`, to be served behind the `Host` check.
pub fn router(cashier: Arc<dyn Cashier>, clock: Arc<dyn Clock>, settings: PaySettings) -> Router {
    let pages = Pages {
        cashier,
        clock,
        settings,
    };
    Router::new()
        .route("/pay/{link}", get(show))
        .route("/pay/{link}/return", get(come_back))
        .route("/pay/{link}/pay", get(go_back).post(pay))
        .route("/pay/{link}/decline", get(go_back).post(decline))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(map_response(document::with_headers))
        .with_state(Arc::new(pages))
}

/// What the address may say beside the link. It changes words, never money.
#[derive(Deserialize)]
struct Address {
    returned: Option<String>,
}

async fn show(
    State(pages): State<Arc<Pages>>,
    link: Link,
    address: Result<Query<Address>, QueryRejection>,
) -> Response {
    let Some(link) = parse(link) else {
        return not_found();
    };
    let view = match pages.cashier.page(link.clone()).await {
        Ok(Some(view)) => view,
        Ok(None) => return not_found(),
        Err(error) => return unavailable(&error),
    };
    let returned = address.is_ok_and(|Query(address)| address.returned.is_some());
    html(StatusCode::OK, pages.render(&link, &view, returned))
}

impl Pages {
    fn render(&self, link: &LinkToken, view: &PageView, returned: bool) -> String {
        let base = self.settings.public_base.load();
        page::page(&Showing {
            view,
            link: link.as_str(),
            base: &base,
            now: self.clock.now(),
            returned,
        })
    }
}

/// Where providers send payers when they are done: to the page, and nothing else. What the address claims is not read.
async fn come_back(link: Link) -> Response {
    parse(link).map_or_else(not_found, |link| see_other(format!("../{link}?returned=1")))
}

/// A decision's address opened as a page, after an error or from the history.
async fn go_back(link: Link) -> Response {
    parse(link).map_or_else(not_found, |link| see_other(format!("../{link}")))
}

async fn pay(
    State(pages): State<Arc<Pages>>,
    link: Link,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    pages.decide(Decision::Pay, link, &headers, body).await
}

async fn decline(
    State(pages): State<Arc<Pages>>,
    link: Link,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    pages.decide(Decision::Decline, link, &headers, body).await
}

impl Pages {
    async fn decide(
        &self,
        decision: Decision,
        link: Link,
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
    ) -> Response {
        if !guard::comes_from_our_page(headers, &self.settings.public_base.load()) {
            return notice(StatusCode::FORBIDDEN, Notice::CrossSite);
        }
        if let Err(rejection) = body {
            return notice(rejection.status(), Notice::BadForm);
        }
        let Some(link) = parse(link) else {
            return not_found();
        };
        match self.cashier.decide(link.clone(), decision).await {
            Ok(Some(_)) => see_other(format!("../{link}")),
            Ok(None) => not_found(),
            Err(error) => unavailable(&error),
        }
    }
}

fn parse(link: Link) -> Option<LinkToken> {
    link.ok()?.0.parse().ok()
}

/// A redirect that becomes a GET. Relative, so that it holds behind any proxy's prefix.
fn see_other(to: String) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// The same for links that are malformed and links nobody has.
fn not_found() -> Response {
    notice(StatusCode::NOT_FOUND, Notice::NotFound)
}

fn unavailable(error: &LedgerError) -> Response {
    tracing::error!(%error, "a payment page could not be answered");
    let mut response = notice(StatusCode::SERVICE_UNAVAILABLE, Notice::Unavailable);
    response.headers_mut().insert(
        header::RETRY_AFTER,
        header::HeaderValue::from_static(RETRY_AFTER_S),
    );
    response
}

fn notice(status: StatusCode, notice: Notice) -> Response {
    html(status, notice::html(notice))
}

fn html(status: StatusCode, body: String) -> Response {
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (status, html, body).into_response()
}
