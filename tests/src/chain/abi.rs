//! Calls of the test token, as bytes.

use coinop::provider::x402::evm::address::hex;
use coinop::provider::x402::evm::typed_data::keccak;
use coinop::provider::x402::evm::{Address, Transfer, Uint};

/// The address of the test token: that of USDC on Base Sepolia, which official clients know.
pub const TOKEN: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
/// The address of Multicall3 on every chain.
pub const MULTICALL: &str = "0xcA11bde05977b3631167028862bE2a173976CA11";
/// The code that runs there, from `tests/clients/chain/contracts`.
pub const TOKEN_CODE: &str = include_str!("../../clients/chain/contracts/Token.hex");
/// The code that runs there.
pub const MULTICALL_CODE: &str = include_str!("../../clients/chain/contracts/Multicall3.hex");

/// A call of a function whose arguments are words.
pub fn call(signature: &str, words: &[[u8; 32]]) -> Vec<u8> {
    [&keccak(signature.as_bytes())[..4], words.as_flattened()].concat()
}

/// `transferWithAuthorization` with a signature of any length.
pub fn transfer_with_authorization(transfer: &Transfer, signature: &[u8]) -> Vec<u8> {
    let words = [
        transfer.from.as_word(),
        transfer.to.as_word(),
        *transfer.value.as_word(),
        *transfer.valid_after.as_word(),
        *transfer.valid_before.as_word(),
        transfer.nonce,
    ];
    let signature_of =
        "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)";
    with_bytes(signature_of, &words, signature)
}

/// `cancelAuthorization`.
pub fn cancel_authorization(from: Address, nonce: [u8; 32], signature: &[u8]) -> Vec<u8> {
    let words = [from.as_word(), nonce];
    with_bytes(
        "cancelAuthorization(address,bytes32,bytes)",
        &words,
        signature,
    )
}

/// What a payer signs to cancel.
pub fn cancel_digest(separator: &[u8; 32], from: Address, nonce: [u8; 32]) -> [u8; 32] {
    let kind = keccak(b"CancelAuthorization(address authorizer,bytes32 nonce)");
    let message = keccak([kind, from.as_word(), nonce].as_flattened());
    keccak(&[&[0x19, 0x01][..], separator, &message].concat())
}

/// The topics, as hex, of the token's log of a transfer.
pub fn transferred(from: &Address, to: &Address) -> [String; 3] {
    let event = keccak(b"Transfer(address,address,uint256)");
    [event, from.as_word(), to.as_word()].map(|topic| hex(&topic))
}

fn with_bytes(signature_of: &str, words: &[[u8; 32]], bytes: &[u8]) -> Vec<u8> {
    let word = |n: usize| *Uint::from(n as u128).as_word();
    let mut data = call(signature_of, words);
    data.extend(word(32 * (words.len() + 1)));
    data.extend(word(bytes.len()));
    data.extend(bytes);
    data.resize(4 + (data.len() - 4).next_multiple_of(32), 0);
    data
}
