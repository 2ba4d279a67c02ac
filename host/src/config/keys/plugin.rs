//! Keys of plugins and their tools, in `coinop.toml` and in sidecars.

use super::shared::{
    ACCEPT, LIMITS, MODE, ON_FAILURE, PAYMENT_FLOW, PAYMENT_FLOW_CAMEL, PRICE, RETRIES, SETTINGS,
    SETTLE,
};
use super::{Kind, Section, key};
use crate::config::{grants, kinds, needs, trust, warm, words};

pub(super) static PLUGIN: Section = Section {
    keys: &[
        key(
            "enabled",
            Kind::Bool,
            "false takes the plugin's tools off the list.",
        ),
        key(
            "prefix",
            Kind::Text(kinds::tool_name),
            "Put before every tool's name, for plugins whose tools are called alike.",
        ),
        key(
            "account",
            Kind::Text(kinds::filled),
            "The account that this plugin's tools are paid into.",
        ),
        MODE,
        PAYMENT_FLOW,
        PAYMENT_FLOW_CAMEL,
        PRICE,
        ON_FAILURE,
        RETRIES,
        ACCEPT,
        SETTLE,
        trust::REQUIRE_SIGNATURE,
        key(
            "grants",
            Kind::Section(&grants::GRANTS),
            "What the plugin may reach beyond its arguments; nothing by default.",
        ),
        LIMITS,
        SETTINGS,
        warm::WARM,
        key(
            "tools",
            Kind::Named(&TOOL),
            "Single tools, by the name the plugin gives them.",
        ),
    ],
    refused: &[],
};

static TOOL: Section = Section {
    keys: &[
        key("enabled", Kind::Bool, "false takes the tool off the list."),
        key(
            "name",
            Kind::Text(kinds::tool_name),
            "The name it is published by instead of its own; no prefix is added.",
        ),
        words::TITLE,
        words::DESCRIPTION,
        words::ANNOTATIONS,
        MODE,
        PAYMENT_FLOW,
        PAYMENT_FLOW_CAMEL,
        PRICE,
        ON_FAILURE,
        RETRIES,
        SETTLE,
    ],
    refused: &[],
};

/// A sidecar, `NAME.toml` beside `NAME.wasm`.
pub(in crate::config) static SIDECAR: Section = Section {
    keys: &[
        MODE,
        PAYMENT_FLOW,
        PAYMENT_FLOW_CAMEL,
        PRICE,
        ON_FAILURE,
        RETRIES,
        key(
            "needs",
            Kind::Section(&needs::NEEDS),
            "What the plugin needs beyond its arguments, and what for. It grants nothing: `coinop grant` asks the operator.",
        ),
        LIMITS,
        SETTINGS,
        key(
            "tools",
            Kind::Named(&SIDECAR_TOOL),
            "Single tools, by the name the plugin gives them.",
        ),
    ],
    refused: &[
        ("accept", OPERATOR_ONLY),
        ("account", OPERATOR_ONLY),
        ("enabled", OPERATOR_ONLY),
        ("grants", OPERATOR_ONLY),
        ("prefix", OPERATOR_ONLY),
        ("provider", OPERATOR_ONLY),
        ("require_signature", OPERATOR_ONLY),
        ("settle", OPERATOR_ONLY),
        ("warm", OPERATOR_ONLY),
    ],
};

static SIDECAR_TOOL: Section = Section {
    keys: &[
        key(
            "name",
            Kind::Text(kinds::tool_name),
            "The name it has instead of its own; the operator's prefix is added.",
        ),
        words::TITLE,
        words::DESCRIPTION,
        words::ANNOTATIONS,
        MODE,
        PAYMENT_FLOW,
        PAYMENT_FLOW_CAMEL,
        PRICE,
        ON_FAILURE,
        RETRIES,
    ],
    refused: &[
        ("account", OPERATOR_ONLY),
        ("enabled", OPERATOR_ONLY),
        ("grants", OPERATOR_ONLY),
        ("settle", OPERATOR_ONLY),
    ],
};

const OPERATOR_ONLY: &str =
    "only the operator says that, in coinop.toml: a file that comes with a plugin must not";
