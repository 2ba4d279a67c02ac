//! What columns hold, read back into types that cannot be wrong: the same in every store.

use coinop_core::entry::Book;
use coinop_core::money::{Amount, Money};

use super::LedgerError;

/// An amount of 10^-9 units and a currency's code.
pub(super) fn money(nanos: i64, currency: &str) -> Result<Money, LedgerError> {
    Ok(Money {
        amount: Amount::from_nanos(nanos),
        currency: currency
            .parse()
            .map_err(|e| LedgerError::Corrupt(format!("{e}")))?,
    })
}

/// An account by its word.
pub(super) fn book(word: &str) -> Result<Book, LedgerError> {
    Book::ALL
        .into_iter()
        .find(|book| book.as_str() == word)
        .ok_or_else(|| LedgerError::Corrupt(format!("{word:?} is no account")))
}
