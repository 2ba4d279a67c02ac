//! Whose lists of tools open calls change: what a viewer has open, and word of every commit that may have changed it.

use std::collections::BTreeSet;
use std::time::Duration;

use coinop_core::call::{Call, Event};
use tokio::sync::broadcast;

use super::Gate;
use super::drive::Drive;
use crate::ledger::LedgerError;

/// Changes that wait to be taken up; whoever is further behind looks at everything.
pub(super) const WAITING_MAX: usize = 1024;

/// What takes turns in a viewer's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// The tools with an open call: their confirm tools are in their place.
    pub open: BTreeSet<String>,
    /// When the first of their offers ends by itself, from now.
    pub ends_in: Option<Duration>,
}

impl Gate {
    /// The handles of viewers whose calls change, from now on: those that this process changes.
    pub fn viewers(&self) -> broadcast::Receiver<String> {
        self.viewers.subscribe()
    }

    /// What takes turns in a viewer's list.
    ///
    /// # Errors
    /// The ledger does not answer.
    pub async fn turns(&self, viewer: &str) -> Result<Turns, LedgerError> {
        let now = self.parts.clock.now();
        let open = self.parts.ledger.open_tools(viewer.to_owned(), now).await?;
        let first_end = open.iter().map(|open| open.until).min();
        let ends_in = first_end.map(|end| Duration::from_millis(end.abs_diff(now)));
        Ok(Turns {
            open: open.into_iter().map(|open| open.tool).collect(),
            ends_in,
        })
    }

    /// Tells the viewer of a call that changed, and the one whose list it left.
    pub(super) fn tell_viewers(&self, before: Option<&Call>, after: &Call) {
        let left = before.and_then(|call| call.viewer.as_ref());
        let left = left.filter(|left| after.viewer.as_ref() != Some(left));
        for viewer in left.into_iter().chain(&after.viewer) {
            // Nobody may be listening.
            let _ = self.viewers.send(viewer.clone());
        }
    }
}

impl Drive<'_> {
    /// Its caller came for an open call: where that was opened elsewhere, it changes the list of `viewer` from now on.
    pub(super) fn come_from(&mut self, viewer: Option<&String>) {
        let Some(viewer) = viewer.filter(|viewer| self.call.viewer.as_ref() != Some(viewer)) else {
            return;
        };
        if self.call.state.is_open() {
            let viewer = viewer.clone();
            // Legal by construction: the call is open.
            let _ = self.gather(Event::Shown { viewer });
        }
    }
}
