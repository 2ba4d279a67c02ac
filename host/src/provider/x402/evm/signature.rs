//! Signatures of wallets: who signed a hash. As strict as the token that will check it again: 65 bytes, the lower of the
//! two equal forms, a recovery byte of 27 or 28.

use data_encoding::HEXLOWER_PERMISSIVE;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

use super::address::Address;
use super::typed_data::keccak;

/// Bytes of a wallet's own signature. Contracts that are wallets have other ones, which a chain alone can check.
const SIGNATURE_BYTES: usize = 65;

/// Who signed `digest`, by a signature written as `0x` and hex. `None` where nobody can have.
pub fn signer(digest: &[u8; 32], signature: &str) -> Option<Address> {
    let digits = signature.strip_prefix("0x")?;
    if digits.len() != 2 * SIGNATURE_BYTES {
        return None;
    }
    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
    let (pair, v) = bytes.split_at(SIGNATURE_BYTES - 1);
    let y_is_odd = match v {
        [27] => false,
        [28] => true,
        _ => return None,
    };
    let signature = Signature::from_slice(pair).ok()?;
    // The higher form signs the same; tokens refuse it, so that a signature has one spelling.
    if signature.normalize_s() != signature {
        return None;
    }
    let key =
        VerifyingKey::recover_from_prehash(digest, &signature, RecoveryId::new(y_is_odd, false));
    Some(address_of(&key.ok()?))
}

/// The address of a key.
pub fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_sec1_point(false);
    let hash = keccak(&point.as_bytes()[1..]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Address::new(address)
}
