//! What a plugin is told of its caller where the operator says so: a name that is the same for the same caller and this
//! plugin, and means nothing anywhere else.

use std::sync::Arc;

use coinop_core::principal::Principal;
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::sync::OnceCell;

use crate::clock::{Clock as _, SystemClock};
use crate::ledger::Ledger;

/// The ledger's secret that pseudonyms are made with. It is never rotated: plugins keep data by them.
const SECRET: &str = "plugin-caller";

/// Makes pseudonyms. Hosts of one ledger make the same.
pub(super) struct Pseudonyms {
    ledger: Arc<dyn Ledger>,
    secret: OnceCell<Vec<u8>>,
}

impl Pseudonyms {
    pub(super) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self {
            ledger,
            secret: OnceCell::new(),
        }
    }

    /// What `plugin` is told of `principal`; nothing of a caller without a name.
    ///
    /// # Errors
    /// The ledger's secret cannot be read.
    pub(super) async fn of(
        &self,
        principal: &Principal,
        plugin: &str,
    ) -> Result<Option<String>, String> {
        if !principal.is_known() {
            return Ok(None);
        }
        let reading = || async {
            let secrets = self.ledger.secrets(SECRET.to_owned(), SystemClock.now());
            let secrets = secrets.await.map_err(|e| e.to_string())?;
            let first = secrets.into_iter().next();
            first.ok_or_else(|| "the ledger has no secret for pseudonyms".to_owned())
        };
        let secret = self.secret.get_or_try_init(reading).await?;
        Ok(Some(pseudonym(secret, principal, plugin)))
    }
}

/// HMAC-SHA-256 over plugin and principal, each part with its length, so that no two of them read the same.
fn pseudonym(secret: &[u8], principal: &Principal, plugin: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    let Principal {
        kind,
        issuer,
        subject,
    } = principal;
    for part in [plugin, kind.as_str(), issuer, subject] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_one_callers_with_one_plugin() {
        let of = |principal: &Principal, plugin| pseudonym(b"secret", principal, plugin);
        let ada = Principal::api_key("ada");
        assert_eq!(of(&ada, "weather"), of(&ada, "weather"));
        assert_ne!(of(&ada, "weather"), of(&ada, "chart"));
        assert_ne!(
            of(&ada, "weather"),
            of(&Principal::api_key("eve"), "weather")
        );
        assert_ne!(of(&ada, "weather"), pseudonym(b"other", &ada, "weather"));
        let shifted = [Principal::token("ab", "c"), Principal::token("a", "bc")];
        assert_ne!(of(&shifted[0], "weather"), of(&shifted[1], "weather"));
        assert!(!of(&ada, "weather").contains("ada"));
    }
}
