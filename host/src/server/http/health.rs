//! Probes: is this coinop, and is it ready?

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::catalog::Problem;
use crate::server::{PRODUCT, Server};

/// Problems named in one answer.
const PROBLEMS_MAX: usize = 100;

pub(super) fn router(server: Arc<Server>, ledger_id: String) -> Router {
    let health = json!({
        "product": PRODUCT,
        "version": env!("CARGO_PKG_VERSION"),
        "ledger": ledger_id,
    });
    Router::new()
        .route(
            "/healthz",
            get(async move || answer(StatusCode::OK, &health)),
        )
        .route("/readyz", get(ready).with_state(server))
}

/// 503 until the first scan; then 200, since good plugins are served whatever the bad ones do.
async fn ready(State(server): State<Arc<Server>>) -> Response {
    if !server.is_ready() {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"status": "starting"}),
        );
    }
    let snapshot = server.catalog.snapshot();
    let problems: Vec<_> = snapshot
        .problems
        .iter()
        .take(PROBLEMS_MAX)
        .map(problem)
        .collect();
    let status = if problems.is_empty() {
        "ready"
    } else {
        "degraded"
    };
    let body = json!({"status": status, "tools": snapshot.tools.len(), "problems": problems});
    answer(StatusCode::OK, &body)
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (
        status,
        [(CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}

fn problem(problem: &Problem) -> Value {
    json!({
        "file": problem.file,
        "message": problem.message,
        "keeps_last_good": problem.keeps_last_good,
    })
}
