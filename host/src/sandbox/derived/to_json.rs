//! Values of the component model into JSON text, by type and exactly, and never more of it than allowed.
//!
//! Text rather than a tree: an answer of many small values would take several times its own size as a tree.

use data_encoding::BASE64;
use wasmtime::component::Val;

use super::schema::NON_FINITE;
use super::shape::{Field, SAFE_INTEGER_MAX, Shape};

/// Why a value has no JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It would be longer than allowed.
    TooLong,
    /// It is not of its type: the engine and the host disagree, which is a mistake of the host.
    Type,
}

/// The JSON text of a value, at most `bytes_max` bytes.
pub(super) fn text(shape: &Shape, value: &Val, bytes_max: usize) -> Result<String, Unfit> {
    let mut writer = Writer {
        json: String::new(),
        bytes_max,
    };
    writer.value(shape, value)?;
    Ok(writer.json)
}

struct Writer {
    json: String,
    bytes_max: usize,
}

impl Writer {
    fn push(&mut self, text: &str) -> Result<(), Unfit> {
        if self.json.len() + text.len() > self.bytes_max {
            return Err(Unfit::TooLong);
        }
        self.json.push_str(text);
        Ok(())
    }

    /// A comma before every part but the first.
    fn separate(&mut self, part: usize) -> Result<(), Unfit> {
        match part {
            0 => Ok(()),
            _ => self.push(","),
        }
    }

    fn string(&mut self, text: &str) -> Result<(), Unfit> {
        if text.len() > self.bytes_max {
            return Err(Unfit::TooLong);
        }
        let quoted = serde_json::to_string(text).map_err(|_| Unfit::Type)?;
        self.push(&quoted)
    }

    fn value(&mut self, shape: &Shape, value: &Val) -> Result<(), Unfit> {
        match (shape, value) {
            (Shape::Bool, Val::Bool(value)) => self.push(if *value { "true" } else { "false" }),
            (Shape::Integer(_), value) => self.integer(value),
            (Shape::Float32, Val::Float32(value)) => self.float((*value).into(), short(*value)),
            (Shape::Float64, Val::Float64(value)) => self.float(*value, *value),
            (Shape::Char, Val::Char(value)) => self.string(value.encode_utf8(&mut [0; 4])),
            (Shape::String, Val::String(value)) => self.string(value),
            (Shape::Bytes, Val::List(values)) => self.bytes(values),
            (Shape::List(item), Val::List(values)) => {
                self.array(values.iter().map(|value| (&**item, value)))
            }
            (Shape::Tuple(shapes), Val::Tuple(values)) if shapes.len() == values.len() => {
                self.array(shapes.iter().zip(values))
            }
            (Shape::Record(fields), Val::Record(values)) if fields.len() == values.len() => {
                self.record(fields, values)
            }
            (Shape::Variant(cases), Val::Variant(name, value)) => {
                let case = cases.iter().find(|case| case.name == *name);
                let shape = case.ok_or(Unfit::Type)?.shape.as_ref();
                self.tagged(name, shape, value.as_deref())
            }
            (Shape::Enum(_), Val::Enum(name)) => self.string(name),
            (Shape::Flags(_), Val::Flags(names)) => self.flags(names),
            (Shape::Option(some), Val::Option(value)) => self.option(some, value.as_deref()),
            (Shape::Result { ok, .. }, Val::Result(Ok(value))) => {
                self.tagged("ok", ok.as_deref(), value.as_deref())
            }
            (Shape::Result { err, .. }, Val::Result(Err(value))) => {
                self.tagged("err", err.as_deref(), value.as_deref())
            }
            _ => Err(Unfit::Type),
        }
    }

    fn integer(&mut self, value: &Val) -> Result<(), Unfit> {
        let number: i128 = match value {
            Val::S8(n) => (*n).into(),
            Val::U8(n) => (*n).into(),
            Val::S16(n) => (*n).into(),
            Val::U16(n) => (*n).into(),
            Val::S32(n) => (*n).into(),
            Val::U32(n) => (*n).into(),
            Val::S64(n) => (*n).into(),
            Val::U64(n) => (*n).into(),
            _ => return Err(Unfit::Type),
        };
        match number.abs() <= SAFE_INTEGER_MAX {
            true => self.push(&number.to_string()),
            false => self.push(&format!("\"{number}\"")),
        }
    }

    /// `shown` is what is written of a finite `value`.
    fn float(&mut self, value: f64, shown: f64) -> Result<(), Unfit> {
        let [nan, infinity, minus_infinity] = NON_FINITE;
        if value.is_nan() {
            self.string(nan)
        } else if value == f64::INFINITY {
            self.string(infinity)
        } else if value == f64::NEG_INFINITY {
            self.string(minus_infinity)
        } else {
            let number = serde_json::to_string(&shown).map_err(|_| Unfit::Type)?;
            self.push(&number)
        }
    }

    fn bytes(&mut self, values: &[Val]) -> Result<(), Unfit> {
        if values.len() > self.bytes_max {
            return Err(Unfit::TooLong);
        }
        let byte = |value: &Val| match value {
            Val::U8(byte) => Ok(*byte),
            _ => Err(Unfit::Type),
        };
        let bytes: Vec<u8> = values.iter().map(byte).collect::<Result<_, _>>()?;
        self.string(&BASE64.encode(&bytes))
    }

    fn array<'v>(
        &mut self,
        items: impl Iterator<Item = (&'v Shape, &'v Val)>,
    ) -> Result<(), Unfit> {
        self.push("[")?;
        for (n, (shape, value)) in items.enumerate() {
            self.separate(n)?;
            self.value(shape, value)?;
        }
        self.push("]")
    }

    fn record(&mut self, fields: &[Field], values: &[(String, Val)]) -> Result<(), Unfit> {
        self.push("{")?;
        for (n, (field, (_, value))) in fields.iter().zip(values).enumerate() {
            self.separate(n)?;
            self.string(&field.name)?;
            self.push(":")?;
            self.value(&field.shape, value)?;
        }
        self.push("}")
    }

    fn flags(&mut self, names: &[String]) -> Result<(), Unfit> {
        self.push("[")?;
        for (n, name) in names.iter().enumerate() {
            self.separate(n)?;
            self.string(name)?;
        }
        self.push("]")
    }

    fn tagged(
        &mut self,
        name: &str,
        shape: Option<&Shape>,
        value: Option<&Val>,
    ) -> Result<(), Unfit> {
        self.push("{\"tag\":")?;
        self.string(name)?;
        match (shape, value) {
            (None, None) => {}
            (Some(shape), Some(value)) => {
                self.push(",\"val\":")?;
                self.value(shape, value)?;
            }
            _ => return Err(Unfit::Type),
        }
        self.push("}")
    }

    fn option(&mut self, some: &Shape, value: Option<&Val>) -> Result<(), Unfit> {
        match (some, value) {
            (_, None) => self.push("null"),
            (Shape::Option(_), Some(value)) => {
                self.push("{\"some\":")?;
                self.value(some, value)?;
                self.push("}")
            }
            (_, Some(value)) => self.value(some, value),
        }
    }
}

/// The float with the fewest digits that is `value` as an f32: 0.1, not 0.10000000149011612.
fn short(value: f32) -> f64 {
    let shortest: f64 = value.to_string().parse().unwrap_or(f64::NAN);
    match (shortest as f32).to_bits() == value.to_bits() {
        true => shortest,
        false => value.into(),
    }
}
