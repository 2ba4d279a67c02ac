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
        let id = &call.payment.id;
        let tool = &call.quote.tool;
        let when = match status {
            AskStatus::Running => "To get the result",
            _ => "Once it is paid",
        };
        Ask {
            status,
            payment_id: id.clone(),
            price: call.quote.price,
            provider: call.payment.provider.clone(),
            tool: tool.clone(),
            next_step: format!(
                "{when}, call {CONFIRM_PREFIX}{tool} with {{\"payment_id\": \"{id}\"}}."
            ),
            expires_at: call.quote.expires_at,
            retry_instructions: None,
        }
    }
}
