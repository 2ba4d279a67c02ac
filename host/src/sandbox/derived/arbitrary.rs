//! Random types, and random values of a type.

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::Value;
use wasmtime::component::Val;

use super::shape::{Case, Field, Integer, Shape};

const INTEGERS: [Integer; 8] = [
    Integer::S8,
    Integer::U8,
    Integer::S16,
    Integer::U16,
    Integer::S32,
    Integer::U32,
    Integer::S64,
    Integer::U64,
];

/// A type of a few levels.
pub(super) fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Bool),
        select(&INTEGERS[..]).prop_map(Shape::Integer),
        Just(Shape::Float32),
        Just(Shape::Float64),
        Just(Shape::Char),
        Just(Shape::String),
        Just(Shape::Bytes),
        names().prop_map(Shape::Enum),
        names().prop_map(Shape::Flags),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let maybe = prop::option::of(boxed.clone());
        prop_oneof![
            boxed.clone().prop_map(Shape::List),
            boxed.prop_map(Shape::Option),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Shape::Tuple),
            fields(inner.clone()).prop_map(Shape::Record),
            cases(inner).prop_map(Shape::Variant),
            (maybe.clone(), maybe).prop_map(|(ok, err)| Shape::Result { ok, err }),
        ]
    })
}

/// Different names; some of those that the JSON forms use themselves.
fn names() -> impl Strategy<Value = Vec<String>> {
    let name = prop_oneof!["tag|val|some|ok|err", "[a-z]{1,3}(-[a-z0-9]{1,2})?"];
    prop::collection::btree_set(name, 1..4).prop_map(|names| names.into_iter().rev().collect())
}

fn fields(shape: impl Strategy<Value = Shape>) -> impl Strategy<Value = Vec<Field>> {
    (names(), prop::collection::vec(shape, 4)).prop_map(|(names, shapes)| {
        let pairs = names.into_iter().zip(shapes);
        pairs.map(|(name, shape)| Field { name, shape }).collect()
    })
}

fn cases(shape: impl Strategy<Value = Shape>) -> impl Strategy<Value = Vec<Case>> {
    let shapes = prop::collection::vec(prop::option::of(shape), 4);
    (names(), shapes).prop_map(|(names, shapes)| {
        let pairs = names.into_iter().zip(shapes);
        pairs.map(|(name, shape)| Case { name, shape }).collect()
    })
}

/// A value of the type.
pub(super) fn value(shape: &Shape) -> BoxedStrategy<Val> {
    match shape {
        Shape::Bool => any::<bool>().prop_map(Val::Bool).boxed(),
        Shape::Integer(integer) => number(*integer),
        Shape::Float32 => any::<u32>()
            .prop_map(|bits| Val::Float32(f32::from_bits(bits)))
            .boxed(),
        Shape::Float64 => any::<u64>()
            .prop_map(|bits| Val::Float64(f64::from_bits(bits)))
            .boxed(),
        Shape::Char => any::<char>().prop_map(Val::Char).boxed(),
        Shape::String => any::<String>().prop_map(Val::String).boxed(),
        Shape::Bytes => prop::collection::vec(any::<u8>().prop_map(Val::U8), 0..9)
            .prop_map(Val::List)
            .boxed(),
        Shape::List(item) => prop::collection::vec(value(item), 0..4)
            .prop_map(Val::List)
            .boxed(),
        Shape::Tuple(items) => {
            let values: Vec<_> = items.iter().map(value).collect();
            values.prop_map(Val::Tuple).boxed()
        }
        Shape::Record(fields) => {
            let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
            let values: Vec<_> = fields.iter().map(|field| value(&field.shape)).collect();
            values
                .prop_map(move |values| Val::Record(names.iter().cloned().zip(values).collect()))
                .boxed()
        }
        Shape::Variant(cases) => select(cases.clone())
            .prop_flat_map(|Case { name, shape }| {
                payload(shape.as_ref()).prop_map(move |value| Val::Variant(name.clone(), value))
            })
            .boxed(),
        Shape::Enum(names) => select(names.clone()).prop_map(Val::Enum).boxed(),
        Shape::Flags(names) => {
            let all = names.len();
            subsequence(names.clone(), 0..=all)
                .prop_map(Val::Flags)
                .boxed()
        }
        Shape::Option(some) => prop::option::of(value(some).prop_map(Box::new))
            .prop_map(Val::Option)
            .boxed(),
        Shape::Result { ok, err } => prop_oneof![
            payload(ok.as_deref()).prop_map(|value| Val::Result(Ok(value))),
            payload(err.as_deref()).prop_map(|value| Val::Result(Err(value))),
        ]
        .boxed(),
    }
}

fn payload(shape: Option<&Shape>) -> BoxedStrategy<Option<Box<Val>>> {
    match shape {
        None => Just(None).boxed(),
        Some(shape) => value(shape).prop_map(|v| Some(Box::new(v))).boxed(),
    }
}

/// Any, and those at the edges more often.
fn number(integer: Integer) -> BoxedStrategy<Val> {
    macro_rules! of {
        ($wrap:path, $ty:ty) => {
            prop_oneof![
                any::<$ty>(),
                select(vec![<$ty>::MIN, <$ty>::MAX, 0, 1]),
                ((1_i64 << 53) - 2..(1_i64 << 53) + 2).prop_map(|n| n as $ty),
            ]
            .prop_map($wrap)
            .boxed()
        };
    }
    match integer {
        Integer::S8 => of!(Val::S8, i8),
        Integer::U8 => of!(Val::U8, u8),
        Integer::S16 => of!(Val::S16, i16),
        Integer::U16 => of!(Val::U16, u16),
        Integer::S32 => of!(Val::S32, i32),
        Integer::U32 => of!(Val::U32, u32),
        Integer::S64 => of!(Val::S64, i64),
        Integer::U64 => of!(Val::U64, u64),
    }
}

/// `json` with one of its parts replaced, or an object's field taken out or added.
pub(super) fn changed(mut json: Value, at: Index, put: Value) -> Value {
    let mut places = count(&json);
    places = at.index(places);
    change(&mut json, &mut places, put);
    json
}

/// Values within a value, itself included; a field of an object counts twice, since it can go, too.
fn count(json: &Value) -> usize {
    1 + match json {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => 1 + map.values().map(|value| 1 + count(value)).sum::<usize>(),
        _ => 0,
    }
}

fn change(json: &mut Value, left: &mut usize, put: Value) -> Option<Value> {
    let mut here = || match left.checked_sub(1) {
        None => true,
        Some(less) => {
            *left = less;
            false
        }
    };
    if here() {
        *json = put;
        return None;
    }
    match json {
        Value::Array(items) => {
            let mut put = Some(put);
            for item in items {
                put = change(item, left, put?);
            }
            put
        }
        Value::Object(map) => {
            if here() {
                map.insert("extra".to_owned(), put);
                return None;
            }
            let mut put = Some(put);
            for name in map.keys().cloned().collect::<Vec<_>>() {
                if left.checked_sub(1).is_none() {
                    map.remove(&name);
                    return None;
                }
                *left -= 1;
                put = change(&mut map[&name], left, put?);
            }
            put
        }
        _ => Some(put),
    }
}
