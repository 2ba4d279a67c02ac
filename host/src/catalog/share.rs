//! Whose calls a kept instance may serve: one caller's of one plugin. The sandbox gets it as a key that says nothing.

use coinop_core::digest::Digest;
use coinop_core::principal::Principal;

use crate::sandbox::ShareKey;

/// The key of `principal` with `plugin`; none for callers without a name, who cannot be told apart.
pub(super) fn key(principal: &Principal, plugin: &str) -> Option<ShareKey> {
    let Principal {
        kind,
        issuer,
        subject,
    } = principal;
    let parts = [plugin, kind.as_str(), issuer, subject];
    // Each with its length, so that no two of them read the same.
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    principal
        .is_known()
        .then(|| ShareKey::new(Digest::of(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_callers_with_one_plugin() {
        let ada = Principal::api_key("ada");
        let of_ada = key(&ada, "weather");
        assert!(of_ada.is_some() && of_ada == key(&ada, "weather"));
        let others = [
            key(&ada, "chart"),
            key(&Principal::api_key("eve"), "weather"),
            key(&Principal::token("", "ada"), "weather"),
            key(&Principal::local(), "weather"),
        ];
        assert!(
            others
                .iter()
                .all(|other| other.is_some() && *other != of_ada)
        );
        let shifted = [Principal::token("ab", "c"), Principal::token("a", "bc")];
        assert!(key(&shifted[0], "weather") != key(&shifted[1], "weather"));
    }

    #[test]
    fn callers_without_a_name_share_nothing() {
        assert!(key(&Principal::anonymous(), "weather").is_none());
    }
}
