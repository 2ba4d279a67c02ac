//! Keys of provider accounts.

use super::{Kind, Section, key};
use crate::config::{account, component_keys, kinds, mpp_keys, token_keys};

pub(in crate::config) static ACCOUNT: Section = Section {
    keys: &[
        key(
            "kind",
            Kind::Word(account::KINDS),
            "The provider: x402 or mpp, whose callers bring the payment with the call; component, a provider in a file of its own; or one of the two that move pretended money.",
        ),
        key(
            "pays",
            Kind::Word(account::PAYS),
            "Whether pretended payments wait for the payment page (by-hand, the default) or are made at once.",
        ),
        key(
            "refunds",
            Kind::Bool,
            "false pretends a provider that sends no money back: who is owed gets credit instead.",
        ),
        key(
            "fee",
            Kind::Text(kinds::amount),
            "What the pretended provider keeps of each payment, in the payment's currency, such as \"0.01\"; nothing by default.",
        ),
        key(
            "disagrees",
            Kind::Word(account::DISAGREES),
            "Makes the pretended provider's statement wrong, for trying reconciliation: another amount, a payment missing, a payment that nobody knows, or a refund more.",
        ),
        token_keys::NETWORK,
        token_keys::PAY_TO,
        token_keys::ASSET,
        token_keys::ASSET_NAME,
        token_keys::ASSET_VERSION,
        token_keys::DECIMALS,
        token_keys::CURRENCY,
        token_keys::RATE,
        token_keys::TRANSFER,
        token_keys::FACILITATOR,
        token_keys::FACILITATOR_AUTH,
        token_keys::VERIFY,
        token_keys::VERIFY_TIMEOUT_S,
        token_keys::SETTLE_TIMEOUT_S,
        token_keys::MAX_TIMEOUT_S,
        token_keys::REQUIRE_CHALLENGE,
        token_keys::RPC,
        token_keys::CONFIRMATIONS,
        mpp_keys::REALM,
        mpp_keys::EVM,
        mpp_keys::LIGHTNING,
        mpp_keys::STRIPE,
        component_keys::COMPONENT,
        component_keys::SHA256,
        component_keys::SETTINGS,
        component_keys::GRANTS,
    ],
    refused: &[],
};
