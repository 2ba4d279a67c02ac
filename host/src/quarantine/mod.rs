//! Plugins that keep failing for reasons of their own, set aside for a while: their tools stay listed, new calls are
//! refused before anybody pays, and what is paid already still runs. Known by digest: a replaced file starts clean.
//!
//! It knows nothing of money or WebAssembly: whoever runs plugins says how each run ended. What it knows is this
//! process's own, and gone when it ends.

mod health;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coinop_core::Millis;
use coinop_core::digest::Digest;

use crate::clock::{Clock, SystemClock};
use health::{Admission, Began, Event, Health};

pub use health::Rules;

/// Plugins with failures that are remembered at a time; those beyond are not set aside.
const PLUGINS_MAX: usize = 10_000;

/// Which plugins are set aside.
pub struct Quarantine {
    rules: Option<Rules>,
    clock: Arc<dyn Clock>,
    /// Only those with something against them.
    ailing: Mutex<HashMap<Digest, Health>>,
    begun: AtomicU64,
    refused: AtomicU64,
}

/// Word that a plugin is set aside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plugin {plugin} keeps failing; try again in {retry_after_s} s")]
pub struct SetAside {
    /// The plugin.
    pub plugin: String,
    /// When its next trial may begin, seconds.
    pub retry_after_s: u32,
}

/// Why a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody calls: refused while the plugin is set aside.
    Called,
    /// It is owed, since its call is paid: never refused.
    Owed,
}

/// How a run ended, as far as it tells of the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The plugin answered, be it by a declared failure.
    Answered,
    /// It failed for a reason of its own.
    Failed,
    /// It was not its doing: the run never began, or the host could not go on.
    Untold,
}

/// One run that is being watched. Dropped without an end, it tells nothing.
pub struct Watched {
    quarantine: Arc<Quarantine>,
    component: Digest,
    plugin: String,
    began: Began,
}

impl fmt::Debug for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quarantine")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Default for Quarantine {
    fn default() -> Self {
        Self::new(Some(Rules::default()), Arc::new(SystemClock))
    }
}

impl Quarantine {
    /// Without rules nothing is ever set aside.
    pub fn new(rules: Option<Rules>, clock: Arc<dyn Clock>) -> Self {
        Self {
            rules,
            clock,
            ailing: Mutex::default(),
            begun: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Whether new calls of the plugin are refused just now.
    pub fn refuses(&self, component: &Digest, plugin: &str) -> Option<SetAside> {
        let health = self.ailing().get(component).copied()?;
        match health.admits(self.clock.now()) {
            Admission::Yes | Admission::AsTrial => None,
            Admission::No { wait_ms } => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Some(SetAside {
                    plugin: plugin.to_owned(),
                    retry_after_s: seconds(wait_ms),
                })
            }
        }
    }

    /// Whether the component is set aside, or on its trial.
    pub fn holds(&self, component: &Digest) -> bool {
        self.ailing().get(component).is_some_and(is_aside)
    }

    /// Watches a run that begins now.
    ///
    /// # Errors
    /// The plugin is set aside, and the run is not owed.
    pub fn begin(
        self: &Arc<Self>,
        component: Digest,
        plugin: &str,
        cause: Cause,
    ) -> Result<Watched, SetAside> {
        if cause == Cause::Called
            && let Some(aside) = self.refuses(&component, plugin)
        {
            return Err(aside);
        }
        let health = self.ailing().get(&component).copied();
        let admission = health.map_or(Admission::Yes, |health| health.admits(self.clock.now()));
        let began = match admission {
            Admission::Yes => Began::Well,
            Admission::AsTrial => Began::OnTrial,
            Admission::No { .. } => Began::Aside,
        };
        let watched = Watched {
            quarantine: Arc::clone(self),
            component,
            plugin: plugin.to_owned(),
            began,
        };
        if began == Began::OnTrial {
            watched.tell(Event::Tried);
        }
        Ok(watched)
    }

    /// How many plugins are set aside.
    pub fn count(&self) -> usize {
        let ailing = self.ailing();
        let aside = ailing.values().filter(|health| is_aside(health));
        aside.count()
    }

    /// Counters in Prometheus' text form. Nothing in them names a plugin.
    pub fn text(&self) -> String {
        let (count, begun) = (self.count(), self.begun.load(Ordering::Relaxed));
        let refused = self.refused.load(Ordering::Relaxed);
        format!(
            "# HELP coinop_plugins_set_aside Plugins that keep failing and are set aside.\n\
             # TYPE coinop_plugins_set_aside gauge\n\
             coinop_plugins_set_aside {count}\n\
             # HELP coinop_quarantines_total How often a plugin was set aside.\n\
             # TYPE coinop_quarantines_total counter\n\
             coinop_quarantines_total {begun}\n\
             # HELP coinop_quarantine_refusals_total Calls that were refused because their plugin was set aside.\n\
             # TYPE coinop_quarantine_refusals_total counter\n\
             coinop_quarantine_refusals_total {refused}\n"
        )
    }

    fn ailing(&self) -> MutexGuard<'_, HashMap<Digest, Health>> {
        self.ailing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The health before and after an event.
    fn apply(&self, component: Digest, event: Event, rules: &Rules) -> (Health, Health) {
        let now = self.clock.now();
        let mut ailing = self.ailing();
        let before = ailing.get(&component).copied().unwrap_or(Health::WELL);
        let after = before.after(event, rules, now);
        if after == Health::WELL {
            ailing.remove(&component);
        } else if ailing.len() < PLUGINS_MAX || ailing.contains_key(&component) {
            ailing.insert(component, after);
        }
        (before, after)
    }
}

impl Watched {
    /// Says how the run ended.
    pub fn ended(mut self, end: End) {
        let event = match end {
            End::Answered => Event::Answered(self.began),
            End::Failed => Event::Failed(self.began),
            End::Untold => return,
        };
        self.tell(event);
        // Dropped now, it has nothing to give back.
        self.began = Began::Well;
    }

    /// Applies an event, and tells the operator when a quarantine begins, is extended or ends.
    fn tell(&self, event: Event) {
        let Some(rules) = &self.quarantine.rules else {
            return;
        };
        let (before, after) = self.quarantine.apply(self.component, event, rules);
        let (plugin, component) = (&self.plugin, self.component.short());
        match (is_aside(&before), after) {
            (false, Health::Aside { pause, .. }) => {
                self.quarantine.begun.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    plugin,
                    component = %component,
                    "keeps failing: its calls are refused for {} s, then one is let through as a trial",
                    seconds(pause)
                );
            }
            (true, Health::Well { .. }) => {
                tracing::info!(plugin, component = %component, "answers again: its calls are let through");
            }
            (true, Health::Aside { pause, .. })
                if matches!(event, Event::Failed(_)) && before != after =>
            {
                tracing::debug!(plugin, component = %component, "failed its trial: set aside for {} s more", seconds(pause));
            }
            _ => {}
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.began == Began::OnTrial {
            self.tell(Event::TrialLost);
        }
    }
}

fn is_aside(health: &Health) -> bool {
    !matches!(health, Health::Well { .. })
}

/// Whole seconds, at least one.
fn seconds(ms: Millis) -> u32 {
    u32::try_from(ms.saturating_add(999) / 1000)
        .unwrap_or(u32::MAX)
        .max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;
    use std::time::Duration;

    use super::*;

    #[derive(Default)]
    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Millis {
            self.0.load(Ordering::SeqCst)
        }
    }

    /// Two failures set a plugin aside for a second.
    fn ward() -> (Arc<Quarantine>, Arc<Hand>) {
        let clock = Arc::new(Hand::default());
        let rules = Rules {
            failures_max: 2,
            pause: Duration::from_secs(1),
            pause_max: Duration::from_secs(60),
        };
        (Arc::new(Quarantine::new(Some(rules), clock.clone())), clock)
    }

    fn run(ward: &Arc<Quarantine>, cause: Cause, end: End) -> Result<(), u32> {
        let watched = ward.begin(Digest::of(b"x"), "x", cause);
        watched.map(|w| w.ended(end)).map_err(|a| a.retry_after_s)
    }

    #[test]
    fn set_aside_by_digest_and_tried_after_the_pause() {
        let (ward, clock) = ward();
        for _ in 0..2 {
            run(&ward, Cause::Called, End::Failed).unwrap();
        }
        assert_eq!(run(&ward, Cause::Called, End::Answered), Err(1));
        assert!(ward.begin(Digest::of(b"y"), "x", Cause::Called).is_ok());
        assert_eq!(ward.count(), 1);
        clock.0.store(1_000, Ordering::SeqCst);
        run(&ward, Cause::Called, End::Failed).unwrap();
        assert_eq!(run(&ward, Cause::Called, End::Answered), Err(2));
        clock.0.store(3_000, Ordering::SeqCst);
        run(&ward, Cause::Called, End::Answered).unwrap();
        assert_eq!(ward.count(), 0);
        assert!(ward.text().contains("coinop_quarantines_total 1\n"));
        assert!(ward.text().contains("coinop_quarantine_refusals_total 2\n"));
    }

    #[test]
    fn one_trial_at_a_time_and_a_lost_one_makes_room() {
        let (ward, clock) = ward();
        for _ in 0..2 {
            run(&ward, Cause::Called, End::Failed).unwrap();
        }
        clock.0.store(1_000, Ordering::SeqCst);
        let trial = ward.begin(Digest::of(b"x"), "x", Cause::Called).unwrap();
        assert_eq!(run(&ward, Cause::Called, End::Answered), Err(1));
        drop(trial);
        run(&ward, Cause::Called, End::Untold).unwrap();
        run(&ward, Cause::Called, End::Answered).unwrap();
        assert_eq!(ward.count(), 0);
    }

    #[test]
    fn what_is_owed_always_runs() {
        let (ward, _) = ward();
        for _ in 0..5 {
            run(&ward, Cause::Owed, End::Failed).unwrap();
        }
        assert_eq!(ward.count(), 1);
        run(&ward, Cause::Owed, End::Answered).unwrap();
        assert_eq!(ward.count(), 0);
    }

    #[test]
    fn switched_off_it_refuses_nothing() {
        let off = Arc::new(Quarantine::new(None, Arc::new(Hand::default())));
        for _ in 0..100 {
            run(&off, Cause::Called, End::Failed).unwrap();
        }
    }
}
