//! When a wait looks at the ledger, asks the provider and says that it waits. Plain arithmetic over times.
//!
//! What this process commits wakes a wait at once. Looking finds what other processes commit; asking finds what the
//! provider's webhook should have told.

use coinop_core::Millis;

/// First and longest pause between two looks at the ledger, milliseconds.
const LOOK_MS_MIN: Millis = 500;
const LOOK_MS_MAX: Millis = 5_000;
/// First and longest pause between two questions to the provider, milliseconds.
const ASK_MS_MIN: Millis = 3_000;
const ASK_MS_MAX: Millis = 15_000;
/// Pause between two words to the client, milliseconds: below the 20 to 30 seconds after which clients and proxies take
/// silence for death, with room for a busy machine.
const TELL_MS: Millis = 14_000;

/// The next thing that a wait does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gate) enum Due {
    /// Tell the client that it waits.
    Tell,
    /// Look at the ledger.
    Look,
    /// Ask the provider.
    Ask,
    /// Nothing before so many milliseconds have passed.
    Nothing(Millis),
}

/// The times of one wait.
#[derive(Clone, Copy, Debug)]
pub(in crate::gate) struct Pace {
    tell_at: Millis,
    look_at: Millis,
    look_ms: Millis,
    ask_at: Millis,
    ask_ms: Millis,
}

impl Pace {
    /// A wait from `now` on, right after the provider was asked.
    pub(in crate::gate) fn from(now: Millis) -> Self {
        Self {
            tell_at: now,
            // What was read before somebody listened may be old.
            look_at: now,
            look_ms: LOOK_MS_MIN,
            ask_at: now + ASK_MS_MIN,
            ask_ms: ASK_MS_MIN,
        }
    }

    /// Something has happened: the next thing due is a look.
    pub(in crate::gate) fn hurry(&mut self) {
        self.look_at = Millis::MIN;
    }

    /// What is due at `now`; each thing once, and then again after its pause.
    pub(in crate::gate) fn due(&mut self, now: Millis) -> Due {
        if now >= self.tell_at {
            self.tell_at = now + TELL_MS;
            Due::Tell
        } else if now >= self.look_at {
            self.look_at = now + self.look_ms;
            self.look_ms = (2 * self.look_ms).min(LOOK_MS_MAX);
            Due::Look
        } else if now >= self.ask_at {
            self.ask_ms = (self.ask_ms * 3 / 2).min(ASK_MS_MAX);
            self.ask_at = now + self.ask_ms;
            Due::Ask
        } else {
            let next = self.tell_at.min(self.look_at).min(self.ask_at);
            Due::Nothing(next - now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each thing is done in the first minute of a wait whose clock is read every `step_ms`.
    fn minute(step_ms: Millis) -> [Vec<Millis>; 3] {
        let start = 1_000_000;
        let mut pace = Pace::from(start);
        let mut done = [Vec::new(), Vec::new(), Vec::new()];
        let mut now = start;
        while now < start + 60_000 {
            match pace.due(now) {
                Due::Tell => done[0].push(now - start),
                Due::Look => done[1].push(now - start),
                Due::Ask => done[2].push(now - start),
                Due::Nothing(ms) => {
                    assert!(ms > 0);
                    now += ms.max(step_ms);
                }
            }
        }
        done
    }

    #[test]
    fn a_minute_of_waiting() {
        let [told, looked, asked] = minute(1);
        assert_eq!(told, [0, 14_000, 28_000, 42_000, 56_000]);
        assert_eq!(looked[..6], [0, 500, 1_500, 3_500, 7_500, 12_500]);
        assert_eq!(looked.len(), 5 + 10);
        assert_eq!(asked, [3_000, 7_500, 14_250, 24_375, 39_375, 54_375]);
    }

    #[test]
    fn who_is_told_looks_at_once_and_keeps_the_pace() {
        let mut pace = Pace::from(0);
        assert_eq!([pace.due(0), pace.due(0)], [Due::Tell, Due::Look]);
        assert_eq!(pace.due(100), Due::Nothing(400));
        pace.hurry();
        assert_eq!(
            [pace.due(100), pace.due(100)],
            [Due::Look, Due::Nothing(1_000)]
        );
    }

    #[test]
    fn a_machine_that_sleeps_does_each_thing_once_when_it_wakes() {
        let [told, looked, asked] = minute(59_000);
        assert_eq!((told.len(), looked.len(), asked.len()), (2, 2, 1));
    }
}
