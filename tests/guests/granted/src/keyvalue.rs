//! Steps with the key-value storage: `["set", "key", "value"]` and so on, each answered by what came of it.

use serde_json::{Value, json};

use crate::wasi::keyvalue::store::{Bucket, Error};
use crate::wasi::keyvalue::{atomics, batch, store};

/// Opens the bucket and does every step; the answers, or why it was not opened.
pub(crate) fn play(bucket: &str, steps: &Value) -> Value {
    match store::open(bucket) {
        Ok(bucket) => {
            let steps = steps.as_array().map(Vec::as_slice).unwrap_or_default();
            steps
                .iter()
                .map(|step| answer(step_of(&bucket, step)))
                .collect()
        }
        Err(error) => answer(Err(error)),
    }
}

fn answer(done: Result<Value, Error>) -> Value {
    done.unwrap_or_else(|error| match error {
        Error::NoSuchStore => json!("error: no such store"),
        Error::AccessDenied => json!("error: access denied"),
        Error::Other(words) => json!(format!("error: {words}")),
    })
}

fn step_of(bucket: &Bucket, step: &Value) -> Result<Value, Error> {
    let word = |at: usize| step[at].as_str().unwrap_or_default().to_owned();
    let number = |at: usize| step[at].as_u64();
    let words = || (1..step.as_array().map_or(0, Vec::len)).map(word);
    match word(0).as_str() {
        "get" => Ok(shown(bucket.get(&word(1))?)),
        "set" => bucket.set(&word(1), word(2).as_bytes()).map(nothing),
        "fill" => {
            let bytes = vec![b'x'; number(2).unwrap_or(0) as usize];
            bucket.set(&word(1), &bytes).map(nothing)
        }
        "delete" => bucket.delete(&word(1)).map(nothing),
        "exists" => Ok(json!(bucket.exists(&word(1))?)),
        "keys" => {
            let page = bucket.list_keys(number(1))?;
            Ok(json!({ "keys": page.keys, "cursor": page.cursor }))
        }
        "increment" => {
            let sum = atomics::increment(bucket, &word(1), number(2).unwrap_or(0))?;
            Ok(json!(sum))
        }
        "get_many" => {
            let found = batch::get_many(bucket, &words().collect::<Vec<_>>())?;
            let pair = |(key, value)| json!([key, shown(Some(value))]);
            Ok(found.into_iter().map(|found| found.map(pair)).collect())
        }
        "set_many" => {
            let pairs: Vec<_> = words().map(|key| (key.clone(), key.into_bytes())).collect();
            batch::set_many(bucket, &pairs).map(nothing)
        }
        "delete_many" => batch::delete_many(bucket, &words().collect::<Vec<_>>()).map(nothing),
        other => Ok(json!(format!("no step {other}"))),
    }
}

fn nothing((): ()) -> Value {
    Value::Null
}

fn shown(value: Option<Vec<u8>>) -> Value {
    value.map_or(Value::Null, |bytes| {
        json!(String::from_utf8_lossy(&bytes).into_owned())
    })
}
