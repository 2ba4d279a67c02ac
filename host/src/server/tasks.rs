//! Tasks (SEP-2663): a paid call that nobody waits for any longer, and the requests by which its client follows it.
//!
//! The ledger's call is the task, and the payment's id its name, so a task outlives every host. What it says is the
//! gate's, and whose it is is asked for each request.

use coinop_core::mode::AUTO;
use coinop_core::peer::{Answer, Peer};
use coinop_core::principal::Principal;
use rmcp::ErrorData;
use rmcp::model::{CreateTaskResult, GetTaskResult, InputResponses};

use super::Server;
use crate::catalog::Entry;
use crate::gate::{Invocation, Reply, Task, TaskWish};
use crate::ledger::LedgerError;
use crate::wire::elicitation::answer_among;
use crate::wire::tasks;

/// The task that takes the place of a plain answer. Only in AUTO, which goes by what a client declares, and only for a
/// client that puts questions to its user: a handle shows nobody the link.
pub(super) async fn instead(
    server: &Server,
    reply: &Reply,
    call: &Invocation,
) -> Option<CreateTaskResult> {
    let peer = &call.dialog.peer;
    let (Reply::Ask { ask, .. }, Entry::Tool(listing)) = (reply, &call.entry) else {
        return None;
    };
    let shown = peer.url || peer.form;
    if !peer.tasks || !shown || listing.mode.name() != AUTO {
        return None;
    }
    let id = ask.payment_id.as_str();
    let found = server.calls.task(id, &call.principal, TaskWish::Glance);
    // Without a word from the ledger, the plain answer still leads to the payment.
    let task = found.await.ok()??;
    Some(tasks::created(&task, peer))
}

/// `tasks/get`: moves the call on and says how far it is.
pub(super) async fn get(
    server: &Server,
    id: &str,
    principal: &Principal,
    peer: &Peer,
) -> Result<GetTaskResult, ErrorData> {
    let task = found(server, id, principal, TaskWish::Poll).await?;
    Ok(tasks::polled(&task, peer))
}

/// `tasks/update`: a user's no calls the payment off; anything else is a reason to look.
pub(super) async fn update(
    server: &Server,
    id: &str,
    principal: &Principal,
    responses: &InputResponses,
) -> Result<(), ErrorData> {
    let wish = match answer_among(Some(responses)) {
        Answer::Declined => TaskWish::CallOff,
        _ => TaskWish::Poll,
    };
    found(server, id, principal, wish).await.map(drop)
}

/// `tasks/cancel`: calls the payment off where it is not paid. A paid run goes on.
pub(super) async fn cancel(
    server: &Server,
    id: &str,
    principal: &Principal,
) -> Result<(), ErrorData> {
    found(server, id, principal, TaskWish::CallOff)
        .await
        .map(drop)
}

async fn found(
    server: &Server,
    id: &str,
    principal: &Principal,
    wish: TaskWish,
) -> Result<Task, ErrorData> {
    match server.calls.task(id, principal, wish).await {
        Ok(Some(task)) => Ok(task),
        Ok(None) => Err(ErrorData::invalid_params("Unknown task", None)),
        Err(error) => Err(away(&error)),
    }
}

fn away(error: &LedgerError) -> ErrorData {
    tracing::error!(%error, "the ledger did not answer");
    let message = "The host's ledger is not available. Nothing was lost; try again later.";
    ErrorData::internal_error(message, None)
}
