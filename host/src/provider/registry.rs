//! The registry of provider kinds: what a kind named in the configuration becomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::Provider;

/// An account that is being made. The error is one line that names the setting.
pub type Making = BoxFuture<'static, Result<Arc<dyn Provider>, String>>;

/// Makes the account of a name from its settings.
pub type Maker = Box<dyn Fn(&str, toml::Table) -> Making + Send + Sync>;

/// A maker over typed settings; what does not fit the type is refused with the reason.
pub fn from_settings<S, P>(
    make: impl Fn(&str, S) -> Result<P, String> + Send + Sync + 'static,
) -> Maker
where
    S: DeserializeOwned,
    P: Provider + 'static,
{
    Box::new(move |account, settings| {
        let made = typed(settings).and_then(|settings| make(account, settings));
        let made = made.map(|provider| Arc::new(provider) as Arc<dyn Provider>);
        std::future::ready(made).boxed()
    })
}

/// As [`from_settings`], where making takes its time.
pub fn from_settings_in_time<S, P, F>(
    make: impl Fn(String, S) -> F + Send + Sync + 'static,
) -> Maker
where
    S: DeserializeOwned,
    P: Provider + 'static,
    F: Future<Output = Result<P, String>> + Send + 'static,
{
    Box::new(move |account, settings| {
        let making = typed(settings).map(|settings| make(account.to_owned(), settings));
        async move { Ok(Arc::new(making?.await?) as Arc<dyn Provider>) }.boxed()
    })
}

fn typed<S: DeserializeOwned>(settings: toml::Table) -> Result<S, String> {
    let typed = settings.try_into();
    typed.map_err(|error: toml::de::Error| error.message().to_owned())
}

/// The kinds of provider there are.
#[derive(Default)]
pub struct Registry {
    makers: BTreeMap<&'static str, Maker>,
}

impl Registry {
    /// Adds a kind.
    ///
    /// # Errors
    /// [`DuplicateKind`] when there is one of that name.
    pub fn add(&mut self, kind: &'static str, maker: Maker) -> Result<(), DuplicateKind> {
        if self.makers.contains_key(kind) {
            return Err(DuplicateKind(kind));
        }
        self.makers.insert(kind, maker);
        Ok(())
    }

    /// The kinds there are, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.makers.keys().copied()
    }

    /// Makes the account that the configuration calls `account`.
    ///
    /// # Errors
    /// [`AccountError`] names the account, and what to change.
    pub async fn account(
        &self,
        account: &str,
        kind: &str,
        settings: toml::Table,
    ) -> Result<Arc<dyn Provider>, AccountError> {
        let maker = self
            .makers
            .get(kind)
            .ok_or_else(|| AccountError::UnknownKind {
                account: account.to_owned(),
                kind: kind.to_owned(),
                known: self.kinds().collect::<Vec<_>>().join(", "),
            })?;
        maker(account, settings)
            .await
            .map_err(|reason| AccountError::Settings {
                account: account.to_owned(),
                kind: kind.to_owned(),
                reason,
            })
    }
}

/// Two makers for one kind: a mistake in the host, not in its configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider kind {0:?} is registered twice")]
pub struct DuplicateKind(&'static str);

/// Why an account of the configuration cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// No provider of that kind.
    #[error("the account {account:?} is of the unknown kind {kind:?}: choose one of {known}")]
    UnknownKind {
        /// The account's name.
        account: String,
        /// The kind asked for.
        kind: String,
        /// The kinds there are.
        known: String,
    },
    /// The provider does not take these settings.
    #[error("the account {account:?} of the kind {kind:?} has a wrong setting: {reason}")]
    Settings {
        /// The account's name.
        account: String,
        /// Its kind.
        kind: String,
        /// Which setting, and why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::provider::sandbox::desk::Desk;
    use crate::provider::sandbox::purse::MemoryPurse;
    use crate::provider::sandbox::{Flow, maker};

    fn desk() -> Arc<Desk> {
        let purse = Arc::new(MemoryPurse::default());
        Arc::new(Desk::new(purse, Arc::new(SystemClock)))
    }

    fn registry() -> Registry {
        let desk = desk();
        let mut registry = Registry::default();
        for flow in [Flow::Pay, Flow::Hold] {
            registry
                .add(flow.kind(), maker(flow, desk.clone()))
                .unwrap();
        }
        registry
    }

    fn refusal(kind: &str, settings: &str) -> String {
        let registry = registry();
        let made = registry.account("tips", kind, settings.parse().unwrap());
        // None of these waits for anything.
        made.now_or_never().unwrap().err().unwrap().to_string()
    }

    #[test]
    fn an_account_is_made_of_its_kind() {
        for kind in ["sandbox", "sandbox-hold"] {
            let registry = registry();
            let account = registry.account("tips", kind, toml::Table::new());
            assert_eq!(account.now_or_never().unwrap().unwrap().kind(), kind);
        }
    }

    #[test]
    fn an_unknown_kind_names_the_account_and_the_kinds_there_are() {
        assert_eq!(
            refusal("stripes", ""),
            "the account \"tips\" is of the unknown kind \"stripes\": choose one of sandbox, sandbox-hold"
        );
    }

    #[test]
    fn a_wrong_setting_names_the_account_and_the_setting() {
        let unknown = refusal("sandbox", "pay = \"at-once\"");
        assert!(
            unknown.contains("\"tips\"") && unknown.contains("`pay`") && unknown.contains("`pays`"),
            "{unknown}"
        );
        let wrong = refusal("sandbox", "pays = \"sometimes\"");
        assert!(
            wrong.contains("`sometimes`") && wrong.contains("`by-hand`"),
            "{wrong}"
        );
    }

    #[test]
    fn a_kind_is_registered_once() {
        let again = registry().add("sandbox", maker(Flow::Pay, desk()));
        assert_eq!(again, Err(DuplicateKind("sandbox")));
    }
}
