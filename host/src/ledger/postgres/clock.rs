//! The database's clock, followed by every answer that tells its time: the one clock that the hosts of a ledger share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use coinop_core::Millis;

use crate::clock::Clock;

/// By how much two sound clocks may drift apart: 1 ms in this many, what NTP corrects at most.
const DRIFT_ONE_IN: Millis = 2_000;
/// Both clocks are read in whole milliseconds.
const ROUNDING: Millis = 1;

/// Tells the database's time without asking it.
pub(super) struct DatabaseClock {
    base: Arc<dyn Clock>,
    offset: Mutex<Option<Offset>>,
}

/// What the database's clock is ahead of the base: known within bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offset {
    least: Millis,
    most: Millis,
    /// When it was last corrected, by the base.
    at: Millis,
}

/// An answer that told the time.
#[derive(Clone, Copy, Debug)]
struct Answer {
    /// When it was asked for, by the base.
    sent: Millis,
    /// When it came, by the base.
    received: Millis,
    /// What the database's clock said in between.
    told: Millis,
}

impl Offset {
    /// What an answer alone says: the database looked at its clock between question and answer.
    fn of(answer: Answer) -> Self {
        Self {
            least: answer.told - answer.received - ROUNDING,
            most: answer.told - answer.sent + ROUNDING,
            at: answer.received,
        }
    }

    /// What is known after one more answer: what both agree on. Where they do not, one of the clocks was set, and the
    /// latest word counts.
    fn corrected(self, answer: Answer) -> Self {
        let heard = Self::of(answer);
        let drift = (heard.at - self.at).max(0) / DRIFT_ONE_IN + ROUNDING;
        let (least, most) = (
            (self.least - drift).max(heard.least),
            (self.most + drift).min(heard.most),
        );
        match least <= most {
            true => Self {
                least,
                most,
                ..heard
            },
            false => heard,
        }
    }

    fn middle(self) -> Millis {
        self.least + (self.most - self.least) / 2
    }
}

impl DatabaseClock {
    /// A clock over `base`, whose own time does not matter, only that it goes on.
    pub(super) fn new(base: Arc<dyn Clock>) -> Self {
        Self {
            base,
            offset: Mutex::new(None),
        }
    }

    /// The base's time, to be taken before the database is asked.
    pub(super) fn asked(&self) -> Millis {
        self.base.now()
    }

    /// Takes in what the database told, having been asked at `sent`.
    pub(super) fn heard(&self, sent: Millis, told: Millis) {
        let received = self.base.now();
        let answer = Answer {
            sent,
            received,
            told,
        };
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        *offset = Some(match *offset {
            Some(known) => known.corrected(answer),
            None => Offset::of(answer),
        });
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Millis {
        let offset = *self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        self.base.now() + offset.map_or(0, Offset::middle)
    }
}

/// Milliseconds since this process first looked: goes on whatever is done to the machine's clock.
pub(super) struct Monotonic(Instant);

impl Monotonic {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Monotonic {
    fn now(&self) -> Millis {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn answer(sent: Millis, received: Millis, told: Millis) -> Answer {
        Answer {
            sent,
            received,
            told,
        }
    }

    #[test]
    fn a_slow_answer_does_not_spoil_what_a_quick_one_said() {
        let known = Offset::of(answer(0, 2, 1_001));
        assert_eq!(known.middle(), 1_000);
        let slow = known.corrected(answer(10, 4_010, 1_011));
        assert!((slow.middle() - 1_000).abs() <= 2, "{slow:?}");
        let quick = slow.corrected(answer(5_000, 5_000, 6_000));
        assert_eq!(quick.middle(), 1_000);
    }

    #[test]
    fn drift_is_followed_and_a_clock_that_was_set_is_believed() {
        let mut known = Offset::of(answer(0, 2, 1_001));
        for round in 1..=1_000 {
            let at = round * 2_000;
            // The database's clock is 1 in 4,000 fast.
            known = known.corrected(answer(at, at + 2, 1_001 + at + at / 4_000));
        }
        assert!((known.middle() - 1_500).abs() <= 3, "{known:?}");
        let set = known.corrected(answer(2_000_100, 2_000_102, 90_000_000));
        assert_eq!(set.middle(), 90_000_000 - 2_000_101);
    }

    #[test]
    fn the_bases_own_time_does_not_matter() {
        struct Base(AtomicI64);
        impl Clock for Base {
            fn now(&self) -> Millis {
                self.0.load(Ordering::SeqCst)
            }
        }
        for skew in [0, -300_000, 86_400_000] {
            let base = Arc::new(Base(AtomicI64::new(1_000_000 + skew)));
            let clock = DatabaseClock::new(base.clone());
            let sent = clock.asked();
            base.0.fetch_add(4, Ordering::SeqCst);
            clock.heard(sent, 5_000_000);
            assert!((clock.now() - 5_000_002).abs() <= 1);
            base.0.fetch_add(100, Ordering::SeqCst);
            assert!((clock.now() - 5_000_102).abs() <= 1);
        }
    }
}
