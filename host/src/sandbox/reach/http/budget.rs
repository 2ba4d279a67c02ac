//! How many requests and bytes of bodies a run may still have. Whatever goes beyond ends the request, not the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use wasmtime_wasi_http::Error;

use crate::grants::Denial;
use crate::limits::Limits;
use crate::sandbox::reach::Denials;

/// What is left to one run.
pub(super) struct Budget {
    requests: AtomicU32,
    bytes: AtomicUsize,
    requests_max: u32,
    bytes_max: usize,
    denials: Arc<Denials>,
}

impl Budget {
    pub(super) fn new(limits: &Limits, denials: &Arc<Denials>) -> Self {
        Self {
            requests: AtomicU32::new(limits.http_requests_max),
            bytes: AtomicUsize::new(limits.http_bytes_max),
            requests_max: limits.http_requests_max,
            bytes_max: limits.http_bytes_max,
            denials: Arc::clone(denials),
        }
    }

    /// Bytes of bodies that a run may have, all in all.
    pub(super) fn bytes_max(&self) -> u64 {
        self.bytes_max as u64
    }

    /// Takes one request.
    ///
    /// # Errors
    /// That there is none left.
    pub(super) fn take_request(&self) -> Result<(), Error> {
        let left = |left: u32| left.checked_sub(1);
        let taken = self
            .requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        taken.map(drop).map_err(|_| {
            self.note(format!(
                "send more than {} requests in one run (limits.http_requests)",
                self.requests_max
            ));
            Error::HttpRequestDenied
        })
    }

    /// Takes some bytes; `false` where so many are not left.
    pub(super) fn take_bytes(&self, bytes: usize) -> bool {
        let left = |left: usize| left.checked_sub(bytes);
        let taken = self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        if taken.is_err() {
            let bytes_max = self.bytes_max;
            self.note(format!(
                "move more than {bytes_max} bytes over HTTP in one run (limits.http_kib)"
            ));
        }
        taken.is_ok()
    }

    fn note(&self, wanted: String) {
        self.denials.note(Denial { wanted, line: None });
    }
}
