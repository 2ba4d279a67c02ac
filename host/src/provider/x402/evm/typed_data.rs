//! What a wallet signs when it authorises a transfer: EIP-712 over the message of EIP-3009.
//!
//! Sources: <https://eips.ethereum.org/EIPS/eip-712>, <https://eips.ethereum.org/EIPS/eip-3009>.

use sha3::{Digest as _, Keccak256};

use super::address::Address;
use super::uint::Uint;

const DOMAIN: &[u8] =
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const TRANSFER: &[u8] = b"TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";

/// The token that a signature is for: no other contract, name, version or chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The token's `name()`.
    pub name: String,
    /// The token's `version()`.
    pub version: String,
    /// The chain's id.
    pub chain_id: u64,
    /// The token.
    pub contract: Address,
}

/// An authorised transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// How much, in the token's base units.
    pub value: Uint,
    /// Holds only later than this, seconds since the Unix epoch.
    pub valid_after: Uint,
    /// Holds only before this, seconds since the Unix epoch.
    pub valid_before: Uint,
    /// The authorisation's own random name: used once for each payer and token.
    pub nonce: [u8; 32],
}

/// Keccak-256.
pub fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

impl Domain {
    /// The hash that stands for it in every message.
    pub fn separator(&self) -> [u8; 32] {
        words(&[
            keccak(DOMAIN),
            keccak(self.name.as_bytes()),
            keccak(self.version.as_bytes()),
            *Uint::from(u128::from(self.chain_id)).as_word(),
            self.contract.as_word(),
        ])
    }
}

impl Transfer {
    /// The hash that is signed.
    pub fn digest(&self, domain: &Domain) -> [u8; 32] {
        let message = words(&[
            keccak(TRANSFER),
            self.from.as_word(),
            self.to.as_word(),
            *self.value.as_word(),
            *self.valid_after.as_word(),
            *self.valid_before.as_word(),
            self.nonce,
        ]);
        let mut hash = Keccak256::new();
        hash.update([0x19, 0x01]);
        hash.update(domain.separator());
        hash.update(message);
        hash.finalize().into()
    }
}

/// The hash of words one after another.
fn words(words: &[[u8; 32]]) -> [u8; 32] {
    keccak(words.as_flattened())
}

#[cfg(test)]
mod tests {
    use super::super::address::{bytes, hex};
    use super::*;

    #[test]
    fn keccak_is_not_sha3() {
        // The hash of nothing, as Solidity's keccak256("") gives it.
        assert_eq!(
            hex(&keccak(b"")),
            "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        );
    }

    #[test]
    fn the_message_type_is_that_of_the_standard() {
        // EIP-3009 states this constant.
        assert_eq!(
            hex(&keccak(TRANSFER)),
            "0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267"
        );
    }

    #[test]
    fn the_domain_is_that_of_the_token_on_base() {
        let domain = Domain {
            name: "USDC".to_owned(),
            version: "2".to_owned(),
            chain_id: 84_532,
            contract: Address::new(bytes("0x036CbD53842c5426634e7929541eC2318f3dCF7e").unwrap()),
        };
        // DOMAIN_SEPARATOR() of the contract at that address.
        assert_eq!(
            hex(&domain.separator()),
            "0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818"
        );
    }
}
