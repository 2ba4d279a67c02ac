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

    /// The wallet that signed: `network` by CAIP-2 vouches, `address` is whom it names. Addresses of `eip155` networks are
    /// the same in any case of letters; those of others are not.
    pub fn wallet(network: &str, address: &str) -> Self {
        let subject = match network.starts_with("eip155:") {
            true => address.to_ascii_lowercase(),
            false => address.to_owned(),
        };
        Self {
            kind: PrincipalKind::Wallet,
            issuer: network.to_owned(),
            subject,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_is_the_same_however_its_address_is_written() {
        let wallet = |address| Principal::wallet("eip155:8453", address);
        let upper = wallet("0x2C7536E3605D9C16A7A3D7B1898E529396A65C23");
        assert_eq!(upper, wallet("0x2c7536e3605d9c16a7a3d7b1898e529396a65c23"));
        assert!(upper.is_known());
        let elsewhere = Principal::wallet("eip155:1", &upper.subject);
        assert_ne!(upper, elsewhere);
        let solana = |address| Principal::wallet("solana:x", address);
        assert_ne!(solana("Ab"), solana("ab"));
    }
}
