//! AUTO: each call is coordinated in the first way that its client declares to take part in, decided anew every time.
//!
//! A link is opened where the client opens links, shown in a form where it shows forms, and otherwise answered for the
//! model to pass on. Progress comes before that only where the operator says so, since a progress token does not prove
//! that anybody sees it.

use super::{
    AUTO, AskStatus, Mode, Surface, Turn, elicitation, progress, two_step, url_elicitation,
};
use crate::call::Call;
use crate::peer::{Dialog, Peer};

pub(super) struct Auto;

impl Auto {
    fn choose(peer: &Peer, auto_progress: bool) -> &'static dyn Mode {
        if peer.url {
            &url_elicitation::UrlElicitation
        } else if peer.form {
            &elicitation::Elicitation
        } else if auto_progress && peer.progress {
            &progress::Progress
        } else {
            &two_step::TwoStep
        }
    }
}

impl Mode for Auto {
    fn name(&self) -> &'static str {
        AUTO
    }

    fn surface(&self) -> Surface {
        Surface::ConfirmPayment
    }

    fn turn(&self, call: &Call, status: AskStatus, dialog: &Dialog) -> Turn {
        let chosen = Self::choose(&dialog.peer, dialog.manners.auto_progress);
        chosen.turn(call, status, dialog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::call;
    use crate::mode::Manner;
    use crate::peer::{Era, Manners};

    fn chosen(peer: Peer, auto_progress: bool) -> &'static str {
        Auto::choose(&peer, auto_progress).name()
    }

    #[test]
    fn the_first_way_that_a_client_declares_is_taken() {
        let (none, all) = (
            Peer::default(),
            Peer {
                era: Era::Modern,
                form: true,
                url: true,
                progress: true,
                ..Peer::default()
            },
        );
        let forms = Peer { url: false, ..all };
        let progress = Peer {
            form: false,
            ..forms
        };
        for auto_progress in [false, true] {
            assert_eq!(chosen(all, auto_progress), "url_elicitation");
            assert_eq!(chosen(forms, auto_progress), "elicitation");
            assert_eq!(chosen(none, auto_progress), "two_step");
        }
        assert_eq!(chosen(progress, true), "progress");
        assert_eq!(
            chosen(progress, false),
            "two_step",
            "a progress token does not prove that anybody sees it"
        );
    }

    #[test]
    fn it_is_decided_anew_for_every_dialog() {
        let manner = |url: bool| {
            let dialog = Dialog {
                peer: Peer {
                    url,
                    ..Peer::default()
                },
                manners: Manners::default(),
                ..Dialog::default()
            };
            match Auto.turn(&call(), AskStatus::Required, &dialog) {
                Turn::Ask(ask) => ask.manner,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(manner(true), Manner::Url);
        assert_eq!(manner(false), Manner::Answer);
    }
}
