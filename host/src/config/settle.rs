//! When money that a caller brings with the call is taken, as configured.

use serde::Deserialize;

/// As written in the configuration.
pub(super) const WORDS: &[&str] = &["after", "upfront"];

/// When reserved money is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settle {
    /// After the run, and not at all where it fails.
    #[default]
    After,
    /// Before the run.
    Upfront,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_configuration_has_its_time() {
        for word in WORDS {
            serde_json::from_value::<Settle>((*word).into()).unwrap();
        }
    }
}
