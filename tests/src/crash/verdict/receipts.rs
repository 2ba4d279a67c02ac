//! Receipts: one for every delivered outcome, in a chain that nothing was taken out of.

use coinop::ledger::{Audited, Ledger, LedgerError};
use coinop_core::call::CallState;
use coinop_core::digest::Digest;
use coinop_core::receipt::{Chain, KeySet};

/// What does not hold.
pub(super) async fn violations(ledger: &dyn Ledger, calls: &[Audited]) -> Vec<String> {
    match checked(ledger, calls).await {
        Ok(found) => found,
        Err(error) => vec![format!("the receipts cannot be read: {error}")],
    }
}

async fn checked(ledger: &dyn Ledger, calls: &[Audited]) -> Result<Vec<String>, LedgerError> {
    let keys = ledger.receipt_keys().await?;
    let mut found = Vec::new();
    for audited in calls {
        let call = &audited.record.call;
        let tool = &call.quote.tool;
        let delivered = call.state == CallState::Deliverable;
        if delivered != audited.receipt.is_some() {
            found.push(format!(
                "{tool} is {} and its receipt: {:?}",
                call.state.name(),
                audited.receipt
            ));
        }
        let Some(text) = &audited.receipt else {
            continue;
        };
        match keys.verify(text) {
            Ok(receipt) if receipt.call == call.id => {}
            Ok(receipt) => found.push(format!("the receipt of {tool} is {}'s", receipt.call)),
            Err(error) => found.push(format!("the receipt of {tool}: {error}")),
        }
    }
    let mut issued = 0;
    for chain in ledger.chains().await? {
        let receipts = ledger.receipts(chain.id.clone(), 0, u32::MAX).await?;
        issued += receipts.len();
        found.extend(broken(&chain, &receipts, &keys));
    }
    let delivered = calls.iter().filter(|a| a.receipt.is_some()).count();
    if issued != delivered {
        found.push(format!("{issued} receipts in chains, {delivered} of calls"));
    }
    Ok(found)
}

fn broken(chain: &Chain, receipts: &[String], keys: &KeySet) -> Option<String> {
    let (mut count, mut head) = (0, None);
    for text in receipts {
        let receipt = match keys.verify(text) {
            Ok(receipt) => receipt,
            Err(error) => return Some(format!("receipt {} of {}: {error}", count + 1, chain.id)),
        };
        if (receipt.number, receipt.previous) != (count + 1, head) {
            return Some(format!(
                "receipt {} of {} does not follow",
                receipt.number, chain.id
            ));
        }
        count = receipt.number;
        head = Some(Digest::of(text.as_bytes()));
    }
    ((count, head) != (chain.count, chain.head)).then(|| format!("{} ends elsewhere", chain.id))
}
