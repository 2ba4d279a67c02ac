//! Who calls. Identity comes from the transport or a verified credential, never from a request's `_meta`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a principal was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// The user of this machine, over stdio.
    Local,
    /// A named API key of the configuration; the name is the subject, so a rotated key keeps its payments.
    ApiKey,
    /// A verified access token.
    Token,
    /// A wallet that signed.
    Wallet,
    /// Nobody in particular: the payment id itself is the right to redeem.
    Anonymous,
}

impl PrincipalKind {
    /// The word in the ledger and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::ApiKey => "api_key",
            Self::Token => "token",
            Self::Wallet => "wallet",
            Self::Anonymous => "anonymous",
        }
    }
}

/// Who calls: kind, issuer and subject together; two principals are the same only when all three are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Principal {
    /// How it was recognised.
    pub kind: PrincipalKind,
    /// Who vouches: an issuer's URL, or empty where the host itself does.
    pub issuer: String,
    /// Whom it names.
    pub subject: String,
}

impl Principal {
    /// The user of this machine.
    pub fn local() -> Self {
        Self::own(PrincipalKind::Local, "user")
    }

    /// The holder of the API key called `name`.
    pub fn api_key(name: &str) -> Self {
        Self::own(PrincipalKind::ApiKey, name)
    }

    /// The subject of a verified access token. Two tokens of one subject are one principal.
    pub fn token(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            ..Self::own(PrincipalKind::Token, subject)
        }
    }

    /// A caller without identity.
    pub fn anonymous() -> Self {
        Self::own(PrincipalKind::Anonymous, "")
    }

    fn own(kind: PrincipalKind, subject: &str) -> Self {
        Self {
            kind,
            issuer: String::new(),
            subject: subject.to_owned(),
        }
    }

    /// Whether this names somebody, so that payments can be theirs.
    pub fn is_known(&self) -> bool {
        self.kind != PrincipalKind::Anonymous
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind.as_str())?;
        if !self.issuer.is_empty() {
            write!(f, ":{}", self.issuer)?;
        }
        if !self.subject.is_empty() {
            write!(f, ":{}", self.subject)?;
        }
        Ok(())
    }
}
