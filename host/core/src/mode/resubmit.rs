//! RESUBMIT: the same tool is called again with the same arguments and the payment's id.

use super::{Ask, AskStatus, Mode, Surface};
use crate::call::Call;

pub(super) struct Resubmit;

impl Mode for Resubmit {
    fn name(&self) -> &'static str {
        "resubmit"
    }

    fn surface(&self) -> Surface {
        Surface::PaymentIdArgument
    }

    fn ask(&self, call: &Call, status: AskStatus) -> Ask {
        let id = &call.payment.id;
        let tool = &call.quote.tool;
        let argument = &call.quote.payment_id_argument;
        let when = match status {
            AskStatus::Running => "To get the result",
            _ => "Once it is paid",
        };
        let instructions = format!(
            "{when}, call {tool} again with the same arguments and {argument} set to \"{id}\"."
        );
        Ask {
            status,
            payment_id: id.clone(),
            price: call.quote.price,
            provider: call.payment.provider.clone(),
            tool: tool.clone(),
            next_step: instructions.clone(),
            expires_at: call.quote.expires_at,
            retry_instructions: Some(instructions),
        }
    }
}
