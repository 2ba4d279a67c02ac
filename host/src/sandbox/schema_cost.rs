//! Makes checking a value against a hostile schema end, in bounded time and on a bounded stack.
//!
//! A schema of thirty lines can ask for 2³⁰ checks: each definition refers to the next one twice. Nothing but `$ref`
//! multiplies work that way, so every `$ref` is put behind a toll: `{"$ref": r}` becomes
//! `{"allOf": [{TOLL: n}, {"$ref": r}]}`, which means the same and is evaluated in that order. When the purse is empty
//! the toll unwinds to where the check began: the validator has no other way to be stopped, and a keyword that merely
//! fails does not end its search for every error.

use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value, json};

/// The keyword; no schema of this name exists.
pub(super) const TOLL: &str = "$coinop-toll";
/// Work of one check, in subschemas tried on a value: at most about a second.
const PURSE: u64 = 100_000_000;
/// What following a reference costs beyond the schema's own size.
const TOLL_MIN: u64 = 16;
/// How much more it costs to look for the error: every one found on the way is written out with its place.
const SEARCH_FACTOR: u64 = 128;
/// Stack that references may use below the check, bytes. Threads have 2 MiB.
const STACK_BYTES_MAX: usize = 512 << 10;
/// Regular expressions of one schema; each may take memory.
const PATTERNS_MAX: usize = 500;

/// Keywords whose value is data, not schemas.
const DATA: &[&str] = &["const", "enum", "default", "examples", "required", "type"];
/// Keywords whose value maps names to schemas.
const MAPS: &[&str] = &[
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
];

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static STACK_BASE: Cell<usize> = const { Cell::new(0) };
}

/// Rewrites a schema's references. The reason when it refers where it must not.
pub(super) fn add_tolls(schema: &mut Value) -> Result<u64, String> {
    let size = size(schema);
    let mut walk = Walk {
        toll: size + TOLL_MIN,
        places: HashSet::new(),
        targets: Vec::new(),
        patterns: 0,
    };
    walk.schema(schema, &mut String::new())?;
    if walk.patterns > PATTERNS_MAX {
        return Err(format!("more than {PATTERNS_MAX} regular expressions"));
    }
    match walk.targets.iter().find(|at| !walk.places.contains(*at)) {
        Some(target) => Err(format!(
            "the $ref \"#{target}\" does not point to a schema within this one"
        )),
        None => Ok(size),
    }
}

struct Walk {
    toll: u64,
    /// Pointers of all schemas.
    places: HashSet<String>,
    /// Pointers that references ask for.
    targets: Vec<String>,
    patterns: usize,
}

impl Walk {
    fn schema(&mut self, schema: &mut Value, at: &mut String) -> Result<(), String> {
        self.places.insert(at.clone());
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        if keywords.contains_key(TOLL) || (!at.is_empty() && keywords.contains_key("$id")) {
            return Err("a $id below the top is not supported".into());
        }
        for (keyword, value) in keywords.iter_mut() {
            self.patterns += usize::from(keyword == "pattern");
            if DATA.contains(&keyword.as_str()) {
                continue;
            }
            let len = push(at, keyword);
            if MAPS.contains(&keyword.as_str()) {
                self.map(keyword == "patternProperties", value, at)?;
            } else {
                self.any(value, at)?;
            }
            at.truncate(len);
        }
        self.references(keywords)
    }

    fn map(&mut self, patterns: bool, map: &mut Value, at: &mut String) -> Result<(), String> {
        let Value::Object(map) = map else {
            return Ok(());
        };
        self.patterns += if patterns { map.len() } else { 0 };
        for (name, schema) in map.iter_mut() {
            let len = push(at, name);
            self.schema(schema, at)?;
            at.truncate(len);
        }
        Ok(())
    }

    /// A schema, a list of schemas, or a keyword of somebody else's that a reference may point into.
    fn any(&mut self, value: &mut Value, at: &mut String) -> Result<(), String> {
        match value {
            Value::Object(_) | Value::Bool(_) => self.schema(value, at),
            Value::Array(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    let len = push(at, &index.to_string());
                    self.any(value, at)?;
                    at.truncate(len);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn references(&mut self, keywords: &mut Map<String, Value>) -> Result<(), String> {
        for keyword in ["$ref", "$dynamicRef"] {
            let Some(Value::String(target)) = keywords.get(keyword) else {
                continue;
            };
            let Some(fragment) = target.strip_prefix('#') else {
                return Err(format!(
                    "the {keyword} {target:?} points outside: only references that begin with # are followed"
                ));
            };
            // A name is an anchor, and anchors only exist in schemas.
            if fragment.is_empty() || fragment.starts_with('/') {
                self.targets.push(percent_decoded(fragment)?);
            }
            let reference = json!({ keyword: target });
            keywords.remove(keyword);
            let all = keywords.entry("allOf").or_insert_with(|| json!([]));
            let Value::Array(all) = all else {
                return Err("allOf must be a list".into());
            };
            all.extend([json!({ TOLL: self.toll }), reference]);
        }
        Ok(())
    }
}

/// Appends a step to a JSON pointer; the length to go back to.
fn push(at: &mut String, step: &str) -> usize {
    let len = at.len();
    at.push('/');
    at.push_str(&step.replace('~', "~0").replace('/', "~1"));
    len
}

fn percent_decoded(text: &str) -> Result<String, String> {
    let bad = || format!("the $ref \"#{text}\" is not valid");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|d| d.and_then(|d| (d as char).to_digit(16)));
        let [Some(high), Some(low)] = digits else {
            return Err(bad());
        };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

/// Values within a value, itself included.
fn size(value: &Value) -> u64 {
    match value {
        Value::Array(values) => 1 + values.iter().map(size).sum::<u64>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<u64>(),
        _ => 1,
    }
}

/// What a toll unwinds with.
struct GaveUp;

/// Runs a check of `value` against a schema of `schema_size`. `None` when it would have been too much work.
pub(super) fn within_bounds<T>(
    schema_size: u64,
    value: &Value,
    check: impl FnOnce() -> T,
) -> Option<T> {
    // What the check costs without any reference.
    LEFT.set(PURSE.checked_sub(schema_size.saturating_mul(size(value)))?);
    STACK_BASE.set(stack_address());
    // A check builds nothing that outlives it, so nothing is left half-built.
    match catch_unwind(AssertUnwindSafe(check)) {
        Ok(result) => Some(result),
        Err(payload) if payload.is::<GaveUp>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

/// Where the stack is at the moment, roughly.
#[inline(never)]
fn stack_address() -> usize {
    let here = 0u8;
    std::hint::black_box(&raw const here) as usize
}

/// The toll keyword: pays, or ends the check.
pub(super) struct Toll(u64);

impl Toll {
    pub(super) fn new(amount: &Value) -> Self {
        Self(amount.as_u64().unwrap_or(u64::MAX))
    }

    fn pay(&self, factor: u64) {
        let is_deep = STACK_BASE.get().abs_diff(stack_address()) > STACK_BYTES_MAX;
        match LEFT.get().checked_sub(self.0.saturating_mul(factor)) {
            Some(left) if !is_deep => LEFT.set(left),
            _ => resume_unwind(Box::new(GaveUp)),
        }
    }
}

impl<'i> Keyword<'i> for Toll {
    fn validate(&self, _: &'i Value) -> Result<(), ValidationError<'i>> {
        self.pay(SEARCH_FACTOR);
        Ok(())
    }

    fn is_valid(&self, _: &'i Value) -> bool {
        self.pay(1);
        true
    }
}
