//! RESUBMIT: the same tool is called again with the same arguments and the payment's id.

use super::{Ask, AskStatus, Mode, Surface, Turn};
use crate::call::Call;
use crate::peer::Dialog;

pub(super) struct Resubmit;

impl Mode for Resubmit {
    fn name(&self) -> &'static str {
        "resubmit"
    }

    fn surface(&self) -> Surface {
        Surface::PaymentIdArgument
    }

    fn turn(&self, call: &Call, status: AskStatus, _dialog: &Dialog) -> Turn {
        let (tool, id) = (&call.quote.tool, &call.payment.id);
        let argument = &call.quote.payment_id_argument;
        let then =
            format!("call {tool} again with the same arguments and {argument} set to \"{id}\"");
        let ask = Ask::of(call, status, &then);
        Turn::Ask(Ask {
            retry_instructions: Some(ask.next_step.clone()),
            ..ask
        })
    }
}
