//! What callers may have open and spend, as configured: `[callers]` for each of them, fewer words for some.

use std::collections::BTreeMap;

use coinop_core::money::Money;
use serde::Deserialize;

use super::kinds::{self, PriceForm};
use crate::ledger::Caps;

/// Payments that one caller may have open: more than a person keeps track of, few enough not to bury them in links.
const OPEN_MAX: u32 = 20;
/// Links that one caller may make within a minute.
const LINKS_PER_MINUTE_MAX: u32 = 30;
/// The same for all callers without a name together. They cannot be told apart, so what keeps a flood out of the ledger
/// must still let many of them in.
const ANONYMOUS_OPEN_MAX: u32 = 1_000;
const ANONYMOUS_LINKS_PER_MINUTE_MAX: u32 = 300;

/// The word for a cap that is not there.
pub(super) const UNLIMITED: &str = "unlimited";

/// Hard caps by who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callers {
    /// For each known caller: an API key's holder, or the user of this machine.
    pub known: Caps,
    /// For all anonymous callers together.
    pub anonymous: Caps,
    /// For single API keys, by name.
    pub keys: BTreeMap<String, Caps>,
}

/// `[callers]`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RawCallers {
    #[serde(flatten)]
    pub(super) caps: RawCaps,
    #[serde(default)]
    pub(super) anonymous: RawCaps,
    #[serde(default)]
    pub(super) keys: BTreeMap<String, RawCaps>,
}

/// The caps of somebody. Everything may be unsaid.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawCaps {
    open_payments: Option<Count>,
    links_per_minute: Option<Count>,
    per_call: Option<CapList>,
    per_day: Option<CapList>,
}

/// A number, or none at all.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u32),
    Unlimited(Unlimited),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unlimited {
    Unlimited,
}

/// One amount of money, or one for each of several currencies.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum CapList {
    One(CapText),
    More(Vec<CapText>),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "PriceForm")]
struct CapText(Money);

impl TryFrom<PriceForm> for CapText {
    type Error = String;

    fn try_from(form: PriceForm) -> Result<Self, String> {
        match form {
            PriceForm::Text(text) => kinds::cap(&text),
            PriceForm::Parts { amount, currency } => kinds::cap_of(&amount, &currency),
        }
        .map(Self)
    }
}

impl Callers {
    /// The caps of a file, defaults filled in. What one key does not say is as for every caller; what a call of a
    /// stranger may cost is, too.
    pub(super) fn new(raw: &RawCallers) -> Self {
        let known = raw.caps.over(&Caps {
            open_max: Some(OPEN_MAX),
            links_per_minute_max: Some(LINKS_PER_MINUTE_MAX),
            ..Caps::default()
        });
        let anonymous = raw.anonymous.over(&Caps {
            open_max: Some(ANONYMOUS_OPEN_MAX),
            links_per_minute_max: Some(ANONYMOUS_LINKS_PER_MINUTE_MAX),
            per_call_max: known.per_call_max.clone(),
            per_day_max: Vec::new(),
        });
        let keys = raw
            .keys
            .iter()
            .map(|(name, caps)| (name.clone(), caps.over(&known)))
            .collect();
        Self {
            known,
            anonymous,
            keys,
        }
    }
}

impl RawCaps {
    fn over(&self, caps: &Caps) -> Caps {
        let count = |said: Option<Count>, unsaid| said.map_or(unsaid, Count::get);
        let list = |said: &Option<CapList>, unsaid: &[Money]| {
            said.as_ref().map_or(unsaid.to_vec(), CapList::to_vec)
        };
        Caps {
            open_max: count(self.open_payments, caps.open_max),
            links_per_minute_max: count(self.links_per_minute, caps.links_per_minute_max),
            per_call_max: list(&self.per_call, &caps.per_call_max),
            per_day_max: list(&self.per_day, &caps.per_day_max),
        }
    }
}

impl Count {
    fn get(self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(number),
            Self::Unlimited(Unlimited::Unlimited) => None,
        }
    }
}

impl CapList {
    fn to_vec(&self) -> Vec<Money> {
        match self {
            Self::One(cap) => vec![cap.0],
            Self::More(caps) => caps.iter().map(|cap| cap.0).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers(text: &str) -> Callers {
        Callers::new(&toml::from_str(text).unwrap())
    }

    fn money(text: &str) -> Money {
        kinds::cap(text).unwrap()
    }

    #[test]
    fn without_a_word_floods_are_kept_out_and_spending_is_the_callers_own() {
        let callers = callers("");
        assert_eq!(callers.known.open_max, Some(20));
        assert_eq!(callers.known.links_per_minute_max, Some(30));
        assert_eq!(callers.anonymous.open_max, Some(1_000));
        assert_eq!(callers.anonymous.links_per_minute_max, Some(300));
        assert!(callers.known.per_call_max.is_empty() && callers.known.per_day_max.is_empty());
    }

    #[test]
    fn a_key_differs_only_in_what_is_said_of_it() {
        let callers = callers(
            "open_payments = 5\nper_day = [\"10 USD\", { amount = \"9\", currency = \"EUR\" }]\n\
             [keys.ci]\nlinks_per_minute = \"unlimited\"\nper_day = \"100 USD\"\n",
        );
        assert_eq!(callers.known.per_day_max, [money("10 USD"), money("9 EUR")]);
        let ci = &callers.keys["ci"];
        assert_eq!((ci.open_max, ci.links_per_minute_max), (Some(5), None));
        assert_eq!(ci.per_day_max, [money("100 USD")]);
    }

    #[test]
    fn a_strangers_call_costs_no_more_than_anybodys() {
        let inherited = callers("per_call = \"5 USD\"\nopen_payments = 5");
        assert_eq!(inherited.anonymous.per_call_max, [money("5 USD")]);
        assert_eq!(inherited.anonymous.open_max, Some(1_000));
        let own = callers("per_call = \"5 USD\"\n[anonymous]\nper_call = \"1 USD\"");
        assert_eq!(own.anonymous.per_call_max, [money("1 USD")]);
    }
}
