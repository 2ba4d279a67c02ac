//! The Machine Payments Protocol: callers pay a challenge by whichever of the account's methods they have, and present
//! proof with the call.
//!
//! A challenge is sealed and bound to its call (`challenge`, `binding`), so nothing is recorded of it; what a credential
//! says is checked against the challenge that was ours and nothing else. Specifications: <https://paymentauth.org>.

mod answer;
mod binding;
mod challenge;
mod method;
mod rail;
mod receipt;
mod reject;
mod settings;
#[cfg(test)]
mod tests;

use std::time::Duration;

use coinop_core::money::Money;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use self::method::Method;
pub use self::settings::{Settings, maker};
use super::{
    Capabilities, CreatePayment, CreatedPayment, NotChargeable, PaymentRef, Provider,
    ProviderError, Refund, Refunded, Settled, Standing,
};

/// The kind in configuration, and as shown to callers.
pub const KIND: &str = "mpp";
/// Longest a challenge stands: prices in one money and paid in another should not stand longer.
const LIFETIME_MAX: Duration = Duration::from_secs(60 * 60);
/// How long idempotency keys are remembered, by the only method that has any (Stripe).
const KEY_WINDOW: Duration = Duration::from_secs(23 * 60 * 60);

/// An MPP account.
pub struct Mpp {
    /// Its name in the configuration.
    account: String,
    realm: String,
    /// In the order in which they are offered; at least one.
    methods: Vec<Box<dyn Method>>,
}

impl Mpp {
    /// The method that a payment was made by.
    fn method_of(&self, payment: &PaymentRef) -> Result<&dyn Method, ProviderError> {
        let owner = self.methods.iter().find(|m| m.owns(&payment.reference));
        let gone =
            || ProviderError::Refused("the payment's method is not configured any more".into());
        owner.map(AsRef::as_ref).ok_or_else(gone)
    }
}

impl Provider for Mpp {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authorizes: self.methods.iter().any(|method| method.authorizes()),
            // Only a card can be paid back: refunds of other methods are refused one by one.
            refunds: self.methods.iter().any(|method| method.refunds()),
            webhooks: false,
            test: self.methods.iter().any(|method| method.is_test()),
            pays_on_host_page: false,
            links: false,
            key_window: Some(KEY_WINDOW),
            late_window: Duration::ZERO,
            timeout: self
                .methods
                .iter()
                .map(|m| m.timeout())
                .max()
                .unwrap_or_default(),
            lifetime_max: LIFETIME_MAX,
        }
    }

    fn chargeable(&self, price: &Money) -> Result<(), NotChargeable> {
        let mut refused = Ok(());
        for method in &self.methods {
            match method.chargeable(price) {
                Ok(()) => return Ok(()),
                Err(error) => refused = refused.and(Err(error)),
            }
        }
        refused
    }

    fn create<'a>(
        &'a self,
        _request: &'a CreatePayment,
    ) -> BoxFuture<'a, Result<CreatedPayment, ProviderError>> {
        let operation = "make payments: its callers bring them";
        std::future::ready(Err(ProviderError::Unsupported { operation })).boxed()
    }

    fn status<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async { self.method_of(payment)?.status(payment).await }.boxed()
    }

    fn cancel<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async {
            Ok(match self.method_of(payment)?.release(payment).await? {
                Standing::Released => Standing::Canceled,
                standing => standing,
            })
        }
        .boxed()
    }

    fn release<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Standing, ProviderError>> {
        async { self.method_of(payment)?.release(payment).await }.boxed()
    }

    fn settle<'a>(
        &'a self,
        payment: &'a PaymentRef,
    ) -> BoxFuture<'a, Result<Settled, ProviderError>> {
        async { self.method_of(payment)?.settle(payment).await }.boxed()
    }

    fn refund<'a>(&'a self, refund: &'a Refund) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        async { self.method_of(&refund.payment)?.refund(refund).await }.boxed()
    }

    fn refund_standing<'a>(
        &'a self,
        refund: &'a Refund,
    ) -> BoxFuture<'a, Result<Option<Refunded>, ProviderError>> {
        async {
            self.method_of(&refund.payment)?
                .refund_standing(refund)
                .await
        }
        .boxed()
    }

    fn rail(&self) -> Option<&dyn super::rail::Rail> {
        Some(self)
    }
}
