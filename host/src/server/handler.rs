//! What MCP asks of a server, in both protocol eras. One value a session (legacy) or a request (modern, HTTP); all
//! state is the shared [`Server`]'s.

use std::sync::Arc;

use coinop_core::mode::{Mode, PAYMENT_ID_ARGUMENT_RENAMED};
use coinop_core::peer::{Dialog, Era};
use coinop_core::principal::Principal;
use rmcp::model::*;
use rmcp::service::{NotificationContext, RequestContext, RoleServer, SubscriptionContext};
use rmcp::{ErrorData, ServerHandler};
use serde_json::json;

use super::Server;
use super::conversation::Retry;
use super::lists::own_changed;
use super::viewer::Reader;
use super::{conversation, credential, declared, tasks, viewer};
use crate::catalog::Snapshot;
use crate::gate::{Invocation, Reply};
use crate::wire;
use crate::wire::result::capped;

/// Tool names named in the answer to a call of an unknown tool; the rest is found by `tools/list`.
const AVAILABLE_TOOLS_MAX: usize = 100;
/// Longest unknown name that is repeated to its caller, bytes.
const REQUESTED_TOOL_BYTES_MAX: usize = 128;

/// Where a handler learns who calls.
#[derive(Clone)]
enum Identity {
    /// The user of this machine, on a connection with a random name.
    Local(Arc<str>),
    /// The principal that the HTTP layer put in the request's extensions.
    OfRequest,
}

/// The handler of one connection, session or request.
#[derive(Clone)]
pub struct Handler {
    pub(super) server: Arc<Server>,
    identity: Identity,
}

impl Handler {
    /// A handler for the local user, over stdio.
    pub fn local(server: Arc<Server>) -> Self {
        Self {
            server,
            identity: Identity::Local(crate::random::token().into()),
        }
    }

    /// A handler for HTTP: every request says who sends it.
    pub(super) fn of_requests(server: Arc<Server>) -> Self {
        Self {
            server,
            identity: Identity::OfRequest,
        }
    }

    /// Who sent the request. One without a principal did not pass our HTTP layer and is nobody.
    pub(super) fn principal(&self, extensions: &Extensions) -> Principal {
        match self.identity {
            Identity::Local(_) => Principal::local(),
            Identity::OfRequest => extensions
                .get::<http::request::Parts>()
                .and_then(|parts| parts.extensions.get::<Principal>())
                .cloned()
                .unwrap_or_else(Principal::anonymous),
        }
    }

    /// Whose list of tools the sender reads.
    pub(super) fn viewer(
        &self,
        who: &Principal,
        era: Era,
        extensions: &Extensions,
    ) -> Option<String> {
        let reader = Reader {
            era,
            principal: who,
            connection: match &self.identity {
                Identity::Local(connection) => Some(connection),
                Identity::OfRequest => None,
            },
            session: viewer::session(extensions.get()),
        };
        reader.viewer()
    }

    /// The operator's choice of mode for the client, by the name it gives itself.
    fn override_of(&self, context: &RequestContext<RoleServer>) -> Option<&'static dyn Mode> {
        self.server.clients.mode(&context.client_info()?.name)
    }

    async fn call(
        &self,
        mut request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let snapshot = self.server.snapshot().await;
        let peer = declared::peer(&context);
        let retry = Retry::of(&mut request);
        let Some(entry) = snapshot.tools.get(request.name.as_ref()).cloned() else {
            let reply = self
                .call_unlisted(&request, retry, &context, &snapshot)
                .await?;
            return wire::result::answer(&reply, &peer);
        };
        let principal = self.principal(&context.extensions);
        let mut invocation = Invocation {
            entry,
            snapshot,
            credential: None,
            arguments: request.arguments.unwrap_or_default(),
            viewer: self.viewer(&principal, peer.era, &context.extensions),
            mode: self.override_of(&context),
            principal,
            progress: None,
            cancel: context.ct.clone(),
            dialog: Dialog {
                peer,
                manners: self.server.manners,
                ..Dialog::default()
            },
            resumption: None,
        };
        let presented = credential::presented(&context);
        if let Err(unusable) = credential::bring(&mut invocation, presented) {
            let peer = invocation.dialog.peer;
            let calls = self.server.calls.as_ref();
            let reply = credential::refuse(calls, invocation, unusable).await;
            return wire::result::answer(&reply, &peer);
        }
        conversation::answer(&self.server, invocation, retry, &context).await
    }

    /// A tool that was replaced or removed after it was paid for is still owed to whoever holds the payment.
    async fn call_unlisted(
        &self,
        request: &CallToolRequestParams,
        retry: Retry,
        context: &RequestContext<RoleServer>,
        snapshot: &Snapshot,
    ) -> Result<Reply, ErrorData> {
        let mut arguments = request.arguments.clone().unwrap_or_default();
        let principal = self.principal(&context.extensions);
        // What a conversation leads to is found like what a caller names.
        let payment = retry.payment(&self.server, &principal, &arguments).await;
        if let Some(payment) = payment {
            arguments.insert(PAYMENT_ID_ARGUMENT_RENAMED.to_owned(), json!(payment));
        }
        let calls = &self.server.calls;
        if let Ok(Some(credential)) = credential::presented(context) {
            let cancel = context.ct.clone();
            let reply = calls.call_unlisted_with(&request.name, &arguments, &credential, cancel);
            if let Some(reply) = reply.await {
                return Ok(reply);
            }
        }
        calls
            .call_unlisted(&request.name, &arguments, principal, context.ct.clone())
            .await
            .ok_or_else(|| unknown_tool(&request.name, snapshot))
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        self.server.info.clone()
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let snapshot = self.server.snapshot().await;
        let published = self.server.tools.of(&snapshot);
        if published.takes_turns() {
            return Ok(self.own_list(&published, &context).await);
        }
        Ok(ListToolsResult::with_all_items(published.tools().to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let snapshot = self.server.catalog.snapshot();
        let published = self.server.tools.of(&snapshot);
        // rmcp asks for each modern call, and for nothing but the schema.
        let schema = published.find(name)?.input_schema.clone();
        Some(Tool::new_with_raw(name.to_owned(), None, schema))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let _in_flight = self.server.in_flight.token();
        self.call(request, context).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let _in_flight = self.server.in_flight.token();
        let principal = self.principal(&context.extensions);
        let peer = declared::peer(&context);
        tasks::get(&self.server, &request.task_id, &principal, &peer).await
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let _in_flight = self.server.in_flight.token();
        let principal = self.principal(&context.extensions);
        let (id, responses) = (&request.task_id, &request.input_responses);
        tasks::update(&self.server, id, &principal, responses).await
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let _in_flight = self.server.in_flight.token();
        let principal = self.principal(&context.extensions);
        tasks::cancel(&self.server, &request.task_id, &principal).await
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.server.peers.add(context.peer);
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        let mut accepted = SubscriptionFilter::default();
        accepted.tools_list_changed = requested.tools_list_changed;
        Some(accepted)
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = tokio::select! {
            changes = self.server.changes() => changes,
            () = subscription.cancelled() => return Ok(()),
            () = self.server.closing.cancelled() => return Ok(()),
        };
        let mut own = self.own_changes(&subscription).await;
        loop {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
                () = own_changed(&mut own) => {}
                () = subscription.cancelled() => return Ok(()),
                () = self.server.closing.cancelled() => return Ok(()),
            }
            if subscription.accepted().tools_list_changed != Some(true) {
                continue;
            }
            if subscription
                .sink()
                .notify_tool_list_changed()
                .await
                .is_err()
            {
                return Ok(());
            }
        }
    }

    /// rmcp hands over what it cannot read: unknown methods, and known ones with parameters of another shape.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let expected = match request.method.as_str() {
            "tools/call" => "`name`, a text, and `arguments`, an object",
            "tools/list" => "`cursor`, a text, or nothing",
            "tasks/get" | "tasks/cancel" => "`taskId`, a text",
            "tasks/update" => "`taskId`, a text, and `inputResponses`, an object",
            method => {
                let method = capped(method.to_owned(), REQUESTED_TOOL_BYTES_MAX);
                return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None));
            }
        };
        let method = request.method;
        Err(ErrorData::invalid_params(
            format!("Invalid params: {method} takes {expected}"),
            None,
        ))
    }

    // What is not declared is not there; rmcp would answer these with empty results.

    async fn complete(
        &self,
        _request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<
            ListResourceTemplatesRequestMethod,
        >())
    }
}

fn unknown_tool(name: &str, snapshot: &Snapshot) -> ErrorData {
    let available: Vec<&str> = snapshot
        .tools
        .keys()
        .take(AVAILABLE_TOOLS_MAX)
        .map(String::as_str)
        .collect();
    let requested = capped(name.to_owned(), REQUESTED_TOOL_BYTES_MAX);
    ErrorData::invalid_params(
        format!("Unknown tool: {requested}"),
        Some(json!({"requested_tool": requested, "available_tools": available})),
    )
}
