//! The accounts that a tool's callers may pay themselves, with the call: pure.

use coinop_core::money::Money;

use super::resolve::Chargeable;

/// What becomes of the accounts that are named for a tool.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Accepts {
    /// Those with a rail that can charge the price, the preferred one first.
    pub(super) accounts: Vec<String>,
    /// The others that were asked for, and why they are left out.
    pub(super) left_out: Vec<(String, String)>,
}

impl Accepts {
    /// The tool's own account comes first, where it has a rail and `named` does not say otherwise.
    pub(super) fn of(own: &str, named: &[String], price: &Money, chargeable: &Chargeable) -> Self {
        let mut accepts = Self::default();
        let own_first = (!named.iter().any(|name| name == own)).then_some(own);
        let all = own_first
            .into_iter()
            .chain(named.iter().map(String::as_str));
        for name in all {
            let asked_for = own_first != Some(name);
            match chargeable(name, price) {
                Ok(charging) if charging.rail => accepts.take(name),
                Ok(_) if asked_for => {
                    let why = "callers cannot pay it themselves with the call".to_owned();
                    accepts.left_out.push((name.to_owned(), why));
                }
                Err(why) if asked_for => accepts.left_out.push((name.to_owned(), why)),
                Ok(_) | Err(_) => {}
            }
        }
        accepts
    }

    fn take(&mut self, name: &str) {
        if !self.accounts.iter().any(|taken| taken == name) {
            self.accounts.push(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::resolve::Charging;

    /// Accounts that begin with `rail` have one; of these, `rail-cents` charges whole cents.
    fn bank(account: &str, price: &Money) -> Result<Charging, String> {
        if account == "rail-cents" {
            price.in_units_of(2).map_err(|e| e.to_string())?;
        }
        Ok(Charging {
            test: true,
            links: true,
            rail: account.starts_with("rail"),
        })
    }

    fn check(own: &str, named: &[&str], accounts: &[&str], left_out: &[&str]) {
        let named: Vec<_> = named.iter().map(|name| (*name).to_owned()).collect();
        let price = Money::parse("0.003", "USD").unwrap();
        let accepts = Accepts::of(own, &named, &price, &bank);
        assert_eq!(accepts.accounts, accounts, "{own} {named:?}");
        let names: Vec<_> = accepts.left_out.iter().map(|(name, _)| name).collect();
        assert_eq!(names, left_out, "{own} {named:?}");
    }

    #[test]
    fn accounts_with_a_rail_that_charge_the_price_are_accepted_in_their_order() {
        check("shop", &[], &[], &[]);
        check("rail-a", &[], &["rail-a"], &[]);
        check("shop", &["rail-b", "rail-a"], &["rail-b", "rail-a"], &[]);
        check("rail-a", &["rail-b"], &["rail-a", "rail-b"], &[]);
        check("rail-a", &["rail-b", "rail-a"], &["rail-b", "rail-a"], &[]);
        check("shop", &["rail-b", "rail-b"], &["rail-b"], &[]);
        check(
            "shop",
            &["shop", "rail-cents", "rail-a"],
            &["rail-a"],
            &["shop", "rail-cents"],
        );
    }
}
