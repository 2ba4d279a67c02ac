//! What a campaign counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The counts, and everything that went wrong.
#[derive(Debug, Default)]
pub struct Tally {
    /// Plays, those without a kill included.
    pub plays: usize,
    /// Kills by scenario and place.
    pub kills: BTreeMap<&'static str, BTreeMap<String, usize>>,
    /// Aims that no process came to: chance decides what some of them visit.
    pub missed: Vec<String>,
    /// Broken promises, each with the command that repeats the play.
    pub violations: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Tally {
    /// Counts a kill.
    pub fn killed(&mut self, scenario: &'static str, place: &str) {
        let places = self.kills.entry(scenario).or_default();
        *places.entry(place.to_owned()).or_default() += 1;
    }

    /// All kills.
    pub fn total(&self) -> usize {
        self.kills.values().flat_map(BTreeMap::values).sum()
    }

    /// Kills at one place, in all scenarios.
    pub fn killed_at(&self, place: &str) -> usize {
        self.places().get(place).copied().unwrap_or(0)
    }

    /// Kills by place, in all scenarios.
    fn places(&self) -> BTreeMap<&str, usize> {
        let mut places = BTreeMap::<&str, usize>::new();
        for (place, kills) in self.kills.values().flatten() {
            *places.entry(place).or_default() += kills;
        }
        places
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kills by scenario")?;
        for (scenario, places) in &self.kills {
            writeln!(f, "{:>7}  {scenario}", places.values().sum::<usize>())?;
        }
        writeln!(f, "kills by place")?;
        for (place, kills) in self.places() {
            writeln!(f, "{kills:>7}  {place}")?;
        }
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        writeln!(
            f,
            "{} kills in {} plays, {} aims not reached, {} violations, {:.1} s",
            self.total(),
            self.plays,
            self.missed.len(),
            self.violations.len(),
            self.took.as_secs_f64(),
        )
    }
}
