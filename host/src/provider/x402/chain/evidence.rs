//! Reading what a chain shows: calls and events of tokens and of Permit2, and what they prove.

use super::rpc::Log;
use crate::provider::x402::evm::typed_data::keccak;
use crate::provider::x402::evm::{Address, Transfer, Uint};
use crate::provider::x402::payload::Permit;
use crate::provider::x402::terms::Recipient;

/// The Permit2 contract, the same on every chain.
pub(super) const PERMIT2: Address = Address::new([
    0x00, 0x00, 0x00, 0x00, 0x00, 0x22, 0xd4, 0x73, 0x03, 0x0f, 0x11, 0x6d, 0xde, 0xe9, 0xf6, 0xb4,
    0x3a, 0xc7, 0x8b, 0xa3,
]);

/// What a chain says of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It was made, in a block that counts.
    Moved(String),
    /// It is made by this transaction, in a block that does not count yet.
    Moving(String),
    /// It was not made, and cannot be any more.
    Never,
    /// It was not made yet.
    Open,
    /// It cannot be made any more; whether it was cannot be told from what was searched.
    Used,
    /// The chain did not say.
    Unknown(String),
}

/// The call `authorizationState(from, nonce)`.
pub(super) fn authorization_state(transfer: &Transfer) -> Vec<u8> {
    let selector = &keccak(b"authorizationState(address,bytes32)")[..4];
    [selector, &transfer.from.as_word(), &transfer.nonce].concat()
}

/// The call `nonceBitmap(from, word)` of Permit2, and which bit of its answer is the permit's.
pub(super) fn nonce_bitmap(permit: &Permit) -> (Vec<u8>, u8) {
    let selector = &keccak(b"nonceBitmap(address,uint256)")[..4];
    let nonce = permit.nonce.as_word();
    let mut word = [0; 32];
    word[1..].copy_from_slice(&nonce[..31]);
    (
        [selector, &permit.from.as_word(), &word].concat(),
        nonce[31],
    )
}

/// The events that end a nonce.
pub(super) fn events() -> [[u8; 32]; 2] {
    [
        used_event(),
        keccak(b"AuthorizationCanceled(address,bytes32)"),
    ]
}

fn used_event() -> [u8; 32] {
    keccak(b"AuthorizationUsed(address,bytes32)")
}

fn transfer_event() -> [u8; 32] {
    keccak(b"Transfer(address,address,uint256)")
}

/// Whether the transaction of these logs used the nonce for this very payment. A token logs the use and then the
/// transfer: the first transfer after the use is its own. Any other in the same transaction may pay for something else,
/// which its payer would like to count twice.
pub(super) fn used_by(logs: &[Log], to: &Recipient, transfer: &Transfer) -> bool {
    let mut of_token: Vec<&Log> = logs.iter().filter(|log| log.address == to.asset).collect();
    of_token.sort_by_key(|log| log.index);
    let used = [used_event(), transfer.from.as_word(), transfer.nonce];
    let mut after = of_token.into_iter().skip_while(|log| log.topics != used);
    let next = after.nth(1);
    next.is_some_and(|log| is_transfer(log, to, transfer.from, transfer.value))
}

/// Whether one of the logs is this transfer.
pub(super) fn transferred(logs: &[Log], to: &Recipient, from: Address, value: Uint) -> bool {
    logs.iter().any(|log| is_transfer(log, to, from, value))
}

fn is_transfer(log: &Log, to: &Recipient, from: Address, value: Uint) -> bool {
    let topics = [transfer_event(), from.as_word(), to.pay_to.as_word()];
    log.address == to.asset && log.topics == topics && log.data == value.as_word()
}

#[cfg(test)]
mod tests {
    use super::super::super::evm::address::hex;
    use super::*;

    const ASSET: Address = Address::new([1; 20]);
    const PAYER: Address = Address::new([2; 20]);
    const PAYEE: Address = Address::new([3; 20]);

    fn to() -> Recipient {
        Recipient {
            asset: ASSET,
            pay_to: PAYEE,
        }
    }

    fn authorization(nonce: u8) -> Transfer {
        Transfer {
            from: PAYER,
            to: PAYEE,
            value: 10_000.into(),
            valid_after: 0.into(),
            valid_before: 1.into(),
            nonce: [nonce; 32],
        }
    }

    fn log(index: u64, address: Address, topics: [[u8; 32]; 3], data: &[u8]) -> Log {
        Log {
            address,
            topics: topics.to_vec(),
            data: data.to_vec(),
            index,
            transaction: [9; 32],
            block: 5,
        }
    }

    fn used(index: u64, nonce: u8) -> Log {
        log(
            index,
            ASSET,
            [used_event(), PAYER.as_word(), [nonce; 32]],
            &[],
        )
    }

    fn moved(index: u64, to: Address, value: u128) -> Log {
        let topics = [transfer_event(), PAYER.as_word(), to.as_word()];
        log(index, ASSET, topics, Uint::from(value).as_word())
    }

    #[test]
    fn the_events_are_those_of_the_standards() {
        assert_eq!(
            hex(&used_event()),
            "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5"
        );
        assert_eq!(
            hex(&transfer_event()),
            "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
        );
        assert_eq!(
            hex(&authorization_state(&authorization(1))[..4]),
            "0xe94a0102"
        );
    }

    #[test]
    fn a_nonce_used_for_this_transfer_is_a_payment() {
        let logs = [used(0, 7), moved(1, PAYEE, 10_000)];
        assert!(used_by(&logs, &to(), &authorization(7)));
        // Other contracts' logs between them do not matter, nor does the order in which a node lists them.
        let stranger = log(1, PAYEE, [[0; 32]; 3], &[]);
        let logs = [moved(2, PAYEE, 10_000), stranger, used(0, 7)];
        assert!(used_by(&logs, &to(), &authorization(7)));
    }

    #[test]
    fn a_nonce_spent_otherwise_is_none() {
        let elsewhere = [used(0, 7), moved(1, PAYER, 10_000)];
        let less = [used(0, 7), moved(1, PAYEE, 9_999)];
        let alone = [used(0, 7)];
        let another = [used(0, 8), moved(1, PAYEE, 10_000)];
        for logs in [&elsewhere[..], &less, &alone, &another, &[]] {
            assert!(!used_by(logs, &to(), &authorization(7)), "{logs:?}");
        }
    }

    #[test]
    fn one_transfer_pays_for_one_nonce() {
        // The payer spends nonce 7 on itself, beside an honest payment with nonce 8.
        let logs = [
            used(0, 7),
            moved(1, PAYER, 10_000),
            used(2, 8),
            moved(3, PAYEE, 10_000),
        ];
        assert!(!used_by(&logs, &to(), &authorization(7)));
        assert!(used_by(&logs, &to(), &authorization(8)));
    }
}
