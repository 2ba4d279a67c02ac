//! Provider accounts as configured: a name, what kind of provider it is at, and that provider's own settings.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use toml::Value;

use super::keys::{Kind, Section};
use super::secret::SecretSource;

/// The kinds of this version, as written in the configuration.
pub(super) const KINDS: &[&str] = &["sandbox", "sandbox-hold", "x402", "mpp", "component"];
/// How an x402 payment is authorised, as written in the configuration.
pub(super) const TRANSFERS: &[&str] = &["eip3009", "permit2"];
/// Who checks an x402 payment, as written in the configuration.
pub(super) const VERIFIERS: &[&str] = &["local", "facilitator", "both"];
/// When the pretended payer pays, as written in the configuration.
pub(super) const PAYS: &[&str] = &["by-hand", "at-once"];
/// How the pretended provider's statement can be wrong, as written in the configuration.
pub(super) const DISAGREES: &[&str] = &["amount", "missing", "unknown", "refund"];

/// A provider account.
#[derive(Clone, PartialEq)]
pub struct Account {
    /// Who moves the money.
    pub kind: AccountKind,
    /// The provider's own settings, for the provider that takes them; every key of them is known, and secrets stand in
    /// them as text.
    pub settings: toml::Table,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.settings.keys().collect();
        let mut account = f.debug_struct("Account");
        account
            .field("kind", &self.kind)
            .field("settings", &keys)
            .finish()
    }
}

/// Who moves the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// Pretended money, taken before the run.
    Sandbox,
    /// Pretended money, reserved before the run and taken after it.
    SandboxHold,
    /// Tokens that callers sign for and bring with the call.
    X402,
    /// Whatever else callers pay with the call: the Machine Payments Protocol.
    Mpp,
    /// Whoever a component pays through.
    Component,
}

impl Account {
    /// The accounts that are there without being configured, each by the name of its kind.
    pub(super) fn implicit() -> impl Iterator<Item = (String, Self)> {
        let kinds = [AccountKind::Sandbox, AccountKind::SandboxHold];
        let account = |kind| Self {
            kind,
            settings: toml::Table::new(),
        };
        kinds.into_iter().map(move |kind| {
            let account = account(kind);
            (account.kind_name().to_owned(), account)
        })
    }

    /// The kind as written in the configuration, which is also the provider registry's name for it.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            AccountKind::Sandbox => "sandbox",
            AccountKind::SandboxHold => "sandbox-hold",
            AccountKind::X402 => "x402",
            AccountKind::Mpp => "mpp",
            AccountKind::Component => "component",
        }
    }
}

/// Puts the text of secrets in the place of where they are, relative files being relative to `base`. Gives the path and
/// the reason of each that cannot be read.
pub(super) fn read_secrets(
    settings: &mut toml::Table,
    section: &Section,
    base: &Path,
) -> Vec<(Vec<&'static str>, String)> {
    let mut wrong = Vec::new();
    for key in section.keys {
        let Some(value) = settings.get_mut(key.name) else {
            continue;
        };
        match (&key.kind, value) {
            (Kind::Section(inner), Value::Table(table)) => {
                let inner = read_secrets(table, inner, base).into_iter();
                wrong.extend(inner.map(|(path, why)| ([&[key.name], &path[..]].concat(), why)));
            }
            (Kind::Secret | Kind::TextOrSecret(_), place @ Value::Table(_)) => {
                if let Err(why) = read_secret(place, &key.kind, base) {
                    wrong.push((vec![key.name], why));
                }
            }
            (Kind::Variables(_), Value::Table(table)) => {
                for (name, place) in table.iter_mut().filter(|(_, value)| value.is_table()) {
                    if let Err(why) = read_marked(place, base) {
                        wrong.push((vec![key.name], format!("{name}: {why}")));
                    }
                }
            }
            _ => {}
        }
    }
    wrong
}

/// Puts `{ secret = "…" }` in the place of where it is: among texts of the operator's own it stays known as one.
fn read_marked(place: &mut Value, base: &Path) -> Result<(), String> {
    read_secret(place, &Kind::Secret, base)?;
    let secret = std::mem::replace(place, Value::Boolean(false));
    *place = Value::Table(toml::Table::from_iter([("secret".to_owned(), secret)]));
    Ok(())
}

/// Makes a component's file absolute; a relative one starts from `base`.
pub(super) fn place_component(settings: &mut toml::Table, base: &Path) {
    if let Some(Value::String(file)) = settings.get_mut("component") {
        *file = base.join(&*file).to_string_lossy().into_owned();
    }
}

fn read_secret(place: &mut Value, kind: &Kind, base: &Path) -> Result<(), String> {
    let source: SecretSource = place.clone().try_into().map_err(|_| "is no secret")?;
    let secret = source.read(base)?;
    if let Kind::TextOrSecret(check) = kind {
        check(secret.expose())?;
    }
    *place = Value::String(secret.expose().to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::ACCOUNT;
    use crate::provider::sandbox::Settings;

    #[test]
    fn every_word_of_the_configuration_has_its_kind() {
        for word in KINDS {
            let kind: AccountKind = serde_json::from_value((*word).into()).unwrap();
            let settings = toml::Table::new();
            assert_eq!(Account { kind, settings }.kind_name(), *word);
        }
    }

    #[test]
    fn pretended_money_needs_no_configuration() {
        let names: Vec<_> = Account::implicit().map(|(name, _)| name).collect();
        assert_eq!(names, ["sandbox", "sandbox-hold"]);
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

    fn read(text: &str, base: &Path) -> (toml::Table, Vec<(Vec<&'static str>, String)>) {
        let mut settings: toml::Table = text.parse().unwrap();
        let wrong = read_secrets(&mut settings, &ACCOUNT, base);
        (settings, wrong)
    }

    #[test]
    fn secrets_are_read_for_the_provider_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "hunter2\n").unwrap();
        std::fs::write(folder.path().join("rpc"), "https://node.example/hunter3").unwrap();
        let text = "rpc = { file = \"rpc\" }\nfacilitator_auth = { bearer = { file = \"token\" } }";
        let (settings, wrong) = read(text, folder.path());
        assert_eq!(wrong, []);
        assert_eq!(
            settings["rpc"].as_str(),
            Some("https://node.example/hunter3")
        );
        assert_eq!(
            settings["facilitator_auth"]["bearer"].as_str(),
            Some("hunter2")
        );
        let kind = AccountKind::X402;
        let shown = format!("{:?}", Account { kind, settings });
        assert!(
            shown.contains("rpc") && !shown.contains("hunter"),
            "{shown}"
        );
    }

    #[test]
    fn a_components_secrets_stay_known_as_such() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "hunter2\n").unwrap();
        let text =
            "component = \"acme.wasm\"\n[settings]\nkey = { file = \"key\" }\nbase = \"https://a\"";
        let (mut settings, wrong) = read(text, folder.path());
        assert_eq!(wrong, []);
        place_component(&mut settings, folder.path());
        let file = folder.path().join("acme.wasm");
        assert_eq!(settings["component"].as_str(), file.to_str());
        assert_eq!(
            settings["settings"]["key"]["secret"].as_str(),
            Some("hunter2")
        );
        assert_eq!(settings["settings"]["base"].as_str(), Some("https://a"));
        let unset = "[settings]\nkey = { env = \"COINOP_TEST_UNSET\" }";
        let (_, wrong) = read(unset, folder.path());
        assert!(wrong[0].1.starts_with("key: "), "{wrong:?}");
    }

    #[test]
    fn a_secret_that_is_not_there_is_named() {
        let text = "facilitator_auth = { bearer = { env = \"COINOP_TEST_UNSET\" } }";
        let (_, wrong) = read(text, Path::new("."));
        let [(path, why)] = &wrong[..] else {
            panic!("{wrong:?}")
        };
        assert_eq!(path, &["facilitator_auth", "bearer"]);
        assert!(why.contains("COINOP_TEST_UNSET"));
    }
}
