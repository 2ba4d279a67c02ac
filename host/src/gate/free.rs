//! Free tools: validated, run, answered. Nothing is stored, and cancelling really stops the guest.

use coinop_core::arguments::Arguments;
use coinop_core::ids::CallId;

use super::{Gate, Invocation, Job, Refusal, Reply};
use crate::catalog::Listing;
use crate::ledger::Delivery;

impl Gate {
    pub(super) async fn run_free(&self, listing: &Listing, invocation: Invocation) -> Reply {
        let arguments = match checked(listing, &invocation.arguments) {
            Ok(arguments) => arguments,
            Err(refusal) => return Reply::Refused(refusal),
        };
        if let Some(refused) = self.refused(listing) {
            return refused;
        }
        let job = Job {
            component: listing.manifest.digest,
            plugin: listing.plugin.clone(),
            tool: listing.tool.name.clone(),
            arguments: arguments.into_json(),
            principal: invocation.principal.clone(),
            execution_id: CallId::from_random(self.random.bytes()).to_string(),
            limits: listing.limits,
            settings: listing.settings.clone(),
            progress: invocation.progress,
            ready: None,
        };
        tokio::select! {
            biased;
            result = self.parts.runner.run(job) => match result {
                Ok(outcome) => Reply::Outcome(Delivery::free(outcome)),
                Err(failure) => Reply::Refused(Refusal::ToolFailed {
                    kind: failure.kind,
                    message: failure.message,
                }),
            },
            () = invocation.cancel.cancelled() => Reply::Cancelled,
        }
    }
}

/// Arguments that fit the tool's schema, in canonical form.
pub(super) fn checked(
    listing: &Listing,
    arguments: &serde_json::Map<String, serde_json::Value>,
) -> Result<Arguments, Refusal> {
    crate::catalog::arguments::check(listing, arguments).map_err(Refusal::InvalidArguments)?;
    Arguments::from_map(arguments).map_err(|e| Refusal::InvalidArguments(e.to_string()))
}
