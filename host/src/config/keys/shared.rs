//! Keys that stand in several tables, and what one run may use.

use super::{Key, Kind, ON_FAILURE_WORDS, Section, key};
use crate::config::{kinds, settle};

pub(super) const MODE: Key = key(
    "mode",
    Kind::Text(kinds::mode),
    "How payment is coordinated with the client: auto (the default; each call in the first way that its client takes \
     part in), two_step, resubmit, elicitation, url_elicitation, progress, dynamic_tools or x402.",
);

pub(super) const PAYMENT_FLOW: Key =
    key("payment_flow", Kind::Former(&MODE), "Former name of mode.");

pub(super) const PAYMENT_FLOW_CAMEL: Key =
    key("paymentFlow", Kind::Former(&MODE), "Former name of mode.");

pub(super) const PRICE: Key = key(
    "price",
    Kind::Price,
    "What a call costs: \"free\", \"0.50 USD\" or { amount, currency }.",
);

pub(super) const ON_FAILURE: Key = key(
    "on_failure",
    Kind::Word(ON_FAILURE_WORDS),
    "What a caller gets when a paid call does not deliver: its money back (refund, the default), or a balance that is spent first on its next calls (credit). Where the provider sends no money back, credit; anonymous callers have no balance.",
);

pub(super) const RETRIES: Key = key(
    "retries",
    Kind::Integer(0, 10),
    "How often a failed run is tried again before its caller is made whole; 0 by default, and for tools that declare themselves effectful.",
);

pub(super) const ACCEPT: Key = key(
    "accept",
    Kind::Texts(kinds::filled),
    "Accounts that callers may also pay themselves, with the call (x402, MPP), the preferred one first; links go on to the account.",
);

pub(super) const SETTLE: Key = key(
    "settle",
    Kind::Word(settle::WORDS),
    "When the money of a payment that came with the call is taken: after the run (the default), and not at all where it fails; or upfront, where a failed run is made good.",
);

pub(super) const LIMITS: Key = key(
    "limits",
    Kind::Section(&LIMITS_SECTION),
    "What one run may use.",
);

pub(super) const SETTINGS: Key = key(
    "settings",
    Kind::Settings,
    "Texts that the plugin reads through its settings.",
);

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
