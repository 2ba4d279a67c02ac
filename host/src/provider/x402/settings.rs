//! The settings of an x402 account, and what they come to: terms, rate, facilitator. A mistake is one line that names
//! the setting.

use std::net::IpAddr;
use std::time::Duration;

use coinop_core::money::Amount;
use serde::Deserialize;

use super::asset::{DECIMALS_MAX, Rate};
use super::auth::{Auth, AuthSettings};
use super::evm::{Address, Domain};
use super::network::{Family, KnownToken, Network};
use super::terms::{Method, Recipient, Terms};
use crate::config::Secret;

/// How long a payer's authorisation is to hold: the longest run by default, settling it, and asking twice.
const MAX_TIMEOUT_S: u32 = 300;
/// How long a facilitator may take to check, seconds.
const VERIFY_TIMEOUT_S: u64 = 15;
/// How long a facilitator may take to settle, seconds: longer than the official ones wait for a block (180 and 120).
const SETTLE_TIMEOUT_S: u64 = 200;

/// The settings as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    network: String,
    pay_to: String,
    asset: Option<String>,
    asset_name: Option<String>,
    asset_version: Option<String>,
    decimals: Option<u32>,
    currency: Option<String>,
    rate: Option<String>,
    #[serde(default)]
    transfer: Option<Transfer>,
    facilitator: String,
    #[serde(default)]
    facilitator_auth: AuthSettings,
    #[serde(default)]
    verify: Option<VerifyBy>,
    verify_timeout_s: Option<u64>,
    settle_timeout_s: Option<u64>,
    max_timeout_s: Option<u32>,
    require_challenge: Option<bool>,
    rpc: Option<Secret>,
    confirmations: Option<u64>,
}

/// How an EVM payment is authorised, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transfer {
    Eip3009,
    Permit2,
}

/// Who checks a payment before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerifyBy {
    /// This host alone: quick, and blind to the payer's balance.
    Local,
    /// The facilitator alone looks at the signature: for wallets that are contracts, Permit2 and Solana.
    Facilitator,
    /// This host, then the facilitator.
    Both,
}

/// What the settings come to.
#[derive(Debug)]
pub struct Resolved {
    /// What is taken.
    pub terms: Terms,
    /// What it stands for.
    pub rate: Rate,
    /// Who checks.
    pub verify: VerifyBy,
    /// Whether a payment of version 2 must echo its challenge.
    pub require_challenge: bool,
    /// The facilitator's base URL, without a slash at its end.
    pub facilitator: String,
    /// What the facilitator wants to see.
    pub auth: Auth,
    /// How long it may take to check.
    pub verify_timeout: Duration,
    /// How long it may take to settle.
    pub settle_timeout: Duration,
    /// A node to ask what became of a payment.
    pub rpc: Option<Secret>,
    /// In how many blocks, itself included, a payment counts as made.
    pub confirmations: u64,
}

impl Settings {
    /// Checks the settings together.
    ///
    /// # Errors
    /// One line that names the setting.
    pub fn resolve(self) -> Result<Resolved, String> {
        let network = Network::named(&self.network).map_err(|e| format!("network: {e}"))?;
        let token = self.token(&network)?;
        let rate = self.rate(&token)?;
        let method = self.method(&network, &token)?;
        let (asset, pay_to) = match &method {
            Method::Eip3009(to, _) | Method::Permit2(to, _) => {
                (to.asset.checksummed(), to.pay_to.checksummed())
            }
            Method::Transaction => (
                token.address.clone(),
                solana_address("pay_to", &self.pay_to)?,
            ),
        };
        let is_local = matches!(method, Method::Eip3009(..));
        let verify = match (self.verify, is_local) {
            (Some(by @ (VerifyBy::Local | VerifyBy::Both)), false) => {
                return Err(format!(
                    "verify: {by:?} is for EIP-3009 payments only: write verify = \"facilitator\""
                ));
            }
            (Some(by), _) => by,
            (None, true) => VerifyBy::Both,
            (None, false) => VerifyBy::Facilitator,
        };
        let facilitator = endpoint("facilitator", &self.facilitator)?;
        if let Some(rpc) = &self.rpc {
            endpoint("rpc", rpc.expose())?;
        }
        Ok(Resolved {
            terms: Terms {
                network,
                method,
                asset,
                pay_to,
                max_timeout_s: self.max_timeout_s.unwrap_or(MAX_TIMEOUT_S),
            },
            rate,
            verify,
            require_challenge: self.require_challenge.unwrap_or(true),
            auth: self.facilitator_auth.resolve(&facilitator)?,
            facilitator,
            verify_timeout: seconds(self.verify_timeout_s, VERIFY_TIMEOUT_S),
            settle_timeout: seconds(self.settle_timeout_s, SETTLE_TIMEOUT_S),
            rpc: self.rpc,
            confirmations: self.confirmations.unwrap_or(1).max(1),
        })
    }

    /// The asset: as said, else the network's USDC. What is known of one asset is never taken for another's.
    fn token(&self, network: &Network) -> Result<Token, String> {
        let known = network.usdc();
        let Some(address) = &self.asset else {
            return known.map(Token::from).ok_or_else(|| {
                format!(
                    "asset: no asset of {} is known: write its address",
                    network.caip2
                )
            });
        };
        let is_known = |known: &KnownToken| match network.family {
            Family::Evm(_) => known.address.eq_ignore_ascii_case(address),
            Family::Solana => known.address == address,
        };
        Ok(match known.filter(is_known) {
            Some(known) => Token::from(known),
            None => Token {
                address: address.clone(),
                known: None,
            },
        })
    }

    /// A dollar coin is a dollar; anything else must be said in full.
    fn rate(&self, token: &Token) -> Result<Rate, String> {
        let said = |key: &str| {
            format!(
                "{key}: must be said for an asset that coinop does not know: currency, rate and decimals"
            )
        };
        let known = token.known.as_ref();
        let currency = self.currency.as_deref().or(known.map(|_| "USD"));
        let currency = currency.ok_or_else(|| said("currency"))?;
        let is_dollar = known.is_some() && currency == "USD";
        let per_unit = self.rate.as_deref().or(is_dollar.then_some("1"));
        let per_unit = per_unit.ok_or_else(|| {
            format!("rate: say how many of the asset one {currency} is, such as \"1\"")
        })?;
        let per_unit: Amount = per_unit.parse().map_err(|e| format!("rate: {e}"))?;
        if !per_unit.is_positive() {
            return Err("rate: must be more than nothing".to_owned());
        }
        let decimals = match (self.decimals, known) {
            (Some(said), Some(known)) if said != known.decimals => {
                return Err(format!("decimals: this asset has {}", known.decimals));
            }
            (Some(decimals), _) if decimals > DECIMALS_MAX => {
                return Err(format!("decimals: {DECIMALS_MAX} at most"));
            }
            (Some(decimals), _) => decimals,
            (None, known) => known.ok_or_else(|| said("decimals"))?.decimals,
        };
        Ok(Rate {
            currency: currency.parse().map_err(|e| format!("currency: {e}"))?,
            per_unit,
            decimals,
        })
    }

    fn method(&self, network: &Network, token: &Token) -> Result<Method, String> {
        let Family::Evm(chain_id) = network.family else {
            return match self.transfer {
                Some(_) => Err("transfer: is for EVM networks only".to_owned()),
                None => solana_address("asset", &token.address).map(|_| Method::Transaction),
            };
        };
        let recipient = Recipient {
            asset: Address::written(&token.address).map_err(|e| format!("asset: {e}"))?,
            pay_to: Address::written(&self.pay_to).map_err(|e| format!("pay_to: {e}"))?,
        };
        let known = |part: fn(&KnownToken) -> &'static str| token.known.as_ref().map(part);
        let name = self.asset_name.as_deref().or(known(|token| token.name));
        let version = self
            .asset_version
            .as_deref()
            .or(known(|token| token.version));
        let domain = name.zip(version).map(|(name, version)| Domain {
            name: name.to_owned(),
            version: version.to_owned(),
            chain_id,
            contract: recipient.asset,
        });
        match self.transfer.unwrap_or(Transfer::Eip3009) {
            Transfer::Permit2 => Ok(Method::Permit2(recipient, domain)),
            Transfer::Eip3009 => {
                let domain = domain.filter(|d| !d.name.is_empty() && !d.version.is_empty());
                let missing = "asset_name: write the token's name() and version() as asset_name and asset_version: \
                               payers sign them";
                Ok(Method::Eip3009(recipient, domain.ok_or(missing)?))
            }
        }
    }
}

/// The asset, and what is known of it.
struct Token {
    address: String,
    known: Option<KnownToken>,
}

impl From<KnownToken> for Token {
    fn from(known: KnownToken) -> Self {
        Self {
            address: known.address.to_owned(),
            known: Some(known),
        }
    }
}

fn seconds(said: Option<u64>, default: u64) -> Duration {
    Duration::from_secs(said.unwrap_or(default))
}

/// A base58 key of 32 bytes, as far as its letters tell.
fn solana_address(setting: &str, text: &str) -> Result<String, String> {
    let base58 = |b: u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    let valid = (32..=44).contains(&text.len()) && text.bytes().all(base58);
    let wrong = || format!("{setting}: {text:?} is not a Solana address");
    valid.then(|| text.to_owned()).ok_or_else(wrong)
}

/// An URL whose answers decide about money: by TLS, or on this machine. The reason never repeats it, since it may carry
/// a key.
fn endpoint(setting: &str, text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text)
        .map_err(|_| format!("{setting}: is not a URL: write \"https://…\""))?;
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let local = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        _ => {
            return Err(format!(
                "{setting}: write https://: what it answers decides about money (http:// is for this machine only)"
            ));
        }
    }
    Ok(text.trim_end_matches('/').to_owned())
}
