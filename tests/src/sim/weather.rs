//! How bad a world is: which faults strike how often. Chosen once a seed, and all of it ends when the sky clears.

use std::sync::atomic::{AtomicBool, Ordering};

use coinop_core::Millis;

use super::dice::Dice;

/// The faults of a world, per mille of the occasions.
pub(crate) struct Weather {
    bank: u64,
    ledger: u64,
    code: u64,
    tool: u64,
    latency: u64,
    /// Hosts killed.
    pub kills: u64,
    /// Hosts stopped for a while.
    pub freezes: u64,
    /// How far a host's clock is off at most, milliseconds.
    pub skew_max: Millis,
    clear: AtomicBool,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is told to come back later.
    Busy,
    /// It is lost.
    LostRequest,
    /// Its answer is lost.
    LostAnswer,
    /// Nobody ever answers, and nothing was done.
    Silence,
    /// Nobody ever answers, and it was done.
    SilenceAfter,
    /// Nobody answers in time, and it is done much later.
    Late,
}

impl Weather {
    /// The weather of a seed: one in four is fine, most are bad, some are terrible.
    pub(crate) fn of(dice: &Dice) -> Self {
        let worst = *dice.pick(&[0, 20, 60, 60, 150, 300]);
        let some = |dice: &Dice| dice.below(worst + 1);
        Self {
            bank: some(dice),
            ledger: some(dice) / 4,
            code: some(dice) / 8,
            tool: dice.below(400),
            latency: *dice.pick(&[20, 100, 300]),
            kills: dice.below(4),
            freezes: dice.below(6),
            skew_max: *dice.pick(&[0, 0, 2_000, 180_000]),
            clear: AtomicBool::new(false),
        }
    }

    /// From now on nothing goes wrong.
    pub(crate) fn clear_up(&self) {
        self.clear.store(true, Ordering::Relaxed);
    }

    /// Whether anything can go wrong.
    pub(crate) fn is_bad(&self) -> bool {
        !self.clear.load(Ordering::Relaxed)
    }

    fn strikes(&self, dice: &Dice, per_mille: u64) -> bool {
        self.is_bad() && dice.chance(per_mille)
    }

    /// What goes wrong with a request to a bank.
    pub(crate) fn of_bank(&self, dice: &Dice) -> Option<Fault> {
        use Fault::*;
        let all = [Busy, LostRequest, LostAnswer, Silence, SilenceAfter, Late];
        self.strikes(dice, self.bank).then(|| *dice.pick(&all))
    }

    /// What goes wrong with a request to the ledger: databases that die in a commit do not say how it went.
    pub(crate) fn of_ledger(&self, dice: &Dice) -> Option<Fault> {
        let all = [Fault::LostRequest, Fault::LostRequest, Fault::LostAnswer];
        self.strikes(dice, self.ledger).then(|| *dice.pick(&all))
    }

    /// Whether a bank says of a paid payment that it is pending.
    pub(crate) fn hides_a_payment(&self, dice: &Dice) -> bool {
        self.strikes(dice, self.bank)
    }

    /// Whether a component's code cannot be had.
    pub(crate) fn withholds_code(&self, dice: &Dice) -> bool {
        self.strikes(dice, self.code)
    }

    /// Whether a tool misbehaves.
    pub(crate) fn spoils_a_run(&self, dice: &Dice) -> bool {
        self.strikes(dice, self.tool)
    }

    /// Whether a host is stopped in the middle of a run.
    pub(crate) fn stops_a_run(&self, dice: &Dice) -> bool {
        self.freezes > 0 && self.strikes(dice, 80)
    }

    /// Whether a bank gives a refund up.
    pub(crate) fn spoils_a_refund(&self, dice: &Dice) -> bool {
        self.strikes(dice, self.bank)
    }

    /// How long a message is on its way, milliseconds.
    pub(crate) fn latency(&self, dice: &Dice) -> Millis {
        if !self.strikes(dice, self.latency) {
            return 0;
        }
        match dice.below(50) {
            0 => dice.between(1_000, 20_000),
            1..10 => dice.between(100, 1_000),
            _ => dice.between(1, 100),
        }
    }
}
