//! A bank: a provider with books of its own, reached over a line that fails.

mod books;
pub(crate) mod rail;
mod terms;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coinop::provider::rail::Rail;
use coinop::provider::{
    Capabilities, CreatePayment, CreatedPayment, Decision, NotChargeable, PaymentRef, Provider,
    ProviderError, Refund, Refunded, Settled, Standing,
};
use coinop_core::Millis;
use coinop_core::money::Money;
use futures::future::BoxFuture;

pub(crate) use books::{Books, Entry, State};
pub(crate) use terms::Terms;

use super::host::Life;
use super::weather::Fault;
use super::world::World;

/// How late a late request is carried out at most, milliseconds: well inside every key's window.
const LATE_MS_MAX: Millis = 120_000;
/// How long a refund is pending at most, milliseconds.
const SLOW_REFUND_MS_MAX: Millis = 36 * 3_600_000;

/// One account at a bank; all hosts share its books.
#[derive(Clone)]
pub(crate) struct Bank {
    books: Arc<Mutex<Books>>,
}

impl Bank {
    /// A bank on `terms`.
    pub(crate) fn new(terms: Terms) -> Self {
        let books = Arc::new(Mutex::new(Books::new(terms)));
        Self { books }
    }

    /// Its books.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A host's line to a bank.
pub(crate) struct Line {
    /// The account's name.
    pub account: &'static str,
    /// Whether payers may bring the payment with the call.
    pub has_rail: bool,
    /// The bank.
    pub bank: Bank,
    /// The host.
    pub life: Arc<Life>,
    /// Where both are.
    pub world: Arc<World>,
}

type Answer<T> = Result<T, ProviderError>;

impl Line {
    /// Has `effect` carried out, if the line lets it.
    fn ask<'a, T: Send + 'static>(
        &'a self,
        what: &'static str,
        whom: &'a str,
        effect: impl FnOnce(&mut Books, Millis) -> Answer<T> + Send + 'static,
    ) -> BoxFuture<'a, Answer<T>> {
        Box::pin(async move {
            let (world, lost) = (&self.world, || {
                ProviderError::Unreachable("the line".into())
            });
            self.life.pass().await;
            let fault = world.weather.of_bank(&world.dice);
            let host = &self.life.name;
            world.note(format_args!("{host} {what} {whom} {fault:?}"));
            if fault.is_some() && what.starts_with("refund") {
                self.trouble(whom);
            }
            let answer = match fault {
                None => self.carry_out(effect),
                Some(Fault::Busy) => Err(ProviderError::Busy("not now".into())),
                Some(Fault::LostRequest) => Err(lost()),
                Some(Fault::LostAnswer) => self.carry_out(effect).and_then(|_| Err(lost())),
                Some(Fault::Silence) => std::future::pending().await,
                Some(Fault::SilenceAfter) => {
                    let _ = self.carry_out(effect);
                    std::future::pending().await
                }
                Some(Fault::Late) => {
                    self.carry_out_late(effect);
                    std::future::pending().await
                }
            };
            self.life.pass().await;
            answer
        })
    }

    fn carry_out<T>(&self, effect: impl FnOnce(&mut Books, Millis) -> Answer<T>) -> Answer<T> {
        effect(&mut self.bank.books(), self.world.time.now())
    }

    fn carry_out_late<T: Send + 'static>(
        &self,
        effect: impl FnOnce(&mut Books, Millis) -> Answer<T> + Send + 'static,
    ) {
        let (bank, world) = (self.bank.clone(), Arc::clone(&self.world));
        let delay = world.dice.between(1, LATE_MS_MAX);
        tokio::spawn(async move {
            world.time.sleep(delay).await;
            let _ = effect(&mut bank.books(), world.time.now());
        });
    }

    /// Counts what may explain that a refund never went through.
    fn trouble(&self, reference: &str) {
        if let Some(entry) = self.bank.books().payments.get_mut(reference) {
            entry.refund_troubles += 1;
        }
    }

    /// What will become of a refund that is begun now.
    fn fate(&self) -> (Millis, bool) {
        let (world, dice) = (&self.world, &self.world.dice);
        let slow = self.bank.books().terms.slow_refunds;
        let wait = match dice.chance(slow) {
            true => dice.between(1_000, SLOW_REFUND_MS_MAX),
            false => 0,
        };
        let arrives = !world.weather.spoils_a_refund(dice);
        (world.time.now() + wait, arrives)
    }
}

impl Provider for Line {
    fn kind(&self) -> &'static str {
        "bank"
    }

    fn capabilities(&self) -> Capabilities {
        self.bank.books().terms.capabilities()
    }

    fn chargeable(&self, _: &Money) -> Result<(), NotChargeable> {
        Ok(())
    }

    fn create_offline(&self, request: &CreatePayment) -> Option<CreatedPayment> {
        let now = self.world.time.now();
        let mut books = self.bank.books();
        (!books.terms.online).then(|| books.create(request, now))
    }

    fn create<'a>(&'a self, request: &'a CreatePayment) -> BoxFuture<'a, Answer<CreatedPayment>> {
        let asked = request.clone();
        let effect = move |books: &mut Books, now: Millis| Ok(books.create(&asked, now));
        self.ask("create", request.key.as_str(), effect)
    }

    fn lookup<'a>(
        &'a self,
        request: &'a CreatePayment,
    ) -> BoxFuture<'a, Answer<Option<CreatedPayment>>> {
        let key = request.key.clone();
        let effect = move |books: &mut Books, _: Millis| match books.terms.looks_up {
            true => Ok(books.lookup(&key)),
            false => Err(unsupported("look a payment up")),
        };
        self.ask("lookup", request.key.as_str(), effect)
    }

    fn status<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Answer<Standing>> {
        let reference = payment.reference.clone();
        let hides = self.world.weather.hides_a_payment(&self.world.dice);
        let effect = move |books: &mut Books, now: Millis| match books.status(&reference, now)? {
            Standing::Paid(_) if hides => Ok(Standing::Pending),
            standing => Ok(standing),
        };
        self.ask("status", &payment.reference, effect)
    }

    fn cancel<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Answer<Standing>> {
        let reference = payment.reference.clone();
        let effect = move |books: &mut Books, now: Millis| books.cancel(&reference, now);
        self.ask("cancel", &payment.reference, effect)
    }

    fn refund<'a>(&'a self, refund: &'a Refund) -> BoxFuture<'a, Answer<Refunded>> {
        let (asked, fate) = (refund.clone(), self.fate());
        let effect = move |books: &mut Books, now: Millis| {
            if !books.terms.refunds {
                return Err(unsupported("send money back"));
            }
            let sent = books.refund(&asked, fate, now);
            if !matches!(sent, Ok(Refunded::Done | Refunded::Pending))
                && let Some(entry) = books.payments.get_mut(&asked.payment.reference)
            {
                entry.refund_troubles += 1;
            }
            sent
        };
        self.ask("refund", &refund.payment.reference, effect)
    }

    fn refund_standing<'a>(
        &'a self,
        refund: &'a Refund,
    ) -> BoxFuture<'a, Answer<Option<Refunded>>> {
        let asked = refund.clone();
        let effect = move |books: &mut Books, now: Millis| match books.terms.tells_refunds {
            true => books.refund_standing(&asked, now),
            false => Err(unsupported("list refunds")),
        };
        self.ask("refund_standing", &refund.payment.reference, effect)
    }

    fn settle<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Answer<Settled>> {
        let reference = payment.reference.clone();
        if reference.starts_with("sig-") && payment.credential.is_none() {
            let broken = format_args!("{reference} is to be taken without its signature");
            self.world.broken(broken);
        }
        let effect =
            move |books: &mut Books, now: Millis| books.settle(&reference, now).map(Settled::from);
        self.ask("settle", &payment.reference, effect)
    }

    fn rail(&self) -> Option<&dyn Rail> {
        self.has_rail.then_some(self)
    }

    fn release<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Answer<Standing>> {
        let reference = payment.reference.clone();
        let effect = move |books: &mut Books, now: Millis| books.release(&reference, now);
        self.ask("release", &payment.reference, effect)
    }

    fn decide<'a>(
        &'a self,
        payment: &'a PaymentRef,
        decision: Decision,
    ) -> BoxFuture<'a, Answer<Standing>> {
        let (reference, price) = (payment.reference.clone(), payment.price);
        let effect = move |books: &mut Books, now: Millis| match decision {
            Decision::Pay => {
                books.pay(&reference, price, now);
                books.status(&reference, now)
            }
            Decision::Decline => books.decline(&reference, now),
        };
        self.ask("decide", &payment.reference, effect)
    }
}

fn unsupported(operation: &'static str) -> ProviderError {
    ProviderError::Unsupported { operation }
}
