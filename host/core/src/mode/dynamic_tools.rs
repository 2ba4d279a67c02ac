//! DYNAMIC_TOOLS: while a call waits for its payment, its caller's list shows `confirm_<tool>` in the tool's place.

use super::{Ask, AskStatus, Mode, Surface, Turn};
use crate::call::Call;
use crate::peer::Dialog;

pub(super) struct DynamicTools;

impl Mode for DynamicTools {
    fn name(&self) -> &'static str {
        "dynamic_tools"
    }

    fn surface(&self) -> Surface {
        Surface::TakesTurns
    }

    fn turn(&self, call: &Call, status: AskStatus, _dialog: &Dialog) -> Turn {
        Turn::Ask(Ask::to_confirm(call, status))
    }
}
