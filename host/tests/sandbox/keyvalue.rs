//! Key-value storage as a guest sees it. What the stores promise is `tests/tests/keyvalue.rs`.

use std::sync::Arc;

use coinop::keyvalue::memory::MemoryKeyValue;
use coinop::keyvalue::{Bucket, KEY_BYTES_MAX, KeyValue};
use serde_json::{Value, json};

use crate::support::{Call, text_of};

async fn with_storage(store: &Arc<dyn KeyValue>, plugin: &str, bytes_max: u64) -> Call {
    let mut call = Call::of("granted").await;
    call.bucket = Some(Bucket::new(Arc::clone(store), plugin, bytes_max));
    call
}

async fn play(call: &Call, steps: Value) -> Value {
    let answer = call.text("keyvalue", json!({ "steps": steps })).await;
    serde_json::from_str(&answer).unwrap()
}

#[tokio::test]
async fn what_is_kept_is_there_in_the_next_run_and_for_nobody_else() {
    let store: Arc<dyn KeyValue> = Arc::new(MemoryKeyValue::default());
    let mine = with_storage(&store, "mine", 1000).await;
    let written = play(
        &mine,
        json!([
            ["set", "a", "one"],
            ["set_many", "b", "c"],
            ["increment", "n", 5],
            ["increment", "n", 2],
            ["get_many", "c", "x", "a"],
        ]),
    )
    .await;
    assert_eq!(
        written,
        json!([null, null, 5, 7, [["c", "c"], null, ["a", "one"]]])
    );
    let later = json!([
        ["get", "a"],
        ["exists", "b"],
        ["delete_many", "b", "c", "x"],
        ["keys"]
    ]);
    assert_eq!(
        play(&mine, later.clone()).await,
        json!(["one", true, null, { "keys": ["a", "n"], "cursor": null }])
    );
    let other = with_storage(&store, "other", 1000).await;
    let nothing = json!([null, false, null, { "keys": [], "cursor": null }]);
    assert_eq!(play(&other, later).await, nothing);
}

#[tokio::test]
async fn there_is_one_bucket() {
    let store: Arc<dyn KeyValue> = Arc::new(MemoryKeyValue::default());
    let call = with_storage(&store, "mine", 1000).await;
    let open = async |bucket: &str| {
        let steps = json!({ "bucket": bucket, "steps": [["set", "a", bucket]] });
        call.text("keyvalue", steps).await
    };
    assert_eq!(open("default").await, "[null]");
    assert_eq!(open("").await, "[null]");
    assert_eq!(open("other").await, "\"error: no such store\"");
}

#[tokio::test]
async fn without_a_grant_there_is_none_and_the_operator_is_told() {
    let call = Call::of("granted").await;
    let report = call.report("keyvalue", json!({ "steps": [] })).await;
    assert_eq!(text_of(&report.result.unwrap()), "\"error: access denied\"");
    let line = report.denials[0].line.as_deref();
    assert_eq!(line, Some("keyvalue_kib = 1024"));
}

#[tokio::test]
async fn what_is_too_much_is_refused_in_words() {
    let store: Arc<dyn KeyValue> = Arc::new(MemoryKeyValue::default());
    let call = with_storage(&store, "mine", 1000).await;
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    let answers = play(
        &call,
        json!([
            ["fill", "a", 999],
            ["fill", "b", 1],
            ["set", "", "x"],
            ["set", long, "x"],
            ["fill", "a", (1 << 20) + 1],
            ["set", "word", "x"],
            ["delete", "a"],
            ["set", "word", "x"],
            ["increment", "word", 1],
        ]),
    )
    .await;
    let quota = |wanted| {
        format!(
            "error: the quota is used up: this would make {wanted} bytes of keys and values, and 1000 are granted"
        )
    };
    let key = "error: a key has 1 to 1024 bytes and no NUL";
    assert_eq!(
        answers,
        json!([
            null,
            quota(1002),
            key,
            key,
            "error: a value has 1048576 bytes at most",
            quota(1005),
            null,
            null,
            "error: the value is no whole number in decimal digits",
        ])
    );
}
