//! What a provider promises that asks a service of its own: whatever the service does, a payment is made once.

use coinop::provider::{NotChargeable, ProviderError, Standing};
use coinop_core::money::Money;

use super::failures::is_open;
use super::{Act, Till, made, price, request, status};

/// What such a service does beyond what every provider's world does.
pub trait Service: Till {
    /// Lets the next creation fail.
    fn fail_creation(&self, how: Creation);

    /// Payments that were really made under a key.
    fn made_under(&self, key: &str) -> usize;

    /// A payer pays something else than the price.
    fn pay_other(&self, reference: &str, money: &Money);

    /// A payment comes to another end, in the service's own words.
    fn end(&self, reference: &str, status: &str);
}

/// How a creation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// With an error, before it was made.
    Before,
    /// With an error, once it was made.
    After,
    /// With half an answer, once it was made.
    Cut,
    /// The service asks to wait.
    Busy,
}

/// Payers are sent to it.
pub async fn a_payment_has_a_link(service: &dyn Service) {
    let account = service.account();
    assert_eq!(account.create_offline(&request(1)), None);
    let made = account.create(&request(1)).await.unwrap();
    let url = made.url.unwrap();
    assert!(url.starts_with("http"), "{url}");
    assert!(!account.capabilities().pays_on_host_page);
}

/// For a host that comes back when the key no longer holds.
pub async fn a_payment_is_found_by_its_key(service: &dyn Service) {
    let account = service.account();
    assert_eq!(account.lookup(&request(1)).await.unwrap(), None);
    let made = account.create(&request(1)).await.unwrap();
    assert_eq!(account.lookup(&request(1)).await.unwrap(), Some(made));
    assert_eq!(account.lookup(&request(2)).await.unwrap(), None);
}

/// Not a refusal, which would end the call.
pub async fn a_creation_that_failed_before_its_effect_is_made_once(service: &dyn Service) {
    fails_and_is_made_once(service, Creation::Before).await;
}

/// Unknown, then the same payment.
pub async fn a_creation_whose_answer_was_lost_is_made_once(service: &dyn Service) {
    fails_and_is_made_once(service, Creation::After).await;
}

/// Likewise.
pub async fn a_creation_whose_answer_is_cut_is_made_once(service: &dyn Service) {
    fails_and_is_made_once(service, Creation::Cut).await;
}

async fn fails_and_is_made_once(service: &dyn Service, how: Creation) {
    service.fail_creation(how);
    let failed = service.account().create(&request(1)).await;
    assert!(
        matches!(failed, Err(ProviderError::Unreachable(_))),
        "{failed:?}"
    );
    let made = service.account().create(&request(1)).await.unwrap();
    let again = service.account().create(&request(1)).await.unwrap();
    assert_eq!(made, again);
    assert_eq!(service.made_under(request(1).key.as_str()), 1);
}

/// It said so itself.
pub async fn a_busy_service_did_nothing(service: &dyn Service) {
    service.fail_creation(Creation::Busy);
    let busy = service.account().create(&request(1)).await;
    assert!(matches!(busy, Err(ProviderError::Busy(_))), "{busy:?}");
    assert_eq!(service.made_under(request(1).key.as_str()), 0);
}

/// The host compares, not the provider.
pub async fn a_payment_of_another_amount_is_told_as_it_came(service: &dyn Service) {
    let payment = made(service, 1).await;
    let other = Money::parse("0.98", "USD").unwrap();
    service.pay_other(&payment.reference, &other);
    assert_eq!(status(service, &payment).await, Standing::Paid(other));
}

/// And says why.
pub async fn an_expired_payment_takes_no_money(service: &dyn Service) {
    let payment = made(service, 1).await;
    service.end(&payment.reference, "expired");
    assert_eq!(status(service, &payment).await, Standing::Expired);
    service.act(&payment, Act::Pay).await;
    assert_eq!(status(service, &payment).await, Standing::Expired);
}

/// Unknown means pending, never paid.
pub async fn a_standing_that_is_not_understood_is_pending(service: &dyn Service) {
    let payment = made(service, 1).await;
    service.end(&payment.reference, "in_review");
    assert_eq!(status(service, &payment).await, Standing::Pending);
}

/// Something was done under the key before.
pub async fn a_key_with_another_request_is_never_a_refusal(service: &dyn Service) {
    made(service, 1).await;
    let mut other = request(1);
    other.price = Money::parse("5.00", "USD").unwrap();
    let conflict = service.account().create(&other).await;
    assert!(is_open(&conflict), "{conflict:?}");
    assert_eq!(service.made_under(request(1).key.as_str()), 1);
}

/// Before anybody sees it; never rounded.
pub async fn a_price_it_cannot_count_is_not_charged(service: &dyn Service) {
    let account = service.account();
    assert_eq!(account.chargeable(&price()), Ok(()));
    let fine = Money::parse("0.995", "USD").unwrap();
    let refused = account.chargeable(&fine);
    assert!(
        matches!(refused, Err(NotChargeable::Money(_))),
        "{refused:?}"
    );
    let foreign = Money::parse("1", "XTS").unwrap();
    let refused = account.chargeable(&foreign);
    assert!(
        matches!(refused, Err(NotChargeable::Currency { .. })),
        "{refused:?}"
    );
}
