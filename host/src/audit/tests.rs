//! A ledger that holds together, and what is noticed of one whose file somebody changed.

use std::sync::Arc;

use coinop_core::call::{Call, Cause, Event, Remedy};
use coinop_core::payment::PaymentEvent;
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cli::testing::{AT, Shop, call};
use crate::keyvalue::KeyValue as _;
use crate::ledger::Change;
use crate::ledger::sqlite::SqliteKeyValue;

const RETENTION_MS: Millis = 86_400_000;
/// Shortly after everything in the shop.
const NOW: Millis = AT + 300_000;

fn ada() -> Principal {
    Principal::api_key("ada")
}

impl Shop {
    async fn audit(&self) -> Findings {
        audit(&self.ledger, RETENTION_MS, NOW).await.unwrap()
    }

    async fn record(&self, call: &Call, events: Vec<Event>, at: Millis) {
        let change = Change {
            call: call.id.clone(),
            events,
            outcome: None,
            at,
        };
        self.ledger.advance(change).await.unwrap();
    }

    /// A call that was paid and waits for its caller.
    async fn pay(&self, call: Call, at: Millis) -> Call {
        let call = self.open(call).await;
        let created = PaymentEvent::Created {
            reference: format!("ref-{}", call.id),
            url: None,
        };
        let received = call.quote.price;
        let events = vec![created.into(), PaymentEvent::Paid { received }.into()];
        self.record(&call, events, at).await;
        call
    }

    /// A paid call that became its caller's balance.
    async fn credit(&self, call: Call) -> Call {
        let call = self.pay(call, AT).await;
        let (cause, remedy) = (Cause::Unclaimed, Remedy::Credit);
        let events = vec![
            Event::CompensationDue { cause },
            Event::CompensationStarted { remedy, at: AT },
            Event::Credited,
        ];
        self.record(&call, events, AT).await;
        call
    }

    /// Three deliveries, a payment that waits, and a balance of which part was spent.
    async fn busy() -> Self {
        let shop = Self::new().await;
        shop.deliver_three().await;
        shop.pay(call(4, Principal::anonymous()), AT).await;
        shop.credit(call(5, ada())).await;
        let mut spends = call(6, ada());
        spends.credit = coinop_core::money::Amount::from_nanos(1_000_000);
        shop.open(spends).await;
        shop
    }

    /// Changes the file as a vandal would.
    fn tamper(&self, sql: &str) {
        let db = Connection::open(self.folder.path().join("ledger")).unwrap();
        db.pragma_update(None, "foreign_keys", false).unwrap();
        let changed = db.execute(sql, []).unwrap();
        assert!(changed > 0, "{sql} changed nothing");
    }
}

fn id(seed: u8) -> String {
    call(seed, ada()).id.to_string()
}

#[tokio::test]
async fn a_ledger_in_use_holds_and_says_what_is_open() {
    let shop = Shop::busy().await;
    let found = shop.audit().await;
    assert_eq!(found.faults, []);
    assert_eq!((found.calls, found.proven, found.receipts), (6, 3, 3));
    assert_eq!((found.outcomes, found.balances, found.moving), (3, 1, 0));
    let [(waits, open)] = &found.open[..] else {
        panic!("{:?}", found.open)
    };
    assert_eq!(waits.to_string(), id(4));
    assert_eq!(
        open.reason,
        "waiting for its caller until 2026-11-21T10:32:05Z"
    );
    let credit = found.books[&(Book::Credit, "USD".parse().unwrap())];
    assert_eq!(credit, -2_000_000, "what callers hold is owed to them");
}

#[tokio::test]
async fn each_kind_of_tampering_is_noticed_and_names_what_it_hit() {
    let one = id(1);
    let at = |what: &str| what.replace("ID", &one);
    let cases = [
        (
            at("UPDATE entry SET amount = amount + 1 WHERE call = 'ID' AND book = 'clearing'"),
            one.clone(),
            "not to nothing",
        ),
        (
            at("DELETE FROM entry WHERE call = 'ID'"),
            one.clone(),
            "its entries in clearing differ by -0.003 USD",
        ),
        (
            at("UPDATE call SET body = replace(body, '\"amount\":3000000', '\"amount\":3000') WHERE id = 'ID'"),
            one.clone(),
            "its receipt has another amount",
        ),
        (
            at("UPDATE call SET body = replace(body, 'deliverable', 'withheld') WHERE id = 'ID'"),
            one.clone(),
            "differ by",
        ),
        (
            at("UPDATE call SET body = replace(body, 'weather', 'whether') WHERE id = 'ID'"),
            one.clone(),
            "its receipt has another plugin",
        ),
        (
            at("UPDATE outcome SET body = replace(body, 'sunny', 'rainy') WHERE call = 'ID'"),
            one.clone(),
            "its stored outcome is not the one",
        ),
        (
            at("UPDATE outcome SET body = '{' WHERE call = 'ID'"),
            one.clone(),
            "its outcome cannot be read",
        ),
        (
            at("DELETE FROM outcome WHERE call = 'ID'"),
            one.clone(),
            "its outcome is to be kept until",
        ),
        (
            at("UPDATE receipt SET body = replace(body, '.', '.A') WHERE call = 'ID'"),
            one.clone(),
            "its receipt: ",
        ),
        (
            at("UPDATE receipt SET body = (SELECT body FROM receipt WHERE number = 2) WHERE call = 'ID'"),
            one.clone(),
            "its receipt has another call",
        ),
        (
            at("DELETE FROM receipt WHERE call = 'ID'"),
            one.clone(),
            "it was delivered without a receipt",
        ),
        (
            "DELETE FROM receipt WHERE number = 2".to_owned(),
            "the chain".to_owned(),
            "number 3, where number 2 is expected",
        ),
        (
            "DELETE FROM receipt WHERE number = 3".to_owned(),
            "the chain".to_owned(),
            "ends with receipt 2, where the ledger has 3",
        ),
        (
            "UPDATE chain SET head = replace(head, substr(head, 1, 4), 'beef')".to_owned(),
            "the chain".to_owned(),
            "its last receipt is not its head",
        ),
        (
            "UPDATE receipt_key SET secret = zeroblob(32)".to_owned(),
            one.clone(),
            "its receipt: signed by the unknown key",
        ),
        (
            "UPDATE credit SET amount = amount + 1".to_owned(),
            "api_key:ada".to_owned(),
            "its entries add up to 0.002",
        ),
        (
            "DELETE FROM credit".to_owned(),
            "api_key:ada".to_owned(),
            "is 0.00 USD",
        ),
        (
            format!("UPDATE call SET due_at = NULL WHERE id = '{}'", id(4)),
            id(4),
            "no host will ever look at it",
        ),
        (
            format!("UPDATE call SET due_at = 1 WHERE id = '{}'", id(4)),
            id(4),
            "no host has looked at it since it was due at 1970",
        ),
        (
            format!(
                "UPDATE call SET body = replace(body, '\"refunded\":0', '\"refunded\":1') WHERE id = '{}'",
                id(5)
            ),
            id(5),
            "both refunded and credited",
        ),
        (
            "INSERT INTO entry (call, book, account, currency, amount, at) VALUES ('nobody', 'fees', 'main', 'USD', 5, 0)"
                .to_owned(),
            "the books".to_owned(),
            "all entries add up to 0.000000005 USD",
        ),
    ];
    for (sql, about, what) in cases {
        let shop = Shop::busy().await;
        shop.tamper(&sql);
        let found = shop.audit().await;
        let names = |fault: &Fault| fault.about.contains(&about) && fault.what.contains(what);
        assert!(
            found.faults.iter().any(names),
            "{sql}: no fault of {about} says {what:?}: {:#?}",
            found.faults
        );
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let shop = Shop::busy().await;
    shop.tamper(&format!(
        "UPDATE call SET body = '{{' WHERE id = '{}'",
        id(1)
    ));
    let error = audit(&shop.ledger, RETENTION_MS, NOW).await.unwrap_err();
    assert!(error.to_string().contains(&id(1)), "{error}");
}

#[tokio::test]
async fn what_was_delivered_before_receipts_is_counted_and_no_fault() {
    let shop = Shop::busy().await;
    shop.tamper("DELETE FROM receipt");
    shop.tamper("DELETE FROM chain");
    shop.tamper(&format!("UPDATE receipt_key SET created_at = {NOW}"));
    let found = shop.audit().await;
    assert_eq!(found.faults, []);
    assert_eq!((found.proven, found.too_old), (0, 3));
}

#[tokio::test]
async fn outcomes_may_go_when_their_time_has_come() {
    let shop = Shop::busy().await;
    shop.tamper("DELETE FROM outcome");
    let later = NOW + RETENTION_MS;
    let found = audit(&shop.ledger, RETENTION_MS, later).await.unwrap();
    let lost: Vec<_> = found
        .faults
        .iter()
        .filter(|f| f.what.contains("outcome"))
        .collect();
    assert_eq!((lost.len(), found.forgotten), (0, 3));
}

#[tokio::test]
async fn what_moves_meanwhile_is_not_compared() {
    let shop = Shop::busy().await;
    shop.credit(call(7, Principal::api_key("bob"))).await;
    shop.tamper("UPDATE credit SET amount = amount + 1");
    let moved = format!("UPDATE call SET updated_at = {NOW} WHERE id = '{}'", id(7));
    shop.tamper(&moved);
    let found = shop.audit().await;
    let about: Vec<_> = found.faults.iter().map(|f| f.about.as_str()).collect();
    assert_eq!((about, found.moving), (vec!["api_key:ada"], 1));
}

#[tokio::test]
async fn a_backup_taken_while_a_writer_is_busy_has_all_that_was_acknowledged() {
    let shop = Arc::new(Shop::busy().await);
    let stop = CancellationToken::new();
    let writer = {
        let (shop, stop) = (Arc::clone(&shop), stop.clone());
        tokio::spawn(async move {
            for seed in 10..u8::MAX {
                shop.deliver(call(seed, Principal::anonymous())).await;
                if stop.is_cancelled() {
                    return;
                }
            }
        })
    };
    for n in 0..3 {
        let before = shop.audit().await.calls;
        let copy = shop.folder.path().join(format!("copy-{n}"));
        shop.ledger.backup(copy.clone()).await.unwrap();
        let copied = crate::ledger::sqlite::SqliteLedger::open(&copy, NOW).unwrap();
        assert_eq!(copied.id(), shop.ledger.id());
        let found = audit(&copied, RETENTION_MS, NOW).await.unwrap();
        assert_eq!(found.faults, []);
        assert!(found.calls >= before, "{} of {before} calls", found.calls);
    }
    stop.cancel();
    writer.await.unwrap();
    let copy = shop.folder.path().join("copy-0");
    let again = shop.ledger.backup(copy.clone()).await.unwrap_err();
    assert!(again.to_string().contains("not overwritten"), "{again}");
    let left = std::fs::read_dir(shop.folder.path()).unwrap();
    let names = left.map(|file| file.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    let stored = |name: &&String| name.ends_with("-keyvalue");
    assert_eq!(names.iter().find(stored), None, "nothing was stored");
    assert!(
        !names
            .into_iter()
            .any(|name| name.starts_with(".coinop-backup"))
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "a backup is private");
    }
}

#[tokio::test]
async fn a_backup_has_what_plugins_stored_beside_it() {
    let shop = Shop::busy().await;
    let value = b"kept".to_vec();
    let writes = vec![("key".to_owned(), Some(value.clone()))];
    let stored = SqliteKeyValue::beside(&shop.folder.path().join("ledger"));
    stored.write("weather", writes, 1024).await.unwrap();
    let copy = shop.folder.path().join("copy");
    shop.ledger.backup(copy.clone()).await.unwrap();
    let copied = SqliteKeyValue::beside(&copy);
    let found = copied.get("weather", vec!["key".to_owned()]).await;
    assert_eq!(found.unwrap(), [Some(value)]);
    let other = shop.folder.path().join("other");
    std::fs::write(shop.folder.path().join("other-keyvalue"), "").unwrap();
    let refused = shop.ledger.backup(other.clone()).await.unwrap_err();
    assert!(refused.to_string().contains("other-keyvalue: it is there"));
    assert!(!other.exists(), "a ledger's copy is never without");
}

#[tokio::test]
async fn an_unpaid_call_is_nobodys_concern() {
    let shop = Shop::new().await;
    shop.open(call(1, ada())).await;
    let found = shop.audit().await;
    assert_eq!((found.open_count, found.faults.len()), (0, 0));
}
