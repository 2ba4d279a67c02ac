//! A payment provider that misbehaves as its setting `behaviour` says, whatever it is asked. `tests/tests/rogue_provider.rs`
//! says how each must end.

use std::hint::black_box;

wit_bindgen::generate!({
    path: ["../../../wit", "../../../wit/provider"],
    world: "coinop:provider/provider",
    generate_all,
});

use coinop::provider::provider_types::{
    ChargeableCurrency, CreatedPayment, Failure, Money, NewPayment, NewRefund, PaymentReference,
    ProviderDescription, RefundStanding, RefundSupport, Standing, Webhook, WebhookNotice,
    WebhookRefusal,
};
use exports::coinop::provider::payments::Guest;
use wasi::config::store;
use wasi::http::outgoing_handler;
use wasi::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};

struct Rogue;
export!(Rogue);

fn setting(name: &str) -> String {
    store::get(name).ok().flatten().unwrap_or_default()
}

/// Does what ends no question well.
fn misbehave() {
    match setting("behaviour").as_str() {
        "panic" => panic!("the key is {}", setting("key")),
        "exit" => std::process::exit(0),
        "spin" => spin(),
        "overflow" => drop(descend(1)),
        "allocate" => drop(black_box(vec![1_u8; 1 << 30])),
        _ => {}
    }
}

fn spin() {
    let mut n = 0_u64;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

#[allow(unconditional_recursion)]
fn descend(n: u64) -> u64 {
    black_box(descend(black_box(n + 1)) + 1)
}

/// What a request to the setting `url` comes to.
fn reach() -> String {
    let url = setting("url");
    let authority = url.trim_start_matches("http://").to_owned();
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request.set_authority(Some(&authority)).unwrap();
    request.set_path_with_query(Some("/v1/reached")).unwrap();
    let answer = match outgoing_handler::handle(request, None) {
        Ok(answer) => answer,
        Err(ErrorCode::HttpRequestDenied) => return "denied".to_owned(),
        Err(error) => return format!("{error:?}"),
    };
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(_))) => "reached".to_owned(),
        Some(Ok(Err(ErrorCode::HttpRequestDenied))) => "denied".to_owned(),
        other => format!("{other:?}"),
    }
}

impl Guest for Rogue {
    fn describe() -> Result<ProviderDescription, String> {
        let behaviour = setting("behaviour");
        match behaviour.as_str() {
            "describe-panic" => panic!("the key is {}", setting("key")),
            "describe-reach" => return Err(reach()),
            "describe-leak" => return Err(format!("{} is no key", setting("key"))),
            _ => {}
        }
        Ok(ProviderDescription {
            name: match behaviour.as_str() {
                "describe-name" => "sandbox".to_owned(),
                _ => "rogue".to_owned(),
            },
            test_money: true,
            currencies: vec![ChargeableCurrency {
                code: "USD".to_owned(),
                decimals: 2,
                minimum: None,
                maximum: None,
            }],
            refunds: RefundSupport::Full,
            cancels: false,
            webhooks: true,
            key_window_s: u32::MAX,
            late_window_s: 0,
            lifetime_max_s: 3600,
            meta: None,
        })
    }

    fn create(_payment: NewPayment) -> Result<CreatedPayment, Failure> {
        misbehave();
        let behaviour = setting("behaviour");
        if behaviour == "leak" {
            return Err(Failure::UnknownOutcome(format!(
                "401 for {}",
                setting("key")
            )));
        }
        Ok(CreatedPayment {
            reference: match behaviour.as_str() {
                "bad-reference" => "a b".to_owned(),
                "big" => "x".repeat(4 << 20),
                _ => "r".to_owned(),
            },
            url: match behaviour.as_str() {
                "bad-link" => "http://pay.example.com/".to_owned(),
                "script-link" => "javascript:alert(1)".to_owned(),
                _ => "https://pay.example.com/".to_owned(),
            },
        })
    }

    fn find(_key: String) -> Result<Option<CreatedPayment>, Failure> {
        misbehave();
        Ok(None)
    }

    fn status(_payment: PaymentReference) -> Result<Standing, Failure> {
        misbehave();
        Ok(match setting("behaviour").as_str() {
            "nonsense" => Standing::Paid(Money {
                amount: "1e3".to_owned(),
                currency: "USD".to_owned(),
            }),
            "other" => Standing::Other("paid".to_owned()),
            _ => Standing::Pending,
        })
    }

    fn cancel(_payment: PaymentReference) -> Result<Standing, Failure> {
        panic!("it said that it cannot")
    }

    fn refund(_refund: NewRefund) -> Result<RefundStanding, Failure> {
        misbehave();
        Ok(RefundStanding::Done)
    }

    fn refund_status(_refund: NewRefund) -> Result<Option<RefundStanding>, Failure> {
        misbehave();
        Ok(None)
    }

    fn verify_webhook(_webhook: Webhook) -> Result<WebhookNotice, WebhookRefusal> {
        misbehave();
        Err(WebhookRefusal::Unavailable(reach()))
    }
}
