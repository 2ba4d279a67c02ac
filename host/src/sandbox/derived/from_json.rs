//! JSON into values of the component model, by type and exactly. Takes what the schema of the answer takes.

use data_encoding::BASE64;
use serde_json::{Map, Number, Value};
use wasmtime::component::Val;

use super::schema::NON_FINITE;
use super::shape::{Case, Field, Integer, Shape};

/// A JSON value that is no value of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", place(.pointer))]
pub(super) struct Misfit {
    /// A JSON pointer to it; empty for the whole.
    pub(super) pointer: String,
    pub(super) reason: String,
}

fn place(pointer: &str) -> String {
    match pointer {
        "" => String::new(),
        pointer => format!("{pointer}: "),
    }
}

/// The arguments of a function, in its order.
pub(super) fn arguments(params: &[Field], json: &Value) -> Result<Vec<Val>, Misfit> {
    let mut at = At::default();
    let Value::Object(map) = json else {
        return Err(at.misfit("must be an object"));
    };
    let fields = at.fields(params, map)?;
    Ok(fields.into_iter().map(|(_, value)| value).collect())
}

/// One value.
#[cfg(test)]
pub(super) fn value(shape: &Shape, json: &Value) -> Result<Val, Misfit> {
    At::default().value(shape, json)
}

/// Where in the JSON value the conversion is. Recurses no deeper than the shape.
#[derive(Default)]
struct At(String);

impl At {
    fn misfit(&self, reason: impl Into<String>) -> Misfit {
        Misfit {
            pointer: self.0.clone(),
            reason: reason.into(),
        }
    }

    fn step<T>(
        &mut self,
        step: &str,
        convert: impl FnOnce(&mut Self) -> Result<T, Misfit>,
    ) -> Result<T, Misfit> {
        let len = self.0.len();
        self.0.push('/');
        self.0.push_str(&step.replace('~', "~0").replace('/', "~1"));
        let converted = convert(self);
        self.0.truncate(len);
        converted
    }

    fn value(&mut self, shape: &Shape, json: &Value) -> Result<Val, Misfit> {
        match shape {
            Shape::Bool => match json {
                Value::Bool(value) => Ok(Val::Bool(*value)),
                _ => Err(self.misfit("must be true or false")),
            },
            Shape::Integer(integer) => self.integer(*integer, json),
            Shape::Float32 => self.float32(json).map(Val::Float32),
            Shape::Float64 => self.float64(json).map(Val::Float64),
            Shape::Char => self.char(json).map(Val::Char),
            Shape::String => Ok(Val::String(self.text(json)?.to_owned())),
            Shape::Bytes => self.bytes(json),
            Shape::List(item) => {
                let items = self.array(json)?;
                let items = items.iter().enumerate();
                let values =
                    items.map(|(n, json)| self.step(&n.to_string(), |at| at.value(item, json)));
                Ok(Val::List(values.collect::<Result<_, _>>()?))
            }
            Shape::Tuple(shapes) => self.tuple(shapes, json),
            Shape::Record(fields) => {
                let map = self.object(json)?;
                self.fields(fields, map).map(Val::Record)
            }
            Shape::Variant(cases) => {
                let cases = cases
                    .iter()
                    .map(|Case { name, shape }| (name.as_str(), shape.as_ref()));
                let (name, value) = self.tagged(cases, json)?;
                Ok(Val::Variant(name, value))
            }
            Shape::Enum(names) => {
                let text = self.text(json)?;
                match names.iter().any(|name| name == text) {
                    true => Ok(Val::Enum(text.to_owned())),
                    false => Err(self.misfit("is none of the names of its enum")),
                }
            }
            Shape::Flags(names) => self.flags(names, json),
            Shape::Option(some) => self.option(some, json).map(Val::Option),
            Shape::Result { ok, err } => {
                let cases = [("ok", ok.as_deref()), ("err", err.as_deref())];
                let (name, value) = self.tagged(cases, json)?;
                Ok(Val::Result(match name.as_str() {
                    "ok" => Ok(value),
                    _ => Err(value),
                }))
            }
        }
    }

    fn text<'j>(&self, json: &'j Value) -> Result<&'j str, Misfit> {
        json.as_str().ok_or_else(|| self.misfit("must be a text"))
    }

    fn array<'j>(&self, json: &'j Value) -> Result<&'j [Value], Misfit> {
        let array = json.as_array().map(Vec::as_slice);
        array.ok_or_else(|| self.misfit("must be an array"))
    }

    fn object<'j>(&self, json: &'j Value) -> Result<&'j Map<String, Value>, Misfit> {
        json.as_object()
            .ok_or_else(|| self.misfit("must be an object"))
    }

    fn integer(&self, integer: Integer, json: &Value) -> Result<Val, Misfit> {
        let name = integer.name();
        let (bounds, number) = match json {
            Value::Number(number) => (integer.number_bounds(), whole(number)),
            Value::String(text) if integer.is_wide() => (integer.bounds(), decimal(text)),
            _ if integer.is_wide() => {
                return Err(self.misfit(format!(
                    "must be an integer, or a text with its decimal digits ({name})"
                )));
            }
            _ => return Err(self.misfit(format!("must be an integer ({name})"))),
        };
        let Some(number) = number else {
            return Err(self.misfit(format!("must be a whole number ({name})")));
        };
        let (min, max) = bounds;
        let fitting = (min..=max).contains(&number).then(|| wrap(integer, number));
        fitting.flatten().ok_or_else(|| {
            let text = match integer.is_wide() && json.is_number() {
                true => "; write greater ones as texts",
                false => "",
            };
            self.misfit(format!("must be between {min} and {max} ({name}){text}"))
        })
    }

    fn float32(&self, json: &Value) -> Result<f32, Misfit> {
        let wide = self.float64(json)?;
        let narrow = wide as f32;
        match wide.is_finite() && wide.abs() > f64::from(f32::MAX) {
            true => Err(self.misfit("is beyond what an f32 can be")),
            false => Ok(narrow),
        }
    }

    fn float64(&self, json: &Value) -> Result<f64, Misfit> {
        let [nan, infinity, minus_infinity] = NON_FINITE;
        let float = match json {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text == nan => Some(f64::NAN),
            Value::String(text) if text == infinity => Some(f64::INFINITY),
            Value::String(text) if text == minus_infinity => Some(f64::NEG_INFINITY),
            _ => None,
        };
        float.ok_or_else(|| self.misfit("must be a number"))
    }

    fn char(&self, json: &Value) -> Result<char, Misfit> {
        let mut chars = self.text(json)?.chars();
        match (chars.next(), chars.next()) {
            (Some(char), None) => Ok(char),
            _ => Err(self.misfit("must be a text of one character")),
        }
    }

    fn bytes(&self, json: &Value) -> Result<Val, Misfit> {
        let bytes = BASE64.decode(self.text(json)?.as_bytes());
        let bytes = bytes.map_err(|_| self.misfit("must be base64, with padding"))?;
        Ok(Val::List(bytes.into_iter().map(Val::U8).collect()))
    }

    fn tuple(&mut self, shapes: &[Shape], json: &Value) -> Result<Val, Misfit> {
        let items = self.array(json)?;
        if items.len() != shapes.len() {
            return Err(self.misfit(format!("must have {} items", shapes.len())));
        }
        let pairs = shapes.iter().zip(items).enumerate();
        let values =
            pairs.map(|(n, (shape, json))| self.step(&n.to_string(), |at| at.value(shape, json)));
        Ok(Val::Tuple(values.collect::<Result<_, _>>()?))
    }

    fn fields(
        &mut self,
        fields: &[Field],
        map: &Map<String, Value>,
    ) -> Result<Vec<(String, Val)>, Misfit> {
        let mut values = Vec::with_capacity(fields.len());
        let mut seen = 0;
        for field in fields {
            let value = match map.get(&field.name) {
                Some(json) => {
                    seen += 1;
                    self.step(&field.name, |at| at.value(&field.shape, json))?
                }
                None if field.is_optional() => Val::Option(None),
                None => return Err(self.misfit(format!("lacks {:?}", field.name))),
            };
            values.push((field.name.clone(), value));
        }
        if seen < map.len() {
            return Err(self.misfit("has a field that its type does not have"));
        }
        Ok(values)
    }

    fn tagged<'s>(
        &mut self,
        cases: impl IntoIterator<Item = (&'s str, Option<&'s Shape>)>,
        json: &Value,
    ) -> Result<(String, Option<Box<Val>>), Misfit> {
        let map = self.object(json)?;
        let tag = map.get("tag").and_then(Value::as_str);
        let tag = tag.ok_or_else(|| self.misfit("lacks the text \"tag\""))?;
        let case = cases.into_iter().find(|(name, _)| *name == tag);
        let Some((name, shape)) = case else {
            return Err(self.misfit("has a \"tag\" that its type does not have"));
        };
        let value = match (shape, map.get("val")) {
            (None, None) => None,
            (Some(shape), Some(json)) => {
                Some(Box::new(self.step("val", |at| at.value(shape, json))?))
            }
            (None, Some(_)) => return Err(self.misfit(format!("{name:?} has no \"val\""))),
            (Some(_), None) => return Err(self.misfit(format!("{name:?} lacks \"val\""))),
        };
        match map.len() == 1 + usize::from(value.is_some()) {
            true => Ok((name.to_owned(), value)),
            false => Err(self.misfit("has more fields than \"tag\" and \"val\"")),
        }
    }

    fn flags(&mut self, names: &[String], json: &Value) -> Result<Val, Misfit> {
        let mut set = vec![false; names.len()];
        for (n, item) in self.array(json)?.iter().enumerate() {
            self.step(&n.to_string(), |at| {
                let text = at.text(item)?;
                match names.iter().position(|name| name == text) {
                    Some(position) if !std::mem::replace(&mut set[position], true) => Ok(()),
                    Some(_) => Err(at.misfit("is there twice")),
                    None => Err(at.misfit("is none of the names of its flags")),
                }
            })?;
        }
        let set = names.iter().zip(set).filter(|(_, is_set)| *is_set);
        Ok(Val::Flags(set.map(|(name, _)| name.clone()).collect()))
    }

    fn option(&mut self, some: &Shape, json: &Value) -> Result<Option<Box<Val>>, Misfit> {
        if json.is_null() {
            return Ok(None);
        }
        let value = match some {
            Shape::Option(_) => match self.object(json)? {
                map if map.len() == 1 && map.contains_key("some") => {
                    self.step("some", |at| at.value(some, &json["some"]))?
                }
                _ => return Err(self.misfit("must be null or {\"some\": …}")),
            },
            _ => self.value(some, json)?,
        };
        Ok(Some(Box::new(value)))
    }
}

/// JSON has one kind of number: `1.0` is an integer too.
fn whole(number: &Number) -> Option<i128> {
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    let float = number.as_f64()?;
    // Beyond any integer type; the cast would saturate.
    (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128)
}

/// Decimal digits as the schema's pattern has them.
fn decimal(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.len() <= 20
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !digits.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

fn wrap(integer: Integer, number: i128) -> Option<Val> {
    Some(match integer {
        Integer::S8 => Val::S8(number.try_into().ok()?),
        Integer::U8 => Val::U8(number.try_into().ok()?),
        Integer::S16 => Val::S16(number.try_into().ok()?),
        Integer::U16 => Val::U16(number.try_into().ok()?),
        Integer::S32 => Val::S32(number.try_into().ok()?),
        Integer::U32 => Val::U32(number.try_into().ok()?),
        Integer::S64 => Val::S64(number.try_into().ok()?),
        Integer::U64 => Val::U64(number.try_into().ok()?),
    })
}
