//! What a provider says of itself, checked: what it charges, sends back and promises. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use coinop_core::money::{Amount, Currency, Money, SCALE};

use crate::provider::{Capabilities, NotChargeable, ProviderError, Refund};

/// Names that a provider must not have: a caller would take it for another.
const TAKEN: &[&str] = &["sandbox", "sandbox-hold", "x402", "mpp", super::KIND];
const NAME_BYTES_MAX: usize = 32;
const CURRENCIES_MAX: usize = 256;
/// Longest time for which a provider is believed to know a key again.
const KEY_WINDOW_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A provider's description, before anything of it is believed.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) name: String,
    pub(super) test_money: bool,
    pub(super) currencies: Vec<DescribedCurrency>,
    pub(super) refunds: Refunds,
    pub(super) cancels: bool,
    pub(super) webhooks: bool,
    pub(super) key_window_s: u32,
    pub(super) late_window_s: u32,
    pub(super) lifetime_max_s: u32,
}

/// A currency as described.
#[derive(Clone, Debug)]
pub(super) struct DescribedCurrency {
    pub(super) code: String,
    pub(super) decimals: u32,
    pub(super) minimum: Option<String>,
    pub(super) maximum: Option<String>,
}

/// What is sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refunds {
    /// Nothing.
    None,
    /// Whole payments.
    Full,
    /// Any part.
    Partial,
}

/// What an account stands on.
#[derive(Debug)]
pub(super) struct Terms {
    /// As long-lived as the account, which lives as long as its process.
    pub(super) name: &'static str,
    pub(super) cancels: bool,
    refunds: Refunds,
    capabilities: Capabilities,
    currencies: BTreeMap<Currency, Bounds>,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    decimals: u32,
    least: Amount,
    most: Option<Amount>,
}

impl Terms {
    /// Believes a description that can be kept to. `timeout` is how long one answer may take.
    ///
    /// # Errors
    /// What is wrong with it: the component's author has to change it.
    pub(super) fn of(said: Description, timeout: Duration) -> Result<Self, String> {
        check_name(&said.name)?;
        if said.lifetime_max_s == 0 {
            return Err("lifetime-max-s is 0: nothing could ever be paid".to_owned());
        }
        let count = said.currencies.len();
        if !(1..=CURRENCIES_MAX).contains(&count) {
            return Err(format!(
                "it charges in {count} currencies; it must be 1 to {CURRENCIES_MAX}"
            ));
        }
        let currencies = said.currencies.iter().map(bounds);
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Ok(Self {
            currencies: currencies.collect::<Result<_, _>>()?,
            name: Box::leak(said.name.into_boxed_str()),
            cancels: said.cancels,
            refunds: said.refunds,
            capabilities: Capabilities {
                authorizes: false,
                refunds: said.refunds != Refunds::None,
                webhooks: said.webhooks,
                test: said.test_money,
                pays_on_host_page: false,
                links: true,
                key_window: Some(seconds(said.key_window_s).min(KEY_WINDOW_MAX)),
                late_window: seconds(said.late_window_s),
                timeout,
                lifetime_max: seconds(said.lifetime_max_s),
            },
        })
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Whether it charges `price`, exactly.
    pub(super) fn chargeable(&self, price: &Money) -> Result<(), NotChargeable> {
        let (price, provider, currency) = (*price, self.name, price.currency);
        let bounds = self.currencies.get(&currency);
        let bounds = bounds.ok_or(NotChargeable::Currency { provider, currency })?;
        price.in_units_of(bounds.decimals)?;
        let money = |amount| Money { amount, currency };
        if price.amount < bounds.least {
            let least = money(bounds.least);
            return Err(NotChargeable::TooSmall {
                price,
                provider,
                least,
            });
        }
        match bounds.most {
            Some(most) if price.amount > most => {
                let most = money(most);
                Err(NotChargeable::TooLarge {
                    price,
                    provider,
                    most,
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether it sends back so much of the payment.
    pub(super) fn refundable(&self, refund: &Refund) -> Result<(), ProviderError> {
        let whole = refund.amount == refund.received.amount;
        match self.refunds {
            Refunds::Partial => Ok(()),
            Refunds::Full if whole => Ok(()),
            Refunds::Full => Err(ProviderError::Refused(format!(
                "{} sends back whole payments only",
                self.name
            ))),
            Refunds::None => Err(ProviderError::Unsupported {
                operation: "send money back",
            }),
        }
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let right = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(letters);
    if !right {
        return Err(format!(
            "its name must be 1 to {NAME_BYTES_MAX} of a-z 0-9 -, a letter first"
        ));
    }
    match TAKEN.contains(&name) {
        true => Err(format!("the name {name:?} is the host's own")),
        false => Ok(()),
    }
}

fn bounds(said: &DescribedCurrency) -> Result<(Currency, Bounds), String> {
    let named = |why: String| format!("currency {:?}: {why}", said.code);
    let currency: Currency = said.code.parse().map_err(|error| format!("{error}"))?;
    if said.decimals > SCALE {
        return Err(named(format!(
            "{} decimals; {SCALE} is the most",
            said.decimals
        )));
    }
    let amount = |text: &Option<String>| {
        let parsed = text.as_ref().map(|text| text.parse::<Amount>()).transpose();
        parsed.map_err(|error| named(error.to_string()))
    };
    // Nothing is not a price, and what cannot be counted cannot be charged.
    let unit = Amount::from_nanos(10_i64.pow(SCALE - said.decimals));
    let least = amount(&said.minimum)?.unwrap_or(unit).max(unit);
    let most = amount(&said.maximum)?;
    match most {
        Some(most) if most < least => Err(named("its maximum is less than its minimum".into())),
        _ => Ok((
            currency,
            Bounds {
                decimals: said.decimals,
                least,
                most,
            },
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::PaymentRef;
    use coinop_core::ids::PaymentId;

    fn description() -> Description {
        let currency = |code: &str, decimals, minimum: Option<&str>| DescribedCurrency {
            code: code.into(),
            decimals,
            minimum: minimum.map(str::to_owned),
            maximum: Some("1000".into()),
        };
        Description {
            name: "acme".into(),
            test_money: false,
            currencies: vec![currency("USD", 2, Some("0.30")), currency("TWD", 0, None)],
            refunds: Refunds::Partial,
            cancels: true,
            webhooks: true,
            key_window_s: u32::MAX,
            late_window_s: 60,
            lifetime_max_s: 3600,
        }
    }

    fn terms(change: impl FnOnce(&mut Description)) -> Result<Terms, String> {
        let mut said = description();
        change(&mut said);
        Terms::of(said, Duration::from_secs(1))
    }

    #[test]
    fn a_price_is_charged_exactly_or_not_at_all() {
        let terms = terms(|_| ()).unwrap();
        let told = |amount: &str, currency: &str| {
            let charged = terms.chargeable(&Money::parse(amount, currency).unwrap());
            charged.err().map(|why| why.to_string()).unwrap_or_default()
        };
        assert_eq!(told("0.30", "USD"), "");
        assert_eq!(told("1000", "TWD"), "");
        assert!(
            told("0.305", "USD").contains("decimals"),
            "{}",
            told("0.305", "USD")
        );
        // ISO gives it two decimals, the provider none.
        assert!(
            told("1.50", "TWD").contains("decimals"),
            "{}",
            told("1.50", "TWD")
        );
        assert!(told("0.29", "USD").contains("less than the smallest charge of acme"));
        assert!(told("0", "TWD").contains("less than"));
        assert!(told("1000.01", "USD").contains("more than the largest charge of acme"));
        assert_eq!(told("1", "EUR"), "acme does not charge in EUR");
    }

    #[test]
    fn what_cannot_be_kept_to_is_refused() {
        type Change = fn(&mut Description);
        let wrong: [(Change, &str); 8] = [
            (|d| d.name = "Acme".into(), "its name must be"),
            (|d| d.name.clear(), "its name must be"),
            (|d| d.name = "sandbox".into(), "the host's own"),
            (|d| d.currencies.clear(), "0 currencies"),
            (|d| d.currencies[0].code = "us".into(), "us"),
            (|d| d.currencies[0].decimals = 10, "decimals"),
            (
                |d| d.currencies[0].minimum = Some("2000".into()),
                "maximum is less",
            ),
            (|d| d.lifetime_max_s = 0, "lifetime-max-s"),
        ];
        for (change, part) in wrong {
            let told = terms(change).unwrap_err();
            assert!(told.contains(part), "{part:?} is not in {told}");
        }
    }

    #[test]
    fn no_key_is_believed_in_for_ever() {
        let window = terms(|_| ()).unwrap().capabilities().key_window;
        assert_eq!(window, Some(KEY_WINDOW_MAX));
        let none = terms(|d| d.key_window_s = 0).unwrap();
        assert_eq!(none.capabilities().key_window, Some(Duration::ZERO));
    }

    #[test]
    fn money_goes_back_as_far_as_the_provider_says() {
        let refund = |amount: &str, received: &str| Refund {
            payment: PaymentRef {
                key: PaymentId::from_random([1; 16]),
                reference: "r".into(),
                price: Money::parse("1", "USD").unwrap(),
                credential: None,
            },
            key: "k".into(),
            amount: amount.parse().unwrap(),
            received: Money::parse(received, "USD").unwrap(),
            reason: "test".into(),
        };
        let with = |refunds| terms(|d| d.refunds = refunds).unwrap();
        let part = refund("0.10", "1");
        assert!(with(Refunds::Partial).refundable(&part).is_ok());
        // Whole is what arrived: more or less than the price as well.
        for received in ["0.60", "1", "1.50"] {
            let whole = refund(received, received);
            assert!(with(Refunds::Full).refundable(&whole).is_ok(), "{received}");
        }
        for (amount, received) in [("0.10", "1"), ("1", "1.50")] {
            let part = with(Refunds::Full).refundable(&refund(amount, received));
            assert!(matches!(part, Err(ProviderError::Refused(_))), "{amount}");
        }
        let none = with(Refunds::None);
        assert!(!none.capabilities().refunds);
        let refused = none.refundable(&refund("1", "1"));
        assert!(matches!(refused, Err(ProviderError::Unsupported { .. })));
    }
}
