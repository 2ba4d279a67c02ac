//! Whose list of tools it is: where the list depends on its reader, a handle of the session or the principal.
//!
//! Lists of the modern era may differ by authorisation alone, so there a principal has one list wherever it connects, and
//! nobody in particular has none of their own. A handle names a reader to the ledger; it is no secret and opens nothing.

use coinop_core::digest::Digest;
use coinop_core::peer::Era;
use coinop_core::principal::Principal;

/// The header that names a legacy session over HTTP.
const SESSION_ID: &str = "mcp-session-id";

/// What a request says of its reader.
pub(super) struct Reader<'a> {
    pub(super) era: Era,
    pub(super) principal: &'a Principal,
    /// The random name of a connection that is a session, `None` over HTTP.
    pub(super) connection: Option<&'a str>,
    /// The id of a session over HTTP.
    pub(super) session: Option<&'a str>,
}

impl Reader<'_> {
    /// The handle of the reader, `None` where every reader sees the same.
    pub(super) fn viewer(&self) -> Option<String> {
        match (self.era, self.connection.or(self.session)) {
            (Era::Legacy, Some(session)) => Some(handle("session", session)),
            _ if self.principal.is_known() => {
                let principal = serde_json::to_string(self.principal).ok()?;
                Some(handle("principal", &principal))
            }
            _ => None,
        }
    }
}

/// The session of a request over HTTP.
pub(super) fn session(parts: Option<&http::request::Parts>) -> Option<&str> {
    parts?.headers.get(SESSION_ID)?.to_str().ok()
}

/// The same on every host of a ledger.
fn handle(kind: &str, text: &str) -> String {
    Digest::of(format!("{kind}:{text}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(era: Era, who: &Principal, at: (Option<&str>, Option<&str>)) -> Option<String> {
        let reader = Reader {
            era,
            principal: who,
            connection: at.0,
            session: at.1,
        };
        reader.viewer()
    }

    #[test]
    fn a_legacy_session_has_a_list_of_its_own_whoever_reads_it() {
        let (ada, nobody) = (Principal::api_key("ada"), Principal::anonymous());
        let at = |session| (None, Some(session));
        let one = viewer(Era::Legacy, &ada, at("one"));
        assert!(one.is_some());
        assert_ne!(one, viewer(Era::Legacy, &ada, at("two")));
        assert!(viewer(Era::Legacy, &nobody, at("one")).is_some());
        let stdio = viewer(Era::Legacy, &Principal::local(), (Some("random"), None));
        assert!(stdio.is_some_and(|handle| !handle.contains("random")));
    }

    #[test]
    fn a_modern_principal_has_one_list_and_nobody_has_none() {
        let (ada, bob) = (Principal::api_key("ada"), Principal::api_key("bob"));
        let of = |who: &Principal, at| viewer(Era::Modern, who, at);
        let nowhere = (None, None);
        assert_eq!(of(&ada, nowhere), of(&ada, (Some("random"), Some("one"))));
        assert_ne!(of(&ada, nowhere), of(&bob, nowhere));
        assert_eq!(of(&Principal::anonymous(), (None, Some("one"))), None);
    }
}
