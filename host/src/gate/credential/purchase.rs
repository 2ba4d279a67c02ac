//! A payment that holds, on record: reserved, or received, in the commit that makes its call.
//!
//! From then on the call is like every other: claimed, run, stored, settled, delivered.

use coinop_core::Millis;
use coinop_core::call::{Call, Event, IllegalEvent};
use coinop_core::mode::{MODES, Mode, Surface};
use coinop_core::money::{Amount, Money};
use coinop_core::payment::PaymentEvent;

use super::{Purchase, Taker, invalid};
use crate::failpoint::failpoint_of;
use crate::gate::Reply;
use crate::gate::drive::{Drive, Purpose};
use crate::gate::paid::{Caller, Payer, capped, not_recorded, unavailable};
use crate::ledger::{AdvanceError, Caps, LedgerError, NewCall};
use crate::provider::rail::{Funds, Rejected, Verified};

/// Attempts at recording a call: a balance that was to cover it may be spent by another meanwhile.
const DRAFTS_MAX: u32 = 4;
/// How long a reservation is said to hold at most, milliseconds: some wallets sign for ever, which is no date that could
/// be told or reckoned with.
const RESERVED_MS_MAX: Millis = 366 * 24 * 60 * 60 * 1_000;
/// Longest reference of a payment, bytes.
const REFERENCE_BYTES_MAX: usize = 255;

/// Whether what a rail says of a payment can be recorded: a mistake of the rail's must not become a run.
pub(super) fn check(verified: &Verified, price: Money, now: Millis) -> Result<(), Rejected> {
    let named = 1..=REFERENCE_BYTES_MAX;
    match &verified.funds {
        Funds::Reserved(reserved) if *reserved != price => {
            Err(invalid("invalid_payload", "the payment is not the price"))
        }
        Funds::Reserved(_) if verified.valid_until <= now => {
            Err(invalid("invalid_payload", "the payment has expired"))
        }
        _ if !named.contains(&verified.reference.len()) => Err(Rejected::Unavailable(
            "the payment has no name that can be kept".to_owned(),
        )),
        _ => Ok(()),
    }
}

impl Purchase<'_> {
    /// Records the payment with its call, and has the call run and delivered. The payment may have been presented twice at
    /// once: then its call is there already.
    pub(super) async fn record(
        &self,
        taker: &Taker<'_>,
        verified: &Verified,
        caller: &Caller,
    ) -> Reply {
        // Where the plugin keeps failing nothing is recorded, and the payment stays its owner's. Money that has moved
        // already is: it is run for, or owed.
        if let (Funds::Reserved(_), Some(refused)) =
            (&verified.funds, self.gate.refused(self.listing))
        {
            return refused;
        }
        for _ in 0..DRAFTS_MAX {
            let credit = match self.covering(taker, verified).await {
                Ok(credit) => credit,
                Err(error) => return not_recorded(&error.into()),
            };
            let new = match self.draft(taker, verified, credit) {
                Ok(new) => new,
                Err(error) => {
                    tracing::error!(account = taker.account, %error, "a payment cannot be recorded");
                    return unavailable("The payment cannot be recorded.".to_owned());
                }
            };
            let caps = self.caps(&new.call, verified);
            let opened = match self.gate.parts.ledger.open(new, caps).await {
                Ok(opened) => opened,
                Err(AdvanceError::Limit(limit)) => {
                    return Reply::Refused(capped(limit, self.price, &verified.payer));
                }
                Err(AdvanceError::CreditSpent) => continue,
                Err(AdvanceError::Blocked) => return Reply::Refused(super::Refusal::Blocked),
                Err(error) => return not_recorded(&error),
            };
            let found = opened.record.call.payment.reference.as_deref();
            if opened.existing && found != Some(verified.reference.as_str()) {
                return self.rejected(super::paid_before()).await;
            }
            if opened.existing {
                return self.again(opened.record, caller).await;
            }
            failpoint_of("after-reserve", &opened.record.call.id);
            let drive = Drive::new(self.gate, opened.record, Purpose::Redeem);
            return drive.reply(caller).await;
        }
        unavailable("The balance keeps changing.".to_owned())
    }

    /// What the payer's balance with the account pays: the whole price, in the place of a signature, or nothing, since a
    /// signature is for the whole price.
    async fn covering(
        &self,
        taker: &Taker<'_>,
        verified: &Verified,
    ) -> Result<Amount, LedgerError> {
        if !verified.payer.is_known() || !matches!(verified.funds, Funds::Reserved(_)) {
            return Ok(Amount::ZERO);
        }
        let (payer, account) = (verified.payer.clone(), taker.account.to_owned());
        let ledger = &self.gate.parts.ledger;
        let balance = ledger.credit(payer, account, self.price.currency).await?;
        let covers = self.price.amount.is_positive() && balance >= self.price.amount;
        Ok(if covers {
            self.price.amount
        } else {
            Amount::ZERO
        })
    }

    /// The caps on the payer. Nobody is kept waiting and no link is made; and money that is here already is recorded,
    /// whatever it exceeds.
    fn caps(&self, call: &Call, verified: &Verified) -> Caps {
        match verified.funds {
            Funds::Received { .. } => Caps::default(),
            Funds::Reserved(_) => Caps {
                open_max: None,
                links_per_minute_max: None,
                ..self.gate.parts.caps.of(&call.quote.principal)
            },
        }
    }

    fn draft(
        &self,
        taker: &Taker<'_>,
        verified: &Verified,
        credit: Amount,
    ) -> Result<NewCall, NotDrafted> {
        let payer = Payer {
            principal: &verified.payer,
            account: taker.account,
            provider: taker.provider,
        };
        let price = match &verified.funds {
            Funds::Reserved(_) => self.price,
            Funds::Received { money, .. } => *money,
        };
        let (mut call, mut spec) = self
            .gate
            .quoted(self.listing, &self.arguments, price, &payer);
        call.mode = mode().name().to_owned();
        call.payment.credential = Some(self.digest);
        call.payment.identifier = taker.rail.identifier(&self.credential);
        call.quote.upfront = self.listing.upfront;
        if let Funds::Reserved(_) = verified.funds {
            let tellable = call.created_at.saturating_add(RESERVED_MS_MAX);
            call.quote.expires_at = verified.valid_until.min(tellable);
            if !call.quote.upfront {
                // Nothing is run on a signature that is worth nothing any more.
                let valid_ms = verified.valid_until.saturating_sub(call.created_at);
                call.quote.claim_window_ms = call.quote.claim_window_ms.min(valid_ms);
            }
        }
        call.credit = credit;
        if call.due().amount.is_zero() {
            call.payment.provider = "credit".to_owned();
            call.payment.reference = Some(verified.reference.clone());
        } else {
            spec.credential = Some(verified.keep.clone());
        }
        for event in events(verified, &call) {
            call.apply(&event)?;
        }
        Ok(NewCall {
            call,
            arguments: self.arguments.as_json().to_owned(),
            run_spec: serde_json::to_string(&spec)?,
        })
    }
}

/// Why a payment that holds cannot be recorded: a mistake of ours or of its rail.
#[derive(Debug, thiserror::Error)]
enum NotDrafted {
    #[error(transparent)]
    Event(#[from] IllegalEvent),
    #[error(transparent)]
    Spec(#[from] serde_json::Error),
}

/// What has happened to the payment of a new call.
fn events(verified: &Verified, call: &Call) -> Vec<Event> {
    if call.due().amount.is_zero() {
        return vec![PaymentEvent::Covered.into()];
    }
    let created = PaymentEvent::Created {
        reference: verified.reference.clone(),
        url: None,
    };
    let came = match verified.funds.clone() {
        Funds::Reserved(reserved) => vec![PaymentEvent::Authorized { reserved }],
        Funds::Received {
            money: received,
            proof,
        } => vec![
            PaymentEvent::Paid { received },
            PaymentEvent::Proved { proof },
        ],
    };
    std::iter::once(created)
        .chain(came)
        .map(Event::from)
        .collect()
}

/// The mode in whose words the caller of such a call is told to wait, whatever coordinates the listing's other payments.
fn mode() -> &'static dyn Mode {
    let by_credential = |mode: &&&dyn Mode| mode.surface() == Surface::Credential;
    MODES
        .iter()
        .find(by_credential)
        .copied()
        .unwrap_or(MODES[0])
}
