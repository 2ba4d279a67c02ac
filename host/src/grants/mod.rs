//! What the operator lets a plugin reach beyond its arguments. Nothing, unless `coinop.toml` says so.
//!
//! Plain data. The configuration makes it, the library hands it to the sandbox with each run, the sandbox enforces it.
//! It is never kept with a quote: it may hold secrets, and a grant that the operator takes back ends at once.

mod denial;
mod http;

pub use denial::Denial;
pub use http::HttpGrant;

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
}
