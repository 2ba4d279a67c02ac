//! URL_ELICITATION: the client opens the payment link for its user. Accepting is consent, not payment: the call waits.

use super::{Ask, AskStatus, Manner, Mode, Surface, Turn, elicitation};
use crate::call::Call;
use crate::peer::{Answer, Dialog, Era};

/// How often a modern client is asked at most: SDKs give a call up after ten rounds, and a user who takes longer comes back
/// by the payment's id.
const ROUNDS_MAX: u32 = 8;

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
        let again = || Turn::Ask(Ask::shown(call, status, manner(call, dialog)));
        let left = dialog.manners.wait_ms - dialog.waited_ms;
        match dialog.answer {
            None if dialog.asked == 0 && status == AskStatus::Required => again(),
            None => come_back(),
            Some(Answer::Declined) => Turn::CallOff,
            Some(Answer::Cancelled | Answer::Unasked) => come_back(),
            Some(Answer::Accepted) if left > 0 => Turn::Wait {
                ms: left,
                ask: Ask::to_confirm(call, status),
            },
            // A legacy client was asked to open the link once, and its user has it open.
            Some(Answer::Accepted | Answer::Missing) => match dialog.peer.era {
                Era::Modern if dialog.asked < ROUNDS_MAX => again(),
                Era::Modern | Era::Legacy => come_back(),
            },
        }
    }
}

/// How the client is told to open the link.
fn manner(call: &Call, dialog: &Dialog) -> Manner {
    match dialog.peer.era {
        // Whoever is nobody in particular cannot be recognised when the call is repeated.
        Era::Legacy if dialog.manners.url_error && call.quote.principal.is_known() => {
            Manner::UrlError
        }
        Era::Legacy | Era::Modern => Manner::Url,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Seen, seen, seen_of};
    use super::*;
    use crate::Millis;
    use crate::call::tests::call;
    use crate::peer::{Manners, Peer};
    use crate::principal::Principal;

    fn dialog(era: Era, answer: Option<Answer>, asked: u32, waited_ms: Millis) -> Dialog {
        Dialog {
            peer: Peer {
                era,
                url: true,
                ..Peer::default()
            },
            answer,
            asked,
            waited_ms,
            manners: Manners::default(),
        }
    }

    /// What comes of each answer, by era, by how often the user was asked and how long the request has waited since.
    #[test]
    fn turns() {
        use Answer::*;
        use AskStatus::{Pending, Required};
        use Era::{Legacy, Modern};
        let back = Seen::Ask(Manner::Answer);
        let url = Seen::Ask(Manner::Url);
        let cases = [
            (Required, None, 0, 0, url, url),
            (Pending, None, 0, 0, back, back),
            (Pending, Some(Declined), 1, 0, Seen::CallOff, Seen::CallOff),
            (Pending, Some(Cancelled), 1, 0, back, back),
            (Pending, Some(Unasked), 1, 0, back, back),
            (
                Pending,
                Some(Accepted),
                1,
                0,
                Seen::Wait(50_000),
                Seen::Wait(50_000),
            ),
            (
                Pending,
                Some(Accepted),
                1,
                49_999,
                Seen::Wait(1),
                Seen::Wait(1),
            ),
            (Pending, Some(Accepted), 1, 50_000, back, url),
            (Pending, Some(Accepted), 7, 50_000, back, url),
            (Pending, Some(Accepted), 8, 50_000, back, back),
            (Pending, Some(Missing), 1, 0, back, url),
            (Pending, Some(Missing), 8, 0, back, back),
        ];
        for (status, answer, asked, waited_ms, legacy, modern) in cases {
            for (era, expected) in [(Legacy, legacy), (Modern, modern)] {
                let dialog = dialog(era, answer, asked, waited_ms);
                assert_eq!(
                    seen(&UrlElicitation, status, &dialog),
                    expected,
                    "{dialog:?}"
                );
            }
        }
    }

    #[test]
    fn the_error_is_for_legacy_clients_that_can_be_recognised() {
        let (ada, nobody) = (Principal::api_key("ada"), Principal::anonymous());
        for (era, principal, expected) in [
            (Era::Legacy, &ada, Manner::UrlError),
            (Era::Legacy, &nobody, Manner::Url),
            (Era::Modern, &ada, Manner::Url),
        ] {
            let mut dialog = dialog(era, None, 0, 0);
            dialog.manners.url_error = true;
            let mut call = call();
            call.quote.principal = principal.clone();
            let turn = seen_of(&call, &UrlElicitation, AskStatus::Required, &dialog);
            assert_eq!(turn, Seen::Ask(expected), "{era:?} {principal}");
        }
    }

    #[test]
    fn a_client_that_opens_no_links_is_shown_a_form_if_it_shows_forms() {
        let mut dialog = dialog(Era::Modern, None, 0, 0);
        dialog.peer.url = false;
        let asked = |dialog: &Dialog| seen(&UrlElicitation, AskStatus::Required, dialog);
        assert_eq!(asked(&dialog), Seen::Ask(Manner::Answer));
        dialog.peer.form = true;
        assert_eq!(asked(&dialog), Seen::Ask(Manner::Form));
    }
}
