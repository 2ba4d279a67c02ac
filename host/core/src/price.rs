//! What the seller asks. Only prices this version honours can be expressed: anything else is refused at load.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// The price of one tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Price {
    /// Costs nothing.
    Free,
    /// The same amount for every call.
    PerCall(Money),
}

impl Price {
    /// A price per call; an amount of zero is a mistake, since free is said in words.
    pub fn per_call(money: Money) -> Result<Self, ZeroPrice> {
        if money.amount.is_positive() {
            Ok(Self::PerCall(money))
        } else {
            Err(ZeroPrice)
        }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("free"),
            Self::PerCall(money) => write!(f, "{money} per call"),
        }
    }
}

/// A price per call must be more than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a price per call must be more than zero: write \"free\" for a tool that costs nothing")]
pub struct ZeroPrice;
