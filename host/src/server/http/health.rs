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

/// What probes are told of problems: paths and what plugins printed are for whoever is on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problems {
    /// Each in full.
    InFull,
    /// Only how many there are.
    Counted,
}

pub(super) fn router(server: Arc<Server>, ledger_id: String, told: Problems) -> Router {
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
        .route("/readyz", get(ready).with_state((server, told)))
}

/// 503 until the first scan; then 200, since good plugins are served whatever the bad ones do.
async fn ready(State((server, told)): State<(Arc<Server>, Problems)>) -> Response {
    if !server.is_ready() {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"status": "starting"}),
        );
    }
    let snapshot = server.catalog.snapshot();
    let all = &snapshot.problems;
    let problems = match told {
        Problems::InFull => all.iter().take(PROBLEMS_MAX).map(problem).collect(),
        Problems::Counted => json!(all.len()),
    };
    let status = if all.is_empty() { "ready" } else { "degraded" };
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
