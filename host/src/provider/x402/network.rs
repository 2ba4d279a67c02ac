//! The networks: their names in both versions of x402, which of them move pretended money, and the dollars known there.

/// A network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its name by CAIP-2, as version 2 writes it.
    pub caip2: String,
    /// Its name in version 1, where it has one.
    pub v1: Option<&'static str>,
    /// What kind of chain it is.
    pub family: Family,
    /// Its money is pretended.
    pub test: bool,
}

/// A kind of chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// With the EVM, by its chain id.
    Evm(u64),
    /// Solana: checked and settled by a facilitator only.
    Solana,
}

/// A token that stands for a dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownToken {
    /// Its address.
    pub address: &'static str,
    /// Its name in signatures; empty on Solana, where none is signed.
    pub name: &'static str,
    /// Its version in signatures.
    pub version: &'static str,
    /// Its decimals.
    pub decimals: u32,
}

/// A network that has a name of its own.
struct Known {
    caip2: &'static str,
    v1: &'static str,
    test: bool,
    usdc: Option<KnownToken>,
}

const fn usdc(address: &'static str, name: &'static str) -> Option<KnownToken> {
    Some(KnownToken {
        address,
        name,
        version: "2",
        decimals: 6,
    })
}

const fn known(
    caip2: &'static str,
    v1: &'static str,
    test: bool,
    usdc: Option<KnownToken>,
) -> Known {
    Known {
        caip2,
        v1,
        test,
        usdc,
    }
}

/// Names of version 1, and Circle's USDC where its signing domain is certain
/// (<https://developers.circle.com/stablecoins/usdc-contract-addresses>).
const KNOWN: &[Known] = &[
    known(
        "eip155:8453",
        "base",
        false,
        usdc("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USD Coin"),
    ),
    known(
        "eip155:84532",
        "base-sepolia",
        true,
        usdc("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC"),
    ),
    known(
        "eip155:43114",
        "avalanche",
        false,
        usdc("0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", "USD Coin"),
    ),
    known(
        "eip155:43113",
        "avalanche-fuji",
        true,
        usdc("0x5425890298aed601595a70AB815c96711a31Bc65", "USD Coin"),
    ),
    known("eip155:137", "polygon", false, None),
    known("eip155:80002", "polygon-amoy", true, None),
    known("eip155:1329", "sei", false, None),
    known("eip155:1328", "sei-testnet", true, None),
    known("eip155:2741", "abstract", false, None),
    known("eip155:11124", "abstract-testnet", true, None),
    known(
        "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
        "solana",
        false,
        usdc("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", ""),
    ),
    known(
        "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
        "solana-devnet",
        true,
        usdc("4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU", ""),
    ),
];

impl Network {
    /// Reads a name of either version.
    ///
    /// # Errors
    /// What to write instead.
    pub fn named(text: &str) -> Result<Self, String> {
        let known = KNOWN.iter().find(|k| k.caip2 == text || k.v1 == text);
        let caip2 = known.map_or(text, |known| known.caip2);
        let family = family(caip2).ok_or_else(|| {
            format!("{text:?} is not a network: write its CAIP-2 name such as \"eip155:8453\", or a known one such as \"base\"")
        })?;
        Ok(Self {
            caip2: caip2.to_owned(),
            v1: known.map(|known| known.v1),
            family,
            test: known.is_some_and(|known| known.test),
        })
    }

    /// The dollar that is known there.
    pub fn usdc(&self) -> Option<KnownToken> {
        KNOWN.iter().find(|k| k.caip2 == self.caip2)?.usdc
    }

    /// Whether `name` means it, in either version.
    pub fn is(&self, name: &str) -> bool {
        self.caip2 == name || self.v1 == Some(name)
    }
}

fn family(caip2: &str) -> Option<Family> {
    match caip2.split_once(':')? {
        ("eip155", id) => {
            let canonical = !id.starts_with('0') && id.bytes().all(|b| b.is_ascii_digit());
            let id = id.parse().ok().filter(|_| canonical)?;
            Some(Family::Evm(id))
        }
        ("solana", genesis) => {
            let valid = genesis.len() == 32 && genesis.bytes().all(|b| b.is_ascii_alphanumeric());
            valid.then_some(Family::Solana)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::evm::Address;
    use super::*;

    #[test]
    fn a_network_has_one_name_whichever_is_written() {
        for known in KNOWN {
            let network = Network::named(known.v1).unwrap();
            assert_eq!(network, Network::named(known.caip2).unwrap());
            assert!(network.is(known.v1) && network.is(known.caip2));
        }
        let unnamed = Network::named("eip155:31337").unwrap();
        assert_eq!((unnamed.v1, unnamed.family), (None, Family::Evm(31_337)));
        assert!(!unnamed.is("base"));
    }

    #[test]
    fn every_known_address_matches_its_checksum() {
        for known in KNOWN.iter().filter(|k| k.caip2.starts_with("eip155:")) {
            if let Some(usdc) = known.usdc {
                Address::written(usdc.address).unwrap();
            }
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "bass",
            "eip155",
            "eip155:",
            "eip155:08453",
            "eip155:x",
            "solana:x",
            "eip155:99999999999999999999",
        ] {
            assert!(Network::named(text).is_err(), "{text}");
        }
    }
}
