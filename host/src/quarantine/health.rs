//! How a plugin does, and what follows from the end of a run: the decision alone, without a clock or a table of plugins.

use std::time::Duration;

use coinop_core::Millis;

/// When a plugin is set aside, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Failures in a row that set it aside.
    pub failures_max: u32,
    /// How long the first time.
    pub pause: Duration,
    /// How long at the most: each trial that fails doubles the pause up to this.
    pub pause_max: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            failures_max: 5,
            pause: Duration::from_secs(30),
            pause_max: Duration::from_secs(3600),
        }
    }
}

/// How a plugin does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It runs, after so many failures in a row.
    Well { failures: u32 },
    /// It is set aside. From `until` on, one run may try it.
    Aside { until: Millis, pause: Millis },
    /// That run is under way.
    OnTrial { pause: Millis },
}

/// How the plugin did when a run began. What began before it was set aside says nothing about it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Began {
    /// It ran for everybody.
    Well,
    /// It was set aside, and the run was owed: its call was paid already.
    Aside,
    /// The run is the trial.
    OnTrial,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A trial begins.
    Tried,
    /// The trial ended without saying anything about the plugin.
    TrialLost,
    /// A run was answered, by a declared failure too.
    Answered(Began),
    /// A run failed for a reason of the plugin's own.
    Failed(Began),
}

/// Whether a new run may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Like any other.
    Yes,
    /// As the trial.
    AsTrial,
    /// Not before so many milliseconds are over; zero while the trial is under way.
    No { wait_ms: Millis },
}

impl Health {
    /// Nothing is known against it.
    pub(super) const WELL: Self = Self::Well { failures: 0 };

    /// Whether a new run may begin at `now`.
    pub(super) fn admits(self, now: Millis) -> Admission {
        match self {
            Self::Well { .. } => Admission::Yes,
            Self::Aside { until, .. } if now >= until => Admission::AsTrial,
            Self::Aside { until, .. } => Admission::No {
                wait_ms: until - now,
            },
            Self::OnTrial { .. } => Admission::No { wait_ms: 0 },
        }
    }

    /// The health after `event` at `now`. Whatever is not listed changes nothing.
    pub(super) fn after(self, event: Event, rules: &Rules, now: Millis) -> Self {
        let since_aside = |began| began != Began::Well;
        match (self, event) {
            (Self::Well { .. }, Event::Answered(_)) => Self::WELL,
            (Self::Well { failures }, Event::Failed(_)) => {
                let failures = failures.saturating_add(1);
                match failures >= rules.failures_max {
                    true => aside(millis(rules.pause), now),
                    false => Self::Well { failures },
                }
            }
            (Self::Aside { until, pause }, Event::Tried) if now >= until => Self::OnTrial { pause },
            (Self::OnTrial { pause }, Event::TrialLost) => Self::Aside { until: now, pause },
            (Self::Aside { .. } | Self::OnTrial { .. }, Event::Answered(began))
                if since_aside(began) =>
            {
                Self::WELL
            }
            // Its pause is not over: a paid run that fails in it says what is known.
            (Self::Aside { until, .. }, Event::Failed(_)) if now < until => self,
            (Self::Aside { pause, .. } | Self::OnTrial { pause }, Event::Failed(began))
                if since_aside(began) =>
            {
                let doubled = pause.saturating_mul(2);
                aside(doubled.min(millis(rules.pause_max)), now)
            }
            _ => self,
        }
    }
}

fn aside(pause: Millis, now: Millis) -> Health {
    Health::Aside {
        until: now.saturating_add(pause),
        pause,
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        failures_max: 3,
        pause: Duration::from_millis(100),
        pause_max: Duration::from_millis(350),
    };

    fn check(before: Health, event: Event, now: Millis, after: Health) {
        assert_eq!(
            before.after(event, &RULES, now),
            after,
            "{before:?} {event:?} at {now}"
        );
    }

    #[test]
    fn failures_in_a_row_set_it_aside_and_an_answer_forgives_them() {
        let well = |failures| Health::Well { failures };
        let failed = Event::Failed(Began::Well);
        check(well(0), failed, 5, well(1));
        check(well(1), failed, 5, well(2));
        check(
            well(2),
            failed,
            5,
            Health::Aside {
                until: 105,
                pause: 100,
            },
        );
        check(well(2), Event::Answered(Began::Well), 5, well(0));
        check(well(2), Event::Tried, 5, well(2));
        check(well(2), Event::TrialLost, 5, well(2));
    }

    #[test]
    fn aside_until_its_trial() {
        let aside = Health::Aside {
            until: 100,
            pause: 100,
        };
        assert_eq!(aside.admits(40), Admission::No { wait_ms: 60 });
        assert_eq!(aside.admits(100), Admission::AsTrial);
        check(aside, Event::Tried, 99, aside);
        check(aside, Event::Tried, 100, Health::OnTrial { pause: 100 });
        let trial = Health::OnTrial { pause: 100 };
        assert_eq!(trial.admits(1_000), Admission::No { wait_ms: 0 });
        check(trial, Event::Tried, 1_000, trial);
        check(
            trial,
            Event::TrialLost,
            120,
            Health::Aside {
                until: 120,
                pause: 100,
            },
        );
    }

    #[test]
    fn a_failed_trial_doubles_the_pause_up_to_the_longest() {
        let mut health = Health::OnTrial { pause: 100 };
        for pause in [200, 350, 350] {
            health = health.after(Event::Failed(Began::OnTrial), &RULES, 1_000);
            let until = 1_000 + pause;
            assert_eq!(health, Health::Aside { until, pause });
            health = health.after(Event::Tried, &RULES, until);
        }
        check(health, Event::Answered(Began::OnTrial), 9_999, Health::WELL);
    }

    #[test]
    fn what_began_before_counts_for_nothing() {
        let aside = Health::Aside {
            until: 100,
            pause: 100,
        };
        let trial = Health::OnTrial { pause: 100 };
        for health in [aside, trial] {
            for event in [Event::Failed(Began::Well), Event::Answered(Began::Well)] {
                check(health, event, 500, health);
            }
        }
    }

    #[test]
    fn a_paid_run_is_a_trial_once_the_pause_is_over_and_may_end_it_before() {
        let aside = Health::Aside {
            until: 100,
            pause: 100,
        };
        check(aside, Event::Failed(Began::Aside), 50, aside);
        check(
            aside,
            Event::Failed(Began::Aside),
            100,
            Health::Aside {
                until: 300,
                pause: 200,
            },
        );
        check(aside, Event::Answered(Began::Aside), 50, Health::WELL);
    }
}
