//! What a function is called by its types, for people: `get-weather(city: string) -> result<string, string>`.

use super::names::Origin;
use super::shape::{Answer, Field, Shape, Signature};

/// Longest signature, bytes.
const SIGNATURE_BYTES_MAX: usize = 600;

/// The description of a function without doc comments.
pub(super) fn sentence(origin: &Origin, signature: &Signature) -> String {
    let mut text = Text::default();
    text.signature(&origin.function, signature);
    let called = text.done();
    match &origin.interface {
        Some(interface) => format!("Calls {called} of {interface}."),
        None => format!("Calls {called}."),
    }
}

/// Text that stops growing at its limit.
#[derive(Default)]
struct Text(String);

impl Text {
    fn push(&mut self, text: &str) {
        if self.0.len() <= SIGNATURE_BYTES_MAX {
            self.0.push_str(text);
        }
    }

    fn done(mut self) -> String {
        if self.0.len() > SIGNATURE_BYTES_MAX {
            let end = self.0.floor_char_boundary(SIGNATURE_BYTES_MAX);
            self.0.truncate(end);
            self.0.push('…');
        }
        self.0
    }

    fn signature(&mut self, name: &str, signature: &Signature) {
        self.push(name);
        self.push("(");
        self.fields(&signature.params);
        self.push(")");
        match &signature.answer {
            Answer::Nothing => {}
            Answer::Value(shape) => {
                self.push(" -> ");
                self.shape(shape);
            }
            Answer::Fallible { ok, err } => {
                self.push(" -> ");
                self.result(ok.as_ref(), err.as_ref());
            }
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        for (n, field) in fields.iter().enumerate() {
            self.push(if n == 0 { "" } else { ", " });
            self.push(&field.name);
            self.push(": ");
            self.shape(&field.shape);
        }
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Bool => self.push("bool"),
            Shape::Integer(integer) => self.push(integer.name()),
            Shape::Float32 => self.push("f32"),
            Shape::Float64 => self.push("f64"),
            Shape::Char => self.push("char"),
            Shape::String => self.push("string"),
            Shape::Bytes => self.push("list<u8>"),
            Shape::List(item) => self.of("list", [&**item]),
            Shape::Tuple(items) => self.of("tuple", items),
            Shape::Option(some) => self.of("option", [&**some]),
            Shape::Record(fields) => {
                self.push("record { ");
                self.fields(fields);
                self.push(" }");
            }
            Shape::Variant(cases) => {
                let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
                self.names("variant", &names);
            }
            Shape::Enum(names) => self.names("enum", names),
            Shape::Flags(names) => self.names("flags", names),
            Shape::Result { ok, err } => self.result(ok.as_deref(), err.as_deref()),
        }
    }

    fn of<'a>(&mut self, kind: &str, shapes: impl IntoIterator<Item = &'a Shape>) {
        self.push(kind);
        self.push("<");
        for (n, shape) in shapes.into_iter().enumerate() {
            self.push(if n == 0 { "" } else { ", " });
            self.shape(shape);
        }
        self.push(">");
    }

    fn names(&mut self, kind: &str, names: &[impl AsRef<str>]) {
        self.push(kind);
        for (n, name) in names.iter().enumerate() {
            self.push(if n == 0 { " { " } else { ", " });
            self.push(name.as_ref());
        }
        self.push(" }");
    }

    fn result(&mut self, ok: Option<&Shape>, err: Option<&Shape>) {
        match (ok, err) {
            (None, None) => self.push("result"),
            (Some(ok), None) => self.of("result", [ok]),
            (Some(ok), Some(err)) => self.of("result", [ok, err]),
            (None, Some(err)) => {
                self.push("result<_, ");
                self.shape(err);
                self.push(">");
            }
        }
    }
}
