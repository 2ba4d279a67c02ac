//! What a challenge is for: sealed into it as `opaque`, so that a payment for one call buys no other.

use coinop_core::digest::Digest;
use coinop_core::money::Money;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::challenge::canonical;
use super::reject::invalid;
use crate::provider::rail::{Offer, Rejected};

/// The call that a challenge is for. All of it texts: the official clients take nothing else there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Binding {
    pub(super) account: String,
    tool: String,
    component: Digest,
    arguments: Digest,
    price: String,
    /// Makes every challenge a secret between the host and who asked for it. Without it two callers of the same call
    /// in the same second would hold the same challenge, and what one paid in public (on a chain) the other could present.
    salt: String,
}

impl Binding {
    pub(super) fn of(offer: &Offer, salt: String) -> Self {
        Self {
            account: offer.account.clone(),
            tool: offer.tool.clone(),
            component: offer.component,
            arguments: offer.arguments,
            price: offer.price.to_string(),
            salt,
        }
    }

    /// The text form that is sealed.
    pub(super) fn to_opaque(&self) -> String {
        canonical(&serde_json::json!(self))
    }

    /// Reads the text form, once it is known to be ours.
    pub(super) fn read(opaque: &str) -> Option<Self> {
        let json = BASE64URL_NOPAD.decode(opaque.as_bytes()).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// `offer` as it stood when the challenge was made: its price, and the tool's version. `None` when that cannot be read.
    pub(super) fn as_asked(&self, offer: &Offer) -> Option<Offer> {
        let (amount, currency) = self.price.split_once(' ')?;
        Some(Offer {
            component: self.component,
            price: Money::parse(amount, currency).ok()?,
            ..offer.clone()
        })
    }

    /// Whether this is for the call of `offer`.
    ///
    /// # Errors
    /// Names the first part that is another.
    pub(super) fn admits(&self, offer: &Offer) -> Result<(), Rejected> {
        let now = Self::of(offer, self.salt.clone());
        let differs = [
            ("account", self.account != now.account),
            ("tool", self.tool != now.tool),
            ("version of the tool", self.component != now.component),
            ("arguments", self.arguments != now.arguments),
            ("price", self.price != now.price),
        ];
        match differs.iter().find(|(_, differs)| *differs) {
            None => Ok(()),
            Some((part, _)) => Err(invalid(
                "invalid-challenge",
                format!("the payment is for a call with another {part}"),
            )),
        }
    }

    /// The call without the salt, as one text: what callers of the same call share.
    pub(super) fn call(offer: &Offer) -> String {
        Self::of(offer, String::new()).to_opaque()
    }
}
