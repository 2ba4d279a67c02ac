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
