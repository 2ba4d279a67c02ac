//! The modes, each as a client of an era meets it: how it is configured, and how its calls are paid and redeemed.

use coinop_tests::credential::Rail;
use coinop_tests::era::Era;
use serde_json::{Value, json};

/// How a call is asked for and gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `confirm_TOOL`, with the payment's id.
    Confirm,
    /// The tool again, with the payment's id.
    Resubmit,
    /// The call waits with a question of the server's, and goes on when it is paid.
    Question,
    /// The call waits with messages of progress, and goes on when it is paid.
    Progress,
    /// The answer asks for input, and the tool is called again with that and its state.
    Rounds,
    /// An error carries the link, and the tool is called again.
    Error,
    /// The call comes with its payment.
    Brought(Rail),
}

/// A mode at a client: a row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The word of the configuration.
    pub(crate) mode: &'static str,
    /// Further lines of it, keys before tables.
    pub(crate) config: &'static str,
    pub(crate) era: Era,
    pub(crate) way: Way,
}

const UPFRONT: &str = "settle = \"upfront\"\n";
const URL_ERROR: &str = "[conversation]\nurl_error = true\n";

/// The rows, in the table's order.
pub(crate) const ROWS: [Row; 19] = [
    row("two_step", Era::Legacy, Way::Confirm),
    row("two_step", Era::Modern, Way::Confirm),
    row("resubmit", Era::Legacy, Way::Resubmit),
    row("resubmit", Era::Modern, Way::Resubmit),
    row("elicitation", Era::Legacy, Way::Question),
    row("elicitation", Era::Modern, Way::Rounds),
    row("url_elicitation", Era::Legacy, Way::Question),
    row("url_elicitation", Era::Modern, Way::Rounds),
    set("url_elicitation", URL_ERROR, Era::Legacy, Way::Error),
    row("progress", Era::Legacy, Way::Progress),
    row("progress", Era::Modern, Way::Progress),
    row("dynamic_tools", Era::Legacy, Way::Confirm),
    row("dynamic_tools", Era::Modern, Way::Confirm),
    row("auto", Era::Legacy, Way::Question),
    row("x402", Era::Legacy, Way::Brought(Rail::X402)),
    row("x402", Era::Modern, Way::Brought(Rail::X402)),
    set("x402", UPFRONT, Era::Legacy, Way::Brought(Rail::X402)),
    row("x402", Era::Legacy, Way::Brought(Rail::Mpp)),
    set("x402", UPFRONT, Era::Modern, Way::Brought(Rail::Mpp)),
];

const fn row(mode: &'static str, era: Era, way: Way) -> Row {
    set(mode, "", era, way)
}

const fn set(mode: &'static str, config: &'static str, era: Era, way: Way) -> Row {
    Row {
        mode,
        config,
        era,
        way,
    }
}

impl Row {
    /// What the client declares: it shows links and forms where the mode needs that.
    pub(crate) fn capabilities(self) -> Value {
        match (self.mode, self.way) {
            ("elicitation", _) => json!({ "elicitation": {} }),
            (_, Way::Question | Way::Rounds | Way::Error) => {
                json!({ "elicitation": { "form": {}, "url": {} } })
            }
            _ => json!({}),
        }
    }

    pub(crate) fn rail(self) -> Option<Rail> {
        match self.way {
            Way::Brought(rail) => Some(rail),
            _ => None,
        }
    }

    /// The end of a call whose run failed or was lost: its payer is made whole.
    pub(crate) fn remedy(self) -> &'static str {
        match (self.rail(), self.config == UPFRONT) {
            (None, _) => "refunded",
            // What was not taken yet never is; what cannot be sent back becomes a balance.
            (Some(_), false) => "withheld",
            (Some(_), true) => "credited",
        }
    }
}
