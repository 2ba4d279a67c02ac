//! Serves the payment pages in every state over pretended payments, to look at them while changing their style:
//! `cargo run --example pay_pages`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use coinop::clock::{Clock as _, SystemClock};
use coinop::gate::{Cashier, PageState, PageView};
use coinop::ledger::LedgerError;
use coinop::provider::Decision;
use coinop::server::pay::{PaySettings, router};
use coinop_core::call::Remedy;
use coinop_core::ids::LinkToken;
use coinop_core::money::Money;
use coinop_core::principal::Principal;
use futures::FutureExt as _;
use futures::future::BoxFuture;

/// Pages by their links; one link gives an error.
struct Till {
    pages: Mutex<BTreeMap<LinkToken, PageView>>,
    broken: LinkToken,
}

impl Cashier for Till {
    fn page(&self, link: LinkToken) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>> {
        async move {
            if link == self.broken {
                return Err(LedgerError::Unavailable("as asked".into()));
            }
            let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(pages.get(&link).cloned())
        }
        .boxed()
    }

    fn decide(
        &self,
        link: LinkToken,
        decision: Decision,
    ) -> BoxFuture<'_, Result<Option<PageView>, LedgerError>> {
        async move {
            let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(pages.get_mut(&link).map(|view| {
                view.state = match decision {
                    Decision::Pay => PageState::Paid,
                    Decision::Decline => PageState::Declined,
                };
                view.clone()
            }))
        }
        .boxed()
    }
}

fn cases() -> anyhow::Result<Vec<(&'static str, PageView)>> {
    let open = PageView {
        tool: "get_forecast".into(),
        plugin: "weather".into(),
        payer: Some(Principal::api_key("ada")),
        price: Money::parse("0.003", "USD")?,
        due: Money::parse("0.003", "USD")?,
        refunded: Money::parse("0", "USD")?,
        provider: "sandbox".into(),
        provider_url: None,
        expires_at: SystemClock.now() + 15 * 60_000,
        test: true,
        pays_here: true,
        authorizes: false,
        on_failure: Some(Remedy::Refund),
        state: PageState::Open,
    };
    let theirs = PageView {
        pays_here: false,
        test: false,
        provider: "stripe".into(),
        provider_url: Some("https://checkout.example.com/c/pay/cs_1".into()),
        price: Money::parse("12.50", "EUR")?,
        due: Money::parse("12.50", "EUR")?,
        ..open.clone()
    };
    let ended = |state| PageView {
        state,
        ..open.clone()
    };
    Ok(vec![
        ("paid", ended(PageState::Paid)),
        ("declined", ended(PageState::Declined)),
        ("expired", ended(PageState::Expired)),
        ("refunded", ended(PageState::Refunded)),
        ("returned", ended(PageState::Returned)),
        ("credited", ended(PageState::Credited)),
        ("attention", ended(PageState::Attention)),
        (
            "balance",
            PageView {
                price: Money::parse("0.005", "USD")?,
                on_failure: Some(Remedy::Credit),
                ..open.clone()
            },
        ),
        (
            "held",
            PageView {
                authorizes: true,
                ..open.clone()
            },
        ),
        (
            "unruly",
            PageView {
                tool: format!("<script>alert(1)</script>{}", "averylongname_".repeat(20)),
                plugin: "\u{202e}gnp.exe & \"friends\"".into(),
                price: Money::parse("999999.123456789", "USDC")?,
                due: Money::parse("999999.123456789", "USDC")?,
                ..open.clone()
            },
        ),
        ("theirs", theirs),
        ("open", open),
    ])
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:7499".into());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let mut pages = BTreeMap::new();
    for (seed, (name, view)) in (1..).zip(cases()?) {
        let link = LinkToken::from_random([seed; 16]);
        eprintln!("{name:10} {base}/pay/{link}");
        pages.insert(link, view);
    }
    let broken = LinkToken::from_random([255; 16]);
    eprintln!("{:10} {base}/pay/{broken}", "broken");
    let till = Till {
        pages: Mutex::new(pages),
        broken,
    };
    let settings = PaySettings {
        public_base: Arc::new(ArcSwap::from_pointee(base)),
    };
    let pages = router(Arc::new(till), Arc::new(SystemClock), settings);
    Ok(axum::serve(listener, pages).await?)
}
