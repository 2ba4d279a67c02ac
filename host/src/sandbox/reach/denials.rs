//! What one run was refused, each thing once and only so many of them: a guest may ask for ever.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::grants::Denial;

/// Different denials of one run that are told.
const DENIALS_MAX: usize = 32;

/// The denials of one run.
#[derive(Default)]
pub(in crate::sandbox) struct Denials(Mutex<BTreeSet<Denial>>);

impl Denials {
    /// Notes one.
    pub(in crate::sandbox) fn note(&self, denial: Denial) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < DENIALS_MAX {
            all.insert(denial);
        }
    }

    /// Takes them all.
    pub(in crate::sandbox) fn take(&self) -> Vec<Denial> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *all).into_iter().collect()
    }
}
