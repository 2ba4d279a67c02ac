//! What the operator is told of plugins that are not as the lock has them.

use std::collections::HashMap;
use std::path::Path;

use coinop_core::digest::Digest;

use crate::catalog::Problem;
use crate::catalog::resolve::Plugin;
use crate::trust::{Admission, Allowed, tools};

/// The lock's own mistakes, and grants that are withheld.
pub(super) fn problems(admission: &Admission, allowed: &Allowed, config: &Path) -> Vec<Problem> {
    let wrong = admission.lock_wrong().map(|wrong| Problem {
        file: admission.rules().lock_file.display().to_string(),
        message: wrong.to_string(),
        keeps_last_good: false,
    });
    let withheld = allowed.withheld.iter().map(|(_, message)| Problem {
        file: config.display().to_string(),
        message: message.clone(),
        keeps_last_good: false,
    });
    wrong.into_iter().chain(withheld).collect()
}

/// What was compared with the present lock: each version of a plugin once.
#[derive(Default)]
pub(super) struct Compared(HashMap<String, (Digest, Option<Digest>)>);

impl Compared {
    /// Tells, as a diff, what plugins say otherwise than they did when the operator accepted them.
    pub(super) fn tell(&mut self, admission: &Admission, plugins: &[Plugin]) {
        for plugin in plugins {
            let version = (plugin.manifest.digest, plugin.sidecar.sidecar);
            if self.0.insert(plugin.name.clone(), version) == Some(version) {
                continue;
            }
            let said = tools(&plugin.manifest.tools, |tool| plugin.sidecar.price_of(tool));
            if let Some(change) = admission.said_otherwise(&plugin.name, &said) {
                tracing::warn!(
                    "{} does not say what was accepted; `coinop lock {}` accepts this:\n{}",
                    plugin.file,
                    plugin.name,
                    change.diff.trim_end()
                );
            }
        }
        self.0
            .retain(|name, _| plugins.iter().any(|plugin| plugin.name == *name));
    }
}
