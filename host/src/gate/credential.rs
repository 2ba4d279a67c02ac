//! Payments that come with the call: asked for, found again, checked, and recorded before anything runs on them.
//!
//! A payment is one purchase for ever. What it already bought is looked up before it is checked, since a signature may
//! have expired while its answer was lost; and whoever presents it twice at once meets its own call in the ledger.

mod offer;
mod purchase;
mod secrets;

use coinop_core::arguments::Arguments;
use coinop_core::call::Call;
use coinop_core::digest::Digest;
use coinop_core::mode::{AUTO, Mode, Surface};
use coinop_core::money::Money;
use coinop_core::peer::{Dialog, Peer};
use coinop_core::quote::Presented;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::drive::{Drive, Purpose};
use super::paid::{Caller, not_recorded, split, unavailable};
use super::{Gate, Invocation, Refusal, Reply, free};
use crate::catalog::Listing;
use crate::clock;
use crate::failpoint::failpoint_of;
use crate::ledger::{CallKey, LedgerError, Record};
use crate::provider::Provider;
use crate::provider::rail::{Credential, Offer, Protocol, Rail, Rejected, Verified};
pub(super) use secrets::Secrets;

/// A payment as it is presented for a call.
struct Purchase<'a> {
    gate: &'a Gate,
    listing: &'a Listing,
    arguments: Arguments,
    price: Money,
    credential: Credential,
    /// Names the credential, every field of it: a stranger who knows a payment's reference, which may be public, does not
    /// know the rest.
    digest: Digest,
}

/// An account with a rail.
#[derive(Clone, Copy)]
struct Taker<'a> {
    account: &'a str,
    provider: &'a dyn Provider,
    rail: &'a dyn Rail,
}

impl Gate {
    /// A call that comes with its payment.
    ///
    /// # Errors
    /// The call, where its listing takes no such payments: it is asked for in another way.
    pub(super) async fn buy(
        &self,
        listing: &Listing,
        credential: Credential,
        invocation: Invocation,
        price: Money,
    ) -> Result<Reply, Box<Invocation>> {
        let arguments = match arguments_beside(listing, &invocation.arguments) {
            Ok(arguments) => arguments,
            Err(refusal) => return Ok(Reply::Refused(refusal)),
        };
        let Some(digest) = Digest::of_json(&credential.json) else {
            let message = "the payment holds a number that has no one form in JSON".to_owned();
            return Ok(Reply::Refused(Refusal::InvalidArguments(message)));
        };
        let purchase = Purchase {
            gate: self,
            listing,
            arguments,
            price,
            credential,
            digest,
        };
        let found = match self.bought_with(&purchase.credential).await {
            Ok(None) if listing.accepts.is_empty() => return Err(Box::new(invocation)),
            Ok(found) => found,
            Err(error) => return Ok(not_recorded(&error.into())),
        };
        let (_, caller) = split(invocation);
        Ok(match found {
            Some(record) => purchase.again(record, &caller).await,
            None => purchase.first(&caller).await,
        })
    }

    /// A name that is not listed any more may still be owed to whoever brings the payment again: answers it when that
    /// bought this very call, `None` otherwise.
    pub async fn call_unlisted_with(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        credential: &Credential,
        cancel: CancellationToken,
    ) -> Option<Reply> {
        let digest = Digest::of_json(&credential.json)?;
        let arguments = Arguments::from_map(arguments).ok()?;
        let record = self.bought_with(credential).await.ok()??;
        let caller = Caller {
            principal: record.call.quote.principal.clone(),
            progress: None,
            cancel,
            dialog: Dialog::default(),
            mode: None,
            viewer: None,
        };
        match bought(&record.call, digest, name, &arguments) {
            true => Some(
                Drive::new(self, record, Purpose::Redeem)
                    .reply(&caller)
                    .await,
            ),
            false => None,
        }
    }

    /// What a payment bought before, whichever account took it: the listing may have had others then.
    async fn bought_with(&self, credential: &Credential) -> Result<Option<Record>, LedgerError> {
        let accounts = self.parts.accounts.iter();
        let takers = accounts.filter_map(|(name, provider)| taker(name, provider.as_ref()));
        for taker in takers.filter(|taker| taker.recognizes(credential)) {
            let Some(reference) = taker.rail.reference(credential) else {
                continue;
            };
            let key = CallKey::Brought(reference);
            if let Some(record) = self.parts.ledger.find(key).await? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Whether a call without a payment is answered with what to pay with the call itself, rather than with a link.
    pub(super) fn asks_for_credential(
        &self,
        listing: &Listing,
        peer: &Peer,
        chosen: Option<&dyn Mode>,
    ) -> bool {
        if listing.mode.surface() == Surface::Credential {
            return true;
        }
        let mut takers = self.takers(listing).peekable();
        if takers.peek().is_none() {
            return false;
        }
        let account = self.account(&listing.account);
        if account.is_some_and(|provider| !provider.capabilities().links) {
            return true;
        }
        match chosen {
            _ if listing.mode.name() != AUTO => false,
            Some(chosen) => chosen.surface() == Surface::Credential,
            None => takers.any(|taker| match taker.rail.protocol() {
                Protocol::X402 => peer.x402,
                Protocol::Mpp => peer.mpp,
            }),
        }
    }

    /// A call without a payment: what may be paid for it. Nothing is recorded.
    pub(super) async fn ask_for_credential(
        &self,
        listing: &Listing,
        arguments: &Map<String, Value>,
        price: Money,
    ) -> Reply {
        match free::checked(listing, arguments) {
            Ok(arguments) => match self.refused(listing) {
                Some(refused) => refused,
                None => self.challenge(listing, &arguments, price, None).await,
            },
            Err(refusal) => Reply::Refused(refusal),
        }
    }

    /// The accounts that the listing's callers may pay themselves, the preferred one first.
    fn takers<'a>(&'a self, listing: &'a Listing) -> impl Iterator<Item = Taker<'a>> {
        let names = listing.accepts.iter();
        names.filter_map(|name| taker(name, self.account(name)?.as_ref()))
    }
}

/// The arguments of a call that comes with its payment, which needs no payment's id among them.
fn arguments_beside(
    listing: &Listing,
    arguments: &Map<String, Value>,
) -> Result<Arguments, Refusal> {
    let name = &listing.payment_id_argument;
    match arguments.get(name) {
        Some(id) if listing.mode.surface() == Surface::PaymentIdArgument => {
            if !id.is_null() {
                let message = format!("{name}: the call comes with a payment already");
                return Err(Refusal::InvalidArguments(message));
            }
            let mut rest = arguments.clone();
            rest.remove(name);
            free::checked(listing, &rest)
        }
        _ => free::checked(listing, arguments),
    }
}

fn taker<'a>(account: &'a str, provider: &'a dyn Provider) -> Option<Taker<'a>> {
    let rail = provider.rail()?;
    Some(Taker {
        account,
        provider,
        rail,
    })
}

impl Taker<'_> {
    fn recognizes(&self, credential: &Credential) -> bool {
        self.rail.protocol() == credential.protocol && self.rail.recognizes(credential)
    }
}

/// Whether `call` is what the credential of `digest` bought: this tool with these arguments.
fn bought(call: &Call, digest: Digest, tool: &str, arguments: &Arguments) -> bool {
    let presented = Presented {
        // The same credential is the same payer, whoever carries it.
        principal: &call.quote.principal,
        tool,
        arguments: Some(arguments),
    };
    call.payment.credential == Some(digest) && call.quote.admits(&presented).is_ok()
}

impl Purchase<'_> {
    /// The payment is presented once more: its call goes on, and nothing runs or is paid twice.
    async fn again(&self, record: Record, caller: &Caller) -> Reply {
        if !bought(
            &record.call,
            self.digest,
            &self.listing.name,
            &self.arguments,
        ) {
            return self.rejected(spent(self.credential.protocol)).await;
        }
        let drive = Drive::new(self.gate, record, Purpose::Redeem);
        drive.reply(caller).await
    }

    /// The payment is not known: it is checked, recorded, and buys the call.
    async fn first(&self, caller: &Caller) -> Reply {
        let mut takers = self.gate.takers(self.listing);
        let Some(taker) = takers.find(|taker| taker.recognizes(&self.credential)) else {
            return self.rejected(not_ours(self.credential.protocol)).await;
        };
        let offer = self
            .gate
            .offer(self.listing, &self.arguments, self.price, taker.account);
        let offer = match offer.await {
            Ok(offer) => offer,
            Err(error) => return not_recorded(&error.into()),
        };
        match self.verified(&taker, &offer).await {
            Ok(verified) => self.record(&taker, &verified, caller).await,
            Err(Rejected::Unavailable(reason)) => {
                tracing::warn!(
                    account = taker.account,
                    reason,
                    "a payment cannot be checked"
                );
                cannot_be_checked()
            }
            Err(invalid) => self.rejected(invalid).await,
        }
    }

    async fn verified(&self, taker: &Taker<'_>, offer: &Offer) -> Result<Verified, Rejected> {
        failpoint_of("before-verify", self.digest);
        let patience = taker.provider.capabilities().timeout;
        let answer = taker.rail.verify(offer, &self.credential);
        let answer = clock::within(self.gate.parts.clock.as_ref(), patience, answer).await;
        failpoint_of("after-verify", self.digest);
        let silent = || Rejected::Unavailable(format!("no answer within {patience:?}"));
        let verified = answer.unwrap_or_else(|| Err(silent()))?;
        purchase::check(&verified, self.price, offer.now).map(|()| verified)
    }

    /// The payment buys nothing here: what would.
    async fn rejected(&self, rejected: Rejected) -> Reply {
        // Nobody is asked to pay for a plugin that is set aside.
        if let Some(refused) = self.gate.refused(self.listing) {
            return refused;
        }
        let Purchase {
            gate,
            listing,
            arguments,
            price,
            ..
        } = self;
        gate.challenge(listing, arguments, *price, Some(rejected))
            .await
    }
}

/// A payment that bought something else.
fn spent(protocol: Protocol) -> Rejected {
    invalid(
        match protocol {
            Protocol::X402 => "invalid_exact_evm_nonce_already_used",
            Protocol::Mpp => "invalid-challenge",
        },
        "this payment was presented for another call before; it was not used for this one",
    )
}

/// Another payment for a purchase that has one.
fn paid_before() -> Rejected {
    invalid(
        "payment_identifier_conflict",
        "the purchase of this payment identifier was paid by another payment: present that one for its result, or take \
         another identifier for another purchase",
    )
}

/// A payment that no account of the listing asked for.
fn not_ours(protocol: Protocol) -> Rejected {
    invalid(
        match protocol {
            Protocol::X402 => "unsupported_scheme",
            Protocol::Mpp => "method-unsupported",
        },
        "this tool takes no payment of that kind",
    )
}

fn invalid(code: &str, message: &str) -> Rejected {
    Rejected::Invalid {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// Never a fresh challenge: the caller would sign, and perhaps pay, twice.
fn cannot_be_checked() -> Reply {
    unavailable(
        "The payment cannot be checked at the moment. It was not used: make the same call with the same payment again."
            .to_owned(),
    )
}
