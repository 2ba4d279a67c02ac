//! The keys of payments in a token: of an account of the kind `x402`, and of the table `evm` of one of the kind `mpp`.

use super::keys::{Key, Kind, Section, key};
use super::{account, kinds};

pub(super) const NETWORK: Key = key(
    "network",
    Kind::Text(kinds::filled),
    "Paid in a token: the chain, by CAIP-2 such as \"eip155:8453\", or by its name in version 1 such as \"base\".",
);
pub(super) const PAY_TO: Key = key(
    "pay_to",
    Kind::Text(kinds::filled),
    "Paid in a token: the address that is paid.",
);
pub(super) const ASSET: Key = key(
    "asset",
    Kind::Text(kinds::filled),
    "Paid in a token: the token's address; USDC by default, on Base, Avalanche, their test networks and Solana.",
);
pub(super) const ASSET_NAME: Key = key(
    "asset_name",
    Kind::Text(kinds::filled),
    "Paid in a token: the token's name(), which payers sign; known of USDC.",
);
pub(super) const ASSET_VERSION: Key = key(
    "asset_version",
    Kind::Text(kinds::filled),
    "Paid in a token: the token's version(), which payers sign; known of USDC.",
);
pub(super) const DECIMALS: Key = key(
    "decimals",
    Kind::Integer(0, 36),
    "Paid in a token: the token's decimals; known of USDC.",
);
pub(super) const CURRENCY: Key = key(
    "currency",
    Kind::Text(kinds::filled),
    "Paid in a token: the currency of the prices that the token pays; USD for USDC, to be said for any other token.",
);
pub(super) const RATE: Key = key(
    "rate",
    Kind::Text(kinds::amount),
    "Paid in a token: how many of the token one unit of the currency is, such as \"1\" or \"0.92\"; 1 for USDC and USD, to be said otherwise.",
);
pub(super) const TRANSFER: Key = key(
    "transfer",
    Kind::Word(account::TRANSFERS),
    "Paid in a token: how payers authorise a transfer: by the token itself (eip3009, the default) or by the Permit2 contract.",
);
pub(super) const FACILITATOR: Key = key(
    "facilitator",
    Kind::Text(kinds::filled),
    "Paid in a token: the URL of who checks payments against the chain and sends them there.",
);
pub(super) const FACILITATOR_AUTH: Key = key(
    "facilitator_auth",
    Kind::Section(&FACILITATOR_AUTH_SECTION),
    "Paid in a token: what the facilitator wants to see: bearer; or header and value; or cdp_key_id and cdp_key_secret.",
);
pub(super) const VERIFY: Key = key(
    "verify",
    Kind::Word(account::VERIFIERS),
    "Paid in a token: who checks a payment before the run: this host alone (local: no balances), the facilitator alone (wallets that are contracts, Permit2, Solana), or both, the default where it can be.",
);
pub(super) const VERIFY_TIMEOUT_S: Key = key(
    "verify_timeout_s",
    Kind::Integer(1, 120),
    "Paid in a token: seconds the facilitator may take to check; 15 by default.",
);
pub(super) const SETTLE_TIMEOUT_S: Key = key(
    "settle_timeout_s",
    Kind::Integer(1, 900),
    "Paid in a token: seconds the facilitator may take to settle; 200 by default, more than it waits for a block itself.",
);
pub(super) const MAX_TIMEOUT_S: Key = key(
    "max_timeout_s",
    Kind::Integer(10, 86_400),
    "Paid in a token: seconds that a payer's signature is to hold: the run and its settlement; 300 by default.",
);
pub(super) const REQUIRE_CHALLENGE: Key = key(
    "require_challenge",
    Kind::Bool,
    "Paid in a token: whether a payment of version 2 must echo extra.challengeId, which binds it to tool, arguments and price; true by default.",
);
pub(super) const RPC: Key = key(
    "rpc",
    Kind::TextOrSecret(kinds::filled),
    "Paid in a token: the URL of a node of the chain, asked what became of a payment when the facilitator's answer was lost. Without it such a payment waits for a person.",
);
pub(super) const CONFIRMATIONS: Key = key(
    "confirmations",
    Kind::Integer(1, 10_000),
    "Paid in a token: in how many blocks a payment counts as made; 1 by default, the facilitator's word. More needs rpc.",
);

static FACILITATOR_AUTH_SECTION: Section = Section {
    keys: &[
        key(
            "bearer",
            Kind::Secret,
            "A token, sent as Authorization: Bearer.",
        ),
        key("header", Kind::Text(kinds::filled), "The name of a header."),
        key("value", Kind::Secret, "What that header says."),
        key(
            "cdp_key_id",
            Kind::Text(kinds::filled),
            "The id of a key of Coinbase's Developer Platform.",
        ),
        key("cdp_key_secret", Kind::Secret, "That key: Ed25519, base64."),
    ],
    refused: &[],
};
