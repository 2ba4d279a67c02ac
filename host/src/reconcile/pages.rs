//! The calls of a period, page by page, beside hosts that open new ones.

use std::collections::HashSet;

use coinop_core::ids::CallId;

use super::Scope;
use crate::ledger::{Filter, Ledger, LedgerError, Record};

/// Calls read at a time.
const PAGE: u32 = 500;

/// The calls of a period, the latest first, a page at a time.
pub(super) struct Pages {
    filter: Filter,
    /// The calls of the last page that were quoted at the very time where the next begins.
    at_edge: HashSet<CallId>,
    pub(super) limit: u32,
    ended: bool,
}

impl Pages {
    pub(super) fn new(scope: &Scope) -> Self {
        Self {
            filter: Filter {
                account: Some(scope.account.clone()),
                since: Some(scope.period.since),
                until: Some(scope.period.until),
                ..Filter::default()
            },
            at_edge: HashSet::new(),
            limit: PAGE,
            ended: false,
        }
    }

    pub(super) async fn next(
        &mut self,
        ledger: &dyn Ledger,
    ) -> Result<Option<Vec<Record>>, LedgerError> {
        if self.ended {
            return Ok(None);
        }
        let page = ledger.list(self.filter.clone(), self.limit).await?;
        self.ended = page.len() < self.limit as usize;
        let Some(edge) = page.last().map(|record| record.call.created_at) else {
            return Ok(None);
        };
        let full_of_one_time = page.first().map(|first| first.call.created_at) == Some(edge);
        if full_of_one_time {
            // More calls at one time than fit on a page: the next page is larger.
            self.limit = self.limit.saturating_mul(2);
        }
        let at = |record: &&Record| record.call.created_at == edge;
        let edge_ids = page.iter().filter(at).map(|r| r.call.id.clone()).collect();
        let seen = std::mem::replace(&mut self.at_edge, edge_ids);
        self.filter.until = Some(edge.saturating_add(1));
        let fresh = page.into_iter().filter(|r| !seen.contains(&r.call.id));
        Ok(Some(fresh.collect()))
    }
}
