//! The form of HTTP answers, as configured.

use serde::Deserialize;

/// As written in the configuration.
pub(super) const WORDS: &[&str] = &["json", "event-stream"];

/// The form of an HTTP answer that comes alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replies {
    /// Plain JSON.
    #[default]
    Json,
    /// An event stream of one event, for gateways that expect nothing else.
    EventStream,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_configuration_has_its_form() {
        for word in WORDS {
            serde_json::from_value::<Replies>((*word).into()).unwrap();
        }
    }
}
