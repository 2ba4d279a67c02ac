//! Callers and their payers: hasty, slow, forgetful, careless, and one who tries what is not theirs.

use std::sync::Arc;

use coinop::catalog::{Entry, Listing};
use coinop::gate::{Cashier as _, Invocation, Refusal, Reply};
use coinop::provider::Decision;
use coinop::provider::rail::Credential;
use coinop_core::Millis;
use coinop_core::ids::LinkToken;
use coinop_core::mode::{Ask, Surface};
use coinop_core::money::Money;
use coinop_core::principal::Principal;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::bank::rail::sign;
use super::shop;
use super::world::{LatePayment, World};

/// When the last purchase begins at the latest, and after when nobody asks any more, milliseconds from the begin.
pub(crate) const OPENING_MS: Millis = 240_000;
const CLOSING_MS: Millis = 900_000;

/// One purchase: a caller, a payer, and what they do.
pub(crate) struct Purchase {
    world: Arc<World>,
    tool: Arc<Listing>,
    principal: Principal,
    arguments: Value,
    closes_at: Millis,
}

impl Purchase {
    /// A purchase of the seed's liking.
    pub(crate) fn new(world: &Arc<World>, number: u64) -> Self {
        let dice = &world.dice;
        let principal = match dice.below(3) {
            0 => Principal::anonymous(),
            1 => Principal::api_key("ada"),
            _ => Principal::api_key("bob"),
        };
        // Few different calls, so that a known caller repeats itself; strangers never share.
        let what = match principal.is_known() {
            true => dice.below(3),
            false => number + 100,
        };
        Self {
            world: Arc::clone(world),
            tool: Arc::clone(dice.pick(&shop::TOOLS)),
            arguments: json!({"for": principal.subject, "what": what}),
            principal,
            closes_at: world.time.now() + CLOSING_MS,
        }
    }

    /// Makes it, from the first call to the last.
    pub(crate) async fn make(self) {
        let (world, dice) = (&self.world, &self.world.dice);
        world.time.sleep(dice.between(0, OPENING_MS)).await;
        let has_rail = world.bank(&self.tool.account).books().terms.rail;
        if has_rail && dice.chance(400) {
            return self.pay_with_call().await;
        }
        let mut payers = 0;
        for _ in 0..dice.between(1, 6) {
            let entry = Entry::Tool(Arc::clone(&self.tool));
            match self.call(entry, &self.arguments).await {
                Some(Reply::Ask {
                    ask, payment_url, ..
                }) => {
                    if payers == 0 || dice.chance(200) {
                        payers += 1;
                        self.send_payer(&ask, &payment_url);
                    }
                    self.redeem(&ask).await;
                    if dice.chance(600) {
                        return;
                    }
                }
                Some(Reply::Outcome(_)) if dice.chance(700) => return,
                Some(Reply::Refused(Refusal::Limit { .. })) if dice.chance(500) => return,
                _ => {}
            }
            world.time.sleep(dice.between(100, 40_000)).await;
        }
    }

    /// Brings the payment with the call: once or more, several times at once, and for something else once it is spent.
    async fn pay_with_call(&self) {
        let (world, dice) = (&self.world, &self.world.dice);
        let nonce = dice.below(u64::MAX);
        let from = *dice.pick(&["", "0xada", "0xbob"]);
        let valid_until = world.time.now() + dice.between(2_000, 200_000);
        let signed = sign(&self.tool.account, nonce, from, valid_until);
        let tool = || Entry::Tool(Arc::clone(&self.tool));
        for _ in 0..dice.between(1, 12) {
            if world.time.now() >= self.closes_at {
                return;
            }
            let at_once = if dice.chance(300) {
                dice.between(2, 8)
            } else {
                1
            };
            let presenting =
                (0..at_once).map(|_| self.call_with(tool(), &self.arguments, Some(signed.clone())));
            let replies = futures::future::join_all(presenting).await;
            let bought = |reply: &Reply| matches!(reply, Reply::Settled { .. });
            if replies.iter().flatten().any(bought) {
                world.count("brought payments");
                let other = json!({"for": self.principal.subject, "what": "something better"});
                let reply = self.call_with(tool(), &other, Some(signed.clone())).await;
                if matches!(reply, Some(Reply::Settled { .. } | Reply::Ask { .. })) {
                    world.broken(format_args!("a payment that was spent buys something else"));
                }
                if dice.chance(700) {
                    return;
                }
            }
            world.time.sleep(dice.between(100, 30_000)).await;
        }
    }

    /// Redeems: too early, again and again, several at once, with what is not theirs, or not at all.
    async fn redeem(&self, ask: &Ask) {
        let dice = &self.world.dice;
        let tries = dice.between(0, 25);
        for _ in 0..tries {
            if self.world.time.now() >= self.closes_at {
                return;
            }
            self.world.time.sleep(dice.between(0, 15_000)).await;
            if dice.chance(30) {
                self.steal(ask).await;
            }
            let at_once = if dice.chance(100) {
                dice.between(2, 4)
            } else {
                1
            };
            let redeeming = (0..at_once).map(|_| self.present(ask, &self.arguments));
            let replies = futures::future::join_all(redeeming).await;
            let settled = replies.iter().flatten().any(|reply| {
                use Refusal::*;
                matches!(
                    reply,
                    Reply::Outcome(_)
                        | Reply::Refused(
                            Declined
                                | Expired
                                | Refunded { .. }
                                | Credited { .. }
                                | Withheld { .. }
                        )
                )
            });
            if settled && dice.chance(800) {
                return;
            }
        }
    }

    async fn present(&self, ask: &Ask, arguments: &Value) -> Option<Reply> {
        let id = ask.payment_id.as_str();
        match self.tool.mode.surface() {
            Surface::ConfirmPayment => {
                self.call(Entry::ConfirmPayment, &json!({ shop::PAYMENT_ID: id }))
                    .await
            }
            Surface::ConfirmTool | Surface::TakesTurns | Surface::Credential => {
                let entry = Entry::Confirm(Arc::clone(&self.tool));
                self.call(entry, &json!({ shop::PAYMENT_ID: id })).await
            }
            Surface::PaymentIdArgument => {
                let mut arguments = arguments.clone();
                arguments[shop::PAYMENT_ID] = id.into();
                self.call(Entry::Tool(Arc::clone(&self.tool)), &arguments)
                    .await
            }
        }
    }

    /// Presents a payment as somebody else, or for something else.
    async fn steal(&self, ask: &Ask) {
        let thief = Self {
            world: Arc::clone(&self.world),
            tool: Arc::clone(&self.tool),
            principal: Principal::api_key("mallory"),
            arguments: self.arguments.clone(),
            closes_at: self.closes_at,
        };
        let other = json!({"for": self.principal.subject, "what": "something better"});
        let (reply, how) = match self.tool.mode.surface() {
            Surface::PaymentIdArgument if self.world.dice.chance(500) => {
                (self.present(ask, &other).await, "other arguments")
            }
            _ => (
                thief.present(ask, &self.arguments).await,
                "another principal",
            ),
        };
        if matches!(reply, Some(Reply::Outcome(_) | Reply::Ask { .. })) {
            self.world
                .broken(format_args!("a payment is redeemed with {how}"));
        }
    }

    /// Calls a host, as long as patience lasts; then goes away, with a word or without.
    async fn call(&self, entry: Entry, arguments: &Value) -> Option<Reply> {
        self.call_with(entry, arguments, None).await
    }

    async fn call_with(
        &self,
        entry: Entry,
        arguments: &Value,
        credential: Option<Credential>,
    ) -> Option<Reply> {
        let (world, dice) = (&self.world, &self.world.dice);
        let host = world.some_host()?;
        let cancel = CancellationToken::new();
        let invocation = Invocation {
            credential,
            ..shop::invocation(entry, arguments, &self.principal, &cancel)
        };
        let patience = match dice.chance(150) {
            true => dice.between(1, 2_000),
            false => dice.between(5_000, 90_000),
        };
        let calling = host.gate.call(invocation);
        tokio::pin!(calling);
        let answered = tokio::select! {
            biased;
            reply = &mut calling => Some(reply),
            () = world.time.sleep(patience) => None,
        };
        let reply = match answered {
            Some(reply) => reply,
            None if dice.chance(500) => {
                cancel.cancel();
                tokio::select! {
                    biased;
                    reply = &mut calling => reply,
                    () = world.time.sleep(1_000) => return None,
                }
            }
            None => return None,
        };
        world.note(format_args!("{} hears {}", self.principal, word(&reply)));
        if let Reply::Outcome(delivery) | Reply::Settled { delivery, .. } = &reply {
            world.witness_outcome(&self.tool.tool.name, &self.arguments, delivery);
        }
        Some(reply)
    }

    /// Sends somebody off to pay.
    fn send_payer(&self, ask: &Ask, url: &str) {
        let world = Arc::clone(&self.world);
        let account = self.tool.account.clone();
        let Some(place) = shop::ACCOUNTS.iter().position(|name| *name == account) else {
            return;
        };
        let payer = Payer {
            world,
            bank: place,
            ask: ask.clone(),
            link: url.rsplit('/').next().and_then(|link| link.parse().ok()),
        };
        tokio::spawn(payer.act());
    }
}

/// What a caller heard, in a word, for the trace.
fn word(reply: &Reply) -> String {
    match reply {
        Reply::Outcome(_) | Reply::Settled { .. } => "an outcome".to_owned(),
        Reply::Challenge(_) => "a challenge".to_owned(),
        Reply::Ask { ask, .. } => format!("{:?} for {:?}", ask.status, ask.payment_id),
        Reply::Refused(refusal) => refusal.to_string(),
        Reply::Cancelled => "cancelled".to_owned(),
    }
}

struct Payer {
    world: Arc<World>,
    bank: usize,
    ask: Ask,
    link: Option<LinkToken>,
}

impl Payer {
    async fn act(self) {
        let dice = &self.world.dice;
        let Some(price) = self.price() else {
            return;
        };
        let half = Money {
            amount: coinop_core::money::Amount::from_nanos(price.amount.nanos() / 2),
            ..price
        };
        let euros = Money {
            currency: "EUR".parse().expect("a currency"),
            ..price
        };
        match dice.below(100) {
            0..8 => {}
            8..16 => self.decide(Decision::Decline).await,
            16..34 => self.decide(Decision::Pay).await,
            34..40 => self.pay(half).await,
            40..44 => self.pay(euros).await,
            44..60 => self.pay_late(price),
            60..68 => {
                self.pay(price).await;
                self.pay(price).await;
            }
            _ => self.pay(price).await,
        }
    }

    fn reference(&self) -> Option<String> {
        let books = self.world.banks[self.bank].1.books();
        let made = books.keys.get(&self.ask.payment_id)?;
        made.first().cloned()
    }

    fn price(&self) -> Option<Money> {
        let reference = self.reference()?;
        let books = self.world.banks[self.bank].1.books();
        Some(books.payments[&reference].price)
    }

    async fn dawdle(&self) {
        let dice = &self.world.dice;
        let most = if dice.chance(800) { 20_000 } else { 400_000 };
        self.world.time.sleep(dice.between(0, most)).await;
    }

    /// Pays at the bank; the host hears of it when it asks, or when somebody brings word.
    async fn pay(&self, money: Money) {
        self.dawdle().await;
        let Some(reference) = self.reference() else {
            return;
        };
        let world = &self.world;
        let now = world.time.now();
        let taken = world.banks[self.bank].1.books().pay(&reference, money, now);
        world.note(format_args!("{reference} is paid {money}: {taken}"));
        for _ in 0..world.dice.below(3) {
            self.decide(Decision::Pay).await;
        }
    }

    /// Pays when it is late, as far as the bank allows it.
    fn pay_late(&self, money: Money) {
        let Some(reference) = self.reference() else {
            return;
        };
        let dice = &self.world.dice;
        let books = self.world.banks[self.bank].1.books();
        let window = books.terms.late_window;
        let end = books.payments[&reference]
            .expires_at
            .max(self.world.time.now());
        drop(books);
        let at = match dice.chance(300) {
            true => end + window - dice.between(1, 5_000),
            false => end + dice.between(0, window),
        };
        let bank = self.bank;
        let payment = LatePayment {
            bank,
            reference,
            money,
        };
        self.world.pay_later(at, payment);
    }

    /// Decides on a host's own page, where it has one; what was decided at the bank stands.
    async fn decide(&self, decision: Decision) {
        self.dawdle().await;
        let world = &self.world;
        let (Some(link), Some(host)) = (self.link.clone(), world.some_host()) else {
            return;
        };
        let deciding = host.gate.decide(link, decision);
        let patience = world.dice.between(1_000, 60_000);
        tokio::select! {
            biased;
            _ = deciding => {}
            () = world.time.sleep(patience) => {}
        }
    }
}
