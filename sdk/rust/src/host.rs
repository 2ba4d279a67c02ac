//! What the host gives a run: its context, a way to tell how far it is, settings, and the counter of metered prices.
//!
//! Outside a host, in an author's own tests, progress goes nowhere, units are counted by nobody and nothing is set.

use crate::Failure;
use crate::bindings::coinop::plugin as wit;

/// What the host tells a run. Nothing about payment: neither who pays nor how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The call's id: the same when a run is started again, so it serves as an idempotency key towards other services.
    pub call_id: String,
    /// Milliseconds of wall-clock time left when the run starts.
    pub remaining_ms: u32,
    /// A pseudonym of the caller, where the operator gives it.
    pub caller: Option<String>,
    /// A JSON object for what later hosts have to say.
    pub meta: Option<String>,
}

impl From<wit::tool_types::Context> for Context {
    fn from(context: wit::tool_types::Context) -> Self {
        Self {
            call_id: context.call_id,
            remaining_ms: context.remaining_ms,
            caller: context.caller,
            meta: context.meta,
        }
    }
}

/// Whether a host is there to be asked.
fn hosted() -> bool {
    cfg!(target_family = "wasm")
}

/// Tells the caller how far the run is. `done` grows with every report; `total`, once known, is where it ends. Any
/// unit. Never waits, never fails.
pub fn progress(done: f64, total: impl Into<Option<f64>>, message: &str) {
    if hosted() {
        let message = Some(message).filter(|message| !message.is_empty());
        wit::progress::report(done, total.into(), message);
    }
}

/// What the operator has set as `key` for this plugin. It may be secret: never put it into an answer.
pub fn setting(key: &str) -> Option<String> {
    hosted().then(|| wit::settings::get(key)).flatten()
}

/// As [`setting`], for what the tool cannot do without.
///
/// # Errors
/// It is not set; the failure names the key.
pub fn required_setting(key: &str) -> Result<String, Failure> {
    setting(key)
        .ok_or_else(|| Failure::failed(format!("the operator of this tool has not set {key:?}")))
}

/// Whether a run may go on after units were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Metered {
    /// It may.
    GoOn,
    /// The call has reached the most it may cost: stop here and answer with what there is.
    LimitReached,
}

/// Counts `count` of `unit`, for metered prices, which this version of the host does not take yet. Under any other price it
/// charges nothing.
///
/// # Errors
/// The tool's price counts something else.
pub fn meter(unit: &str, count: u32) -> Result<Metered, Failure> {
    if !hosted() {
        return Ok(Metered::GoOn);
    }
    match wit::meter::add(unit, count) {
        Ok(()) => Ok(Metered::GoOn),
        Err(wit::meter::Refusal::LimitReached) => Ok(Metered::LimitReached),
        Err(wit::meter::Refusal::UnknownUnit(known)) => Err(Failure::failed(format!(
            "the price counts {known:?}, not {unit:?}"
        ))),
        Err(wit::meter::Refusal::Other(why)) => Err(Failure::Failed(why)),
    }
}
