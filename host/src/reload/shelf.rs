//! What is known of one plugin file: its last good version, what is being loaded, and what is wrong with it.

use std::sync::Arc;

use coinop_core::digest::Digest;

use super::folder::{PluginFile, Stamp};
use crate::catalog::Problem;
use crate::plugin::Manifest;

/// One file's state.
pub(super) struct Shelf {
    pub(super) file: PluginFile,
    /// The state of the file that `latest` was read from.
    pub(super) read: Option<Stamp>,
    /// The digest last read.
    pub(super) latest: Option<Digest>,
    /// The version that is served.
    pub(super) good: Option<Arc<Manifest>>,
    /// Why `latest` is not served.
    pub(super) error: Option<String>,
    /// The file changed moments ago and did not load: it may be half written.
    pub(super) unsettled: bool,
}

impl Shelf {
    pub(super) fn new(file: PluginFile) -> Self {
        Self {
            file,
            read: None,
            latest: None,
            good: None,
            error: None,
            unsettled: false,
        }
    }

    /// Serves `manifest` from now on.
    pub(super) fn accept(&mut self, manifest: Arc<Manifest>) {
        self.good = Some(manifest);
        self.error = None;
        self.unsettled = false;
    }

    /// Keeps what was served. A file that changed moments ago is given time before anybody is told.
    pub(super) fn refuse(&mut self, error: String) {
        self.unsettled = Stamp::of(&self.file.path).is_some_and(|stamp| stamp.is_fresh());
        self.error = Some(error);
        if self.unsettled {
            // Read it again even if it does not change any more.
            self.read = None;
        }
    }

    /// What to tell the operator.
    pub(super) fn problem(&self) -> Option<Problem> {
        let message = self.error.as_ref().filter(|_| !self.unsettled)?;
        Some(Problem {
            file: self.file.file.clone(),
            message: message.clone(),
            keeps_last_good: self.good.is_some(),
        })
    }
}
