//! The scenarios: what a client and a payer do, and how the calls may end.

mod brought;

use crate::credential::Rail;
use crate::facilitator::Question;

/// An hour, milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// One sale, or a few that belong together.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// The account's kind.
    pub account: &'static str,
    /// How payment is coordinated.
    pub mode: Mode,
    /// What the client pays with where it brings its payments with the calls; the account is of that rail then.
    pub brings: Option<Brings>,
    /// Lines of `coinop.toml` beside the common ones.
    pub config: &'static str,
    /// What happens, in order.
    pub acts: &'static [Act],
    /// How its calls end.
    pub ends: &'static [End],
}

/// Payments that come with the calls.
#[derive(Clone, Copy, Debug)]
pub struct Brings {
    /// By which protocol.
    pub rail: Rail,
    /// The question of which the facilitator's first answer is lost.
    pub loses: Option<Question>,
}

/// How the call of one tool ends.
#[derive(Debug)]
pub struct End {
    /// The tool.
    pub tool: &'static str,
    /// In one of these states, whatever happens.
    pub always: &'static [&'static str],
    /// Or in this one, when somebody is killed.
    pub disturbed: &'static [&'static str],
}

impl End {
    const fn of(tool: &'static str, state: &'static [&'static str]) -> Self {
        Self {
            tool,
            always: state,
            disturbed: &[],
        }
    }
}

/// The modes of which scenarios know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `confirm_TOOL(payment_id)`.
    TwoStep,
    /// The call again, with the payment's id.
    Resubmit,
    /// The call again, with the payment itself.
    Credential,
}

/// One thing that somebody does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// The client calls a tool.
    Ask(&'static str),
    /// The client calls a tool, signs what it is asked for, and presents that until the call has ended.
    Buy(&'static str),
    /// As [`Self::Buy`], by a client that makes one attempt.
    TryToBuy(&'static str),
    /// The payer pays, or declines, on the page; by command once a kill has closed it.
    OnPage(Decision),
    /// The payer decides by `coinop payments`.
    ByCommand(Decision),
    /// The client presents the payment.
    Confirm,
    /// Everybody waits until the host has heard and noted the provider's webhook.
    WebhookNoted,
    /// Everything stops, and goes on that much later, milliseconds.
    Later(i64),
    /// The operator runs `coinop` with these words and the payment's id.
    Operate(&'static [&'static str]),
}

/// What a payer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Pay,
    /// No.
    Decline,
}

impl Decision {
    /// The button's value, and the word of the command.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Decline => "decline",
        }
    }
}

impl Mode {
    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::TwoStep => "two_step",
            Self::Resubmit => "resubmit",
            Self::Credential => "x402",
        }
    }
}

impl Scenario {
    /// The whole `coinop.toml`, with the facilitator's address where payments are brought. Quotes stand for two hours: a
    /// host that takes over some minutes later still finds them open.
    pub fn toml(&self, facilitator: &str) -> String {
        let account = match self.brings {
            Some(brings) => brings.rail.account(facilitator),
            None => format!("[accounts.till]\nkind = \"{}\"\n", self.account),
        };
        format!(
            "mode = \"{}\"\nprovider = \"till\"\n{}\n\n{account}\n\
             [quotes]\nlifetime_s = 7200\n\n[retention]\nclaim_hours = 24\n",
            self.mode.word(),
            self.config,
        )
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        SCENARIOS.iter().copied().flatten()
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|scenario| scenario.name == name)
    }
}

/// Every scenario that is played.
pub const SCENARIOS: &[&[Scenario]] = &[SALES, brought::PURCHASES];

const PAY_ON_PAGE: Act = Act::OnPage(Decision::Pay);
const REFUND: Act = Act::Operate(&["payments", "refund"]);
const PAY: Act = Act::ByCommand(Decision::Pay);

/// The most common one, for others to differ from.
const PAID: Scenario = Scenario {
    name: "paid",
    account: "sandbox",
    mode: Mode::TwoStep,
    brings: None,
    config: "",
    acts: &[Act::Ask("tell"), PAY_ON_PAGE, Act::Confirm],
    ends: &[End::of("tell", &["deliverable"])],
};

/// Sales by link: asked for, paid elsewhere, presented by the payment's id.
const SALES: &[Scenario] = &[
    PAID,
    Scenario {
        name: "held",
        account: "sandbox-hold",
        acts: &[Act::Ask("tell"), PAY, Act::Confirm],
        ..PAID
    },
    Scenario {
        name: "failed",
        acts: &[Act::Ask("fail"), PAY, Act::Confirm],
        ends: &[End::of("fail", &["refunded"])],
        ..PAID
    },
    Scenario {
        name: "failed-held",
        account: "sandbox-hold",
        acts: &[Act::Ask("trap"), PAY_ON_PAGE, Act::Confirm],
        ends: &[End::of("trap", &["withheld"])],
        ..PAID
    },
    // What must not run twice may be lost with its host, and then its payer is made whole.
    Scenario {
        name: "effectful",
        acts: &[Act::Ask("send"), PAY, Act::Confirm],
        ends: &[End {
            tool: "send",
            always: &["deliverable"],
            disturbed: &["refunded"],
        }],
        ..PAID
    },
    Scenario {
        name: "effectful-held",
        account: "sandbox-hold",
        acts: &[Act::Ask("send"), PAY_ON_PAGE, Act::Confirm],
        ends: &[End {
            tool: "send",
            always: &["deliverable"],
            disturbed: &["withheld"],
        }],
        ..PAID
    },
    Scenario {
        name: "declined",
        acts: &[
            Act::Ask("tell"),
            Act::OnPage(Decision::Decline),
            Act::Confirm,
        ],
        ends: &[End::of("tell", &["declined"])],
        ..PAID
    },
    Scenario {
        name: "expired",
        acts: &[Act::Ask("tell"), Act::Later(3 * HOUR_MS), Act::Confirm],
        ends: &[End::of("tell", &["expired"])],
        ..PAID
    },
    // Paid, and the client comes when its claim window is over and a sweeper is at it: one of them is first.
    Scenario {
        name: "late-caller",
        acts: &[
            Act::Ask("tell"),
            PAY,
            Act::Later(25 * HOUR_MS),
            Act::Confirm,
        ],
        ends: &[End::of("tell", &["refunded", "deliverable"])],
        ..PAID
    },
    Scenario {
        name: "late-caller-held",
        account: "sandbox-hold",
        acts: &[
            Act::Ask("tell"),
            PAY,
            Act::Later(25 * HOUR_MS),
            Act::Confirm,
        ],
        ends: &[End::of("tell", &["withheld", "deliverable"])],
        ..PAID
    },
    Scenario {
        name: "resubmitted",
        mode: Mode::Resubmit,
        ..PAID
    },
    // Known callers that repeat a paid call without its id are given what they paid for.
    Scenario {
        name: "asked-again",
        acts: &[Act::Ask("tell"), PAY, Act::Ask("tell")],
        ..PAID
    },
    // Two purchases beside each other: one fails, one is delivered.
    Scenario {
        name: "two-sales",
        acts: &[
            Act::Ask("fail"),
            PAY,
            Act::Confirm,
            Act::Ask("tell"),
            PAY_ON_PAGE,
            Act::Confirm,
        ],
        ends: &[
            End::of("fail", &["refunded"]),
            End::of("tell", &["deliverable"]),
        ],
        ..PAID
    },
    // What the payer decided comes to the host by webhook as well.
    Scenario {
        name: "webhook",
        acts: &[
            Act::Ask("tell"),
            PAY_ON_PAGE,
            Act::WebhookNoted,
            Act::Confirm,
        ],
        ..PAID
    },
    // An operator gives back what was delivered: in one part, and in two.
    Scenario {
        name: "refunded",
        acts: &[Act::Ask("tell"), PAY, Act::Confirm, REFUND],
        ends: &[End::of("tell", &["deliverable and refunded"])],
        ..PAID
    },
    Scenario {
        name: "refunded-twice",
        account: "sandbox-hold",
        acts: &[
            Act::Ask("tell"),
            PAY,
            Act::Confirm,
            Act::Operate(&["payments", "refund", "--amount", "0.004"]),
            REFUND,
        ],
        ends: &[End::of("tell", &["deliverable and refunded"])],
        ..PAID
    },
    // A failed run is tried again twice before its payer is made whole.
    Scenario {
        name: "retried",
        config: "retries = 2",
        acts: &[Act::Ask("fail"), PAY, Act::Confirm],
        ends: &[End::of("fail", &["refunded"])],
        ..PAID
    },
    // A failure becomes balance, which is spent first on the next call.
    Scenario {
        name: "credit-spent",
        config: CREDIT,
        acts: &[
            Act::Ask("fail"),
            PAY,
            Act::Confirm,
            Act::Ask("tell"),
            PAY,
            Act::Confirm,
        ],
        ends: &[
            End::of("fail", &["credited"]),
            End::of("tell", &["deliverable"]),
        ],
        ..PAID
    },
    // What came from the balance returns there with the rest.
    Scenario {
        name: "credit-returned",
        config: CREDIT,
        acts: &[
            Act::Ask("fail"),
            PAY,
            Act::Confirm,
            Act::Ask("trap"),
            PAY,
            Act::Confirm,
        ],
        ends: &[
            End::of("fail", &["credited"]),
            End::of("trap", &["credited"]),
        ],
        ..PAID
    },
    Scenario {
        name: "credit-expired",
        config: CREDIT,
        acts: &[
            Act::Ask("fail"),
            PAY,
            Act::Confirm,
            Act::Ask("tell"),
            Act::Later(3 * HOUR_MS),
            Act::Confirm,
        ],
        ends: &[
            End::of("fail", &["credited"]),
            End::of("tell", &["expired"]),
        ],
        ..PAID
    },
];

/// Failures become balance; the tools that follow cost more than that, so that both ways of paying meet.
const CREDIT: &str = "on_failure = \"credit\"
[plugins.sales.tools.tell]
price = \"0.03 USD\"
[plugins.sales.tools.trap]
price = \"0.03 USD\"";
