//! Where one process of a play is killed.

use std::fmt;
use std::str::FromStr;

/// Which process, and at which of its visits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Aim {
    /// The process, counted from 0 in the order in which a play starts them.
    pub seat: usize,
    /// As `COINOP_FAILPOINT` has it: `PLACE:N` or `#N`.
    pub at: String,
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.seat, self.at)
    }
}

impl FromStr for Aim {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts = text
            .split_once('/')
            .and_then(|(seat, at)| Some((seat.parse().ok()?, at)));
        let Some((seat, at)) = parts else {
            anyhow::bail!(
                "{text:?} is no aim: write PROCESS/PLACE:N or PROCESS/#N, such as 0/before-run:1"
            );
        };
        let at = at.to_owned();
        Ok(Self { seat, at })
    }
}

/// Several aims, as the command line takes them.
pub fn joined(aims: &[Aim]) -> String {
    let words: Vec<String> = aims.iter().map(Aim::to_string).collect();
    words.join(",")
}
