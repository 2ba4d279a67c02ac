//! Asking a component: what a question may use and reach, what no answer means, and what the operator is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::v0_1_0::Answer;
use crate::grants::{Denial, Grants};
use crate::limits::Limits;
use crate::provider::ProviderError;
use crate::sandbox::service::{Answered, Errand, Service, Silence, Work, without_secrets};
use crate::unruly::tame;

/// How long one answer may take, waiting for a place and its requests included.
const ANSWER_WAIT: Duration = Duration::from_secs(20);
/// Whoever asks waits a little longer, and hears why there was none.
pub(super) const PATIENCE: Duration = Duration::from_secs(22);
/// How long a webhook may be looked at.
const WEBHOOK_WAIT: Duration = Duration::from_secs(2);
/// Lines of one answer's log that are passed on, and characters of each.
const LOG_LINES_MAX: usize = 32;
const LOG_CHARS_MAX: usize = 1024;
/// Characters of a message that are passed on.
const MESSAGE_CHARS_MAX: usize = 1024;
/// Missing grants that are told in one process.
const DENIALS_MAX: usize = 64;

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The provider itself: nothing outside is asked.
    Itself,
    /// What somebody sent: nothing outside is asked, and not for long, since anybody may send.
    Webhook,
    /// How things stand.
    Standing,
    /// Something that moves money, or may.
    Money,
}

impl About {
    fn limits(self) -> Limits {
        let wait = match self {
            Self::Webhook => WEBHOOK_WAIT,
            Self::Itself | Self::Standing | Self::Money => ANSWER_WAIT,
        };
        Limits {
            memory_bytes_max: 128 << 20,
            cpu_ms_max: 2_000,
            wall_ms_max: wait.as_secs() * 1_000,
            output_bytes_max: 1 << 20,
            log_bytes_max: 16 << 10,
            http_requests_max: 16,
            http_bytes_max: 4 << 20,
            ..Limits::default()
        }
    }

    fn reaches_out(self) -> bool {
        matches!(self, Self::Standing | Self::Money)
    }

    /// What it means that there was no answer.
    fn unanswered(self, silence: Silence) -> ProviderError {
        match (self, silence) {
            (Self::Money, Silence::Asked(why)) => ProviderError::Unreachable(why),
            (_, Silence::Asked(why) | Silence::NotAsked(why)) => ProviderError::Busy(why),
        }
    }
}

/// A component and what it is asked with.
pub(super) struct Desk {
    pub(super) account: String,
    pub(super) service: Service,
    pub(super) settings: BTreeMap<String, String>,
    /// Those of the settings that must be shown nowhere.
    pub(super) secrets: Vec<String>,
    pub(super) grants: Grants,
    pub(super) told: Mutex<BTreeSet<Denial>>,
}

impl Desk {
    /// Asks something about money.
    pub(super) async fn ask<T>(&self, about: About, work: Work<Answer<T>>) -> Answer<T> {
        let answer = self.question(about, work).await;
        let answer = answer.unwrap_or_else(|silence| Err(about.unanswered(silence)));
        answer.map_err(|error| match error {
            ProviderError::Busy(why) => ProviderError::Busy(self.shown(why)),
            ProviderError::Refused(why) => ProviderError::Refused(self.shown(why)),
            ProviderError::Unreachable(why) => ProviderError::Unreachable(self.shown(why)),
            ProviderError::Unsupported { operation } => ProviderError::Unsupported { operation },
        })
    }

    /// The component's words, as an operator may see them.
    pub(super) fn shown(&self, theirs: String) -> String {
        shown(theirs, &self.secrets)
    }

    /// Asks anything.
    pub(super) async fn question<T>(&self, about: About, work: Work<T>) -> Result<T, Silence> {
        let nothing = Grants::default();
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        let errand = Errand {
            limits: &about.limits(),
            grants: match about.reaches_out() {
                true => &self.grants,
                false => &nothing,
            },
            settings: &self.settings,
            secrets: &secrets,
        };
        let answered = self.service.ask(errand, work).await;
        self.tell(about, &answered);
        answered.result
    }

    fn tell<T>(&self, about: About, answered: &Answered<T>) {
        let account = &self.account;
        // Whoever sends forged webhooks must not write our log.
        if about != About::Webhook {
            let mut lines = answered.log.text.lines();
            for line in lines.by_ref().take(LOG_LINES_MAX) {
                tracing::info!(target: "provider", account, "{}", tame(line, LOG_CHARS_MAX));
            }
            let (left, dropped) = (lines.count(), answered.log.dropped);
            if left > 0 || dropped > 0 {
                tracing::info!(target: "provider", account, "… {left} lines and {dropped} bytes more");
            }
        }
        if let Err(Silence::Asked(why)) = &answered.result {
            tracing::warn!(
                account,
                ?about,
                why,
                "the provider's component gave no answer"
            );
        }
        for denial in &answered.denials {
            self.tell_denial(about, denial);
        }
    }

    /// Each once: a call is looked at again and again.
    fn tell_denial(&self, about: About, denial: &Denial) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= DENIALS_MAX || !told.insert(denial.clone()) {
            return;
        }
        let (account, wanted) = (&self.account, &denial.wanted);
        match &denial.line {
            Some(line) if about.reaches_out() => tracing::warn!(
                account,
                "the provider's component wanted to {wanted}, which it is not granted; if you trust it with that, add \
                 under [accounts.{account}.grants]: {line}"
            ),
            _ => tracing::warn!(
                account,
                "the provider's component wanted to {wanted}, which no grant allows here"
            ),
        }
    }
}

/// Words without secrets, tamed and cut: in this order, since a part of a secret, or one that was changed, is not found.
fn shown(theirs: String, secrets: &[String]) -> String {
    let masked = without_secrets(theirs, secrets.iter().map(String::as_str));
    tame(&masked, MESSAGE_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_secret_is_shown_where_words_are_cut_or_tamed() {
        let secrets = ["hunter2-of-acme".to_owned(), "hun\u{200b}ter3".to_owned()];
        for secret in &secrets {
            for before in [0, 1, 5, 14] {
                let theirs = "x".repeat(MESSAGE_CHARS_MAX - before) + secret;
                let told = shown(theirs, &secrets);
                assert!(!told.contains('h'), "{before}: {told}");
                assert!(told.chars().count() <= MESSAGE_CHARS_MAX + 1);
            }
        }
        assert_eq!(shown("down\u{1b}[2J".into(), &secrets), "down\u{fffd}[2J");
    }

    #[test]
    fn no_answer_is_unknown_where_money_may_have_moved() {
        let asked = || Silence::Asked("it crashed".into());
        let money = About::Money.unanswered(asked());
        assert!(matches!(money, ProviderError::Unreachable(_)));
        let standing = About::Standing.unanswered(asked());
        assert!(matches!(standing, ProviderError::Busy(_)));
        let never = About::Money.unanswered(Silence::NotAsked("full".into()));
        assert!(matches!(never, ProviderError::Busy(_)));
    }

    #[test]
    fn nobody_else_comes_for_a_call_while_it_waits_for_two_answers() {
        let two = i64::try_from(2 * PATIENCE.as_millis()).unwrap();
        assert!(two < coinop_core::step::STEP_PATIENCE_MS);
    }

    #[test]
    fn whoever_asks_waits_longer_than_the_component_may_take() {
        for about in [About::Itself, About::Webhook, About::Standing, About::Money] {
            let wall = Duration::from_millis(about.limits().wall_ms_max);
            assert!(wall < PATIENCE, "{about:?}");
        }
    }
}
