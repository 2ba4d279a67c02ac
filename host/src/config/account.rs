//! Provider accounts as configured: a name, what kind of provider it is at, and that provider's own settings.

use serde::Deserialize;

/// The kinds of this version, as written in the configuration.
pub(super) const KINDS: &[&str] = &["sandbox", "sandbox-hold"];
/// When the pretended payer pays, as written in the configuration.
pub(super) const PAYS: &[&str] = &["by-hand", "at-once"];
/// How the pretended provider's statement can be wrong, as written in the configuration.
pub(super) const DISAGREES: &[&str] = &["amount", "missing", "unknown", "refund"];

/// A provider account.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Who moves the money.
    pub kind: AccountKind,
    /// The provider's own settings, for the provider that takes them; every key of them is known.
    pub settings: toml::Table,
}

/// Who moves the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// Pretended money, taken before the run.
    Sandbox,
    /// Pretended money, reserved before the run and taken after it.
    SandboxHold,
}

impl Account {
    /// The accounts that are there without being configured, each by the name of its kind.
    pub(super) fn implicit() -> impl Iterator<Item = (String, Self)> {
        let kinds = [AccountKind::Sandbox, AccountKind::SandboxHold];
        let account = |kind| Self {
            kind,
            settings: toml::Table::new(),
        };
        KINDS
            .iter()
            .zip(kinds)
            .map(move |(name, kind)| ((*name).to_owned(), account(kind)))
    }

    /// The kind as written in the configuration, which is also the provider registry's name for it.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            AccountKind::Sandbox => "sandbox",
            AccountKind::SandboxHold => "sandbox-hold",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::sandbox::Settings;

    #[test]
    fn every_word_of_the_configuration_has_its_kind() {
        for word in KINDS {
            let kind: AccountKind = serde_json::from_value((*word).into()).unwrap();
            let implicit = Account::implicit().find(|(name, _)| name == word).unwrap();
            assert_eq!(implicit.1.kind, kind);
            assert_eq!(implicit.1.kind_name(), *word);
        }
    }

    #[test]
    fn every_word_of_a_setting_is_the_providers_too() {
        for (key, words) in [("pays", PAYS), ("disagrees", DISAGREES)] {
            for word in words {
                let settings = toml::Table::from_iter([(key.to_owned(), (*word).into())]);
                settings.try_into::<Settings>().unwrap();
            }
        }
    }
}
