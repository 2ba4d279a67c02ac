//! PROGRESS: the link goes out as progress, and the call waits for the payment, for a bounded time.

use super::{Ask, AskStatus, Mode, Surface, Turn};
use crate::call::Call;
use crate::peer::Dialog;

pub(super) struct Progress;

impl Mode for Progress {
    fn name(&self) -> &'static str {
        "progress"
    }

    fn surface(&self) -> Surface {
        Surface::ConfirmPayment
    }

    fn turn(&self, call: &Call, status: AskStatus, dialog: &Dialog) -> Turn {
        let ask = Ask::to_confirm(call, status);
        let left = dialog.manners.wait_ms - dialog.waited_ms;
        match dialog.peer.progress && left > 0 {
            true => Turn::Wait { ms: left, ask },
            false => Turn::Ask(ask),
        }
    }
}
