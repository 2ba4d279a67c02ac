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
        let again = || Turn::Ask(Ask::shown(call, status, Manner::Form));
        let grace = GRACE_MS.min(dialog.manners.wait_ms);
        match dialog.answer {
            Some(Answer::Declined) => Turn::CallOff,
            _ if !dialog.peer.form => come_back(),
            None if dialog.asked == 0 && status == AskStatus::Required => again(),
            // Redeemed by the payment's id: whoever does that has seen the link.
            None => come_back(),
            Some(Answer::Cancelled | Answer::Unasked) => come_back(),
            Some(Answer::Accepted) if dialog.waited_ms < grace => Turn::Wait {
                ms: grace - dialog.waited_ms,
                ask: Ask::to_confirm(call, status),
            },
            Some(Answer::Accepted | Answer::Missing) if dialog.asked < FORMS_MAX => again(),
            Some(Answer::Accepted | Answer::Missing) => come_back(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{CASES_MS, Seen, seen};
    use super::*;
    use crate::peer::{Era, Manners, Peer};

    fn dialog(answer: Option<Answer>, asked: u32, waited_ms: Millis) -> Dialog {
        Dialog {
            peer: Peer {
                form: true,
                ..Peer::default()
            },
            answer,
            asked,
            waited_ms,
            manners: Manners::default(),
        }
    }

    /// What comes of each answer, by how often the user was asked and how long the request has waited since.
    #[test]
    fn turns() {
        use Answer::*;
        use AskStatus::{Pending, Required};
        let back = Seen::Ask(Manner::Answer);
        let form = Seen::Ask(Manner::Form);
        let cases = [
            (Required, None, 0, 0, form),
            (Pending, None, 0, 0, back),
            (Pending, Some(Declined), 1, 0, Seen::CallOff),
            (Pending, Some(Declined), 1, 9_000, Seen::CallOff),
            (Pending, Some(Cancelled), 1, 0, back),
            (Pending, Some(Unasked), 1, 0, back),
            (Pending, Some(Accepted), 1, 0, Seen::Wait(5_000)),
            (Pending, Some(Accepted), 1, 4_999, Seen::Wait(1)),
            (Pending, Some(Accepted), 1, 5_000, form),
            (Pending, Some(Accepted), 2, 5_000, form),
            (Pending, Some(Accepted), 3, 0, Seen::Wait(5_000)),
            (Pending, Some(Accepted), 3, 5_000, back),
            (Pending, Some(Missing), 1, 0, form),
            (Pending, Some(Missing), 2, 0, form),
            (Pending, Some(Missing), 3, 0, back),
        ];
        for (status, answer, asked, waited_ms, expected) in cases {
            for era in [Era::Legacy, Era::Modern] {
                let mut dialog = dialog(answer, asked, waited_ms);
                dialog.peer.era = era;
                let turn = seen(&Elicitation, status, &dialog);
                assert_eq!(turn, expected, "{dialog:?}");
            }
        }
    }

    #[test]
    fn a_client_without_forms_is_answered_and_only_a_no_is_heard() {
        for answer in [None, Some(Answer::Accepted), Some(Answer::Missing)] {
            for waited_ms in CASES_MS {
                let mut dialog = dialog(answer, 1, waited_ms);
                dialog.peer = Peer {
                    progress: true,
                    ..Peer::default()
                };
                let turn = seen(&Elicitation, AskStatus::Pending, &dialog);
                assert_eq!(turn, Seen::Ask(Manner::Answer), "{dialog:?}");
            }
        }
        let mut no = dialog(Some(Answer::Declined), 1, 0);
        no.peer.form = false;
        assert_eq!(seen(&Elicitation, AskStatus::Pending, &no), Seen::CallOff);
    }

    #[test]
    fn an_operator_who_wants_no_waiting_gets_none() {
        let mut dialog = dialog(Some(Answer::Accepted), 1, 0);
        dialog.manners.wait_ms = 0;
        let turn = seen(&Elicitation, AskStatus::Pending, &dialog);
        assert_eq!(turn, Seen::Ask(Manner::Form));
    }
}
