//! What a payment page says in each state.

use coinop_core::Millis;
use coinop_core::call::Remedy;
use coinop_core::money::Money;
use coinop_core::principal::{Principal, PrincipalKind};

use super::document::Document;
use super::notice::{CROSS, sign};
use super::text::{moment, name, until};
use super::{guard, qr};
use crate::clock::rfc3339;
use crate::gate::{PageState, PageView};

/// Longest amount in the largest letters.
const AMOUNT_CHARS_MAX: usize = 9;
/// How often a page that waits for a provider's word asks again, seconds.
const WAIT_REFRESH_S: u64 = 15;
/// The same, when the payer has just come back from the provider.
const RETURN_REFRESH_S: u64 = 5;

/// A payment to be shown.
pub(super) struct Showing<'a> {
    pub view: &'a PageView,
    /// The link's token, as parsed.
    pub link: &'a str,
    /// Where the world sees the pages.
    pub base: &'a str,
    pub now: Millis,
    /// Whether the payer comes back from the provider's page.
    pub returned: bool,
}

/// The page of a payment.
pub(super) fn page(showing: &Showing<'_>) -> String {
    let view = showing.view;
    let title = title(view);
    let (refresh_s, body) = match view.state {
        PageState::Open => (refresh_s(showing), open(showing)),
        ended => (None, ended_body(view, ended)),
    };
    Document {
        title,
        refresh_s,
        test: view.test,
        body,
    }
    .html()
}

fn title(view: &PageView) -> String {
    let tool = name(&view.tool);
    let what = match view.state {
        PageState::Open => return format!("Pay {} for {tool} · coinop", view.due),
        PageState::Paid if view.authorizes => "Reserved",
        PageState::Paid => "Paid",
        PageState::Declined => "Declined",
        PageState::Expired => "Expired",
        PageState::Refunded | PageState::Returned => "Returned",
        PageState::Credited => "Credited",
        PageState::Attention => "Being looked into",
    };
    format!("{what}: {tool} · coinop")
}

/// A page the payer decides on stays still until it expires; one that waits for a provider's word asks for it.
fn refresh_s(showing: &Showing<'_>) -> Option<u64> {
    let left = u64::try_from(showing.view.expires_at - showing.now).unwrap_or(0) / 1000 + 1;
    Some(match (showing.view.pays_here, showing.returned) {
        (true, _) => left,
        (false, true) => RETURN_REFRESH_S.min(left),
        (false, false) => WAIT_REFRESH_S.min(left),
    })
}

fn open(showing: &Showing<'_>) -> String {
    let view = showing.view;
    let amount = view.due.decimal();
    let class = if amount.len() > AMOUNT_CHARS_MAX {
        "amount long"
    } else {
        "amount"
    };
    let price = format!(
        "<span class=\"price\"><span class=\"{class}\">{amount}</span> {}</span>",
        view.due.currency
    );
    let heading = format!(
        "<h1><span class=\"over\">Payment request</span> {price} <span class=\"for\">for one call of <bdi>{}</bdi></span></h1>",
        name(&view.tool)
    );
    format!(
        "<div class=\"ticket\">\n<section>\n{heading}\n{}\n{}\n<p class=\"fine\">{}{}</p>\n</section>\n{}</div>",
        facts(view, Some(showing.now)),
        actions(showing),
        whose(view),
        promise(view),
        code(showing),
    )
}

fn actions(showing: &Showing<'_>) -> String {
    let (view, link) = (showing.view, showing.link);
    if view.pays_here {
        let verb = if view.authorizes { "Reserve" } else { "Pay" };
        // Relative, so that the forms hold behind any proxy's prefix.
        return format!(
            "<div class=\"actions\">\n\
             <form method=\"post\" action=\"{link}/pay\"><button class=\"primary\">{verb} {}</button></form>\n\
             <form method=\"post\" action=\"{link}/decline\"><button>Decline</button></form>\n</div>",
            view.due
        );
    }
    let Some((url, site)) = view.provider_url.as_deref().and_then(web_address) else {
        return "<p class=\"wait\" role=\"status\">The payment is being prepared. This page looks again by itself.</p>"
            .to_owned();
    };
    let waiting = if showing.returned {
        format!(
            "<p class=\"wait\" role=\"status\">Waiting for word from {}. This page looks again by itself.</p>\n",
            name(&view.provider)
        )
    } else {
        String::new()
    };
    format!(
        "{waiting}<div class=\"actions\">\n<a class=\"button primary\" rel=\"noopener noreferrer\" href=\"{url}\">Pay {}</a>\n</div>\n\
         <p class=\"hint\">You pay at <bdi>{site}</bdi> and come back here.</p>",
        view.due
    )
}

/// A provider's page for HTML: its address and its site, both escaped. Only the web's own schemes become a link.
fn web_address(url: &str) -> Option<(String, String)> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let site = guard::authority(url).filter(|_| web)?;
    Some((super::text::escape(url).into_owned(), name(&site)))
}

/// Who asked, in words for a payer: nothing of it is a secret. `None` for nobody in particular.
fn payer(view: &PageView) -> Option<String> {
    let Principal {
        kind,
        issuer,
        subject,
    } = view.payer.as_ref()?;
    let named = |theirs: &str| format!("<bdi>{}</bdi>", name(theirs));
    Some(match kind {
        PrincipalKind::Local => "the user of this machine".to_owned(),
        PrincipalKind::ApiKey => format!("API key {}", named(subject)),
        PrincipalKind::Token => format!("{}, known to {}", named(subject), named(issuer)),
        PrincipalKind::Wallet => format!("wallet {}", named(subject)),
        PrincipalKind::Anonymous => return None,
    })
}

/// Whoever was sent the link by somebody else should know whose call they pay.
fn whose(view: &PageView) -> String {
    payer(view).map_or_else(String::new, |payer| {
        format!("This pays a call of {payer} and nobody else’s. ")
    })
}

fn promise(view: &PageView) -> &'static str {
    if view.authorizes {
        "The price is reserved now and taken only once the tool has delivered."
    } else {
        match view.on_failure {
            Some(Remedy::Refund) => {
                "One payment buys one call. If it does not deliver, the money goes back."
            }
            Some(Remedy::Credit) => {
                "One payment buys one call. If it does not deliver, the amount becomes a balance that the next calls are \
                 paid from."
            }
            None => "One payment buys one call. If it does not deliver, the seller sees to it.",
        }
    }
}

fn code(showing: &Showing<'_>) -> String {
    let address = format!("{}/pay/{}", showing.base, showing.link);
    let Some(svg) = qr::svg(&address) else {
        return String::new();
    };
    let caption = if guard::stays_here(showing.base) {
        "This page’s address. It opens on this computer only."
    } else {
        "Scan to pay on your phone"
    };
    format!("<figure>{svg}<figcaption>{caption}</figcaption></figure>\n")
}

/// The facts that the heading does not tell; the expiry while there is time left.
fn facts(view: &PageView, now: Option<Millis>) -> String {
    let row = |term: &str, value: &str| format!("<div><dt>{term}</dt><dd>{value}</dd></div>\n");
    let named = |theirs: &str| format!("<bdi>{}</bdi>", name(theirs));
    let mut rows = row("Plugin", &named(&view.plugin));
    if let Some(payer) = payer(view) {
        rows += &row("Asked by", &payer);
    }
    match now {
        None => {
            rows = row("Tool", &named(&view.tool)) + &rows + &row("Price", &price(view));
            if view.refunded.amount.is_positive() {
                rows += &row("Sent back", &view.refunded.to_string());
            }
        }
        Some(now) => {
            if view.due != view.price {
                rows += &row("Price", &price(view));
            }
            rows += &row(
                "Expires",
                &format!(
                    "{} <span class=\"soft\"><time datetime=\"{}\">{}</time></span>",
                    until(now, view.expires_at),
                    rfc3339(view.expires_at),
                    moment(view.expires_at)
                ),
            );
        }
    }
    rows += &row("Paid through", &named(&view.provider));
    format!("<dl>\n{rows}</dl>")
}

/// The price, and what of it is paid already.
fn price(view: &PageView) -> String {
    let paid = view.price.amount.checked_sub(view.due.amount);
    match paid.filter(|amount| amount.is_positive()) {
        None => view.price.to_string(),
        Some(amount) => {
            let paid = Money {
                amount,
                ..view.price
            };
            format!("{}, {paid} of it from the balance", view.price)
        }
    }
}

const TICK: &str = "M7 12.5l3.4 3.4L17.2 9";
const HANDS: &str = "M12 6.5V12l3.6 2.6";
const BACK: &str = "M7 11h7.5a3 3 0 0 1 0 6H11M10 7.8L6.8 11l3.2 3.2";

fn ended_body(view: &PageView, state: PageState) -> String {
    let (class, drawing, heading, text) = match state {
        PageState::Paid if view.authorizes => (
            "good",
            TICK,
            "Reserved",
            "You can close this page and go back to your assistant. The price is taken once the tool has delivered.",
        ),
        PageState::Open | PageState::Paid => (
            "good",
            TICK,
            "Paid",
            "Thank you. You can close this page and go back to your assistant.",
        ),
        PageState::Declined => (
            "calm",
            CROSS,
            "Declined",
            "Nothing was charged. If you change your mind, ask your assistant to call the tool again.",
        ),
        PageState::Expired if !view.pays_here => (
            "calm",
            HANDS,
            "Expired",
            "This link can no longer be paid. If you have paid all the same, the money goes back.",
        ),
        PageState::Expired => (
            "calm",
            HANDS,
            "Expired",
            "Nothing was charged. Ask your assistant to call the tool again for a new link.",
        ),
        PageState::Refunded => (
            "calm",
            BACK,
            "Returned",
            "The call was delivered, and the seller sent the money back.",
        ),
        PageState::Returned => (
            "calm",
            BACK,
            "Returned",
            "The call did not deliver, so the money has gone back or is on its way.",
        ),
        PageState::Credited => (
            "calm",
            BACK,
            "Credited",
            "The call did not deliver, so the amount is a balance now. The next calls are paid from it first.",
        ),
        PageState::Attention => (
            "calm",
            HANDS,
            "Being looked into",
            "The call did not deliver, and the payment needs a person. The seller has been told; nothing is lost.",
        ),
    };
    format!(
        "{}\n{}",
        sign(class, drawing, heading, text),
        facts(view, None)
    )
}
