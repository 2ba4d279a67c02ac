//! `[accounts.NAME]` of the kind `mpp`: a realm, and one table for each way of paying.

use std::sync::Arc;

use serde::Deserialize;

use super::Mpp;
use super::method::Method;
use super::method::evm::Evm;
use super::method::lightning::{self, Lightning};
use super::method::stripe::{self, Stripe};
use crate::clock::Clock;
use crate::provider::registry::{Maker, from_settings};
use crate::provider::x402;

/// The settings of an MPP account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who asks for payment, as payers see it: usually the host's public name.
    realm: String,
    evm: Option<x402::settings::Settings>,
    lightning: Option<lightning::Settings>,
    stripe: Option<stripe::Settings>,
}

/// Makes accounts that tell the time by `clock`.
pub fn maker(clock: Arc<dyn Clock>) -> Maker {
    from_settings(move |account: &str, settings: Settings| {
        Mpp::new(account, settings, Arc::clone(&clock))
    })
}

impl Mpp {
    /// An account.
    ///
    /// # Errors
    /// The setting to change.
    pub fn new(account: &str, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let (account, realm) = (account.to_owned(), settings.realm);
        // What is sealed is joined by bars, and the realm stands in an HTTP header.
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '|' | '"' | '\\');
        if realm.is_empty() || realm.len() > 253 || !realm.chars().all(plain) {
            return Err("realm must be a plain name such as \"tools.example.com\"".to_owned());
        }
        let mut methods: Vec<Box<dyn Method>> = Vec::new();
        if let Some(settings) = settings.evm {
            methods.push(Box::new(Evm::new(settings, Arc::clone(&clock))?));
        }
        if let Some(settings) = &settings.lightning {
            methods.push(Box::new(Lightning::new(settings)?));
        }
        if let Some(settings) = &settings.stripe {
            methods.push(Box::new(Stripe::new(settings, clock)?));
        }
        if methods.is_empty() {
            return Err("there is no way to pay: add a table evm, lightning or stripe".to_owned());
        }
        Ok(Self {
            account,
            realm,
            methods,
        })
    }
}
