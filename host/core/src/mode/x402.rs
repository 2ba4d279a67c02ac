//! X402: the caller's own wallet pays with the call. A call without a payment is answered with what to pay and is not
//! recorded; the payment comes back with the same call.

use super::{Ask, AskStatus, Mode, Surface, Turn};
use crate::call::Call;
use crate::peer::Dialog;

pub(super) struct X402;

impl Mode for X402 {
    fn name(&self) -> &'static str {
        "x402"
    }

    fn surface(&self) -> Surface {
        Surface::Credential
    }

    /// Only of a call whose payment was presented: it is on its way, and asking again means the same call.
    fn turn(&self, call: &Call, status: AskStatus, _dialog: &Dialog) -> Turn {
        let tool = &call.quote.tool;
        let then = format!("call {tool} again with the same arguments and the same payment");
        Turn::Ask(Ask::of(call, status, &then))
    }
}
