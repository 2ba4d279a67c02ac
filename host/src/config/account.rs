//! Provider accounts as configured: a name and what kind of provider it is at.

use serde::Deserialize;

/// The kinds of this version, as written in the configuration.
pub(super) const KINDS: &[&str] = &["sandbox", "sandbox-hold"];
/// When the pretended payer pays, as written in the configuration.
pub(super) const PAYS: &[&str] = &["by-hand", "at-once"];

/// A provider account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Who moves the money.
    pub kind: AccountKind,
    /// When the pretended payer pays.
    pub pays: Pays,
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

/// When the pretended payer pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pays {
    /// On the host's own page.
    #[default]
    ByHand,
    /// As soon as the payment is made: for demonstrations and tests without a hand.
    AtOnce,
}

impl Account {
    /// The accounts that are there without being configured, each by the name of its kind.
    pub(super) fn implicit() -> impl Iterator<Item = (String, Self)> {
        let kinds = [AccountKind::Sandbox, AccountKind::SandboxHold];
        KINDS.iter().zip(kinds).map(|(name, kind)| {
            (
                (*name).to_owned(),
                Self {
                    kind,
                    pays: Pays::ByHand,
                },
            )
        })
    }
}

impl Account {
    /// The kind as written in the configuration, which is also the provider registry's name for it.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            AccountKind::Sandbox => "sandbox",
            AccountKind::SandboxHold => "sandbox-hold",
        }
    }

    /// Its own settings, for the provider that takes them.
    pub fn settings(&self) -> toml::Table {
        let pays = match self.pays {
            Pays::ByHand => "by-hand",
            Pays::AtOnce => "at-once",
        };
        toml::Table::from_iter([("pays".to_owned(), pays.into())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_configuration_has_its_kind() {
        for word in KINDS {
            let kind: AccountKind = serde_json::from_value((*word).into()).unwrap();
            let account = Account {
                kind,
                pays: Pays::ByHand,
            };
            assert_eq!(account.kind_name(), *word);
            let implicit = Account::implicit().find(|(name, _)| name == word).unwrap();
            assert_eq!(implicit.1.kind, kind);
        }
        for word in PAYS {
            let pays = serde_json::from_value::<Pays>((*word).into()).unwrap();
            let account = Account {
                kind: AccountKind::Sandbox,
                pays,
            };
            assert_eq!(account.settings()["pays"].as_str(), Some(*word));
        }
    }
}
