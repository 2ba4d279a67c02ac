//! What a runner keeps for a claimed run before it is claimed, so that its lease is spent on running.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use coinop_core::digest::Digest;

use crate::limits::Limits;

/// What is about to be claimed.
#[derive(Clone, Copy, Debug)]
pub struct Errand {
    /// Which component will run.
    pub component: Digest,
    /// What the run may use.
    pub limits: Limits,
    /// How long it may wait for a place: nobody who comes by without a caller waits.
    pub patience: Duration,
}

/// The runner's own: held until the claimed call has had its runs.
#[derive(Clone, Default)]
pub struct Ready(Option<Arc<dyn Any + Send + Sync>>);

impl Ready {
    /// Holds `kept`.
    pub fn holding<T: Any + Send + Sync>(kept: T) -> Self {
        Self(Some(Arc::new(kept)))
    }

    /// What is held, where it is a `T`.
    pub fn held<T: Any>(&self) -> Option<&T> {
        self.0.as_deref()?.downcast_ref()
    }
}
