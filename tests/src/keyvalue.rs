//! What every key-value store promises, as tests that know it by its trait only. [`crate::keyvalue_contract!`] runs all of
//! them on one store.

use std::sync::Arc;

use coinop::keyvalue::{KeyValue, KeyValueError, PAGE_KEYS_MAX, Write};
use futures::future::join_all;

/// Enough for every test that is not about the quota.
const PLENTY: u64 = 1 << 30;

/// Two hosts on one store.
pub struct Hosts {
    /// One host's handle.
    pub here: Arc<dyn KeyValue>,
    /// The other's.
    pub there: Arc<dyn KeyValue>,
}

/// Runs the whole contract: `keyvalue_contract!(name, hosts)` makes a module of tests, each with a store of its own.
#[macro_export]
macro_rules! keyvalue_contract {
    ($store:ident, $hosts:expr) => {
        $crate::keyvalue_contract!(@ $store, $hosts,
            what_is_written_is_read_by_every_host,
            plugins_do_not_see_each_other,
            a_write_happens_whole_or_not_at_all,
            the_quota_is_exact,
            a_lowered_quota_leaves_room_to_make_room,
            every_key_is_on_one_page,
            sums_are_exact_between_hosts,
            hosts_that_write_at_once_keep_within_the_quota,
            any_bytes_and_any_letters_are_kept,
        );
    };
    (@ $store:ident, $hosts:expr, $($promise:ident),* $(,)?) => {
        mod $store {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    let (hosts, _kept) = $hosts;
                    $crate::keyvalue::$promise(&hosts).await;
                }
            )*
        }
    };
}

fn set(key: &str, value: &str) -> Write {
    (key.to_owned(), Some(value.as_bytes().to_vec()))
}

fn remove(key: &str) -> Write {
    (key.to_owned(), None)
}

async fn held(store: &Arc<dyn KeyValue>, plugin: &str, keys: &[&str]) -> Vec<Option<String>> {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    let held = store.get(plugin, keys).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    held.into_iter().map(|held| held.map(text)).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Writes, the last word on a key counting, and removes.
pub async fn what_is_written_is_read_by_every_host(hosts: &Hosts) {
    let Hosts { here, there } = hosts;
    let writes = vec![
        set("a", "1"),
        set("b", "2"),
        set("a", "3"),
        set("c", "4"),
        remove("c"),
    ];
    here.write("p", writes, PLENTY).await.unwrap();
    let found = held(there, "p", &["b", "x", "a", "c", "b"]).await;
    assert_eq!(found, [some("2"), None, some("3"), None, some("2")]);
    assert!(there.exists("p", "a".into()).await.unwrap());
    assert!(!there.exists("p", "c".into()).await.unwrap());
    let writes = vec![remove("a"), remove("never"), set("b", "")];
    there.write("p", writes, PLENTY).await.unwrap();
    assert_eq!(held(here, "p", &["a", "b"]).await, [None, some("")]);
    assert_eq!(here.used("p").await.unwrap(), 1);
}

/// Data, sums, pages and quotas.
pub async fn plugins_do_not_see_each_other(hosts: &Hosts) {
    let Hosts { here, there } = hosts;
    here.write("p", vec![set("a", "mine")], 5).await.unwrap();
    assert_eq!(held(there, "q", &["a"]).await, [None]);
    assert_eq!(
        there.keys("q", None).await.unwrap().keys,
        Vec::<String>::new()
    );
    there.write("q", vec![set("a", "your")], 5).await.unwrap();
    there.write("q", vec![remove("a")], 5).await.unwrap();
    assert_eq!(held(here, "p", &["a"]).await, [some("mine")]);
    assert_eq!((here.used("p").await, here.used("q").await), (Ok(5), Ok(0)));
}

/// A batch beyond the quota leaves nothing of itself.
pub async fn a_write_happens_whole_or_not_at_all(hosts: &Hosts) {
    let Hosts { here, there } = hosts;
    here.write("p", vec![set("a", "old")], 8).await.unwrap();
    let writes = vec![set("a", "new"), remove("z"), set("b", "0123456789")];
    let refused = here.write("p", writes, 8).await;
    assert_eq!(refused, Err(KeyValueError::Quota { wanted: 15, max: 8 }));
    assert_eq!(held(there, "p", &["a", "b"]).await, [some("old"), None]);
    assert_eq!(there.used("p").await.unwrap(), 4);
}

/// Keys and values count, what is replaced or removed no longer does.
pub async fn the_quota_is_exact(hosts: &Hosts) {
    let Hosts { here, there } = hosts;
    here.write("p", vec![set("key", "1234567")], 10)
        .await
        .unwrap();
    let refused = there.write("p", vec![set("k", "")], 10).await;
    assert_eq!(
        refused,
        Err(KeyValueError::Quota {
            wanted: 11,
            max: 10
        })
    );
    there
        .write("p", vec![set("key", "123456"), set("k", "")], 10)
        .await
        .unwrap();
    let refused = here.increment("p", "n".into(), 5, 11).await;
    assert_eq!(
        refused,
        Err(KeyValueError::Quota {
            wanted: 12,
            max: 11
        })
    );
    assert_eq!(here.increment("p", "n".into(), 5, 12).await, Ok(5));
    let grown = there.increment("p", "n".into(), 5, 12).await;
    assert_eq!(
        grown,
        Err(KeyValueError::Quota {
            wanted: 13,
            max: 12
        })
    );
    assert_eq!(held(here, "p", &["n"]).await, [some("5")]);
    here.write("p", vec![remove("key"), remove("k"), remove("n")], 12)
        .await
        .unwrap();
    assert_eq!(there.used("p").await.unwrap(), 0);
}

/// Nothing more comes in, and what goes out may.
pub async fn a_lowered_quota_leaves_room_to_make_room(hosts: &Hosts) {
    let Hosts { here, there } = hosts;
    here.write("p", vec![set("a", "12345"), set("b", "12345")], 100)
        .await
        .unwrap();
    let refused = there.write("p", vec![set("c", "1")], 5).await;
    assert_eq!(refused, Err(KeyValueError::Quota { wanted: 14, max: 5 }));
    there.write("p", vec![set("a", "1")], 5).await.unwrap();
    there.write("p", vec![remove("b")], 5).await.unwrap();
    assert_eq!(here.used("p").await.unwrap(), 2);
}

/// While others come and go.
pub async fn every_key_is_on_one_page(hosts: &Hosts) {
    let Hosts { here, there } = hosts;
    let name = |n: usize| format!("key-{n}");
    let count = 2 * PAGE_KEYS_MAX + 1;
    for part in (0..count).collect::<Vec<_>>().chunks(500) {
        let writes = part.iter().map(|n| set(&name(*n), "")).collect();
        here.write("p", writes, PLENTY).await.unwrap();
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = there.keys("p", cursor).await.unwrap();
        assert!(page.keys.len() <= PAGE_KEYS_MAX);
        seen.extend(page.keys);
        let Some(next) = page.next else { break };
        cursor = Some(next);
        here.write("p", vec![remove(&seen[0]), set("late", "")], PLENTY)
            .await
            .unwrap();
    }
    seen.retain(|key| key != "late");
    seen.sort_unstable();
    let mut expected: Vec<String> = (0..count).map(name).collect();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    assert_eq!(
        there.keys("p", Some(u64::MAX)).await.unwrap().keys,
        Vec::<String>::new()
    );
}

/// Of many increments at once each counts, and no two give the same sum.
pub async fn sums_are_exact_between_hosts(hosts: &Hosts) {
    let Hosts { here, there } = hosts;
    let increments = (0..50).map(|n| {
        let store = if n % 2 == 0 { here } else { there };
        store.increment("p", "n".into(), 3, PLENTY)
    });
    let sums = join_all(increments).await;
    let mut sums: Vec<u64> = sums.into_iter().map(Result::unwrap).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=50).map(|n| 3 * n).collect::<Vec<u64>>());
    assert_eq!(held(here, "p", &["n"]).await, [some("150")]);
    here.write("p", vec![set("word", "x")], PLENTY)
        .await
        .unwrap();
    let refused = there.increment("p", "word".into(), 1, PLENTY).await;
    assert_eq!(refused, Err(KeyValueError::NotANumber));
    let refused = there.increment("p", "n".into(), u64::MAX, PLENTY).await;
    assert_eq!(refused, Err(KeyValueError::Overflow));
}

/// As many as there is room for are taken.
pub async fn hosts_that_write_at_once_keep_within_the_quota(hosts: &Hosts) {
    let Hosts { here, there } = hosts;
    let writes = (10..50).map(|n| {
        let store = if n % 2 == 0 { here } else { there };
        store.write("p", vec![set(&n.to_string(), "12345678")], 100)
    });
    let written = join_all(writes).await;
    let taken = written.iter().filter(|written| written.is_ok()).count();
    assert_eq!(taken, 10);
    assert_eq!(here.used("p").await.unwrap(), 100);
    assert_eq!(there.keys("p", None).await.unwrap().keys.len(), 10);
}

/// Values are bytes, keys any text, and no two keys are taken for one.
pub async fn any_bytes_and_any_letters_are_kept(hosts: &Hosts) {
    let Hosts { here, there } = hosts;
    let bytes: Vec<u8> = (0..=255).collect();
    let keys = ["a", "A", "ä", "a\u{308}", " a", "a ", "%", "'", "日本"];
    for key in keys {
        let value = [key.as_bytes(), &bytes].concat();
        here.write("p", vec![(key.to_owned(), Some(value))], PLENTY)
            .await
            .unwrap();
    }
    for key in keys {
        let held = there.get("p", vec![key.to_owned()]).await.unwrap();
        assert_eq!(held, [Some([key.as_bytes(), &bytes].concat())], "{key:?}");
    }
    assert_eq!(here.keys("p", None).await.unwrap().keys.len(), keys.len());
}
