//! The host's word against the chain: what callers were told and what the ledger has, beside where the money is.

use std::process::Stdio;

use serde_json::{Value, json};

use super::sale::{Said, Sale};
use super::shop::{PRICE, Shop};
use crate::books::Books;
use crate::home::Home;
use crate::wait::{until, within};

/// What `coinop payments show` says of the one call of `home` whose payment's reference has `part` in it, such as the payer;
/// `None` when there is none.
pub async fn story(home: &Home, part: &str) -> Option<Value> {
    let calls = Books::of(home).brought(part);
    assert!(calls.len() < 2, "it bought {calls:?}");
    let mut command = home.coinop(&["payments", "show", calls.first()?, "--json", "--state"]);
    command.arg(home.ledger()).stdin(Stdio::null());
    let shown = command.kill_on_drop(true).output();
    let shown = within("coinop payments show", shown).await;
    let shown = shown.expect("coinop starts");
    let told = String::from_utf8_lossy(&shown.stderr);
    Some(serde_json::from_slice(&shown.stdout).unwrap_or_else(|_| panic!("{told}")))
}

/// The ledger of `home` has that call as run once and delivered, and received a cent for it, once.
pub async fn check_taken(home: &Home, part: &str) {
    let story = story(home, part).await.expect("the payment is on record");
    assert_eq!(story["state"], "deliverable", "{story}");
    assert_eq!(story["runs"], 1, "{story}");
    assert_eq!(story["payment"]["state"], "paid", "{story}");
    let price = json!({ "amount": "0.01", "currency": "USD" });
    assert_eq!(story["payment"]["received"], price, "{story}");
    let books = ["clearing", "undelivered", "revenue"].map(|book| total(&story, book));
    assert_eq!(books, [1, 0, -1], "{story}");
}

impl Shop {
    async fn story_of(&self, sale: &Sale) -> Value {
        let story = story(&self.home, &sale.name()).await;
        story.expect("the payment is on record")
    }

    /// Waits until the call that it bought has come to `state` without anybody presenting it: the sweeper's work.
    pub async fn swept(&self, sale: &Sale, state: &str) {
        let what = format!("the sweeper to bring a call to {state}");
        until(&what, async || {
            let story = self.story_of(sale).await;
            (story["state"] == state).then_some(())
        })
        .await;
    }

    /// Waits until the sweeper has looked at the call that it bought and left it as it is.
    pub async fn left_open(&self, sale: &Sale) {
        let story = self.story_of(sale).await;
        let call = story["call"].as_str().expect("a call has an id");
        let looked = |line: &str| {
            let about = line.contains(call) && line.contains("could not be finished yet");
            about.then_some(())
        };
        self.host().log.line("the sweeper to look", looked).await;
        self.check_open(sale).await;
    }

    /// How often the payer's money came to the payee.
    pub async fn moved(&self, sale: &Sale) -> usize {
        self.chain.transfers(&sale.payer(), &self.payee).await
    }

    /// Paid and delivered: however often it is presented, the same answer of one run, for one transfer, which is the
    /// transaction of the receipt; and the ledger has it once.
    pub async fn check_sold(&self, sale: &Sale) {
        let said = self.present(sale).await;
        let (text, transaction) = said.delivered();
        assert!(text.starts_with("ran at "), "{text}");
        assert_eq!(self.present(sale).await, said);
        let posted = self.present_by_http(sale).await;
        assert_eq!(posted.status, 200);
        let result: Value = serde_json::from_slice(&posted.body).expect("JSON");
        assert_eq!(result["content"][0]["text"], text);
        check_taken(&self.home, &sale.name()).await;
        let moved = self
            .chain
            .moved_by(transaction, &sale.payer(), &self.payee)
            .await;
        assert_eq!(moved, [PRICE], "the receipt names the transfer");
        assert_eq!(self.moved(sale).await, 1);
        assert!(self.chain.nonce_ended(&sale.payer(), sale.nonce).await);
    }

    /// Not known yet: the tool has run, and nothing is taken for granted.
    pub async fn check_open(&self, sale: &Sale) {
        self.check_open_after(sale, 1).await;
    }

    /// As [`Self::check_open`], after so many runs.
    pub async fn check_open_after(&self, sale: &Sale, runs: u64) {
        let story = self.story_of(sale).await;
        let state = story["payment"]["state"].as_str();
        let open = matches!(state, Some("settling" | "settle_unknown"));
        assert!(open, "{story}");
        assert_eq!(story["entries"], json!([]), "{story}");
        assert_eq!(story["runs"], runs, "{story}");
    }

    /// As [`Self::check_open`], and so it stays when the payment is presented, in either way: nobody is asked to pay again.
    pub async fn check_stays_open(&self, sale: &Sale) {
        assert_eq!(self.present(sale).await, Said::Running);
        let posted = self.present_by_http(sale).await;
        // Not 402: whoever reads that signs another payment.
        assert_eq!(posted.status, 202, "{}", posted.text());
        assert!(posted.header("payment-required").is_none());
        self.check_open(sale).await;
    }

    /// Unpaid and withheld: no money moved, none is on record, and the answer is kept back.
    pub async fn check_withheld(&self, sale: &Sale, moved_before: usize) {
        let said = self.present(sale).await;
        assert!(matches!(said, Said::Refused(_)), "{said:?}");
        assert_eq!(self.present(sale).await, said);
        let story = self.story_of(sale).await;
        assert_eq!(story["state"], "withheld", "{story}");
        assert_eq!(story["payment"]["state"], "released", "{story}");
        assert_eq!(story["entries"], json!([]), "{story}");
        assert_eq!(story["runs"], 1, "{story}");
        assert_eq!(self.moved(sale).await, moved_before);
    }

    /// The payee has what `sales` came to, and the books balance.
    pub async fn check_till(&self, sales: usize) {
        let held = self.chain.balance(&self.payee).await;
        assert_eq!(held, PRICE * sales as u128);
        let books = Books::of(&self.home);
        assert_eq!(books.imbalances(), 0);
        assert_eq!(books.takings("USD"), sales as i64 * CENT);
    }
}

/// A cent, as the ledger counts.
const CENT: i64 = 10_000_000;

/// What the entries of a book come to, cents.
fn total(story: &Value, book: &str) -> i64 {
    let entries = story["entries"].as_array().into_iter().flatten();
    let of_book = entries.filter(|entry| entry["book"] == book);
    of_book
        .map(|entry| match entry["amount"].as_str() {
            Some("0.01") => 1,
            Some("-0.01") => -1,
            other => panic!("an entry of {other:?}"),
        })
        .sum()
}
