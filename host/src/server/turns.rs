//! Telling viewers that their own lists of tools changed (DYNAMIC_TOOLS), and nobody else.
//!
//! What is open is the ledger's to say; here is only what each viewer last saw. A viewer is looked at when this process
//! changed one of its calls, when the first of its offers ends, and every few seconds while it has any open, since other
//! processes change calls too.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use rmcp::service::{Peer, RoleServer};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::{Server, announce};
use crate::gate::Turns;

/// Most viewers that are watched; the lists of others are right when they are read, and they are told of nothing.
const WATCHED_MAX: usize = 10_000;
/// Between two looks at a viewer with something open of whom nobody tells.
const LOOK: Duration = Duration::from_secs(5);
/// An offer is looked at this long after its end: clocks are not that exact.
const AFTER_END: Duration = Duration::from_millis(50);
/// Viewers looked at at a time.
const LOOKS_MAX: usize = 16;

/// The viewers that are watched.
#[derive(Default)]
pub(super) struct Viewers {
    watched: Mutex<HashMap<String, Watched>>,
    sooner: Notify,
}

/// A viewer, and what it last saw.
struct Watched {
    open: BTreeSet<String>,
    /// When to look without being told.
    look_at: Option<Instant>,
    /// Counts what was heard of it: a list that was read meanwhile may be old already.
    heard: u64,
    /// Its legacy session.
    peer: Option<Peer<RoleServer>>,
    /// Its modern subscriptions.
    changes: watch::Sender<()>,
}

impl Watched {
    fn new() -> Self {
        Self {
            open: BTreeSet::new(),
            look_at: None,
            heard: 0,
            peer: None,
            changes: watch::channel(()).0,
        }
    }

    fn has_audience(&self) -> bool {
        let is_open = |peer: &Peer<RoleServer>| !peer.is_transport_closed();
        self.changes.receiver_count() > 0 || self.peer.as_ref().is_some_and(is_open)
    }

    fn sees(&mut self, turns: &Turns, now: Instant) {
        self.open.clone_from(&turns.open);
        let ends = turns.ends_in.map(|end| (end + AFTER_END).min(LOOK));
        self.look_at = ends.map(|end| now + end);
    }
}

/// A list that is being read.
pub(super) struct Reading {
    viewer: String,
    heard: u64,
}

impl Viewers {
    /// A legacy session reads its list: from now on it is told when that changes.
    pub(super) fn reads(&self, viewer: &str, peer: &Peer<RoleServer>) -> Option<Reading> {
        let mut watched = self.watched();
        let viewer_now = place(&mut watched, viewer)?;
        viewer_now.peer = Some(peer.clone());
        let heard = viewer_now.heard;
        let viewer = viewer.to_owned();
        Some(Reading { viewer, heard })
    }

    /// A modern client listens for changes of its list.
    pub(super) fn listens(&self, viewer: &str) -> Option<(watch::Receiver<()>, Reading)> {
        let mut watched = self.watched();
        let viewer_now = place(&mut watched, viewer)?;
        let (changes, heard) = (viewer_now.changes.subscribe(), viewer_now.heard);
        let viewer = viewer.to_owned();
        Some((changes, Reading { viewer, heard }))
    }

    /// The list was read, with these turns.
    pub(super) fn has_read(&self, reading: &Reading, turns: &Turns, now: Instant) {
        let mut watched = self.watched();
        let Some(viewer) = watched.get_mut(&reading.viewer) else {
            return;
        };
        viewer.sees(turns, now);
        if viewer.heard != reading.heard {
            // What was read may be from before what was heard.
            viewer.look_at = Some(now);
        }
        self.sooner.notify_one();
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<String, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that calls of a viewer changed; `None` for all viewers.
    fn hear(&self, viewer: Option<&str>, now: Instant) {
        let mut watched = self.watched();
        let mut hear = |viewer: &mut Watched| {
            viewer.heard += 1;
            viewer.look_at = Some(now);
        };
        match viewer {
            Some(viewer) => watched.get_mut(viewer).into_iter().for_each(hear),
            None => watched.values_mut().for_each(&mut hear),
        }
    }

    fn next_look(&self) -> Option<Instant> {
        let watched = self.watched();
        watched.values().filter_map(|viewer| viewer.look_at).min()
    }

    /// Takes the viewers that are to be looked at now, and forgets those whom nobody could tell anything.
    fn due(&self, now: Instant) -> Vec<String> {
        let mut watched = self.watched();
        let is_due = |viewer: &Watched| viewer.look_at.is_some_and(|at| at <= now);
        watched.retain(|_, viewer| !is_due(viewer) || viewer.has_audience());
        let due = watched.iter_mut().filter(|(_, viewer)| is_due(viewer));
        let due = due.map(|(name, viewer)| {
            // Until the look says more: a ledger that does not answer is asked again.
            viewer.look_at = Some(now + LOOK);
            name.clone()
        });
        due.collect()
    }

    /// What a look found. Says whom to tell where the viewer last saw something else.
    fn looked(
        &self,
        viewer: &str,
        turns: &Turns,
        now: Instant,
    ) -> Option<Option<Peer<RoleServer>>> {
        let mut watched = self.watched();
        let viewer = watched.get_mut(viewer)?;
        let changed = viewer.open != turns.open;
        viewer.sees(turns, now);
        changed.then(|| {
            viewer.changes.send_replace(());
            viewer.peer.clone()
        })
    }
}

/// The place of a viewer, made where there is room.
fn place<'a>(watched: &'a mut HashMap<String, Watched>, viewer: &str) -> Option<&'a mut Watched> {
    if !watched.contains_key(viewer) && watched.len() >= WATCHED_MAX {
        watched.retain(|_, viewer| viewer.has_audience());
        if watched.len() >= WATCHED_MAX {
            return None;
        }
    }
    Some(
        watched
            .entry(viewer.to_owned())
            .or_insert_with(Watched::new),
    )
}

/// Runs until the server closes.
pub(super) async fn run(server: &Server) {
    let viewers = &server.viewers;
    let mut changed = server.calls.viewers();
    loop {
        let next_look = viewers.next_look();
        tokio::select! {
            () = server.closing.cancelled() => return,
            heard = next_change(&mut changed) => match heard {
                Ok(viewer) => viewers.hear(Some(&viewer), Instant::now()),
                Err(RecvError::Lagged(_)) => viewers.hear(None, Instant::now()),
                Err(RecvError::Closed) => changed = None,
            },
            () = viewers.sooner.notified() => {}
            () = at(next_look) => {}
        }
        let looks = viewers
            .due(Instant::now())
            .into_iter()
            .map(|viewer| look(server, viewer));
        let looks = futures::stream::iter(looks).buffer_unordered(LOOKS_MAX);
        looks.collect::<()>().await;
    }
}

async fn next_change(changed: &mut Option<Receiver<String>>) -> Result<String, RecvError> {
    match changed {
        Some(changed) => changed.recv().await,
        None => std::future::pending().await,
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn look(server: &Server, viewer: String) {
    let Some(turns) = server.turns(&viewer).await else {
        return;
    };
    if let Some(Some(peer)) = server.viewers.looked(&viewer, &turns, Instant::now()) {
        announce::tell(&peer).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(open: &[&str]) -> Turns {
        Turns {
            open: open.iter().map(|name| (*name).to_owned()).collect(),
            ends_in: (!open.is_empty()).then_some(Duration::from_secs(600)),
        }
    }

    #[test]
    fn a_viewer_is_told_of_what_it_has_not_seen() {
        let (viewers, now) = (Viewers::default(), Instant::now());
        let (mut changes, reading) = viewers.listens("ada").unwrap();
        viewers.has_read(&reading, &turns(&[]), now);
        assert_eq!(
            viewers.next_look(),
            None,
            "nothing is open, nothing is looked at"
        );
        viewers.hear(Some("bob"), now);
        assert_eq!(viewers.due(now), Vec::<String>::new());
        viewers.hear(Some("ada"), now);
        assert_eq!(viewers.due(now), ["ada"]);
        assert!(viewers.looked("ada", &turns(&["t"]), now).is_some());
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        assert!(viewers.looked("ada", &turns(&["t"]), now).is_none());
        assert!(!changes.has_changed().unwrap());
        // Nobody tells of other processes.
        assert_eq!(viewers.due(now + LOOK), ["ada"]);
    }

    #[test]
    fn a_list_that_changed_while_it_was_read_is_looked_at_again() {
        let (viewers, now) = (Viewers::default(), Instant::now());
        let (_changes, reading) = viewers.listens("ada").unwrap();
        viewers.hear(Some("ada"), now);
        assert_eq!(viewers.due(now), ["ada"]);
        assert!(viewers.looked("ada", &turns(&["t"]), now).is_some());
        viewers.has_read(&reading, &turns(&[]), now);
        assert_eq!(viewers.due(now), ["ada"]);
        assert!(viewers.looked("ada", &turns(&["t"]), now).is_some());
    }

    #[test]
    fn whoever_is_gone_is_forgotten_and_places_are_bounded() {
        let (viewers, now) = (Viewers::default(), Instant::now());
        let gone = viewers.listens("gone").unwrap();
        drop(gone);
        viewers.hear(None, now);
        assert_eq!(viewers.due(now), Vec::<String>::new());
        assert!(viewers.watched().is_empty());

        let here: Vec<_> = (0..WATCHED_MAX)
            .map(|n| viewers.listens(&n.to_string()).unwrap())
            .collect();
        assert!(viewers.listens("one more").is_none());
        drop(here);
        assert!(viewers.listens("one more").is_some());
    }

    #[test]
    fn an_offer_is_looked_at_when_it_ends() {
        let (viewers, now) = (Viewers::default(), Instant::now());
        let (_changes, reading) = viewers.listens("ada").unwrap();
        let soon = Turns {
            ends_in: Some(Duration::from_secs(2)),
            ..turns(&["t"])
        };
        viewers.has_read(&reading, &soon, now);
        let in_time = now + Duration::from_secs(2) + AFTER_END;
        assert_eq!(viewers.next_look(), Some(in_time));
    }
}
