//! A tool call as a conversation: what the gate asks is put to the client, and what the user answers goes back to it.
//!
//! A legacy client is asked while its call stays open; a modern one by an answer, and calls again. What is decided in
//! between is the gate's: here are its words and the client's, and nothing is believed that the gate does not look up.

mod legacy;
mod seals;
mod state;

use std::sync::Arc;

use coinop_core::arguments::Arguments;
use coinop_core::digest::Digest;
use coinop_core::ids::PaymentId;
use coinop_core::mode::Manner;
use coinop_core::peer::{Era, Peer};
use coinop_core::principal::Principal;
use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, CallToolResponse, InputResponses};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

pub(super) use self::legacy::Following;
use self::seals::Opened;
pub(super) use self::seals::Seals;
use self::state::{Bound, State};
use super::Server;
use super::progress::Bridge;
use super::tasks;
use crate::gate::{Invocation, Reply, Resumption};
use crate::sandbox::{ProgressSink, Stage};
use crate::wire;
use crate::wire::elicitation::{Asked, answer_among};

/// How often one request of a legacy client asks at most, whatever the mode says.
const ASKS_MAX: u32 = 32;

/// What whoever sends another state than it was given is told.
const STATE_DOES_NOT_HOLD: &str = "Invalid params: requestState was not made for this call, or is too old. Nothing was \
charged. Call the tool again without it.";

/// What a modern client brings back from an earlier answer.
pub(super) struct Retry {
    tool: String,
    responses: Option<InputResponses>,
    state: Option<String>,
}

impl Retry {
    /// Takes it out of a request.
    pub(super) fn of(request: &mut CallToolRequestParams) -> Self {
        Self {
            tool: request.name.clone().into_owned(),
            responses: request.input_responses.take(),
            state: request.request_state.take(),
        }
    }

    /// The payment that it leads to, for a call of a tool that is not listed any more.
    pub(super) async fn payment(
        &self,
        server: &Server,
        principal: &Principal,
        arguments: &Map<String, Value>,
    ) -> Option<PaymentId> {
        let opened = self.open(server, principal, &digest(arguments)?).await;
        match opened {
            Opened::Holds(state) => Some(state.payment),
            Opened::DoesNotHold | Opened::Untold => None,
        }
    }

    async fn open(&self, server: &Server, principal: &Principal, arguments: &Digest) -> Opened {
        let bound = Bound {
            principal,
            tool: &self.tool,
            arguments,
        };
        let Some(sealed) = self.state.as_deref() else {
            return Opened::Untold;
        };
        server
            .seals
            .open(server.calls.as_ref(), sealed, &bound)
            .await
    }
}

fn digest(arguments: &Map<String, Value>) -> Option<Digest> {
    let arguments = Arguments::from_map(arguments).ok()?;
    Some(arguments.digest())
}

/// Answers a call.
pub(super) async fn answer(
    server: &Arc<Server>,
    invocation: Invocation,
    retry: Retry,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let token = context.meta.get_progress_token();
    let bridge = token.is_some().then(Arc::<Bridge>::default);
    let conversation = Conversation {
        server,
        context,
        ears: Arc::new(Ears {
            bridge: bridge.clone(),
            started: CancellationToken::new(),
        }),
    };
    let held = conversation.hold(invocation, retry);
    match token.zip(bridge) {
        Some((token, bridge)) => bridge.during(&context.peer, token, held).await,
        None => held.await,
    }
}

/// One request of a client, as long as it lasts.
struct Conversation<'a> {
    server: &'a Arc<Server>,
    context: &'a RequestContext<RoleServer>,
    ears: Arc<Ears>,
}

impl Conversation<'_> {
    async fn hold(
        &self,
        mut invocation: Invocation,
        retry: Retry,
    ) -> Result<CallToolResponse, ErrorData> {
        let peer = invocation.dialog.peer;
        invocation.progress = self.ears.sink(&peer);
        if peer.era == Era::Modern {
            invocation.resumption = self.take_up(&retry, &invocation).await?;
        }
        // The link that the user of a legacy client has open.
        let mut opened = None;
        loop {
            let mut next = again(&invocation);
            let before = invocation.resumption.as_ref().map_or(0, |it| it.asked);
            let asked = before.saturating_add(1);
            let reply = self.call(invocation, opened).await;
            let Reply::Ask {
                ask,
                payment_url,
                test,
            } = &reply
            else {
                return wire::result::answer(&reply, &peer);
            };
            let put = Asked {
                ask,
                payment_url,
                test: *test,
            };
            let answer = match (ask.manner, peer.era) {
                (Manner::Form | Manner::Url, Era::Modern) => {
                    return match self.seal(&put, asked, &next, &retry.tool).await {
                        Some(state) => Ok(put.input_required(state).into()),
                        // The plain answer leads to the payment, too.
                        None => wire::result::answer(&reply, &peer),
                    };
                }
                (Manner::UrlError, Era::Legacy) => {
                    self.server.follow(&put, &self.context.peer);
                    return Err(put.url_error());
                }
                (Manner::Form | Manner::Url, Era::Legacy) if asked <= ASKS_MAX => {
                    self.ask(&put).await
                }
                _ => {
                    return match tasks::instead(self.server, &reply, &next).await {
                        Some(task) => Ok(CallToolResponse::Task(task)),
                        None => wire::result::answer(&reply, &peer),
                    };
                }
            };
            let Some(heard) = answer else {
                return wire::result::answer(&Reply::Cancelled, &peer);
            };
            opened = heard.opened;
            next.resumption = Some(Resumption {
                payment: ask.payment_id.clone(),
                answer: heard.answer,
                asked,
            });
            invocation = next;
        }
    }

    /// Where the conversation goes on, `None` at its begin.
    ///
    /// # Errors
    /// The state is not one that was made for this caller, tool and arguments: the protocol has it rejected.
    async fn take_up(
        &self,
        retry: &Retry,
        invocation: &Invocation,
    ) -> Result<Option<Resumption>, ErrorData> {
        let Some(arguments) = digest(&invocation.arguments) else {
            return Ok(None);
        };
        let opening = retry.open(self.server, &invocation.principal, &arguments);
        match opening.await {
            Opened::Holds(state) => Ok(Some(Resumption {
                payment: state.payment,
                answer: answer_among(retry.responses.as_ref()),
                asked: state.asked,
            })),
            Opened::DoesNotHold => Err(ErrorData::invalid_params(STATE_DOES_NOT_HOLD, None)),
            Opened::Untold => Ok(None),
        }
    }

    async fn seal(
        &self,
        put: &Asked<'_>,
        asked: u32,
        of: &Invocation,
        tool: &str,
    ) -> Option<String> {
        let state = State::new(put.ask.payment_id.clone(), asked, put.ask.expires_at);
        let bound = Bound {
            principal: &of.principal,
            tool,
            arguments: &digest(&of.arguments)?,
        };
        let calls = self.server.calls.as_ref();
        self.server.seals.seal(calls, &state, &bound).await
    }
}

/// The same call once more.
fn again(invocation: &Invocation) -> Invocation {
    Invocation {
        snapshot: invocation.snapshot.clone(),
        entry: invocation.entry.clone(),
        arguments: invocation.arguments.clone(),
        principal: invocation.principal.clone(),
        progress: invocation.progress.clone(),
        cancel: invocation.cancel.clone(),
        dialog: invocation.dialog,
        mode: invocation.mode,
        viewer: invocation.viewer.clone(),
        resumption: None,
        // A call that is asked about brought no payment along.
        credential: None,
    }
}

/// Hears what the gate and the run say while the call lasts.
struct Ears {
    /// Leads to the client, where it listens.
    bridge: Option<Arc<Bridge>>,
    /// Cancelled once the payment is made and the call goes on.
    started: CancellationToken,
}

impl Ears {
    /// What the gate reports to, where anybody has a use for it.
    fn sink(self: &Arc<Self>, peer: &Peer) -> Option<Arc<dyn ProgressSink>> {
        let has_open_links = peer.era == Era::Legacy && peer.url;
        let used = self.bridge.is_some() || has_open_links;
        used.then(|| self.clone() as Arc<dyn ProgressSink>)
    }
}

impl ProgressSink for Ears {
    fn report(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        if let Some(bridge) = &self.bridge {
            bridge.report(progress, total, message);
        }
    }

    fn note(&self, stage: Stage, message: &str) {
        if stage == Stage::Starting {
            self.started.cancel();
        }
        if let Some(bridge) = &self.bridge {
            bridge.note(stage, message);
        }
    }
}
