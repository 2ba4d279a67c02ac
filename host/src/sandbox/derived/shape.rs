//! The types of an exported function as plain data: what schemas and conversions are derived from.

/// A type of the component model that has a JSON form. Its depth and size are bounded where it is made.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Bool,
    Integer(Integer),
    Float32,
    Float64,
    Char,
    String,
    /// `list<u8>`.
    Bytes,
    List(Box<Self>),
    Tuple(Vec<Self>),
    Record(Vec<Field>),
    Variant(Vec<Case>),
    Enum(Vec<String>),
    Flags(Vec<String>),
    Option(Box<Self>),
    Result {
        ok: Option<Box<Self>>,
        err: Option<Box<Self>>,
    },
}

impl Shape {
    /// How many times as much memory a lifted value takes as the engine reckons: it counts the bytes of names, not the
    /// texts that hold them, and flags have one for each that is set.
    fn weight(&self) -> usize {
        const NAMED: usize = 4;
        const FLAG: usize = 32;
        let most = |shapes: &mut dyn Iterator<Item = &Self>| shapes.map(Self::weight).max();
        match self {
            Self::Flags(_) => FLAG,
            Self::Enum(_) => NAMED,
            Self::Record(fields) => {
                let fields = most(&mut fields.iter().map(|field| &field.shape));
                fields.unwrap_or(NAMED).max(NAMED)
            }
            Self::Variant(cases) => {
                let cases = most(&mut cases.iter().filter_map(|case| case.shape.as_ref()));
                cases.unwrap_or(NAMED).max(NAMED)
            }
            Self::List(of) | Self::Option(of) => of.weight(),
            Self::Tuple(parts) => most(&mut parts.iter()).unwrap_or(1),
            Self::Result { ok, err } => {
                let both = [ok, err].into_iter().flatten().map(|shape| &**shape);
                most(&mut both.into_iter()).unwrap_or(1)
            }
            Self::Bool
            | Self::Integer(_)
            | Self::Float32
            | Self::Float64
            | Self::Char
            | Self::String
            | Self::Bytes => 1,
        }
    }
}

/// A named part of a record, or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) shape: Shape,
}

impl Field {
    /// Whether it may be left out.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self.shape, Shape::Option(_))
    }
}

/// A case of a variant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) shape: Option<Shape>,
}

/// An integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Integer {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
}

/// Integers up to this size, either sign, are the same to every JSON reader (RFC 7493 §2.2).
pub(super) const SAFE_INTEGER_MAX: i128 = (1 << 53) - 1;

impl Integer {
    /// The least and the greatest.
    pub(super) fn bounds(self) -> (i128, i128) {
        match self {
            Self::S8 => (i8::MIN.into(), i8::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
            Self::S16 => (i16::MIN.into(), i16::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::S32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::S64 => (i64::MIN.into(), i64::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
        }
    }

    /// The least and the greatest that are written as JSON numbers.
    pub(super) fn number_bounds(self) -> (i128, i128) {
        let (min, max) = self.bounds();
        (min.max(-SAFE_INTEGER_MAX), max.min(SAFE_INTEGER_MAX))
    }

    /// Whether some of its values are not safe as JSON numbers, and so are written as texts.
    pub(super) fn is_wide(self) -> bool {
        matches!(self, Self::S64 | Self::U64)
    }

    /// The name in WIT.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::S16 => "s16",
            Self::U16 => "u16",
            Self::S32 => "s32",
            Self::U32 => "u32",
            Self::S64 => "s64",
            Self::U64 => "u64",
        }
    }
}

/// What a function takes and gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Signature {
    pub(super) params: Vec<Field>,
    pub(super) answer: Answer,
}

/// What a function gives. A `result` at the top is the function's own word on whether it failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Nothing,
    Value(Shape),
    Fallible {
        ok: Option<Shape>,
        err: Option<Shape>,
    },
}

impl Answer {
    /// See [`Shape::weight`].
    pub(super) fn weight(&self) -> usize {
        let (one, other) = match self {
            Self::Nothing => (None, None),
            Self::Value(shape) => (Some(shape), None),
            Self::Fallible { ok, err } => (ok.as_ref(), err.as_ref()),
        };
        let both = [one, other].into_iter().flatten();
        both.map(Shape::weight).max().unwrap_or(1)
    }
}

impl Answer {
    /// The value of a good answer, where there is one.
    pub(super) fn value(&self) -> Option<&Shape> {
        match self {
            Self::Nothing => None,
            Self::Value(shape) => Some(shape),
            Self::Fallible { ok, .. } => ok.as_ref(),
        }
    }
}

impl From<Option<Shape>> for Answer {
    fn from(shape: Option<Shape>) -> Self {
        match shape {
            None => Self::Nothing,
            Some(Shape::Result { ok, err }) => Self::Fallible {
                ok: ok.map(|shape| *shape),
                err: err.map(|shape| *shape),
            },
            Some(shape) => Self::Value(shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_weighs_as_much_as_its_heaviest_part() {
        let flags = || Shape::Flags(vec!["read".to_owned()]);
        let record = |shape| {
            let name = "of".to_owned();
            Shape::Record(vec![Field { name, shape }])
        };
        let light = Answer::Value(Shape::List(Box::new(Shape::Bytes)));
        let named = Answer::Value(record(Shape::String));
        let heavy = Answer::Value(Shape::Option(Box::new(record(flags()))));
        let weights = [&Answer::Nothing, &light, &named, &heavy].map(Answer::weight);
        assert!(weights.is_sorted() && weights[1] < weights[2] && weights[2] < weights[3]);
        let refused = |err| Answer::Fallible { ok: None, err };
        assert_eq!(refused(Some(flags())).weight(), weights[3]);
        assert_eq!(refused(None).weight(), weights[0]);
    }
}
