//! ELICITATION: the client shows a yes/no form with the link in its message, and the call waits for the payment.

use super::{Ask, AskStatus, Manner, Mode, Surface, Turn};
use crate::Millis;
use crate::call::Call;
use crate::peer::{Answer, Dialog};

/// How often one call shows its form at most.
const FORMS_MAX: u32 = 3;
/// How long a user's "paid" may be ahead of the provider before the form is shown again, milliseconds: also the pace.
const GRACE_MS: Millis = 5_000;

pub(super) struct Elicitation;

impl Mode for Elicitation {
    fn name(&self) -> &'static str {
        "elicitation"
    }

    fn surface(&self) -> Surface {
        Surface::ConfirmPayment
    }

    fn turn(&self, call: &Call, status: AskStatus, dialog: &Dialog) -> Turn {
        let come_back = || Turn::Ask(Ask::to_confirm(call, status));
        match dialog.answer {
            _ if !dialog.peer.form => come_back(),
            None if dialog.asked == 0 && status == AskStatus::Required => {
                Turn::Ask(Ask::shown(call, status, Manner::Form))
            }
            // Redeemed by the payment's id: whoever does that has seen the link.
            None => come_back(),
            Some(Answer::Declined) => Turn::CallOff,
            Some(Answer::Cancelled | Answer::Unasked) => come_back(),
            Some(Answer::Accepted) if dialog.waited_ms < GRACE_MS => Turn::Wait {
                ms: GRACE_MS - dialog.waited_ms,
                ask: Ask::to_confirm(call, status),
            },
            Some(Answer::Accepted) if dialog.asked < FORMS_MAX => {
                Turn::Ask(Ask::shown(call, AskStatus::Pending, Manner::Form))
            }
            Some(Answer::Accepted) => come_back(),
        }
    }
}
