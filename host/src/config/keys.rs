//! Every key there is, once: what checks a file, proposes the nearest key and makes the published JSON Schema.

use super::{capacity, kinds, mpp_keys, oauth, quarantine, token_keys, words};

/// How somebody is made whole, as written in the configuration.
pub(super) const ON_FAILURE_WORDS: &[&str] = &["refund", "credit"];

/// A table of the file.
pub(super) struct Section {
    /// Its keys.
    pub(super) keys: &'static [Key],
    /// Keys that people might expect here and must not have, with the reason.
    pub(super) refused: &'static [(&'static str, &'static str)],
}

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// What it does, one sentence or two, for the published schema and for messages.
    pub(super) doc: &'static str,
}

/// What a value may be.
pub(super) enum Kind {
    Bool,
    /// A text that passes the check.
    Text(fn(&str) -> Result<(), String>),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number within bounds, both included.
    Integer(u64, u64),
    /// A list of texts that pass the check.
    Texts(fn(&str) -> Result<(), String>),
    /// One text or a list of them.
    TextOrTexts(fn(&str) -> Result<(), String>),
    Price,
    /// A whole number within bounds, both included, or `unlimited`.
    Count(u64, u64),
    /// An amount of money, or a list of them in different currencies.
    Caps,
    /// A text that passes the check, or where to read it.
    TextOrSecret(fn(&str) -> Result<(), String>),
    /// `{ env = "NAME" }` or `{ file = "PATH" }`.
    Secret,
    /// A table.
    Section(&'static Section),
    /// A table of tables with names of the operator's own choosing.
    Named(&'static Section),
    /// A list of tables.
    Tables(&'static Section),
    /// A table of texts with keys of the operator's own choosing.
    Settings,
    /// A table of texts, or where to read them; the check is the names'.
    Variables(fn(&str) -> Result<(), String>),
    /// What this key was called before; its value means the same.
    Former(&'static Key),
}

pub(super) const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, doc }
}

const MODE: Key = key(
    "mode",
    Kind::Text(kinds::mode),
    "How payment is coordinated with the client: auto (the default; each call in the first way that its client takes \
     part in), two_step, resubmit, elicitation, url_elicitation, progress, dynamic_tools or x402.",
);
const PAYMENT_FLOW: Key = key("payment_flow", Kind::Former(&MODE), "Former name of mode.");
const PAYMENT_FLOW_CAMEL: Key = key("paymentFlow", Kind::Former(&MODE), "Former name of mode.");
const PRICE: Key = key(
    "price",
    Kind::Price,
    "What a call costs: \"free\", \"0.50 USD\" or { amount, currency }.",
);
const ON_FAILURE: Key = key(
    "on_failure",
    Kind::Word(ON_FAILURE_WORDS),
    "What a caller gets when a paid call does not deliver: its money back (refund, the default), or a balance that is spent first on its next calls (credit). Where the provider sends no money back, credit; anonymous callers have no balance.",
);
const RETRIES: Key = key(
    "retries",
    Kind::Integer(0, 10),
    "How often a failed run is tried again before its caller is made whole; 0 by default, and for tools that declare themselves effectful.",
);
const ACCEPT: Key = key(
    "accept",
    Kind::Texts(kinds::filled),
    "Accounts that callers may also pay themselves, with the call (x402, MPP), the preferred one first; links go on to the account.",
);
const SETTLE: Key = key(
    "settle",
    Kind::Word(super::settle::WORDS),
    "When the money of a payment that came with the call is taken: after the run (the default), and not at all where it fails; or upfront, where a failed run is made good.",
);
const LIMITS: Key = key(
    "limits",
    Kind::Section(&LIMITS_SECTION),
    "What one run may use.",
);
const SETTINGS: Key = key(
    "settings",
    Kind::Settings,
    "Texts that the plugin reads through its settings.",
);

/// `coinop.toml`.
pub(super) static ROOT: Section = Section {
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
            Kind::Word(super::conversation::CONFIRM_TOOLS),
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
            Kind::Section(&super::trust::TRUST),
            "Which plugin files may be loaded; docs/trust.md tells more.",
        ),
    ],
    refused: &[],
};

static CONVERSATION: Section = Section {
    keys: &[
        key(
            "wait_s",
            Kind::Integer(1, 3600),
            "How long one request waits for its payment before the client is told to come back, seconds; 50 by default, \
             since many clients give a request up after a minute.",
        ),
        key(
            "progress",
            Kind::Bool,
            "Whether auto waits and shows the link as progress to clients that ask for progress and show neither links nor \
             forms; false by default, since nobody may be looking at progress.",
        ),
        key(
            "url_error",
            Kind::Bool,
            "Whether legacy clients that open links are told to by the error -32042 and call again, instead of by a \
             request; false by default. Callers without a name are always asked by a request.",
        ),
    ],
    refused: &[],
};

static CLIENT: Section = Section {
    keys: &[key(
        "mode",
        Kind::Text(super::conversation::client_mode),
        "The mode of tools whose mode is auto, for this client: two_step, elicitation, url_elicitation or progress.",
    )],
    refused: &[],
};

static HTTP: Section = Section {
    keys: &[
        key(
            "addr",
            Kind::Text(kinds::address),
            "Address and port to listen on; 127.0.0.1:7402 where it is not said.",
        ),
        key(
            "keys",
            Kind::Named(&API_KEY),
            "API keys by name. Payments belong to the name, so a key can be changed.",
        ),
        key(
            "oauth",
            Kind::Section(&OAUTH),
            "Access tokens that are taken beside API keys: whose, and for what. docs/identity.md tells more.",
        ),
        key(
            "anonymous",
            Kind::Bool,
            "Whether callers without a key or token are served; by default only while there are no keys and no oauth.",
        ),
        key(
            "allowed_hosts",
            Kind::Texts(kinds::host),
            "Host names served besides loopback and public_url.",
        ),
        key(
            "allowed_origins",
            Kind::Texts(kinds::origin),
            "Web origins that may call.",
        ),
        key(
            "replies",
            Kind::Word(super::replies::WORDS),
            "Whether an answer that comes alone is plain JSON (the default) or an event stream of one event.",
        ),
        key(
            "connections_max",
            Kind::Integer(16, 1_000_000),
            "Most connections at a time, each with a file descriptor of its own; further ones wait to be accepted; 1024 by default.",
        ),
        key(
            "sessions_max",
            Kind::Integer(1, 1_000_000),
            "Most sessions at a time; 1000 by default.",
        ),
        key(
            "session_idle_s",
            Kind::Integer(60, 604_800),
            "Seconds after which a session without traffic ends; 3600 by default.",
        ),
    ],
    refused: &[],
};

static OAUTH: Section = Section {
    keys: &[
        key(
            "issuer",
            Kind::TextOrTexts(oauth::address),
            "Whose tokens are taken, exactly as in their iss claim; several in a list.",
        ),
        key(
            "audience",
            Kind::TextOrTexts(kinds::filled),
            "Whom tokens must be for, their aud claim; public_url and /mcp where it is not said. Of a list, any one.",
        ),
        key(
            "jwks_url",
            Kind::Text(oauth::jwks_url),
            "Where the issuer's keys are; by default where its metadata says.",
        ),
        key(
            "jwks",
            Kind::TextOrSecret(kinds::filled),
            "The issuer's keys themselves, a JSON Web Key Set, for hosts that cannot reach the issuer; { file = \"keys.json\" } keeps it apart.",
        ),
        key(
            "algorithms",
            Kind::Texts(oauth::algorithm),
            "How tokens may be signed; RS256, ES256 and EdDSA by default.",
        ),
        key(
            "scopes",
            Kind::Texts(oauth::scope),
            "What every token must grant; nothing by default.",
        ),
        key(
            "clock_skew_s",
            Kind::Integer(0, 600),
            "How far the issuer's clock may be off, seconds; 60 by default.",
        ),
    ],
    refused: &[("client_id", NO_CLIENT), ("client_secret", NO_CLIENT)],
};

const NO_CLIENT: &str =
    "coinop is no client of the issuer: it verifies the tokens that its callers bring";

static API_KEY: Section = Section {
    keys: &[
        key(
            "sha256",
            Kind::TextOrTexts(kinds::sha256),
            "SHA-256 of the key, in hex; two of them while a key is being changed.",
        ),
        key(
            "key",
            Kind::Secret,
            "The key itself, from the environment or a file.",
        ),
    ],
    refused: &[],
};

pub(super) static ACCOUNT: Section = Section {
    keys: &[
        key(
            "kind",
            Kind::Word(super::account::KINDS),
            "The provider: x402 or mpp, whose callers bring the payment with the call, or one of the two that move pretended money.",
        ),
        key(
            "pays",
            Kind::Word(super::account::PAYS),
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
            Kind::Word(super::account::DISAGREES),
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
    ],
    refused: &[],
};

static LIMITS_SECTION: Section = Section {
    keys: &[
        key(
            "memory_mib",
            Kind::Integer(1, 4096),
            "Memory of one run, MiB; 256 by default.",
        ),
        key(
            "table_elements",
            Kind::Integer(1, 10_000_000),
            "Elements of all tables of one run; 20000 by default.",
        ),
        key(
            "instances",
            Kind::Integer(1, 200),
            "Core instances that one component is linked from; 200 by default, which is the most.",
        ),
        key(
            "fuel",
            Kind::Integer(1, 1_000_000_000_000_000),
            "WebAssembly instructions of one run, counted exactly: the same run always ends the same. Not counted by \
             default: counting makes code slower, and the first call compiles the plugin once more.",
        ),
        key(
            "cpu_ms",
            Kind::Integer(1, 600_000),
            "CPU time of one run, milliseconds; 10000 by default.",
        ),
        key(
            "wall_ms",
            Kind::Integer(1, 3_600_000),
            "Time of one run on the clock, milliseconds; 30000 by default.",
        ),
        key(
            "output_kib",
            Kind::Integer(1, 65_536),
            "Size of one answer, KiB; 4096 by default.",
        ),
        key(
            "log_kib",
            Kind::Integer(1, 16_384),
            "Log kept of one run, KiB; 64 by default.",
        ),
        key(
            "concurrent_runs",
            Kind::Integer(1, 10_000),
            "Runs of one plugin at a time; 64 by default.",
        ),
        key(
            "waiting_runs",
            Kind::Integer(0, 100_000),
            "Runs of one plugin that may wait for a place; 1024 by default. Further calls are told that the tool is busy, \
             and nothing is consumed.",
        ),
        key(
            "http_requests",
            Kind::Integer(0, 100_000),
            "Outgoing requests of one run; 100 by default.",
        ),
        key(
            "http_kib",
            Kind::Integer(0, 4_194_304),
            "Size of the bodies of a run's outgoing requests and their answers, all together, KiB; 16384 by default.",
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

const OPEN_PAYMENTS: Key = key(
    "open_payments",
    Kind::Count(1, 100_000),
    "Most payments that wait for their payer at a time; 20 by default, 1000 for all anonymous callers together.",
);
const LINKS_PER_MINUTE: Key = key(
    "links_per_minute",
    Kind::Count(1, 100_000),
    "Most new payments within a minute; 30 by default, 300 for all anonymous callers together.",
);
const PER_CALL: Key = key(
    "per_call",
    Kind::Caps,
    "Highest price of one call, \"5.00 USD\" or a list with one for each currency; a currency that is not named has no cap.",
);
const PER_DAY: Key = key(
    "per_day",
    Kind::Caps,
    "Most spent on calls of one day (UTC), as per_call. Open payments count; what was not paid or was made good does not.",
);

static CALLERS: Section = Section {
    keys: &[
        OPEN_PAYMENTS,
        LINKS_PER_MINUTE,
        PER_CALL,
        PER_DAY,
        key(
            "anonymous",
            Kind::Section(&ANONYMOUS_CALLERS),
            "All callers without a key together, who cannot be told apart.",
        ),
        key(
            "keys",
            Kind::Named(&CALLER_KEY),
            "Single callers, by the name of their API key; what is not said is as for every caller.",
        ),
    ],
    refused: &[],
};

static ANONYMOUS_CALLERS: Section = Section {
    keys: &[OPEN_PAYMENTS, LINKS_PER_MINUTE, PER_CALL],
    refused: &[(
        "per_day",
        "anonymous callers have no day of their own: cap per_call, or give every caller a key in [http.keys]",
    )],
};

static CALLER_KEY: Section = Section {
    keys: &[OPEN_PAYMENTS, LINKS_PER_MINUTE, PER_CALL, PER_DAY],
    refused: &[],
};

static PLUGIN: Section = Section {
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
        super::trust::REQUIRE_SIGNATURE,
        key(
            "grants",
            Kind::Section(&super::grants::GRANTS),
            "What the plugin may reach beyond its arguments; nothing by default.",
        ),
        LIMITS,
        SETTINGS,
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

const OPERATOR_ONLY: &str =
    "only the operator says that, in coinop.toml: a file that comes with a plugin must not";

/// A sidecar, `NAME.toml` beside `NAME.wasm`.
pub(super) static SIDECAR: Section = Section {
    keys: &[
        MODE,
        PAYMENT_FLOW,
        PAYMENT_FLOW_CAMEL,
        PRICE,
        ON_FAILURE,
        RETRIES,
        key(
            "needs",
            Kind::Section(&super::needs::NEEDS),
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
