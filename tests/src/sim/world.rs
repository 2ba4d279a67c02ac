//! A simulated world: the time, the dice, the ledger, the banks, the hosts, and what was seen of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coinop::clock::Clock;
use coinop::gate::CallerCaps;
use coinop::ledger::{Caps, Components as _};
use coinop_core::Millis;
use coinop_core::money::Money;

use super::bank::{Bank, Terms};
use super::dice::Dice;
use super::host::Host;
use super::shop;
use super::timeline::Timeline;
use super::trace::Trace;
use super::weather::Weather;
use super::witness::Witness;
use crate::memory_ledger::MemoryLedger;

/// How the hosts of a world are configured.
pub(crate) struct Habits {
    /// How long a quote stands.
    pub quote_lifetime: Duration,
    /// How long what is paid waits for its caller.
    pub claim_window: Duration,
    /// What one principal may have open and spend.
    pub caps: CallerCaps,
}

impl Habits {
    fn of(dice: &Dice) -> Self {
        let seconds = |least, most| Duration::from_secs(dice.between(least, most).unsigned_abs());
        let caps = Caps {
            open_max: dice.chance(300).then(|| 1 + dice.below(4) as u32),
            links_per_minute_max: dice.chance(200).then(|| 2 + dice.below(8) as u32),
            per_call_max: Vec::new(),
            per_day_max: match dice.chance(200) {
                true => vec![shop::dollars("12")],
                false => Vec::new(),
            },
        };
        Self {
            quote_lifetime: seconds(30, 300),
            claim_window: seconds(60, 600),
            caps: CallerCaps {
                known: caps,
                anonymous: Caps::default(),
                ..CallerCaps::default()
            },
        }
    }
}

/// A payment that is going to be made when the hosts have long stopped expecting it.
#[derive(Clone, Debug)]
pub(crate) struct LatePayment {
    /// Where.
    pub bank: usize,
    /// For what.
    pub reference: String,
    /// How much.
    pub money: Money,
}

/// The world of one seed.
pub(crate) struct World {
    /// Its time.
    pub time: Timeline,
    /// What everything that could go either way asks.
    pub dice: Arc<Dice>,
    /// What happened.
    pub trace: Trace,
    /// How bad it is.
    pub weather: Weather,
    /// The ledger, without the lines that lead to it.
    pub ledger: MemoryLedger,
    /// The banks, by the account's name.
    pub banks: Vec<(&'static str, Bank)>,
    /// How hosts are configured.
    pub habits: Habits,
    /// What was seen.
    pub witness: Mutex<Witness>,
    hosts: Mutex<Vec<Option<Host>>>,
    later: Mutex<BTreeMap<(Millis, usize), LatePayment>>,
}

struct LedgerClock(Timeline);

impl Clock for LedgerClock {
    fn now(&self) -> Millis {
        self.0.now()
    }
}

impl World {
    /// The world of `seed`; `keep` its trace's text?
    pub(crate) async fn new(time: Timeline, seed: u64, keep: bool) -> Arc<Self> {
        let dice = Arc::new(Dice::new(seed));
        let ledger = MemoryLedger::new(Arc::new(LedgerClock(time.clone())));
        for component in shop::components() {
            let kept = ledger.keep_component(component, Arc::from(&b"code"[..]), time.now());
            kept.await.expect("memory keeps");
        }
        let bank = |name| (name, Bank::new(Terms::of(&dice)));
        Arc::new(Self {
            trace: Trace::new(keep),
            weather: Weather::of(&dice),
            banks: shop::ACCOUNTS.into_iter().map(bank).collect(),
            habits: Habits::of(&dice),
            witness: Mutex::default(),
            hosts: Mutex::default(),
            later: Mutex::default(),
            ledger,
            dice,
            time,
        })
    }

    /// Notes what happens.
    pub(crate) fn note(&self, what: fmt::Arguments<'_>) {
        self.trace.note(self.time.now(), what);
    }

    /// What was seen.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a promise was broken.
    pub(crate) fn broken(&self, what: fmt::Arguments<'_>) {
        self.note(format_args!("BROKEN: {what}"));
        self.seen().broken.push(what.to_string());
    }

    /// Counts something worth knowing.
    pub(crate) fn count(&self, what: &'static str) {
        *self.seen().counts.entry(what).or_default() += 1;
    }

    /// The hosts, by their place.
    pub(crate) fn hosts(&self) -> MutexGuard<'_, Vec<Option<Host>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A host, if the one that was asked for is up.
    pub(crate) fn some_host(&self) -> Option<Host> {
        let hosts = self.hosts();
        let place = self.dice.below(hosts.len() as u64) as usize;
        hosts.get(place)?.clone()
    }

    /// The bank of an account.
    pub(crate) fn bank(&self, account: &str) -> &Bank {
        let found = self.banks.iter().find(|(name, _)| *name == account);
        &found.expect("the shop's accounts are the world's").1
    }

    /// Has a payment made at `at`, after everything else.
    pub(crate) fn pay_later(&self, at: Millis, payment: LatePayment) {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        let number = later.len();
        later.insert((at, number), payment);
    }

    /// When the next late payment is made.
    pub(crate) fn next_late(&self) -> Option<Millis> {
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.first_key_value().map(|((at, _), _)| *at)
    }

    /// Makes the late payments whose time has come.
    pub(crate) fn make_late_payments(&self) {
        let now = self.time.now();
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(entry) = later.first_entry()
            && entry.key().0 <= now
        {
            let payment = entry.remove();
            let mut books = self.banks[payment.bank].1.books();
            let taken = books.pay(&payment.reference, payment.money, now);
            drop(books);
            if taken {
                self.count("late payments");
            }
            let reference = &payment.reference;
            self.note(format_args!("late payment of {reference}: {taken}"));
        }
    }
}
