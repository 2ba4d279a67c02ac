//! The listing as MCP clients see it: a snapshot's tools in their stable order, built once a revision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use coinop_core::mode::{CONFIRM_PAYMENT, PAYMENT_ID_ARGUMENT};
use coinop_core::price::Price;
use rmcp::model::{MetaObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::{META_MODE, META_PRICE, guest_meta};
use crate::catalog::{Entry, Listing, SharedMoney, Snapshot};

/// A revision's tools, sorted by name.
pub struct Published {
    revision: u64,
    tools: Vec<Tool>,
    /// Of each tool that takes turns, by its place: of which tool, and whether it is there while that has an open call.
    turns: BTreeMap<usize, Turn>,
}

/// When a tool that takes turns is in a list.
struct Turn {
    of: String,
    while_open: bool,
}

impl Turn {
    fn of(entry: &Entry) -> Option<Self> {
        let listing = entry.listing().filter(|listing| listing.takes_turns())?;
        Some(Self {
            of: listing.name.clone(),
            while_open: matches!(entry, Entry::Confirm(_)),
        })
    }
}

impl Published {
    /// Translates a snapshot. Its map is sorted, and so are the tools.
    pub fn of(snapshot: &Snapshot) -> Self {
        let money = snapshot.shared_money();
        let tools = snapshot.tools.iter();
        let tools = tools.map(|(name, entry)| tool(name, entry, money));
        let turns = snapshot.tools.values().map(Turn::of).enumerate();
        Self {
            revision: snapshot.revision,
            tools: tools.collect(),
            turns: turns.filter_map(|(at, turn)| Some((at, turn?))).collect(),
        }
    }

    /// Every tool, sorted by name.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// Whether the list depends on who reads it.
    pub fn takes_turns(&self) -> bool {
        !self.turns.is_empty()
    }

    /// The list of a viewer with open calls of `open`: there, confirm tools stand in their tools' place.
    pub fn with_open(&self, open: &BTreeSet<String>) -> Vec<Tool> {
        let is_there = |at: &usize| match self.turns.get(at) {
            Some(turn) => turn.while_open == open.contains(&turn.of),
            None => true,
        };
        let tools = self.tools.iter().enumerate();
        let there = tools.filter(|(at, _)| is_there(at));
        there.map(|(_, tool)| tool.clone()).collect()
    }

    /// The tool of that published name.
    pub fn find(&self, name: &str) -> Option<&Tool> {
        let index = self
            .tools
            .binary_search_by(|tool| tool.name.as_ref().cmp(name));
        index.ok().map(|index| &self.tools[index])
    }
}

/// The latest [`Published`], rebuilt when a snapshot of another revision comes by.
pub struct Cache(ArcSwap<Published>);

impl Default for Cache {
    fn default() -> Self {
        Self(ArcSwap::from_pointee(Published::of(&Snapshot::default())))
    }
}

impl Cache {
    /// The tools of `snapshot`, translated now if they were not.
    pub fn of(&self, snapshot: &Snapshot) -> Arc<Published> {
        let cached = self.0.load_full();
        if cached.revision == snapshot.revision {
            return cached;
        }
        let fresh = Arc::new(Published::of(snapshot));
        // Two snapshots may race here; the newer one must stay, the older is only for this caller.
        self.0.rcu(|current| {
            if current.revision < fresh.revision {
                fresh.clone()
            } else {
                current.clone()
            }
        });
        fresh
    }
}

fn tool(name: &str, entry: &Entry, money: SharedMoney) -> Tool {
    match entry {
        Entry::Tool(listing) => listed(name, listing),
        Entry::Confirm(listing) => confirm(name, listing),
        Entry::ConfirmPayment => confirm_payment(money),
    }
}

fn listed(name: &str, listing: &Listing) -> Tool {
    let mut tool = Tool::new(
        name.to_owned(),
        listing.description.clone(),
        listing.input_schema.clone(),
    );
    tool.title.clone_from(&listing.tool.title);
    tool.output_schema.clone_from(&listing.output_schema);
    tool.annotations = Some(annotations(listing, listing.tool.annotations.idempotent));
    let mut meta = guest_meta(listing.tool.meta.as_deref());
    meta.insert(META_PRICE.to_owned(), price(&listing.price));
    if listing.price != Price::Free {
        meta.insert(META_MODE.to_owned(), json!(listing.mode.name()));
    }
    meta.extend(wallet_hints(listing));
    tool.meta = Some(MetaObject(meta));
    tool
}

/// By what wallets recognise a tool that they can pay: `agents-x402/…` is Cloudflare's, the bare words are MCPay's and
/// Vercel's. They read those from the annotations, for which rmcp has no room.
fn wallet_hints(listing: &Listing) -> Vec<(String, Value)> {
    let Price::PerCall(price) = listing.price else {
        return Vec::new();
    };
    if !listing.takes_payments() {
        return Vec::new();
    }
    let mut hints = vec![
        ("agents-x402/paymentRequired".to_owned(), json!(true)),
        ("paymentHint".to_owned(), json!(true)),
    ];
    if price.currency.to_string() == "USD" {
        let usd = price.decimal();
        // Shown to people, and to spending limits that are no books: the amount that is paid is in the challenge.
        let number: Option<f64> = usd.parse().ok();
        hints.push(("agents-x402/priceUSD".to_owned(), json!(number)));
        hints.push(("paymentPriceUSD".to_owned(), json!(usd)));
    }
    hints
}

/// The tool that redeems a payment for `listing`. It takes the payment's id and nothing else: the arguments that run
/// are the ones that were paid for.
fn confirm(name: &str, listing: &Listing) -> Tool {
    let target = &listing.name;
    let description = format!(
        "Returns the result of {target} once its payment is made. Takes the payment_id that {target} returned; \
         the arguments are those of that call. Costs nothing itself. While the payment is open it answers with its \
         status and link. May be called again: the result is the same and is not charged twice."
    );
    let mut tool = Tool::new(name.to_owned(), description, confirm_input(target));
    tool.title = Some(match &listing.tool.title {
        Some(title) => format!("{title}: get the paid result"),
        None => format!("Get the paid result of {target}"),
    });
    tool.output_schema.clone_from(&listing.output_schema);
    tool.annotations = Some(annotations(listing, Some(true)));
    let meta = BTreeMap::from([
        (META_PRICE.to_owned(), price(&Price::Free)),
        (META_MODE.to_owned(), json!(listing.mode.name())),
    ]);
    tool.meta = Some(MetaObject(meta.into_iter().collect()));
    tool
}

/// The one tool that redeems every payment. It has no output schema of its own: results are those of many tools.
fn confirm_payment(money: SharedMoney) -> Tool {
    let mark = match money {
        SharedMoney::Real => "",
        SharedMoney::Mixed => " Payments of tools marked TEST move no real money.",
        SharedMoney::Test => " TEST: no real money moves.",
    };
    let description = "Returns the result of a paid call once its payment is made. Takes the payment_id that the paid \
         tool returned; the tool and its arguments are those of that call. Costs nothing itself. While the payment is \
         open it answers with its status and link. May be called again: the result is the same and is not charged twice.";
    let input = confirm_input("the paid tool");
    let mut tool = Tool::new(CONFIRM_PAYMENT, format!("{description}{mark}"), input);
    tool.title = Some("Get a paid result".to_owned());
    tool.annotations = Some(ToolAnnotations::new().idempotent(true));
    let meta = Map::from_iter([(META_PRICE.to_owned(), price(&Price::Free))]);
    tool.meta = Some(MetaObject(meta));
    tool
}

fn confirm_input(target: &str) -> Map<String, Value> {
    let id =
        json!({"type": "string", "description": format!("The payment_id that {target} returned.")});
    Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), json!({PAYMENT_ID_ARGUMENT: id})),
        ("required".to_owned(), json!([PAYMENT_ID_ARGUMENT])),
        ("additionalProperties".to_owned(), json!(false)),
    ])
}

fn annotations(listing: &Listing, idempotent: Option<bool>) -> ToolAnnotations {
    let hints = listing.tool.annotations;
    ToolAnnotations::from_raw(
        listing.tool.title.clone(),
        hints.read_only,
        hints.destructive,
        idempotent,
        hints.open_world,
    )
}

fn price(price: &Price) -> Value {
    match price {
        Price::Free => json!({"kind": "free"}),
        Price::PerCall(money) => json!({
            "kind": "per_call",
            "amount": money.decimal(),
            "currency": money.currency,
        }),
    }
}

#[cfg(test)]
mod tests {
    use coinop_core::mode::Surface;

    use super::*;
    use crate::server::testing::{listing, snapshot};

    #[test]
    fn tools_are_sorted_and_priced() {
        let published = Published::of(&snapshot(1, &[("b_tool", None), ("a_tool", Some("0.50"))]));
        let names: Vec<_> = published
            .tools()
            .iter()
            .map(|tool| tool.name.as_ref())
            .collect();
        assert_eq!(names, ["a_tool", "b_tool", "confirm_a_tool"]);
        let meta = |name: &str| published.find(name).unwrap().meta.clone().unwrap().0;
        assert_eq!(
            meta("a_tool")[META_PRICE],
            json!({"kind": "per_call", "amount": "0.50", "currency": "USD"})
        );
        assert_eq!(meta("a_tool")[META_MODE], "two_step");
        assert_eq!(meta("b_tool")[META_PRICE], json!({"kind": "free"}));
        assert!(!meta("b_tool").contains_key(META_MODE));
        assert!(published.find("c_tool").is_none());
    }

    #[test]
    fn a_confirm_tool_takes_the_id_and_answers_like_its_tool() {
        let published = Published::of(&snapshot(1, &[("a_tool", Some("0.50"))]));
        let tool = published.find("a_tool").unwrap();
        let confirm = published.find("confirm_a_tool").unwrap();
        assert_eq!(confirm.output_schema, tool.output_schema);
        assert_eq!(confirm.input_schema["required"], json!(["payment_id"]));
        assert_eq!(
            confirm.annotations.as_ref().unwrap().idempotent_hint,
            Some(true)
        );
    }

    #[test]
    fn a_tool_and_its_confirm_tool_take_turns() {
        let mut snapshot = snapshot(1, &[("a_tool", Some("0.50")), ("b_tool", Some("0.50"))]);
        let mut turning = listing("a_tool", Some("0.50"));
        turning.surface = Surface::TakesTurns;
        let turning = Arc::new(turning);
        let tools = &mut snapshot.tools;
        tools.insert("a_tool".to_owned(), Entry::Tool(turning.clone()));
        tools.insert("confirm_a_tool".to_owned(), Entry::Confirm(turning));
        let published = Published::of(&snapshot);
        assert!(published.takes_turns());
        let seen = |open: &[&str]| -> Vec<String> {
            let open = open.iter().map(|name| (*name).to_owned()).collect();
            let tools = published.with_open(&open).into_iter();
            tools.map(|tool| tool.name.into_owned()).collect()
        };
        assert_eq!(seen(&[]), ["a_tool", "b_tool", "confirm_b_tool"]);
        assert_eq!(
            seen(&["a_tool", "b_tool", "gone"]),
            ["b_tool", "confirm_a_tool", "confirm_b_tool"]
        );
    }

    #[test]
    fn the_one_confirm_tool_says_whose_money_it_moves() {
        let said = |money| confirm_payment(money).description.unwrap().into_owned();
        assert!(said(SharedMoney::Test).ends_with("TEST: no real money moves."));
        assert!(said(SharedMoney::Mixed).contains("marked TEST"));
        assert!(!said(SharedMoney::Real).contains("TEST"));
    }

    #[test]
    fn a_plugin_cannot_speak_in_the_hosts_name() {
        let mut paid = listing("a_tool", Some("0.50"));
        paid.tool.meta = Some(r#"{"coinop/price":{"kind":"free"},"shop/shelf":3}"#.to_owned());
        let meta = tool("a_tool", &Entry::Tool(Arc::new(paid)), SharedMoney::Real)
            .meta
            .unwrap()
            .0;
        assert_eq!(meta[META_PRICE]["kind"], "per_call");
        assert_eq!(meta["shop/shelf"], 3);
    }

    #[test]
    fn wallets_recognise_what_they_can_pay() {
        let meta = |listing| {
            tool("a_tool", &Entry::Tool(Arc::new(listing)), SharedMoney::Real)
                .meta
                .unwrap()
        };
        let by_link = listing("a_tool", Some("0.50"));
        let free = Listing {
            accepts: vec!["wallets".to_owned()],
            ..listing("a_tool", None)
        };
        for listing in [by_link, free] {
            let meta = meta(listing).0;
            assert!(!meta.contains_key("paymentHint"), "{meta:?}");
            assert!(
                !meta.contains_key("agents-x402/paymentRequired"),
                "{meta:?}"
            );
        }
        let mut paid = listing("a_tool", Some("0.50"));
        paid.accepts = vec!["wallets".to_owned()];
        paid.tool.meta = Some(r#"{"agents-x402/priceUSD":0.01}"#.to_owned());
        let hinted = meta(paid).0;
        assert_eq!(hinted["agents-x402/paymentRequired"], true);
        assert_eq!(hinted["agents-x402/priceUSD"], 0.5);
        assert_eq!(hinted["paymentPriceUSD"], "0.50");

        let mut other = listing("a_tool", Some("0.50"));
        other.mode = coinop_core::mode::by_name("x402").unwrap();
        other.price = Price::PerCall(coinop_core::money::Money::parse("1", "EUR").unwrap());
        let hinted = meta(other).0;
        assert_eq!(hinted["paymentHint"], true);
        assert!(!hinted.contains_key("agents-x402/priceUSD"));
    }

    #[test]
    fn the_cache_follows_the_revision_and_never_goes_back() {
        let cache = Cache::default();
        let (old, new) = (snapshot(1, &[("a", None)]), snapshot(2, &[("b", None)]));
        assert_eq!(cache.of(&new).tools()[0].name, "b");
        assert_eq!(cache.of(&old).tools()[0].name, "a");
        assert!(Arc::ptr_eq(&cache.of(&new), &cache.of(&new)));
    }
}
