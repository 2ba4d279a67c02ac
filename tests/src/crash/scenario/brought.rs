//! Purchases: the client signs what it is asked for and brings that with the call; a facilitator takes it.

use super::{Act, Brings, End, HOUR_MS, Mode, PAID, Scenario};
use crate::credential::Rail;
use crate::facilitator::Question;

const UPFRONT: &str = "settle = \"upfront\"";

/// The most common one, for others to differ from.
const BOUGHT: Scenario = Scenario {
    name: "x402",
    mode: Mode::Credential,
    brings: Some(X402),
    acts: &[Act::Buy("tell")],
    ..PAID
};

const X402: Brings = Brings {
    rail: Rail::X402,
    loses: None,
};
const MPP: Brings = Brings {
    rail: Rail::Mpp,
    loses: None,
};

/// What must not run twice may be lost with its host: nothing is taken then.
const LOST_OR_DELIVERED: &[End] = &[End {
    tool: "send",
    always: &["deliverable"],
    disturbed: &["withheld"],
}];

/// Every purchase that is played.
pub(super) const PURCHASES: &[Scenario] = &[
    BOUGHT,
    Scenario {
        name: "x402-effectful",
        acts: &[Act::Buy("send")],
        ends: LOST_OR_DELIVERED,
        ..BOUGHT
    },
    Scenario {
        name: "x402-failed",
        acts: &[Act::Buy("fail")],
        ends: &[End::of("fail", &["withheld"])],
        ..BOUGHT
    },
    // The money moves, and the host is not told; it must neither deliver unpaid nor ask for another payment.
    Scenario {
        name: "x402-settle-lost",
        brings: Some(Brings {
            loses: Some(Question::Settle),
            ..X402
        }),
        ..BOUGHT
    },
    Scenario {
        name: "x402-verify-lost",
        brings: Some(Brings {
            loses: Some(Question::Verify),
            ..X402
        }),
        ..BOUGHT
    },
    // Taken before the run. What cannot be sent back becomes the wallet's balance.
    Scenario {
        name: "x402-upfront-effectful",
        config: UPFRONT,
        acts: &[Act::Buy("send")],
        ends: &[End {
            tool: "send",
            always: &["deliverable"],
            disturbed: &["credited"],
        }],
        ..BOUGHT
    },
    Scenario {
        name: "x402-upfront-failed",
        config: UPFRONT,
        acts: &[Act::Buy("trap")],
        ends: &[End::of("trap", &["credited"])],
        ..BOUGHT
    },
    Scenario {
        name: "x402-upfront-settle-lost",
        config: UPFRONT,
        brings: Some(Brings {
            loses: Some(Question::Settle),
            ..X402
        }),
        ..BOUGHT
    },
    // A client that comes back a day later, when what it was owed is over: nothing was taken, or it has a balance.
    Scenario {
        name: "x402-left",
        acts: &[
            Act::TryToBuy("tell"),
            Act::Later(25 * HOUR_MS),
            Act::Buy("tell"),
        ],
        ends: &[End {
            tool: "tell",
            always: &["deliverable"],
            disturbed: &["withheld"],
        }],
        ..BOUGHT
    },
    Scenario {
        name: "mpp-upfront-left",
        config: UPFRONT,
        brings: Some(MPP),
        acts: &[
            Act::TryToBuy("tell"),
            Act::Later(25 * HOUR_MS),
            Act::Buy("tell"),
        ],
        ends: &[End {
            tool: "tell",
            always: &["deliverable"],
            disturbed: &["withheld", "credited"],
        }],
        ..BOUGHT
    },
    Scenario {
        name: "mpp-effectful",
        brings: Some(MPP),
        acts: &[Act::Buy("send")],
        ends: LOST_OR_DELIVERED,
        ..BOUGHT
    },
    Scenario {
        name: "mpp-settle-lost",
        brings: Some(Brings {
            loses: Some(Question::Settle),
            ..MPP
        }),
        ..BOUGHT
    },
    Scenario {
        name: "mpp-upfront-failed",
        config: UPFRONT,
        brings: Some(MPP),
        acts: &[Act::Buy("fail")],
        ends: &[End::of("fail", &["credited"])],
        ..BOUGHT
    },
];
