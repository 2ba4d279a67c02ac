//! How payment is talked about with clients, as configured: patience, manners, and overrides for single clients.

use std::collections::BTreeMap;
use std::time::Duration;

use coinop_core::mode::{self, AUTO, Mode, Surface};
use coinop_core::peer::Manners;
use serde::Deserialize;

/// Which tools TWO_STEP lists to redeem payments, as written in the configuration.
pub(super) const CONFIRM_TOOLS: &[&str] = &["each", "one"];
/// Longest name of a client that is compared, bytes; the table's own names are no longer.
const CLIENT_NAME_BYTES_MAX: usize = 256;

/// Which tools TWO_STEP lists to redeem payments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmTool {
    /// `confirm_<tool>` for each paid tool.
    #[default]
    Each,
    /// `confirm_payment` for all of them.
    One,
}

/// `[conversation]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawConversation {
    wait_s: Option<u32>,
    progress: Option<bool>,
    url_error: Option<bool>,
}

impl RawConversation {
    pub(super) fn manners(&self) -> Manners {
        let usual = Manners::default();
        let wait = |s: u32| Duration::from_secs(s.into()).as_millis() as i64;
        Manners {
            wait_ms: self.wait_s.map_or(usual.wait_ms, wait),
            auto_progress: self.progress.unwrap_or(usual.auto_progress),
            url_error: self.url_error.unwrap_or(usual.url_error),
        }
    }
}

/// `[clients.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawClient {
    mode: Option<String>,
}

/// The operator's overrides by the name that a client gives itself, in lower case. The name proves nothing.
#[derive(Clone, Default)]
pub struct Clients(BTreeMap<String, &'static dyn Mode>);

impl Clients {
    /// Reads the table; `Err` names what only differs in its case.
    pub(super) fn new(raw: &BTreeMap<String, RawClient>) -> Result<Self, Vec<(String, String)>> {
        let mut clients = BTreeMap::new();
        let mut wrong = Vec::new();
        let mut names = BTreeMap::new();
        for (name, client) in raw {
            if let Some(same) = names.insert(name.to_lowercase(), name) {
                let message = format!("is the same client as {same:?}: keep one of them");
                wrong.push((name.clone(), message));
            }
            if name.len() > CLIENT_NAME_BYTES_MAX {
                let message = format!("is longer than {CLIENT_NAME_BYTES_MAX} bytes");
                wrong.push((name.clone(), message));
            }
            if let Some(mode) = super::plugin::checked_mode(client.mode.as_deref()) {
                clients.insert(name.to_lowercase(), mode);
            }
        }
        match wrong.is_empty() {
            true => Ok(Self(clients)),
            false => Err(wrong),
        }
    }

    /// One client's override.
    #[cfg(test)]
    pub(crate) fn of(name: &str, mode: &'static dyn Mode) -> Self {
        Self(BTreeMap::from([(name.to_owned(), mode)]))
    }

    /// The mode of tools whose mode is `auto`, for the client of that name.
    pub fn mode(&self, name: &str) -> Option<&'static dyn Mode> {
        if self.0.is_empty() || name.len() > CLIENT_NAME_BYTES_MAX {
            return None;
        }
        self.0.get(&name.to_lowercase()).copied()
    }
}

impl PartialEq for Clients {
    fn eq(&self, other: &Self) -> bool {
        let names = |clients: &Self| -> Vec<_> {
            let modes = clients.0.iter();
            modes
                .map(|(client, mode)| (client.clone(), mode.name()))
                .collect()
        };
        names(self) == names(other)
    }
}

/// A mode that one client can have while the list stays the same for all: the one of AUTO.
pub(super) fn client_mode(text: &str) -> Result<(), String> {
    let mode = mode::by_name(text).map_err(|error| error.to_string())?;
    let listed = matches!(
        mode.surface(),
        Surface::ConfirmTool | Surface::ConfirmPayment
    );
    match listed && mode.name() != AUTO {
        true => Ok(()),
        false => Err(format!(
            "{} is no choice for one client of a tool in mode auto: write two_step, elicitation, url_elicitation or \
             progress",
            mode.name()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_found_by_its_whole_name_in_any_case() {
        let raw = |names: &[&str]| {
            let client = |name: &&str| {
                let mode = Some("two_step".to_owned());
                ((*name).to_owned(), RawClient { mode })
            };
            names.iter().map(client).collect::<BTreeMap<_, _>>()
        };
        let clients = Clients::new(&raw(&["Claude-Code"])).ok().unwrap();
        let name = |client: &str| clients.mode(client).map(|mode| mode.name());
        assert_eq!(name("claude-code"), Some("two_step"));
        assert_eq!(name("claude-code-2"), None);
        assert_eq!(name(&"c".repeat(CLIENT_NAME_BYTES_MAX + 1)), None);
        let twice = Clients::new(&raw(&["a", "A"])).err().unwrap();
        assert!(twice[0].1.contains("same client"), "{twice:?}");
    }

    #[test]
    fn a_client_gets_no_mode_that_needs_another_list() {
        for good in ["two_step", "elicitation", "url_elicitation", "progress"] {
            assert_eq!(client_mode(good), Ok(()));
        }
        for bad in ["auto", "resubmit", "dynamic_tools", "x402", "barter"] {
            assert!(client_mode(bad).unwrap_err().contains("two_step"), "{bad}");
        }
    }
}
