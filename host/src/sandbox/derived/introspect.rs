//! What a component exports, from the engine's types: the functions that can be tools, and why the others cannot.

use wasmtime::Engine;
use wasmtime::component::types::{
    Case as EngineCase, ComponentFunc, ComponentItem, Field as EngineField,
};
use wasmtime::component::{Component, Type};

use super::names::Origin;
use super::shape::{Case, Field, Integer, Shape, Signature};
use crate::plugin::LeftOut;
use crate::sandbox::log::cut;

/// Deepest nesting of a type. A level takes up to four levels of JSON in a schema, and JSON may have 128.
pub(super) const DEPTH_MAX: usize = 24;
/// Types and names that one function is made of: the schema spells each of them out.
const FUNCTION_TYPES_MAX: usize = 4_000;
/// Types and names that all functions of a component are made of.
const COMPONENT_TYPES_MAX: usize = 200_000;
/// Bytes of a name that count as much as a type.
const NAME_BYTES_PAID: usize = 32;
/// Functions that are left out by name; of the others only the number is kept.
const LEFT_OUT_MAX: usize = 64;
/// Bytes of a function's name in a message, and of the reason why it is no tool, which may name a parameter.
const NAME_BYTES_MAX: usize = 256;
const REASON_BYTES_MAX: usize = 512;

/// A function that can be a tool.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) origin: Origin,
    pub(super) signature: Signature,
}

/// What becomes of a component's exported functions.
#[derive(Debug, Default)]
pub(super) struct Exports {
    pub(super) functions: Vec<Function>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Exports {
    /// Looks at every export.
    pub(super) fn of(engine: &Engine, component: &Component) -> Self {
        let mut exports = Self::default();
        let mut budget = COMPONENT_TYPES_MAX;
        for (name, external) in component.component_type().exports(engine) {
            match external.ty {
                ComponentItem::ComponentFunc(function) => {
                    exports.add(None, name, &function, &mut budget);
                }
                ComponentItem::ComponentInstance(instance) if offers_tools(name) => {
                    for (function_name, external) in instance.exports(engine) {
                        if let ComponentItem::ComponentFunc(function) = external.ty {
                            exports.add(Some(name), function_name, &function, &mut budget);
                        }
                    }
                }
                _ => {}
            }
        }
        exports
    }

    fn add(
        &mut self,
        interface: Option<&str>,
        name: &str,
        function: &ComponentFunc,
        budget: &mut usize,
    ) {
        let origin = Origin {
            interface: interface.map(str::to_owned),
            function: name.to_owned(),
        };
        if is_leftover(interface, name, function) {
            return;
        }
        match signature(function, budget) {
            Ok(signature) => self.functions.push(Function { origin, signature }),
            Err(why) => self.leave_out(&origin, why),
        }
    }

    /// Notes that a function is no tool.
    pub(super) fn leave_out(&mut self, origin: &Origin, why: impl Into<String>) {
        match self.left_out.len() {
            LEFT_OUT_MAX => self.left_out.push(LeftOut {
                function: "further functions".to_owned(),
                why: "they cannot be tools either".to_owned(),
            }),
            kept if kept < LEFT_OUT_MAX => {
                let function = cut(&origin.full(), NAME_BYTES_MAX).to_owned();
                let why = cut(&why.into(), REASON_BYTES_MAX).to_owned();
                self.left_out.push(LeftOut { function, why });
            }
            _ => {}
        }
    }
}

/// Whether an exported instance's functions are meant to be called: what WASI defines is for other hosts, and what we
/// define has its own adapters.
pub(in crate::sandbox) fn offers_tools(interface: &str) -> bool {
    !interface.starts_with("wasi:") && !interface.starts_with("coinop:")
}

/// What componentize-py and componentize-qjs leave behind: calling it would spoil the instance. Its author knows nothing
/// of it, so nothing is said.
fn is_leftover(interface: Option<&str>, name: &str, function: &ComponentFunc) -> bool {
    match (interface, name) {
        (Some("exports"), "init") => true,
        (None, "init") => function.params().len() == 0 && function.results().len() == 0,
        _ => false,
    }
}

fn signature(function: &ComponentFunc, budget: &mut usize) -> Result<Signature, String> {
    let mut reader = Reader {
        left: FUNCTION_TYPES_MAX.min(*budget),
        depth: 0,
    };
    let before = reader.left;
    let read = reader.signature(function);
    *budget -= before - reader.left;
    read
}

/// Reads types within bounds.
struct Reader {
    left: usize,
    depth: usize,
}

impl Reader {
    fn signature(&mut self, function: &ComponentFunc) -> Result<Signature, String> {
        self.pay(1)?;
        let mut params = Vec::new();
        for (name, ty) in function.params() {
            let name = self.name(name)?;
            let shape = self.shape(&ty);
            let shape = shape.map_err(|why| format!("its parameter {name} {why}"))?;
            params.push(Field { name, shape });
        }
        let answer = function.results().next().map(|ty| self.shape(&ty));
        let answer = answer
            .transpose()
            .map_err(|why| format!("its answer {why}"))?;
        let answer = answer.into();
        Ok(Signature { params, answer })
    }

    fn shape(&mut self, ty: &Type) -> Result<Shape, String> {
        self.pay(1)?;
        if self.depth == DEPTH_MAX {
            return Err(format!("is nested more than {DEPTH_MAX} types deep"));
        }
        self.depth += 1;
        let shape = self.any(ty);
        self.depth -= 1;
        shape
    }

    fn any(&mut self, ty: &Type) -> Result<Shape, String> {
        Ok(match ty {
            Type::Bool => Shape::Bool,
            Type::S8 => Shape::Integer(Integer::S8),
            Type::U8 => Shape::Integer(Integer::U8),
            Type::S16 => Shape::Integer(Integer::S16),
            Type::U16 => Shape::Integer(Integer::U16),
            Type::S32 => Shape::Integer(Integer::S32),
            Type::U32 => Shape::Integer(Integer::U32),
            Type::S64 => Shape::Integer(Integer::S64),
            Type::U64 => Shape::Integer(Integer::U64),
            Type::Float32 => Shape::Float32,
            Type::Float64 => Shape::Float64,
            Type::Char => Shape::Char,
            Type::String => Shape::String,
            Type::List(list) => match list.ty() {
                Type::U8 => Shape::Bytes,
                item => Shape::List(Box::new(self.shape(&item)?)),
            },
            Type::Tuple(tuple) => {
                let items = tuple.types().map(|ty| self.shape(&ty));
                Shape::Tuple(items.collect::<Result<_, _>>()?)
            }
            Type::Record(record) => {
                let fields = record.fields().map(|field| self.field(field));
                Shape::Record(fields.collect::<Result<_, _>>()?)
            }
            Type::Variant(variant) => {
                let cases = variant.cases().map(|case| self.case(case));
                Shape::Variant(cases.collect::<Result<_, _>>()?)
            }
            Type::Enum(names) => Shape::Enum(self.names(names.names())?),
            Type::Flags(names) => Shape::Flags(self.names(names.names())?),
            Type::Option(option) => Shape::Option(Box::new(self.shape(&option.ty())?)),
            Type::Result(result) => Shape::Result {
                ok: self.payload(result.ok())?,
                err: self.payload(result.err())?,
            },
            Type::Own(_) | Type::Borrow(_) => return Err(no_json("a resource")),
            Type::Future(_) => return Err(no_json("a future")),
            Type::Stream(_) => return Err(no_json("a stream")),
            Type::ErrorContext => return Err(no_json("an error-context")),
            // The engine does not run components that use them.
            Type::Map(_) => return Err(no_json("a map")),
            Type::FixedLengthList(_) => return Err(no_json("a list of fixed length")),
        })
    }

    fn field(&mut self, field: EngineField<'_>) -> Result<Field, String> {
        let name = self.name(field.name)?;
        let shape = self.shape(&field.ty)?;
        Ok(Field { name, shape })
    }

    fn case(&mut self, case: EngineCase<'_>) -> Result<Case, String> {
        let name = self.name(case.name)?;
        let shape = case.ty.map(|ty| self.shape(&ty)).transpose()?;
        Ok(Case { name, shape })
    }

    fn names<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
        names.map(|name| self.name(name)).collect()
    }

    /// A name counts by its length: types share theirs, schemas spell each one out.
    fn name(&mut self, name: &str) -> Result<String, String> {
        self.pay(1 + name.len() / NAME_BYTES_PAID)?;
        Ok(name.to_owned())
    }

    fn pay(&mut self, types: usize) -> Result<(), String> {
        let left = self.left.checked_sub(types);
        self.left = left.ok_or("is made of too many types")?;
        Ok(())
    }

    fn payload(&mut self, ty: Option<Type>) -> Result<Option<Box<Shape>>, String> {
        ty.map(|ty| self.shape(&ty).map(Box::new)).transpose()
    }
}

fn no_json(what: &str) -> String {
    format!("contains {what}, which has no form in JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::corpus;
    use crate::sandbox::engine;

    fn exports(wat: &str) -> Exports {
        let engine = engine::build(2, engine::Metering::Off, engine::Concurrency::On).unwrap();
        let component = Component::new(&engine, wat::parse_str(wat).unwrap()).unwrap();
        Exports::of(&engine, &component)
    }

    /// A function whose parameter has the type, which takes one or two core values.
    fn takes(types: &str, param: &str, core: &str) -> Exports {
        exports(&format!(
            "(component {types}
               (core module $m
                 (memory (export \"memory\") 1)
                 (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 0))
                 (func (export \"f\") (param {core})))
               (core instance $i (instantiate $m))
               (func (export \"f\") (param \"v\" {param})
                 (canon lift (core func $i \"f\")
                   (memory (core memory $i \"memory\")) (realloc (core func $i \"realloc\")))))"
        ))
    }

    fn lists(depth: usize) -> String {
        "(list ".repeat(depth) + "u32" + &")".repeat(depth)
    }

    #[test]
    fn asynchronous_functions_are_tools_and_those_with_streams_are_left_out_by_name() {
        let (_, text) = corpus("components")
            .into_iter()
            .find(|(file, _)| file.ends_with("later.wat"))
            .unwrap();
        let exports = exports(std::str::from_utf8(&text).unwrap());
        let functions: Vec<String> = exports.functions.iter().map(|f| f.origin.full()).collect();
        assert_eq!(functions, ["now", "later"]);
        let left_out: Vec<String> = exports
            .left_out
            .iter()
            .map(|left_out| format!("{}: {}", left_out.function, left_out.why))
            .collect();
        assert_eq!(
            left_out,
            [
                "wait: its parameter for contains a future, which has no form in JSON",
                "drink: its parameter from contains a stream, which has no form in JSON",
            ]
        );
    }

    #[test]
    fn types_that_are_too_deep_or_too_many_are_left_out() {
        let deepest = takes("", &lists(DEPTH_MAX - 1), "i32 i32");
        assert_eq!((deepest.functions.len(), deepest.left_out.len()), (1, 0));
        let deeper = takes("", &lists(DEPTH_MAX), "i32 i32");
        assert_eq!(
            deeper.left_out[0].why,
            "its parameter v is nested more than 24 types deep"
        );
        // Twelve lines of WAT, and eight thousand types when they are spelled out.
        let doubled: String = (1..=12)
            .map(|n| format!("(type $t{n} (tuple $t{} $t{}))", n - 1, n - 1))
            .collect();
        let many = takes(&format!("(type $t0 u8) {doubled}"), "$t12", "i32");
        assert_eq!(
            many.left_out[0].why,
            "its parameter v is made of too many types"
        );
    }

    #[test]
    fn what_languages_leave_behind_is_no_tool() {
        let exports = exports(
            "(component
               (core module $m (func (export \"f\")))
               (core instance $i (instantiate $m))
               (func $f (canon lift (core func $i \"f\")))
               (instance $exports (export \"init\" (func $f)))
               (export \"exports\" (instance $exports))
               (export \"init\" (func $f))
               (export \"run-it\" (func $f)))",
        );
        let functions: Vec<String> = exports.functions.iter().map(|f| f.origin.full()).collect();
        assert_eq!(functions, ["run-it"]);
        assert_eq!(exports.left_out, []);
    }
}
