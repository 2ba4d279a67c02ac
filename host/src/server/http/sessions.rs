//! Legacy sessions: rmcp's own, bound to who opened them, limited in number, and closed when nobody uses them.
//!
//! rmcp's idle timer counts silence and would kill a silent call; it is off, and this one counts use. A session is in
//! use while a request of it runs (the request carries an [`InUse`] to its handler) or a stream of it is open.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coinop_core::principal::Principal;
use futures::Stream;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionHandle, LocalSessionManager, LocalSessionManagerError,
};
use rmcp::transport::streamable_http_server::session::{
    ServerSseMessage, SessionId, SessionManager,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Replies;
use super::exchange::{Exchange, Shortcut};
use super::messages::Messages;

/// How often idle sessions are looked for, at most.
const SWEEP_MIN: Duration = Duration::from_secs(1);

/// The open sessions.
pub(super) struct Sessions {
    inner: LocalSessionManager,
    open: Mutex<HashMap<SessionId, Arc<Session>>>,
    vacancies: Arc<Semaphore>,
    replies: Replies,
}

/// One session.
struct Session {
    owner: Principal,
    uses: AtomicUsize,
    idle_since: Mutex<Instant>,
    _place: OwnedSemaphorePermit,
}

/// Somebody uses a session, until this is dropped.
pub(super) struct InUse(Arc<Session>);

impl InUse {
    fn of(session: &Arc<Session>) -> Arc<Self> {
        session.uses.fetch_add(1, Ordering::SeqCst);
        Arc::new(Self(session.clone()))
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        *self
            .0
            .idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.uses.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Session {
    fn is_idle(&self, idle_max: Duration, now: Instant) -> bool {
        let since = *self
            .idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.uses.load(Ordering::SeqCst) == 0 && now.saturating_duration_since(since) >= idle_max
    }
}

/// Why a session cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionsError {
    #[error("there are as many sessions as are allowed")]
    Full,
    #[error(transparent)]
    Local(#[from] LocalSessionManagerError),
}

impl Sessions {
    pub(super) fn new(sessions_max: usize, replies: Replies) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = None;
        Self {
            inner,
            open: Mutex::default(),
            vacancies: Arc::new(Semaphore::new(sessions_max)),
            replies,
        }
    }

    /// Uses a session, as its owner: another's session is unknown.
    pub(super) fn enter(&self, id: &str, principal: &Principal) -> Option<Arc<InUse>> {
        let open = self.open();
        let session = open.get(id).filter(|session| session.owner == *principal)?;
        Some(InUse::of(session))
    }

    /// Closes idle sessions until `closing`.
    pub(super) async fn sweep(&self, idle_max: Duration, closing: &CancellationToken) {
        let mut ticks = tokio::time::interval((idle_max / 4).max(SWEEP_MIN));
        loop {
            tokio::select! {
                _ = ticks.tick() => self.close_idle(idle_max, Instant::now()).await,
                () = closing.cancelled() => return,
            }
        }
    }

    /// Closes the sessions that were idle for `idle_max` at `now`.
    async fn close_idle(&self, idle_max: Duration, now: Instant) {
        let idle: Vec<SessionId> = {
            let open = self.open();
            let idle = open
                .iter()
                .filter(|(_, session)| session.is_idle(idle_max, now));
            idle.map(|(id, _)| id.clone()).collect()
        };
        for id in idle {
            let _ = self.close_session(&id).await;
        }
    }

    /// Closes every session; what their streams still hold is delivered.
    pub(super) async fn close_all(&self) {
        let all: Vec<SessionId> = self.open().keys().cloned().collect();
        for id in all {
            let _ = self.close_session(&id).await;
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_use(&self, id: &SessionId) -> Result<Arc<InUse>, SessionsError> {
        let open = self.open();
        let session = open.get(id).map(InUse::of);
        session.ok_or_else(|| LocalSessionManagerError::SessionNotFound(id.clone()).into())
    }

    async fn handle(&self, id: &SessionId) -> Result<LocalSessionHandle, SessionsError> {
        let handle = self.inner.sessions.read().await.get(id).cloned();
        handle.ok_or_else(|| LocalSessionManagerError::SessionNotFound(id.clone()).into())
    }
}

impl SessionManager for Sessions {
    type Error = SessionsError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), SessionsError> {
        let Ok(place) = self.vacancies.clone().try_acquire_owned() else {
            Exchange::shorten(Shortcut::Full);
            return Err(SessionsError::Full);
        };
        let (id, transport) = self.inner.create_session().await?;
        let session = Session {
            owner: Exchange::principal(),
            uses: AtomicUsize::new(0),
            idle_since: Mutex::new(Instant::now()),
            _place: place,
        };
        self.open().insert(id.clone(), Arc::new(session));
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, SessionsError> {
        let answer = self.inner.initialize_session(id, message).await?;
        if self.replies == Replies::Json {
            Exchange::shorten(Shortcut::Json(Arc::new(answer.clone())));
        }
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, SessionsError> {
        Ok(self.inner.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), SessionsError> {
        self.open().remove(id);
        Ok(self.inner.close_session(id).await?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionsError> {
        let in_use = self.in_use(id)?;
        let handle = self.handle(id).await?;
        let channel = handle.establish_request_wise_channel().await;
        let channel = channel.map_err(LocalSessionManagerError::from)?;
        let request = channel.http_request_id;
        let pushed = handle.push_message(message, request).await;
        pushed.map_err(LocalSessionManagerError::from)?;

        let mut messages = Messages::new(channel.inner, in_use);
        if self.replies == Replies::EventStream {
            return Ok(messages);
        }
        if let Some(answer) = messages.lone_answer().await {
            Exchange::shorten(Shortcut::Json(answer));
            // Nobody resumes a stream that never was: without this, rmcp keeps each answer for a minute.
            if let Some(request) = request {
                let _ = handle.close_request_wise_channel(request).await;
            }
        }
        Ok(messages)
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), SessionsError> {
        Ok(self.inner.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionsError> {
        let in_use = self.in_use(id)?;
        let channel = self.handle(id).await?.establish_common_channel().await;
        let channel = channel.map_err(LocalSessionManagerError::from)?;
        Ok(Messages::new(channel.inner, in_use))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionsError> {
        let in_use = self.in_use(id)?;
        let from = last_event_id
            .parse()
            .map_err(LocalSessionManagerError::from)?;
        let channel = self.handle(id).await?.resume(from).await;
        let channel = channel.map_err(LocalSessionManagerError::from)?;
        Ok(Messages::new(channel.inner, in_use))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(600);

    async fn opened(sessions: &Sessions, principal: &Principal) -> SessionId {
        let exchange = Exchange::new(principal.clone());
        let (id, transport) = exchange.scope(sessions.create_session()).await.unwrap();
        // The worker waits for its `initialize`; the test needs only that it lives.
        std::mem::forget(transport);
        id
    }

    #[tokio::test]
    async fn a_session_is_its_owners() {
        let sessions = Sessions::new(8, Replies::Json);
        let (ada, bob) = (Principal::api_key("ada"), Principal::api_key("bob"));
        let id = opened(&sessions, &ada).await;
        assert!(sessions.enter(&id, &ada).is_some());
        assert!(sessions.enter(&id, &bob).is_none());
        assert!(sessions.enter(&id, &Principal::anonymous()).is_none());
        assert!(sessions.enter("unknown", &ada).is_none());
    }

    #[tokio::test]
    async fn only_unused_sessions_are_closed() {
        let sessions = Sessions::new(8, Replies::Json);
        let ada = Principal::api_key("ada");
        let (used, unused) = (opened(&sessions, &ada).await, opened(&sessions, &ada).await);
        let in_use = sessions.enter(&used, &ada).unwrap();
        let later = Instant::now() + 10 * IDLE;

        sessions.close_idle(IDLE, Instant::now()).await;
        assert_eq!(sessions.open().len(), 2);
        sessions.close_idle(IDLE, later).await;
        assert!(sessions.enter(&unused, &ada).is_none());
        assert!(!sessions.has_session(&unused).await.unwrap());
        assert!(sessions.has_session(&used).await.unwrap());

        drop(in_use);
        sessions.close_idle(IDLE, Instant::now()).await;
        assert!(sessions.has_session(&used).await.unwrap());
        sessions.close_idle(IDLE, later).await;
        assert!(!sessions.has_session(&used).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_house_has_room_again_when_a_session_closes() {
        let sessions = Sessions::new(1, Replies::Json);
        let ada = Principal::api_key("ada");
        let id = opened(&sessions, &ada).await;
        let exchange = Exchange::new(ada.clone());
        let refused = exchange.scope(sessions.create_session()).await;
        assert!(matches!(refused, Err(SessionsError::Full)));
        assert!(matches!(exchange.take_shortcut(), Some(Shortcut::Full)));
        sessions.close_session(&id).await.unwrap();
        opened(&sessions, &ada).await;
    }
}
