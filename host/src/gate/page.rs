//! The gate as the payment pages see it: what a link shows, and what the payer decides there.

use coinop_core::Millis;
use coinop_core::call::{Call, CallState, Remedy};
use coinop_core::ids::LinkToken;
use coinop_core::money::Money;
use coinop_core::payment::PaymentState;
use coinop_core::principal::Principal;
use coinop_core::step::possible;
use futures::future::BoxFuture;

use super::Gate;
use super::drive::{Drive, Purpose};
use super::money::payment_ref;
use crate::clock;
use crate::failpoint::failpoint_of;
use crate::ledger::{CallKey, LedgerError};
use crate::provider::Decision;

/// What the payment page shows, and may do. Holds nothing that redeems.
#[derive(Clone, Debug)]
pub struct PageView {
    /// The tool's name.
    pub tool: String,
    /// The plugin's name.
    pub plugin: String,
    /// Whose call it is, `None` where nobody in particular asked.
    pub payer: Option<Principal>,
    /// What it costs.
    pub price: Money,
    /// What is to be paid: less than the price where the caller's balance pays a part.
    pub due: Money,
    /// What of that went back to the payer.
    pub refunded: Money,
    /// The provider's kind.
    pub provider: String,
    /// Where to pay, when that is the provider's own page.
    pub provider_url: Option<String>,
    /// Until when, milliseconds since the Unix epoch.
    pub expires_at: i64,
    /// Whether the money is pretended.
    pub test: bool,
    /// Whether the payer decides on this page.
    pub pays_here: bool,
    /// Whether the money is taken only after the run, and has not been yet.
    pub authorizes: bool,
    /// What becomes of the payment when the call does not deliver, `None` where a person must see to it.
    pub on_failure: Option<Remedy>,
    /// Where the call stands.
    pub state: PageState,
}

/// Where a call stands, for the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Can be paid.
    Open,
    /// Is paid (or reserved): go back to your client.
    Paid,
    /// The payer said no.
    Declined,
    /// Too late.
    Expired,
    /// The call was delivered, and the seller sent all of the money back.
    Refunded,
    /// The money went back or is about to.
    Returned,
    /// The money became the caller's balance or is about to.
    Credited,
    /// A person must look.
    Attention,
}

/// The gate as the pages and the command line see it.
pub trait Cashier: Send + Sync {
    /// What the page behind a link shows, `None` for a link nobody has.
    fn page(&self, link: LinkToken) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>>;
    /// The payer decides on the host's own page (pretended money only). Returns the page after it.
    fn decide(
        &self,
        link: LinkToken,
        decision: Decision,
    ) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>>;
}

impl Cashier for Gate {
    fn page(&self, link: LinkToken) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>> {
        Box::pin(async move {
            let record = self.parts.ledger.find(CallKey::Link(link)).await?;
            Ok(record.map(|record| self.view(&record.call)))
        })
    }

    fn decide(
        &self,
        link: LinkToken,
        decision: Decision,
    ) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>> {
        Box::pin(async move {
            let Some(record) = self.parts.ledger.find(CallKey::Link(link)).await? else {
                return Ok(None);
            };
            let view = self.view(&record.call);
            if view.state != PageState::Open || !view.pays_here {
                return Ok(Some(view));
            }
            self.tell_provider(&record.call, decision).await?;
            // What counts is the provider's record, read back like after any webhook.
            let drive = Drive::new(self, record, Purpose::Look);
            let call = drive.call_after().await?;
            Ok(Some(self.view(&call)))
        })
    }
}

impl Gate {
    async fn tell_provider(&self, call: &Call, decision: Decision) -> Result<(), LedgerError> {
        let unavailable = |reason: String| LedgerError::Unavailable(reason);
        let provider = self.account(&call.quote.account).ok_or_else(|| {
            unavailable(format!(
                "the account {} is not configured",
                call.quote.account
            ))
        })?;
        let payment = payment_ref(call)
            .ok_or_else(|| unavailable("the payment is still being made".into()))?;
        failpoint_of("before-decide", &call.id);
        let patience = provider.capabilities().timeout;
        let deciding = provider.decide(&payment, decision);
        let decided = clock::within(self.parts.clock.as_ref(), patience, deciding).await;
        failpoint_of("after-decide", &call.id);
        match decided {
            Some(decided) => decided
                .map(drop)
                .map_err(|error| unavailable(error.to_string())),
            // It may have taken the decision: looking again tells.
            None => Err(unavailable(format!(
                "the provider has not answered within {patience:?}"
            ))),
        }
    }

    fn view(&self, call: &Call) -> PageView {
        let provider = self.account(&call.quote.account);
        let capabilities = provider.map(|p| p.capabilities());
        let can_refund = capabilities.is_none_or(|c| c.refunds);
        PageView {
            tool: call.quote.tool.clone(),
            plugin: call.quote.plugin.clone(),
            payer: Some(call.quote.principal.clone()).filter(Principal::is_known),
            price: call.quote.price,
            due: call.due(),
            refunded: Money {
                amount: call.payment.refunded,
                ..call.due()
            },
            provider: call.payment.provider.clone(),
            provider_url: call.payment.url.clone(),
            expires_at: call.quote.expires_at,
            test: capabilities.is_none_or(|c| c.test),
            pays_here: capabilities.is_some_and(|c| c.pays_on_host_page),
            authorizes: capabilities.is_some_and(|c| c.authorizes)
                && !call.payment.state.was_taken(),
            on_failure: possible(call.quote.on_failure, call, can_refund),
            state: page_state(call, self.parts.clock.now(), can_refund),
        }
    }
}

fn page_state(call: &Call, now: Millis, can_refund: bool) -> PageState {
    let wanted = call.quote.on_failure;
    match &call.state {
        CallState::Quoted | CallState::Awaiting if now >= call.quote.expires_at => {
            PageState::Expired
        }
        CallState::Quoted | CallState::Awaiting => PageState::Open,
        CallState::Declined => PageState::Declined,
        CallState::Expired => PageState::Expired,
        CallState::Ready
        | CallState::Running { .. }
        | CallState::Executed
        | CallState::Settling => PageState::Paid,
        CallState::Deliverable if call.payment.state == PaymentState::Refunded => {
            PageState::Refunded
        }
        CallState::Deliverable => PageState::Paid,
        CallState::ToolFailed | CallState::Indeterminate | CallState::LatePaid => {
            owed(possible(wanted, call, can_refund))
        }
        CallState::CompensationDue { ordered, .. } => {
            owed(possible(ordered.unwrap_or(wanted), call, can_refund))
        }
        CallState::Compensating { remedy, .. } => owed(Some(*remedy)),
        CallState::Withheld | CallState::Refunded { .. } => PageState::Returned,
        CallState::Credited { .. } => PageState::Credited,
        CallState::Attention { .. } => PageState::Attention,
    }
}

fn owed(remedy: Option<Remedy>) -> PageState {
    match remedy {
        Some(Remedy::Refund) => PageState::Returned,
        Some(Remedy::Credit) => PageState::Credited,
        None => PageState::Attention,
    }
}
