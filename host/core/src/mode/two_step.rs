//! TWO_STEP: the tool answers with a link, `confirm_<tool>(payment_id)` runs the stored arguments. Works everywhere.

use super::{Ask, AskStatus, CONFIRM_PREFIX, Mode, Surface};
use crate::call::Call;

pub(super) struct TwoStep;

impl Mode for TwoStep {
    fn name(&self) -> &'static str {
        "two_step"
    }

    fn surface(&self) -> Surface {
        Surface::ConfirmTool
    }

    fn ask(&self, call: &Call, status: AskStatus) -> Ask {
        let (tool, id) = (&call.quote.tool, &call.payment.id);
        let then = format!("call {CONFIRM_PREFIX}{tool} with {{\"payment_id\": \"{id}\"}}");
        Ask::of(call, status, &then)
    }
}
