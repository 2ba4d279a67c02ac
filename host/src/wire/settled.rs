//! The rail's own proof of payment, under the keys that its clients read.

use serde_json::{Map, Value};

use crate::provider::rail::{Protocol, RailReceipt};

/// x402's settlement response in a result's `_meta`: the key in use, and that of clients whose transport dislikes the
/// slash.
const META_X402: [&str; 2] = ["x402/payment-response", "x402.payment-response"];
/// The Machine Payments Protocol's receipt in a result's `_meta`.
const META_MPP: &str = "org.paymentauth/receipt";

/// Puts `receipt` into a result's `_meta`.
pub(super) fn put(receipt: &RailReceipt, meta: &mut Map<String, Value>) {
    let keys: &[&str] = match receipt.protocol {
        Protocol::X402 => &META_X402,
        Protocol::Mpp => &[META_MPP],
    };
    for key in keys {
        meta.insert((*key).to_owned(), receipt.json.clone());
    }
}
