//! What every provider account promises, as tests that know it by its trait and the world behind it by [`Till`].
//! [`crate::provider_contract!`] runs all of them on one account; [`crate::remote_provider_contract!`] those that only a
//! provider with a service of its own can keep or break.

pub mod failures;
pub mod payments;
pub mod refunds;
pub mod remote;
pub mod statements;
pub mod webhooks;

use std::sync::Arc;

use coinop::provider::{CreatePayment, PaymentRef, Provider, Refund, Standing};
use coinop_core::ids::{LinkToken, PaymentId};
use coinop_core::money::{Amount, Money};
use futures::future::BoxFuture;

/// An account, and the hands that move the world behind it.
pub trait Till: Send + Sync {
    /// The account under test.
    fn account(&self) -> Arc<dyn Provider>;

    /// The payer does something at the provider; what it then comes to is the provider's business.
    fn act<'a>(&'a self, payment: &'a PaymentRef, act: Act) -> BoxFuture<'a, ()>;

    /// Lets the next question of this kind fail.
    fn fail(&self, asked: Asked, fault: Fault);

    /// A genuine webhook: its headers in lower case, and its body.
    fn webhook<'a>(&'a self, event: &'a str, reference: &'a str, at_ms: i64)
    -> BoxFuture<'a, Post>;

    /// What really went back of a payment.
    fn sent_back<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Amount>;
}

/// A webhook as it is sent.
#[derive(Clone, Debug)]
pub struct Post {
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a payer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Pays the price.
    Pay,
    /// Declines.
    Decline,
}

/// What the provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// How something stands.
    Standing,
    /// To send money back.
    Refund,
}

/// How the world fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Before anything is done.
    Before,
    /// Once it is done: only the answer is lost.
    After,
}

/// Runs the contract: `provider_contract!(name, till)` makes a module of tests, each with a till of its own.
#[macro_export]
macro_rules! provider_contract {
    ($provider:ident, $till:expr) => {
        $crate::provider_contract!(@ $provider, $till,
            payments: the_same_key_gives_the_same_payment,
            payments: nobody_has_paid_at_first,
            payments: what_is_paid_stays_paid,
            payments: what_was_declined_is_never_paid,
            payments: what_was_called_off_takes_no_money,
            payments: what_was_never_made_is_not_paid,
            refunds: any_part_goes_back_once_a_key,
            refunds: no_more_goes_back_than_came,
            refunds: nothing_goes_back_of_what_was_not_paid,
            refunds: a_refund_is_found_by_its_key,
            refunds: asked_for_at_once_it_goes_back_once,
            webhooks: a_genuine_one_names_its_payment_and_changes_nothing,
            webhooks: a_replayed_one_has_the_same_name,
            webhooks: a_forged_one_is_refused,
            webhooks: one_of_another_time_is_refused,
            failures: a_refund_that_failed_before_its_effect_is_made_once,
            failures: a_refund_whose_answer_was_lost_is_made_once,
            failures: a_status_that_failed_says_nothing,
            statements: what_came_in_is_stated,
        );
    };
    (@ $provider:ident, $till:expr, $($subject:ident: $promise:ident),* $(,)?) => {
        mod $provider {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    let till = $till;
                    $crate::provider_contract::$subject::$promise(&till).await;
                }
            )*
        }
    };
}

/// As [`crate::provider_contract!`], for accounts that ask a service ([`remote::Service`]).
#[macro_export]
macro_rules! remote_provider_contract {
    ($provider:ident, $till:expr) => {
        $crate::provider_contract!(@ $provider, $till,
            remote: a_payment_has_a_link,
            remote: a_payment_is_found_by_its_key,
            remote: a_creation_that_failed_before_its_effect_is_made_once,
            remote: a_creation_whose_answer_was_lost_is_made_once,
            remote: a_creation_whose_answer_is_cut_is_made_once,
            remote: a_busy_service_did_nothing,
            remote: a_payment_of_another_amount_is_told_as_it_came,
            remote: an_expired_payment_takes_no_money,
            remote: a_standing_that_is_not_understood_is_pending,
            remote: a_key_with_another_request_is_never_a_refusal,
            remote: a_price_it_cannot_count_is_not_charged,
        );
    };
}

/// The price of every payment here.
pub fn price() -> Money {
    Money::parse("0.99", "USD").unwrap()
}

/// A payment to be made; another seed is another payment.
pub fn request(seed: u8) -> CreatePayment {
    CreatePayment {
        key: PaymentId::from_random([seed; 16]),
        link: LinkToken::from_random([seed; 16]),
        price: price(),
        description: "a test".to_owned(),
        expires_at: 1_900_000_000_000,
    }
}

/// Makes the payment of `seed` as the gate does.
pub async fn made(till: &dyn Till, seed: u8) -> PaymentRef {
    let (account, request) = (till.account(), request(seed));
    let created = match account.create_offline(&request) {
        Some(created) => created,
        None => account.create(&request).await.unwrap(),
    };
    PaymentRef {
        key: request.key,
        reference: created.reference,
        price: request.price,
        credential: None,
    }
}

/// A payment that was paid.
pub async fn paid(till: &dyn Till, seed: u8) -> PaymentRef {
    let payment = made(till, seed).await;
    till.act(&payment, Act::Pay).await;
    assert_eq!(status(till, &payment).await, Standing::Paid(price()));
    payment
}

/// How a payment stands.
pub async fn status(till: &dyn Till, payment: &PaymentRef) -> Standing {
    till.account().status(payment).await.unwrap()
}

/// An order to send so much back.
pub fn refund(payment: &PaymentRef, key: &str, amount: &str) -> Refund {
    Refund {
        payment: payment.clone(),
        key: key.to_owned(),
        amount: amount.parse().unwrap(),
        received: payment.price,
        reason: "a test".to_owned(),
    }
}

/// An amount.
pub fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}
