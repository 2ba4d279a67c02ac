//! What may be paid for a call, said in the words of every rail that its listing accepts.

use coinop_core::arguments::Arguments;
use coinop_core::money::Money;
use futures::future::join_all;

use super::Taker;
use crate::catalog::Listing;
use crate::clock;
use crate::gate::paid::{not_recorded, unavailable};
use crate::gate::{Challenged, Gate, Reply};
use crate::ledger::LedgerError;
use crate::provider::rail::{Challenge, Offer, Rejected};

impl Gate {
    /// The call as `account` offers it.
    pub(super) async fn offer(
        &self,
        listing: &Listing,
        arguments: &Arguments,
        price: Money,
        account: &str,
    ) -> Result<Offer, LedgerError> {
        let now = self.parts.clock.now();
        let ledger = self.parts.ledger.as_ref();
        let lifetime = self.parts.quote_lifetime;
        let lifetime = self.account(account).map_or(lifetime, |provider| {
            lifetime.min(provider.capabilities().lifetime_max)
        });
        Ok(Offer {
            tool: listing.name.clone(),
            description: listing.tool.description.clone(),
            component: listing.manifest.digest,
            arguments: arguments.digest(),
            price,
            account: account.to_owned(),
            resource: resource(&self.parts.pay_base.load(), &listing.name),
            now,
            expires_at: now + lifetime.as_millis() as i64,
            secrets: self.secrets.read(ledger, now).await?,
        })
    }

    /// What every accepted rail asks for. One that cannot say it is left out.
    pub(super) async fn challenge(
        &self,
        listing: &Listing,
        arguments: &Arguments,
        price: Money,
        rejected: Option<Rejected>,
    ) -> Reply {
        let takers: Vec<_> = self.takers(listing).collect();
        let mut offers = Vec::with_capacity(takers.len());
        for taker in &takers {
            let offer = self.offer(listing, arguments, price, taker.account);
            match offer.await {
                Ok(offer) => offers.push(offer),
                Err(error) => return not_recorded(&error.into()),
            }
        }
        let asked = takers.iter().zip(&offers);
        let asked = asked.map(|(taker, offer)| self.challenge_of(*taker, offer));
        let (mut challenges, mut test) = (Vec::new(), true);
        for (taker, challenge) in takers.iter().zip(join_all(asked).await) {
            if let Some(challenge) = challenge {
                challenges.push(challenge);
                test &= taker.provider.capabilities().test;
            }
        }
        if challenges.is_empty() {
            return unavailable("No payment can be asked for at the moment.".to_owned());
        }
        Reply::Challenge(Box::new(Challenged {
            tool: listing.name.clone(),
            price,
            challenges,
            rejected,
            test,
        }))
    }

    async fn challenge_of(&self, taker: Taker<'_>, offer: &Offer) -> Option<Challenge> {
        let patience = taker.provider.capabilities().timeout;
        let answer = taker.rail.challenge(offer);
        match clock::within(self.parts.clock.as_ref(), patience, answer).await {
            Some(Ok(challenge)) => Some(challenge),
            Some(Err(error)) => {
                tracing::warn!(account = taker.account, %error, "a rail does not say what to pay");
                None
            }
            None => {
                tracing::warn!(
                    account = taker.account,
                    "a rail does not say what to pay in time"
                );
                None
            }
        }
    }
}

/// Where the tool is reached, for the payer's records: by HTTP where the host has a public address, else by its name.
fn resource(pay_base: &str, tool: &str) -> String {
    let base = pay_base.parse::<http::Uri>().ok();
    let host = base.as_ref().and_then(http::Uri::host);
    let host = host.map(|host| host.trim_matches(['[', ']']));
    let is_public = host.is_some_and(|host| match host.parse::<std::net::IpAddr>() {
        Ok(address) => !address.is_loopback(),
        Err(_) => host != "localhost",
    });
    match is_public {
        true => format!("{pay_base}/tools/{tool}"),
        false => format!("mcp://tool/{tool}"),
    }
}

#[cfg(test)]
mod tests {
    use super::resource;

    #[test]
    fn a_tool_is_named_by_its_address_where_the_host_has_one() {
        let cases = [
            ("https://pay.example", "https://pay.example/tools/t"),
            ("http://pay.example:81/x", "http://pay.example:81/x/tools/t"),
            ("http://127.0.0.1:7402", "mcp://tool/t"),
            ("http://[::1]:7402", "mcp://tool/t"),
            ("http://localhost", "mcp://tool/t"),
            ("", "mcp://tool/t"),
        ];
        for (base, expected) in cases {
            assert_eq!(resource(base, "t"), expected, "{base}");
        }
    }
}
