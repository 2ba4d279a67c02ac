//! Outgoing HTTP of guests: what a grant allows is sent, everything else is refused and noted.

use std::future::ready;
use std::sync::Arc;

use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::Denials;
use crate::grants::Denial;
use crate::sandbox::Run;

/// Where a run's requests go.
pub(super) struct Outgoing {
    denials: Option<Arc<Denials>>,
}

impl Outgoing {
    /// Nowhere, silently: for a component that is tried.
    pub(super) fn closed() -> Self {
        Self { denials: None }
    }

    pub(super) fn of(_run: &Run<'_>, denials: &Arc<Denials>) -> Self {
        Self {
            denials: Some(Arc::clone(denials)),
        }
    }
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Io), Error>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _io: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        if let Some(denials) = &self.denials {
            let uri = request.uri();
            let origin = format!(
                "{}://{}",
                uri.scheme_str().unwrap_or("https"),
                uri.authority().map_or("", |authority| authority.as_str())
            );
            denials.note(Denial {
                wanted: format!("send {} {origin}", request.method()),
                line: Some(format!("http = [{origin:?}]")),
            });
        }
        Box::new(ready(Err(Error::HttpRequestDenied)))
    }
}
