//! TWO_STEP: the tool answers with a link, `confirm_<tool>(payment_id)` runs the stored arguments. Works everywhere.

use super::{Ask, AskStatus, Mode, Surface, Turn};
use crate::call::Call;
use crate::peer::Dialog;

pub(super) struct TwoStep;

impl Mode for TwoStep {
    fn name(&self) -> &'static str {
        "two_step"
    }

    fn surface(&self) -> Surface {
        Surface::ConfirmTool
    }

    fn turn(&self, call: &Call, status: AskStatus, _dialog: &Dialog) -> Turn {
        Turn::Ask(Ask::to_confirm(call, status))
    }
}
