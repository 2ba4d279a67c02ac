//! The tables of `coinop.toml` itself.

use super::account::ACCOUNT;
use super::callers::CALLERS;
use super::http::{CLIENT, CONVERSATION, HTTP};
use super::plugin::PLUGIN;
use super::shared::{
    ACCEPT, LIMITS, MODE, ON_FAILURE, PAYMENT_FLOW, PAYMENT_FLOW_CAMEL, RETRIES, SETTLE,
};
use super::{Kind, Section, key};
use crate::config::{capacity, conversation, kinds, quarantine, trust};

/// `coinop.toml`.
pub(in crate::config) static ROOT: Section = Section {
    keys: &[
        key(
            "plugins_dir",
            Kind::Text(kinds::filled),
            "The folder of plugins; relative to this file.",
        ),
        key(
            "state",
            Kind::TextOrSecret(kinds::state),
            "The ledger: a file, relative to this one and not on a network filesystem, or a postgres:// URL that any \
             number of hosts share; { env = \"NAME\" } keeps its password out of this file.",
        ),
        key(
            "cache_dir",
            Kind::Text(kinds::filled),
            "Where compiled code is kept; only the host may write there.",
        ),
        MODE,
        PAYMENT_FLOW,
        PAYMENT_FLOW_CAMEL,
        key(
            "confirm_tool",
            Kind::Word(conversation::CONFIRM_TOOLS),
            "Whether two_step lists a confirm_<tool> for each paid tool (each, the default) or one confirm_payment for \
             all of them (one).",
        ),
        ON_FAILURE,
        RETRIES,
        ACCEPT,
        SETTLE,
        key(
            "provider",
            Kind::Text(kinds::filled),
            "The account that is paid where a plugin names none.",
        ),
        key(
            "public_url",
            Kind::Text(kinds::public_url),
            "What payment links start with, for hosts behind a proxy.",
        ),
        key(
            "conversation",
            Kind::Section(&CONVERSATION),
            "How payment is talked about with clients.",
        ),
        key(
            "clients",
            Kind::Named(&CLIENT),
            "Overrides for clients, by the name they give themselves, in any case. Nothing proves that name: it must not \
             decide what anybody may do.",
        ),
        key("http", Kind::Section(&HTTP), "MCP over HTTP."),
        key(
            "accounts",
            Kind::Named(&ACCOUNT),
            "Provider accounts by name.",
        ),
        LIMITS,
        key(
            "host",
            Kind::Section(&capacity::HOST),
            "How much the whole host runs at a time.",
        ),
        key(
            "quarantine",
            Kind::Section(&quarantine::QUARANTINE),
            "When a plugin that keeps failing is set aside.",
        ),
        key("quotes", Kind::Section(&QUOTES), "Offers."),
        key(
            "retention",
            Kind::Section(&RETENTION),
            "How long things are kept.",
        ),
        key(
            "callers",
            Kind::Section(&CALLERS),
            "What each caller may have open and spend; enforced by the hosts of a ledger together.",
        ),
        key(
            "plugins",
            Kind::Named(&PLUGIN),
            "What the operator says of a plugin; the name is its file's, without .wasm.",
        ),
        key(
            "trust",
            Kind::Section(&trust::TRUST),
            "Which plugin files may be loaded; docs/trust.md tells more.",
        ),
    ],
    refused: &[],
};

static QUOTES: Section = Section {
    keys: &[key(
        "lifetime_s",
        Kind::Integer(30, 86_400),
        "How long an offer can be paid, seconds; 900 by default.",
    )],
    refused: &[],
};

static RETENTION: Section = Section {
    keys: &[
        key(
            "outcome_days",
            Kind::Integer(1, 3650),
            "How long results can be fetched again, days; 7 by default.",
        ),
        key(
            "claim_hours",
            Kind::Integer(1, 720),
            "How long a paid call waits for its caller before the money goes back, hours; 24 by default.",
        ),
    ],
    refused: &[],
};
