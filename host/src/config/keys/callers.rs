//! Keys of what callers may have open and spend.

use super::{Key, Kind, Section, key};

pub(super) static CALLERS: Section = Section {
    keys: &[
        OPEN_PAYMENTS,
        LINKS_PER_MINUTE,
        PER_CALL,
        PER_DAY,
        key(
            "anonymous",
            Kind::Section(&ANONYMOUS_CALLERS),
            "All callers without a key together, who cannot be told apart.",
        ),
        key(
            "keys",
            Kind::Named(&CALLER_KEY),
            "Single callers, by the name of their API key; what is not said is as for every caller.",
        ),
    ],
    refused: &[],
};

const OPEN_PAYMENTS: Key = key(
    "open_payments",
    Kind::Count(1, 100_000),
    "Most payments that wait for their payer at a time; 20 by default, 1000 for all anonymous callers together.",
);

const LINKS_PER_MINUTE: Key = key(
    "links_per_minute",
    Kind::Count(1, 100_000),
    "Most new payments within a minute; 30 by default, 300 for all anonymous callers together.",
);

const PER_CALL: Key = key(
    "per_call",
    Kind::Caps,
    "Highest price of one call, \"5.00 USD\" or a list with one for each currency; a currency that is not named has no cap.",
);

const PER_DAY: Key = key(
    "per_day",
    Kind::Caps,
    "Most spent on calls of one day (UTC), as per_call. Open payments count; what was not paid or was made good does not.",
);

static ANONYMOUS_CALLERS: Section = Section {
    keys: &[OPEN_PAYMENTS, LINKS_PER_MINUTE, PER_CALL],
    refused: &[(
        "per_day",
        "anonymous callers have no day of their own: cap per_call, or give every caller a key in [http.keys]",
    )],
};

static CALLER_KEY: Section = Section {
    keys: &[OPEN_PAYMENTS, LINKS_PER_MINUTE, PER_CALL, PER_DAY],
    refused: &[],
};
