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
        let left = dialog.manners.wait_ms - dialog.waited_ms;
        // Whoever has been told of the link while waiting is told that it still stands.
        let status = match status {
            AskStatus::Required if dialog.waited_ms > 0 => AskStatus::Pending,
            status => status,
        };
        let ask = Ask::to_confirm(call, status);
        match dialog.peer.progress && left > 0 {
            true => Turn::Wait { ms: left, ask },
            false => Turn::Ask(ask),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Seen, seen};
    use super::*;
    use crate::Millis;
    use crate::call::tests::call;
    use crate::mode::Manner;
    use crate::peer::{Answer, Peer};

    fn dialog(progress: bool, waited_ms: Millis) -> Dialog {
        Dialog {
            peer: Peer {
                progress,
                ..Peer::default()
            },
            waited_ms,
            ..Dialog::default()
        }
    }

    #[test]
    fn turns() {
        let back = Seen::Ask(Manner::Answer);
        for (listens, waited_ms, expected) in [
            (true, 0, Seen::Wait(50_000)),
            (true, 49_999, Seen::Wait(1)),
            (true, 50_000, back),
            (true, 90_000, back),
            (false, 0, back),
        ] {
            for status in [AskStatus::Required, AskStatus::Pending] {
                let mut dialog = dialog(listens, waited_ms);
                assert_eq!(seen(&Progress, status, &dialog), expected, "{dialog:?}");
                // It asks no questions, so no answer changes anything.
                dialog.answer = Some(Answer::Declined);
                assert_eq!(seen(&Progress, status, &dialog), expected, "{dialog:?}");
            }
        }
    }

    #[test]
    fn who_has_waited_is_told_that_it_is_pending() {
        let status = |dialog: &Dialog| match Progress.turn(&call(), AskStatus::Required, dialog) {
            Turn::Ask(ask) | Turn::Wait { ask, .. } => ask.status,
            Turn::CallOff => panic!("nobody said no"),
        };
        assert_eq!(status(&dialog(false, 0)), AskStatus::Required);
        assert_eq!(status(&dialog(true, 0)), AskStatus::Required);
        assert_eq!(status(&dialog(true, 50_000)), AskStatus::Pending);
    }
}
