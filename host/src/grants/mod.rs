//! What the operator lets a plugin reach beyond its arguments. Nothing, unless `coinop.toml` says so.
//!
//! Plain data. The configuration makes it, the library hands it to the sandbox with each run, the sandbox enforces it.
//! It is never kept with a quote: it may hold secrets, and a grant that the operator takes back ends at once.

mod address;
mod denial;
mod host;
mod http;
mod origin;
mod repeat;

pub use address::Place;
pub use denial::Denial;
pub use host::{Host, HostError};
pub use http::{Admits, HttpGrant};
pub use origin::{Origin, Scheme};

/// The grants of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Origins it may send requests to.
    pub http: Vec<HttpGrant>,
}

impl Grants {
    /// Whether there is anything beyond its own memory that a run could change.
    pub fn reaches_out(&self) -> bool {
        !self.http.is_empty()
    }

    /// Whether what it may reach, it may only read: an HTTP server's part is to change nothing on GET and HEAD.
    pub fn only_reads(&self) -> bool {
        self.http.iter().all(HttpGrant::only_reads)
    }

    /// Whether a request is allowed, and which addresses its host's name may stand for.
    pub fn admits(&self, method: &str, origin: &Origin) -> Option<Admits> {
        let fitting = self.http.iter().filter_map(|g| g.admits(method, origin));
        fitting.max()
    }
}
