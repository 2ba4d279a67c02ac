//! A bank's own books: what it was asked, what it did, and what it holds. It keeps its promises to the letter and not
//! beyond: a key means something inside its window only.

use std::collections::BTreeMap;

use coinop::provider::{CreatePayment, CreatedPayment, ProviderError, Refund, Refunded, Standing};
use coinop_core::Millis;
use coinop_core::ids::PaymentId;
use coinop_core::money::Money;

use super::terms::Terms;

/// A bank's record of one payment.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The host's own reference.
    pub key: PaymentId,
    /// What it was asked to take.
    pub price: Money,
    /// When it was made.
    pub made_at: Millis,
    /// Until when it can be paid.
    pub expires_at: Millis,
    /// How it stands.
    pub state: State,
    /// What it took or reserves.
    pub received: Option<Money>,
    /// When it ended unpaid.
    pub ended_at: Option<Millis>,
    /// Every refund that was begun, in order.
    pub refunds: Vec<Sent>,
    /// How often a request for a refund of it went wrong.
    pub refund_troubles: u32,
}

/// How a payment stands at the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Waiting for its payer.
    Open,
    /// Taken.
    Paid,
    /// Promised by a signature that is worth something until the payment's end.
    Signed,
    /// Reserved.
    Authorized,
    /// Reserved, and given back.
    Released,
    /// Called off.
    Canceled,
    /// Refused by its payer.
    Declined,
    /// Not paid in time.
    Expired,
}

/// A refund that was begun.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Its key.
    pub key: String,
    /// How much, 10^-9 units.
    pub nanos: i64,
    /// When.
    pub at: Millis,
    /// Until when it is pending, and whether it arrives then.
    pub arrives: (Millis, bool),
}

impl Sent {
    fn standing(&self, now: Millis) -> Refunded {
        match self.arrives {
            (at, _) if now < at => Refunded::Pending,
            (_, true) => Refunded::Done,
            (_, false) => Refunded::Failed,
        }
    }

    /// Whether the money left, or is about to.
    pub(crate) fn leaves(&self) -> bool {
        self.arrives.1
    }
}

impl Entry {
    /// What went back or is about to, 10^-9 units.
    pub(crate) fn refunded(&self) -> i64 {
        self.refunds
            .iter()
            .filter(|sent| sent.leaves())
            .map(|sent| sent.nanos)
            .sum()
    }

    /// What the bank holds for the host, 10^-9 units.
    pub(crate) fn held(&self) -> i64 {
        match (self.state, self.received) {
            (State::Paid, Some(received)) => received.amount.nanos() - self.refunded(),
            _ => 0,
        }
    }

    fn standing(&self) -> Standing {
        match (self.state, self.received) {
            (State::Paid, Some(received)) => Standing::Paid(received),
            (State::Authorized, Some(reserved)) => Standing::Authorized(reserved),
            (State::Signed, _) => Standing::Authorized(self.price),
            (State::Released, _) => Standing::Released,
            (State::Canceled, _) => Standing::Canceled,
            (State::Declined, _) => Standing::Declined,
            (State::Expired, _) => Standing::Expired,
            _ => Standing::Pending,
        }
    }

    fn end(&mut self, state: State, now: Millis) {
        self.state = state;
        self.ended_at = Some(now);
    }
}

/// The books of one account.
pub(crate) struct Books {
    /// Its terms.
    pub terms: Terms,
    /// By the bank's reference.
    pub payments: BTreeMap<String, Entry>,
    /// The keys it was given, with what was made under them: one each, or somebody was careless.
    pub keys: BTreeMap<PaymentId, Vec<String>>,
}

impl Books {
    /// Empty books.
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            terms,
            payments: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }

    fn entry(&mut self, reference: &str, now: Millis) -> Result<&mut Entry, ProviderError> {
        let expires = self.terms.expires;
        let entry = self.payments.get_mut(reference).ok_or_else(unknown)?;
        if expires && entry.state == State::Open && now >= entry.expires_at {
            entry.end(State::Expired, entry.expires_at);
        }
        Ok(entry)
    }

    /// Makes a payment, or finds the one of the same key while the key is remembered.
    pub(crate) fn create(&mut self, request: &CreatePayment, now: Millis) -> CreatedPayment {
        let made = self.keys.entry(request.key.clone()).or_default();
        let remembered = made.iter().find(|reference| {
            let age = now - self.payments[*reference].made_at;
            self.terms.key_window.is_none_or(|window| age < window)
        });
        let reference = match remembered {
            Some(reference) => reference.clone(),
            None => {
                let number = made.len();
                let reference = format!("ref-{}-{number}", &request.link.as_str()[4..16]);
                made.push(reference.clone());
                let entry = Entry {
                    key: request.key.clone(),
                    price: request.price,
                    made_at: now,
                    expires_at: request.expires_at,
                    state: State::Open,
                    received: None,
                    ended_at: None,
                    refunds: Vec::new(),
                    refund_troubles: 0,
                };
                self.payments.insert(reference.clone(), entry);
                reference
            }
        };
        self.created(reference)
    }

    fn created(&self, reference: String) -> CreatedPayment {
        let url = self
            .terms
            .own_page
            .then(|| format!("https://bank.test/{reference}"));
        CreatedPayment { reference, url }
    }

    /// What was made under a key.
    pub(crate) fn lookup(&self, key: &PaymentId) -> Option<CreatedPayment> {
        let reference = self.keys.get(key)?.first()?;
        Some(self.created(reference.clone()))
    }

    /// How a payment stands.
    pub(crate) fn status(
        &mut self,
        reference: &str,
        now: Millis,
    ) -> Result<Standing, ProviderError> {
        Ok(self.entry(reference, now)?.standing())
    }

    /// Calls an open payment off.
    pub(crate) fn cancel(
        &mut self,
        reference: &str,
        now: Millis,
    ) -> Result<Standing, ProviderError> {
        let entry = self.entry(reference, now)?;
        if entry.state == State::Open {
            entry.end(State::Canceled, now);
        }
        Ok(entry.standing())
    }

    /// A payer refuses.
    pub(crate) fn decline(
        &mut self,
        reference: &str,
        now: Millis,
    ) -> Result<Standing, ProviderError> {
        let entry = self.entry(reference, now)?;
        if entry.state == State::Open {
            entry.end(State::Declined, now);
        }
        Ok(entry.standing())
    }

    /// A payer pays `money`; late money is taken as long as the terms say so. Whether it was taken.
    pub(crate) fn pay(&mut self, reference: &str, money: Money, now: Millis) -> bool {
        let (authorizes, late_window) = (self.terms.authorizes, self.terms.late_window);
        let Ok(entry) = self.entry(reference, now) else {
            return false;
        };
        let open = match (entry.state, entry.ended_at) {
            (State::Open, _) => true,
            (State::Canceled | State::Expired, Some(ended_at)) => now - ended_at < late_window,
            _ => false,
        };
        if open {
            entry.received = Some(money);
            entry.state = match authorizes {
                true => State::Authorized,
                false => State::Paid,
            };
        }
        open
    }

    /// Looks at a signature over `price`; the same one is the same payment.
    pub(crate) fn sign(
        &mut self,
        reference: &str,
        price: Money,
        valid_until: Millis,
        now: Millis,
    ) -> Result<(), ProviderError> {
        if now >= valid_until {
            return Err(ProviderError::Refused("the signature has expired".into()));
        }
        let number = self.payments.len() as u128;
        let signed = || Entry {
            // The host's own reference is not in it.
            key: PaymentId::from_random(number.to_le_bytes()),
            price,
            made_at: now,
            expires_at: valid_until,
            state: State::Signed,
            received: None,
            ended_at: None,
            refunds: Vec::new(),
            refund_troubles: 0,
        };
        let entry = self.payments.entry(reference.to_owned());
        let entry = entry.or_insert_with(signed);
        match entry.price == price {
            true => Ok(()),
            false => Err(ProviderError::Refused("another price is signed".into())),
        }
    }

    /// Takes what is reserved.
    pub(crate) fn settle(
        &mut self,
        reference: &str,
        now: Millis,
    ) -> Result<Standing, ProviderError> {
        let entry = self.entry(reference, now)?;
        match entry.state {
            State::Signed if now < entry.expires_at => {
                entry.received = Some(entry.price);
                entry.state = State::Paid;
            }
            State::Authorized => entry.state = State::Paid,
            State::Paid => {}
            _ => return Err(ProviderError::Refused("nothing is reserved".into())),
        }
        Ok(entry.standing())
    }

    /// Gives back what is reserved.
    pub(crate) fn release(
        &mut self,
        reference: &str,
        now: Millis,
    ) -> Result<Standing, ProviderError> {
        let entry = self.entry(reference, now)?;
        if matches!(entry.state, State::Authorized | State::Signed) {
            entry.state = State::Released;
        }
        Ok(entry.standing())
    }

    /// Sends money back, once a key while the key is remembered. `arrives` says what becomes of a new one.
    pub(crate) fn refund(
        &mut self,
        refund: &Refund,
        arrives: (Millis, bool),
        now: Millis,
    ) -> Result<Refunded, ProviderError> {
        let (window, retries) = (self.terms.key_window, self.terms.retries_refunds);
        let entry = self.entry(&refund.payment.reference, now)?;
        let earlier = entry.refunds.iter().rev().find(|sent| {
            sent.key == refund.key && window.is_none_or(|window| now - sent.at < window)
        });
        if let Some(earlier) = earlier {
            let standing = earlier.standing(now);
            if standing != Refunded::Failed || !retries {
                return Ok(standing);
            }
        }
        let nanos = refund.amount.nanos();
        if nanos > entry.held() {
            return Err(ProviderError::Refused("there is not so much".into()));
        }
        let sent = Sent {
            key: refund.key.clone(),
            nanos,
            at: now,
            arrives,
        };
        let standing = sent.standing(now);
        entry.refunds.push(sent);
        Ok(standing)
    }

    /// What became of a refund.
    pub(crate) fn refund_standing(
        &mut self,
        refund: &Refund,
        now: Millis,
    ) -> Result<Option<Refunded>, ProviderError> {
        let entry = self.entry(&refund.payment.reference, now)?;
        let sent = entry.refunds.iter().rev().find(|s| s.key == refund.key);
        Ok(sent.map(|sent| sent.standing(now)))
    }
}

fn unknown() -> ProviderError {
    ProviderError::Refused("no such payment".into())
}
