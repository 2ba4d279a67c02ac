//! URL_ELICITATION: the client opens the payment link for its user. Accepting is consent, not payment: the call waits.

use super::{Ask, AskStatus, Manner, Mode, Surface, Turn, elicitation};
use crate::Millis;
use crate::call::Call;
use crate::peer::{Answer, Dialog, Era};

/// How long a modern request waits before the client is asked again, milliseconds.
const ROUND_MS: Millis = 15_000;
/// How often a modern client is asked at most: a user who takes longer comes back by the payment's id.
const ROUNDS_MAX: u32 = 20;

pub(super) struct UrlElicitation;

impl Mode for UrlElicitation {
    fn name(&self) -> &'static str {
        "url_elicitation"
    }

    fn surface(&self) -> Surface {
        Surface::ConfirmPayment
    }

    fn turn(&self, call: &Call, status: AskStatus, dialog: &Dialog) -> Turn {
        if !dialog.peer.url {
            return elicitation::Elicitation.turn(call, status, dialog);
        }
        let come_back = || Turn::Ask(Ask::to_confirm(call, status));
        let manner = match dialog.peer.era {
            // Whoever is nobody in particular cannot be recognised when the call is repeated.
            Era::Legacy if dialog.manners.url_error && call.quote.principal.is_known() => {
                Manner::UrlError
            }
            _ => Manner::Url,
        };
        let wait = |most: Millis| Turn::Wait {
            ms: most - dialog.waited_ms,
            ask: Ask::to_confirm(call, status),
        };
        let patience = dialog.manners.wait_ms;
        match dialog.answer {
            None if dialog.asked == 0 && status == AskStatus::Required => {
                Turn::Ask(Ask::shown(call, status, manner))
            }
            None => come_back(),
            Some(Answer::Declined) => Turn::CallOff,
            Some(Answer::Cancelled | Answer::Unasked) => come_back(),
            Some(Answer::Accepted) => match dialog.peer.era {
                Era::Legacy if dialog.waited_ms < patience => wait(patience),
                Era::Modern if dialog.waited_ms < ROUND_MS.min(patience) => {
                    wait(ROUND_MS.min(patience))
                }
                Era::Modern if dialog.asked < ROUNDS_MAX => {
                    Turn::Ask(Ask::shown(call, AskStatus::Pending, manner))
                }
                _ => come_back(),
            },
        }
    }
}
