//! Secrets that were granted, taken out of whatever leaves a run in words: its log and its errors.
//!
//! A guest that wants to tell a secret can always write it differently; this is for the one that prints it by mistake.

use super::log::{CapturedLog, cut};
use super::{FailureKind, RunError};
use crate::grants::{Denial, Grants};

/// Stands where a secret stood.
const MASK: &str = "[secret]";
/// From this length on, bytes, a single line of a secret of several lines counts by itself.
const LINE_BYTES_MIN: usize = 8;

/// What is to be taken out, the longest first: one secret may be part of another.
pub(super) struct Mask<'a>(Vec<&'a str>);

impl<'a> Mask<'a> {
    pub(super) fn of(grants: &'a Grants) -> Self {
        Self::of_secrets(grants.secrets())
    }

    pub(super) fn of_secrets(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut words = Vec::new();
        for secret in secrets {
            words.push(secret);
            let lines = secret.lines().map(str::trim);
            words.extend(lines.filter(|line| line.len() >= LINE_BYTES_MIN));
        }
        words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        Self(words)
    }

    /// `text` without secrets.
    pub(super) fn apply(&self, text: String) -> String {
        let replaced = |text: String, word: &&str| match text.contains(word) {
            true => text.replace(word, MASK),
            false => text,
        };
        self.0.iter().fold(text, replaced)
    }

    /// A log without secrets. Where its end was dropped, a secret may have been cut through: its beginning goes, too.
    pub(super) fn log(&self, log: CapturedLog) -> CapturedLog {
        let mut text = self.apply(log.text);
        if log.dropped > 0 {
            let begun = self.0.iter().filter_map(|word| begun_at_end(&text, word));
            if let Some(at) = begun.min() {
                text.truncate(at);
                text.push_str(MASK);
            }
        }
        CapturedLog { text, ..log }
    }

    /// What was refused, without secrets: they may be part of a host's name.
    pub(super) fn denials(&self, denials: Vec<Denial>) -> Vec<Denial> {
        let masked = denials.into_iter().map(|denial| Denial {
            wanted: self.of_host(denial.wanted),
            line: denial.line.map(|line| self.of_host(line)),
        });
        masked.collect()
    }

    /// Hosts are written in lower case, whatever a secret is.
    fn of_host(&self, text: String) -> String {
        let text = self.apply(text);
        let lower = self.0.iter().map(|word| word.to_ascii_lowercase());
        lower.fold(text, |text, word| text.replace(&word, MASK))
    }

    /// An error without secrets.
    pub(super) fn error(&self, error: RunError) -> RunError {
        match error {
            RunError::Failed { kind, message } => RunError::Failed {
                kind: match kind {
                    FailureKind::Other(word) => FailureKind::Other(self.apply(word)),
                    kind => kind,
                },
                message: self.apply(message),
            },
            RunError::InvalidArguments(message) => RunError::InvalidArguments(self.apply(message)),
            RunError::InvalidOutput(reason) => RunError::InvalidOutput(self.apply(reason)),
            RunError::Trap { reason } => RunError::Trap {
                reason: self.apply(reason),
            },
            other => other,
        }
    }
}

/// Where `text` ends with a beginning of `word`, if it does.
fn begun_at_end(text: &str, word: &str) -> Option<usize> {
    let longest = (word.len() - 1).min(text.len());
    let lengths = (1..=longest).rev().filter(|n| word.is_char_boundary(*n));
    let mut begun = lengths.map(|n| cut(word, n));
    begun
        .find(|part| text.ends_with(part))
        .map(|part| text.len() - part.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::EnvGrant;

    #[test]
    fn a_secret_in_a_hosts_name_is_not_told_with_the_denial() {
        let grants = grants(&["Hunter2-Token"]);
        let denied = Denial {
            wanted: "send GET https://hunter2-token.hooks.example".into(),
            line: Some("sockets = [\"tcp://Hunter2-Token.hooks.example:PORT\"]".into()),
        };
        let masked = Mask::of(&grants).denials(vec![denied]);
        assert_eq!(masked[0].wanted, "send GET https://[secret].hooks.example");
        assert_eq!(
            masked[0].line.as_deref(),
            Some("sockets = [\"tcp://[secret].hooks.example:PORT\"]")
        );
    }

    fn grants(secrets: &[&str]) -> Grants {
        let env = secrets.iter().enumerate().map(|(n, secret)| {
            let grant = EnvGrant::Env {
                variable: "X".into(),
                value: (*secret).into(),
            };
            (format!("V{n}"), grant)
        });
        Grants {
            env: env.collect(),
            ..Grants::default()
        }
    }

    fn masked(secrets: &[&str], text: &str, dropped: u64) -> String {
        let text = text.to_owned();
        let grants = grants(secrets);
        Mask::of(&grants).log(CapturedLog { text, dropped }).text
    }

    #[test]
    fn secrets_are_taken_out_wherever_they_stand() {
        let secrets = ["hunter2", "hunter2-of-2"];
        let text = "key hunter2-of-2, hunter2hunter2\n";
        assert_eq!(
            masked(&secrets, text, 0),
            "key [secret], [secret][secret]\n"
        );
        assert_eq!(masked(&[], text, 0), text);
    }

    #[test]
    fn the_lines_of_a_long_secret_count_by_themselves() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nab\n";
        assert_eq!(
            masked(&[key], "saw MIIEvQIBADANBg and ab", 0),
            "saw [secret] and ab"
        );
    }

    #[test]
    fn a_secret_that_was_cut_through_goes_as_well() {
        assert_eq!(
            masked(&["hünter2"], "the key is hün", 9),
            "the key is [secret]"
        );
        assert_eq!(masked(&["hünter2"], "the key is hün", 0), "the key is hün");
        assert_eq!(masked(&["hünter2"], "nothing", 9), "nothing");
    }

    #[test]
    fn a_failure_in_the_guests_words_is_masked() {
        let grants = grants(&["hunter2"]);
        let error = RunError::Failed {
            kind: FailureKind::Failed,
            message: "401 for hunter2".into(),
        };
        let told = Mask::of(&grants).error(error).to_string();
        assert_eq!(told, "401 for [secret]");
    }
}
