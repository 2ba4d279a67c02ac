//! Keys of the HTTP server and of how payment is talked about with clients.

use super::{Kind, Section, key};
use crate::config::{conversation, kinds, oauth, replies};

pub(super) static CONVERSATION: Section = Section {
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

pub(super) static CLIENT: Section = Section {
    keys: &[key(
        "mode",
        Kind::Text(conversation::client_mode),
        "The mode of tools whose mode is auto, for this client: two_step, elicitation, url_elicitation or progress.",
    )],
    refused: &[],
};

pub(super) static HTTP: Section = Section {
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
            Kind::Word(replies::WORDS),
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
