//! MCP ↔ core: what is listed and answered, in rmcp's types. With `server`, the only place that names them.
//!
//! Plain translation: nothing here decides, waits or performs.

pub mod challenge;
pub mod elicitation;
pub mod json;
pub mod result;
mod settled;
pub mod tasks;
pub mod tools;

use coinop_core::outcome::is_reserved_meta;

/// Key of a tool's price in its `_meta`.
pub const META_PRICE: &str = "coinop/price";
/// Key of a tool's payment mode in its `_meta`.
pub const META_MODE: &str = "coinop/mode";
/// Key of the payment object in a result's `_meta`.
pub const META_PAYMENT: &str = "coinop/payment";
/// Key of the refusal in a result's `_meta`.
pub const META_REFUSAL: &str = "coinop/refusal";
/// Key of the receipt in the `_meta` of a delivered paid outcome.
pub const META_RECEIPT: &str = "coinop/receipt";

/// Parses a plugin's `_meta` and drops what it must not say in the host's name. Not an object gives nothing.
fn guest_meta(text: Option<&str>) -> serde_json::Map<String, serde_json::Value> {
    let mut meta: serde_json::Map<_, _> = text
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    meta.retain(|key, _| !is_reserved_meta(key));
    meta
}
