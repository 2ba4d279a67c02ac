//! `/metrics`: counters in Prometheus' text form. Nothing in them names a caller, a plugin, a tool or an amount.

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

use super::webhooks::Counts;
use crate::ledger::Ledger;
use crate::quarantine::Quarantine;

const TEXT: &str = "text/plain; version=0.0.4";

/// The page, over the ledger of this process, the webhooks it received and the plugins it set aside.
pub fn router(
    ledger: Arc<dyn Ledger>,
    webhooks: Arc<Counts>,
    quarantine: Arc<Quarantine>,
) -> Router {
    Router::new().route(
        "/metrics",
        get(async move || {
            let text = text(ledger.commits()) + &webhooks.text() + &quarantine.text();
            ([(CONTENT_TYPE, TEXT)], text)
        }),
    )
}

fn text(commits: u64) -> String {
    format!(
        "# HELP coinop_ledger_commits_total Commits this process made to the ledger.\n\
         # TYPE coinop_ledger_commits_total counter\n\
         coinop_ledger_commits_total {commits}\n"
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_counter_is_a_line_of_its_own() {
        let text = super::text(7);
        assert_eq!(text.lines().last(), Some("coinop_ledger_commits_total 7"));
    }
}
