//! What an account takes: in which asset, where, by which method, and who is paid. Decided once, from the settings.

use serde_json::{Map, Value, json};

use super::evm::{Address, Domain, Uint};
use super::network::{Family, Network};

/// The Permit2 contract's spender for exact payments, the same on every chain.
pub const PERMIT2_SPENDER: &str = "0x402085c248EeA27D92E8b30b2C58ed07f9E20001";

/// What an account takes.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Where.
    pub network: Network,
    /// How.
    pub method: Method,
    /// The asset's address, as shown.
    pub asset: String,
    /// Who is paid, as shown.
    pub pay_to: String,
    /// How long a payer's authorisation is to hold, seconds.
    pub max_timeout_s: u32,
}

/// How a payment is authorised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// EIP-3009: the token itself checks a signature.
    Eip3009(Recipient, Domain),
    /// By the Permit2 contract. The token's name and version are for payers whose permit costs no gas.
    Permit2(Recipient, Option<Domain>),
    /// A Solana transaction that the facilitator completes and pays for.
    Transaction,
}

/// Who is paid, in which token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The token.
    pub asset: Address,
    /// Who is paid.
    pub pay_to: Address,
}

impl Terms {
    /// The chain's id, where there is one.
    pub fn chain_id(&self) -> Option<u64> {
        match self.network.family {
            Family::Evm(id) => Some(id),
            Family::Solana => None,
        }
    }

    /// Whether `asset` means the asset: EVM addresses are the same in any case of letters.
    pub fn is_asset(&self, asset: &str) -> bool {
        match self.network.family {
            Family::Evm(_) => asset.eq_ignore_ascii_case(&self.asset),
            Family::Solana => asset == self.asset,
        }
    }

    /// The asset in the one spelling that references and seals use.
    pub fn asset_canonical(&self) -> String {
        canonical(self.network.family, &self.asset)
    }

    /// Who is paid in the one spelling that seals use.
    pub fn pay_to_canonical(&self) -> String {
        canonical(self.network.family, &self.pay_to)
    }
}

fn canonical(family: Family, address: &str) -> String {
    match family {
        Family::Evm(_) => address.to_ascii_lowercase(),
        Family::Solana => address.to_owned(),
    }
}

/// One payment as it is required: what a credential is checked against, never what a client says it accepted.
#[derive(Clone, Debug)]
pub struct Requirement<'a> {
    /// The account's terms.
    pub terms: &'a Terms,
    /// How much, in base units.
    pub amount: u128,
    /// The sealed challenge, in version 2.
    pub challenge: Option<String>,
    /// Solana: who pays the network's fee, as the facilitator said.
    pub fee_payer: Option<String>,
}

/// What version 1 says of the thing bought in each requirement.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// Its URL.
    pub url: &'a str,
    /// For people.
    pub description: &'a str,
}

/// The type of a tool's answer.
pub const MIME_TYPE: &str = "application/json";

impl Requirement<'_> {
    /// The price as signed.
    pub fn value(&self) -> Uint {
        self.amount.into()
    }

    /// In version 2.
    pub fn v2(&self) -> Value {
        let mut requirement = self.common(&self.terms.network.caip2);
        requirement.insert("amount".to_owned(), json!(self.amount.to_string()));
        requirement.insert("extra".to_owned(), self.extra(self.challenge.as_deref()));
        requirement.into()
    }

    /// In version 1, where the network has a name in it. It has no place for a challenge.
    pub fn v1(&self, resource: Resource<'_>) -> Option<Value> {
        let mut requirement = self.common(self.terms.network.v1?);
        let amount = json!(self.amount.to_string());
        requirement.insert("maxAmountRequired".to_owned(), amount);
        requirement.insert("resource".to_owned(), json!(resource.url));
        requirement.insert("description".to_owned(), json!(resource.description));
        requirement.insert("mimeType".to_owned(), json!(MIME_TYPE));
        requirement.insert("extra".to_owned(), self.extra(None));
        Some(requirement.into())
    }

    fn common(&self, network: &str) -> Map<String, Value> {
        let terms = self.terms;
        let fields = [
            ("scheme", json!("exact")),
            ("network", json!(network)),
            ("asset", json!(terms.asset)),
            ("payTo", json!(terms.pay_to)),
            ("maxTimeoutSeconds", json!(terms.max_timeout_s)),
        ];
        fields
            .map(|(key, value)| (key.to_owned(), value))
            .into_iter()
            .collect()
    }

    fn extra(&self, challenge: Option<&str>) -> Value {
        let mut extra = Map::new();
        let mut say = |key: &str, value: &str| extra.insert(key.to_owned(), json!(value));
        match &self.terms.method {
            Method::Eip3009(_, domain) | Method::Permit2(_, Some(domain)) => {
                say("name", &domain.name);
                say("version", &domain.version);
            }
            Method::Permit2(_, None) | Method::Transaction => {}
        }
        if matches!(self.terms.method, Method::Permit2(..)) {
            say("assetTransferMethod", "permit2");
        }
        if let Some(fee_payer) = &self.fee_payer {
            say("feePayer", fee_payer);
        }
        if let Some(challenge) = challenge {
            say("challengeId", challenge);
        }
        extra.into()
    }
}
