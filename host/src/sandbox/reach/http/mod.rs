//! Outgoing HTTP of guests: what a grant allows is sent, everything else is refused and noted.
//!
//! One request goes `target` (where to, and is it sane) → grant → `budget` → `lines` (a connection of this run) →
//! `exchange` → `body`. Nothing here outlives the run but what the operator is told.

mod body;
mod budget;
mod exchange;
mod failure;
mod lines;
mod options;
mod patience;
mod target;

use std::sync::Arc;

use http::Method;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use budget::Budget;
use lines::Lines;
pub(super) use options::add_to_linker;
use patience::Patience;

use super::Denials;
use crate::grants::{Admits, Denial, Grants, HttpGrant, Origin, Place};
use crate::outbound::{DialError, Dialer};
use crate::sandbox::Run;
use crate::unruly::tame;

/// Characters of a method that are shown.
const METHOD_CHARS_MAX: usize = 32;

/// Bytes of a request's body that the host takes from a guest of WASI 0.3 at a time.
const BODY_CHUNK_BYTES: usize = 64 << 10;

/// Where a run's requests go.
pub(super) struct Outgoing(Option<Arc<Door>>);

impl Outgoing {
    /// Nowhere, silently: for a component that is tried.
    pub(super) fn closed() -> Self {
        Self(None)
    }

    /// Where the grants of `run` let them.
    pub(super) fn of(run: &Run<'_>, denials: &Arc<Denials>, dialer: &Arc<Dialer>) -> Self {
        Self(Some(Arc::new(Door {
            grants: run.grants.clone(),
            denials: Arc::clone(denials),
            budget: Arc::new(Budget::new(run.limits, denials)),
            lines: Arc::new(Lines::new(dialer)),
        })))
    }
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Io), Error>;

impl WasiHttpHooks for Outgoing {
    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _guests_reading: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let door = self.0.clone();
        Box::new(async move {
            let door = door.ok_or(Error::HttpRequestDenied)?;
            let response = door.send(request, Patience::of(options)).await?;
            // The body owns its connection, so there is nothing left to drive.
            Ok((response, Box::new(std::future::ready(Ok(()))) as Io))
        })
    }
}

/// What the requests of one run share.
struct Door {
    grants: Grants,
    denials: Arc<Denials>,
    budget: Arc<Budget>,
    lines: Arc<Lines>,
}

impl Door {
    async fn send(
        &self,
        request: http::Request<WasiBody>,
        patience: Patience,
    ) -> Result<http::Response<WasiBody>, Error> {
        let origin = target::of(&request)?;
        let admits = self.admit(request.method(), &origin)?;
        self.budget.take_request()?;
        let method = request.method().clone();
        let request = target::as_sent(request, &origin, &self.budget);
        let sent = exchange::exchange(&self.lines, (origin, admits), request, patience);
        match sent.await {
            Ok((answer, line)) => Ok(body::of(answer, line, &self.lines, &self.budget, patience)),
            Err(failure) => Err(self.explain(failure, &method)),
        }
    }

    /// Asks the grants, and notes what was lacking.
    fn admit(&self, method: &Method, origin: &Origin) -> Result<Admits, Error> {
        let admits = self.grants.admits(method.as_str(), origin);
        admits.ok_or_else(|| {
            let shown = tame(method.as_str(), METHOD_CHARS_MAX);
            self.denials.note(Denial {
                wanted: format!("send {shown} {origin}"),
                line: suggested(method, origin).then(|| line(method, origin, false)),
            });
            Error::HttpRequestDenied
        })
    }

    fn explain(&self, failure: exchange::Failure, method: &Method) -> Error {
        let (error, origin) = match failure {
            exchange::Failure::Exchange(error) => return error,
            exchange::Failure::Dial(error, origin) => (error, origin),
        };
        if let DialError::Prohibited { internal } = error {
            self.denials.note(Denial {
                wanted: format!(
                    "connect to {origin}, whose name stands for no address of the public Internet"
                ),
                line: internal.then(|| line(method, &origin, true)),
            });
        }
        failure::of_dial(error)
    }
}

fn line(method: &Method, origin: &Origin, internal: bool) -> String {
    let grant = HttpGrant::exactly(method.as_str(), origin, internal);
    format!("http = [{:?}]", grant.to_string())
}

/// Whether a grant for it exists, and should be put into an operator's mind.
fn suggested(method: &Method, origin: &Origin) -> bool {
    let strange = *method == Method::CONNECT || method.as_str().len() > METHOD_CHARS_MAX;
    let place = match origin.host {
        crate::grants::Host::Name(_) => Place::Public,
        crate::grants::Host::Address(address) => Place::of(address),
    };
    !strange && !matches!(place, Place::Link | Place::Nowhere)
}
