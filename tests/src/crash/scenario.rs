//! The scenarios: what a client and a payer do, and how the calls may end.

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
    /// Lines of `coinop.toml` beside the common ones.
    pub config: &'static str,
    /// What happens, in order.
    pub acts: &'static [Act],
    /// How the call of each tool ends: undisturbed in the first state, otherwise in any of them.
    pub ends: &'static [(&'static str, &'static [&'static str])],
}

/// The modes of which scenarios know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `confirm_TOOL(payment_id)`.
    TwoStep,
    /// The call again, with the payment's id.
    Resubmit,
}

/// One thing that somebody does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// The client calls a tool.
    Ask(&'static str),
    /// The payer pays, or declines, on the page; by command once a kill has closed it.
    OnPage(Decision),
    /// The payer decides by `coinop payments`.
    ByCommand(Decision),
    /// The client presents the payment.
    Confirm,
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
        }
    }
}

impl Scenario {
    /// The whole `coinop.toml`. Quotes stand for two hours: a host that takes over some minutes later still finds them
    /// open.
    pub fn toml(&self) -> String {
        format!(
            "mode = \"{}\"\nprovider = \"till\"\n{}\n\n[accounts.till]\nkind = \"{}\"\n\n\
             [quotes]\nlifetime_s = 7200\n\n[retention]\nclaim_hours = 24\n",
            self.mode.word(),
            self.config,
            self.account,
        )
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }
}

const PAY_ON_PAGE: Act = Act::OnPage(Decision::Pay);
const PAY: Act = Act::ByCommand(Decision::Pay);

/// The most common one, for others to differ from.
const PAID: Scenario = Scenario {
    name: "paid",
    account: "sandbox",
    mode: Mode::TwoStep,
    config: "",
    acts: &[Act::Ask("tell"), PAY_ON_PAGE, Act::Confirm],
    ends: &[("tell", &["deliverable"])],
};

/// Every scenario that is played.
pub const SCENARIOS: &[Scenario] = &[
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
        ends: &[("fail", &["refunded"])],
        ..PAID
    },
    Scenario {
        name: "failed-held",
        account: "sandbox-hold",
        acts: &[Act::Ask("trap"), PAY_ON_PAGE, Act::Confirm],
        ends: &[("trap", &["withheld"])],
        ..PAID
    },
    // What must not run twice may be lost with its host, and then its payer is made whole.
    Scenario {
        name: "effectful",
        acts: &[Act::Ask("send"), PAY, Act::Confirm],
        ends: &[("send", &["deliverable", "refunded"])],
        ..PAID
    },
    Scenario {
        name: "effectful-held",
        account: "sandbox-hold",
        acts: &[Act::Ask("send"), PAY_ON_PAGE, Act::Confirm],
        ends: &[("send", &["deliverable", "withheld"])],
        ..PAID
    },
    Scenario {
        name: "declined",
        acts: &[
            Act::Ask("tell"),
            Act::OnPage(Decision::Decline),
            Act::Confirm,
        ],
        ends: &[("tell", &["declined"])],
        ..PAID
    },
    Scenario {
        name: "expired",
        acts: &[Act::Ask("tell"), Act::Later(3 * HOUR_MS), Act::Confirm],
        ends: &[("tell", &["expired"])],
        ..PAID
    },
    // Paid, and the client comes after its claim window: the money went back.
    Scenario {
        name: "late-caller",
        acts: &[
            Act::Ask("tell"),
            PAY,
            Act::Later(25 * HOUR_MS),
            Act::Confirm,
        ],
        ends: &[("tell", &["refunded"])],
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
        ends: &[("tell", &["withheld"])],
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
        ends: &[("fail", &["refunded"]), ("tell", &["deliverable"])],
        ..PAID
    },
];
