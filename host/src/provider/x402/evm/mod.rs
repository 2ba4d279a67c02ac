//! What EVM wallets sign, checked without a chain: addresses, numbers, typed data, signatures.

pub mod address;
pub mod signature;
pub mod typed_data;
pub mod uint;

pub use address::Address;
pub use typed_data::{Domain, Transfer};
pub use uint::Uint;
