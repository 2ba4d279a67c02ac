//! Probes: is this coinop, and is it ready?

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::catalog::Problem;
use crate::ledger::Components;
use crate::quarantine::Quarantine;
use crate::server::{PRODUCT, Server};

/// Problems named in one answer.
const PROBLEMS_MAX: usize = 100;
/// How long the ledger may take to answer a probe.
const LEDGER_WAIT: Duration = Duration::from_secs(2);

/// What probes are told of problems: paths and what plugins printed are for whoever is on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problems {
    /// Each in full.
    InFull,
    /// Only how many there are.
    Counted,
}

/// Asks the ledger whether it answers. Without one, everything is well.
#[derive(Clone, Default)]
pub struct LedgerCheck(Option<Arc<dyn Components>>);

impl LedgerCheck {
    /// Asks this ledger.
    pub fn of(ledger: Arc<dyn Components>) -> Self {
        Self(Some(ledger))
    }

    async fn answers(&self) -> bool {
        match &self.0 {
            // The shortest list there is.
            Some(ledger) => {
                let asked = tokio::time::timeout(LEDGER_WAIT, ledger.blocked()).await;
                matches!(asked, Ok(Ok(_)))
            }
            None => true,
        }
    }
}

impl fmt::Debug for LedgerCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerCheck")
    }
}

pub(super) fn router(
    server: Arc<Server>,
    ledger_id: String,
    ledger: LedgerCheck,
    quarantine: Arc<Quarantine>,
    told: Problems,
) -> Router {
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
        .route(
            "/readyz",
            get(ready).with_state((server, ledger, quarantine, told)),
        )
}

/// 503 until the first scan and while the ledger is away; else 200, since good plugins are served whatever the bad ones
/// do.
async fn ready(
    State((server, ledger, quarantine, told)): State<(
        Arc<Server>,
        LedgerCheck,
        Arc<Quarantine>,
        Problems,
    )>,
) -> Response {
    if !server.is_ready() {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"status": "starting"}),
        );
    }
    if !ledger.answers().await {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"status": "unavailable", "problems": ["the ledger does not answer"]}),
        );
    }
    let snapshot = server.catalog.snapshot();
    let all = &snapshot.problems;
    let problems = match told {
        Problems::InFull => all.iter().take(PROBLEMS_MAX).map(problem).collect(),
        Problems::Counted => json!(all.len()),
    };
    let set_aside = quarantine.count();
    let well = all.is_empty() && set_aside == 0;
    let body = json!({
        "status": if well { "ready" } else { "degraded" },
        "tools": snapshot.tools.len(),
        "problems": problems,
        "set_aside": set_aside,
    });
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
