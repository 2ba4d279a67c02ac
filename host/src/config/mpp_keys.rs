//! The keys of accounts of the kind `mpp`.

use super::keys::{Key, Kind, Section, key};
use super::{kinds, token_keys};

pub(super) const REALM: Key = key(
    "realm",
    Kind::Text(kinds::filled),
    "mpp: who asks for payment, as payers see it, such as \"tools.example.com\".",
);
pub(super) const EVM: Key = key(
    "evm",
    Kind::Section(&EVM_SECTION),
    "mpp: payment by a signed transfer of a token (EIP-3009), which a facilitator of x402 takes to the chain after the run. The keys are those of an x402 account.",
);
pub(super) const LIGHTNING: Key = key(
    "lightning",
    Kind::Section(&LIGHTNING_SECTION),
    "mpp: payment by Lightning. What was paid cannot be sent back: who is owed gets credit, where it is known.",
);
pub(super) const STRIPE: Key = key(
    "stripe",
    Kind::Section(&STRIPE_SECTION),
    "mpp: payment by card, through Stripe's shared payment tokens. The card is charged after the run, unless settling upfront is chosen: a declined card means a run for nothing.",
);

static EVM_SECTION: Section = Section {
    keys: &[
        token_keys::NETWORK,
        token_keys::PAY_TO,
        token_keys::ASSET,
        token_keys::ASSET_NAME,
        token_keys::ASSET_VERSION,
        token_keys::DECIMALS,
        token_keys::CURRENCY,
        token_keys::RATE,
        token_keys::FACILITATOR,
        token_keys::FACILITATOR_AUTH,
        token_keys::VERIFY,
        token_keys::VERIFY_TIMEOUT_S,
        token_keys::SETTLE_TIMEOUT_S,
        token_keys::RPC,
        token_keys::CONFIRMATIONS,
    ],
    refused: &[],
};

/// The networks of Lightning, as written in the configuration.
const NETWORKS: &[&str] = &["mainnet", "testnet", "signet", "regtest"];

static LIGHTNING_SECTION: Section = Section {
    keys: &[
        key(
            "network",
            Kind::Word(NETWORKS),
            "The network of the node; all but mainnet move pretended money.",
        ),
        key(
            "invoices",
            Kind::Section(&INVOICES),
            "The node that makes invoices, by LNbits' API.",
        ),
        key(
            "currency",
            Kind::Text(kinds::filled),
            "The currency of prices that are paid by Lightning, besides BTC and SAT; needs sats_per_unit.",
        ),
        key(
            "sats_per_unit",
            Kind::Text(kinds::amount),
            "How many satoshis one unit of that currency is worth, such as \"1500\". A price that is no whole number of satoshis is not offered.",
        ),
    ],
    refused: &[],
};

static INVOICES: Section = Section {
    keys: &[
        key(
            "url",
            Kind::Text(kinds::filled),
            "Where the node is, without /api/v1.",
        ),
        key(
            "key",
            Kind::Secret,
            "The wallet's key for invoices; one that cannot spend.",
        ),
    ],
    refused: &[],
};

static STRIPE_SECTION: Section = Section {
    keys: &[
        key(
            "secret_key",
            Kind::Secret,
            "The account's secret or restricted key.",
        ),
        key(
            "network_id",
            Kind::Text(kinds::filled),
            "The seller's profile at Stripe, for which payers make tokens.",
        ),
        key(
            "currency",
            Kind::Text(kinds::filled),
            "The currency of prices that are paid by card, such as \"USD\".",
        ),
        key(
            "payment_method_types",
            Kind::Texts(kinds::filled),
            "What may stand behind a token; card where it is not said.",
        ),
        key(
            "api",
            Kind::Text(kinds::public_url),
            "Where Stripe's API is, for tests.",
        ),
    ],
    refused: &[],
};
