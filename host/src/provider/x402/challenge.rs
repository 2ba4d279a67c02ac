//! The sealed name of an offer, `extra.challengeId`: `UNIX_SECONDS.MAC`. It says until when the offer stands and binds
//! the payment to tool, component, arguments, price, asset, network and payee, so that nothing has to be remembered of
//! offers that nobody pays.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use super::reason::Reason;
use super::terms::Requirement;
use crate::provider::rail::Offer;

/// Longest challenge that is looked at, bytes.
const CHALLENGE_BYTES_MAX: usize = 128;

/// Seals an offer with its latest secret; `None` without a secret.
pub fn seal(offer: &Offer, requirement: &Requirement<'_>) -> Option<String> {
    let expires_at_s = offer.expires_at.div_euclid(1000);
    let mac = mac(offer.secrets.first()?, offer, requirement, expires_at_s);
    Some(format!("{expires_at_s}.{}", BASE64URL_NOPAD.encode(&mac)))
}

/// Whether `challenge` is of this offer, and stands.
///
/// # Errors
/// [`Reason::Challenge`].
pub fn check(challenge: &str, offer: &Offer, requirement: &Requirement<'_>) -> Result<(), Reason> {
    let foreign = Reason::Challenge("another tool, arguments, price or host");
    if challenge.len() > CHALLENGE_BYTES_MAX {
        return Err(foreign);
    }
    let (expires_at_s, sealed) = challenge.split_once('.').ok_or(foreign)?;
    let expires_at_s: i64 = expires_at_s.parse().map_err(|_| foreign)?;
    let sealed = BASE64URL_NOPAD.decode(sealed.as_bytes());
    let sealed = sealed.map_err(|_| foreign)?;
    let mut ours = Choice::from(0);
    for secret in &offer.secrets {
        ours |= mac(secret, offer, requirement, expires_at_s).ct_eq(&sealed);
    }
    match (bool::from(ours), offer.now.div_euclid(1000) < expires_at_s) {
        (true, true) => Ok(()),
        (true, false) => Err(Reason::Challenge("it is over")),
        (false, _) => Err(foreign),
    }
}

fn mac(secret: &[u8], offer: &Offer, requirement: &Requirement<'_>, expires_at_s: i64) -> Vec<u8> {
    let terms = requirement.terms;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    let (asset, pay_to) = (terms.asset_canonical(), terms.pay_to_canonical());
    let fields: [&[u8]; 10] = [
        b"coinop x402 challenge 1",
        offer.tool.as_bytes(),
        offer.component.as_bytes(),
        offer.arguments.as_bytes(),
        &requirement.amount.to_be_bytes(),
        asset.as_bytes(),
        terms.network.caip2.as_bytes(),
        pay_to.as_bytes(),
        offer.account.as_bytes(),
        &expires_at_s.to_be_bytes(),
    ];
    for field in fields {
        // With its length before it, no field can be taken for the end of another.
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field);
    }
    mac.finalize().into_bytes().to_vec()
}
