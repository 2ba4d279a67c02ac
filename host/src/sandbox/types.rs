//! Component types as a file spells them, read without recursion. Pure.
//!
//! A file of some kilobytes can nest them a thousand deep, and whatever reads them afterwards, the compiler too, takes
//! some stack for each level: it would end the host.

use wasmparser::{
    BinaryReader, ComponentAlias, ComponentDefinedType, ComponentExternName, ComponentImport,
    ComponentType, ComponentTypeRef, CoreType,
};

/// What a section of types has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// How deep component and instance types are nested in each other.
    pub(super) depth: usize,
    /// Whether it has an `async` function, a stream or a future.
    pub(super) is_asynchronous: bool,
}

/// Looks at the contents of a section of types. Bytes that are none end it: nobody reads beyond them.
pub(super) fn of_section(contents: &[u8]) -> Seen {
    let mut reader = BinaryReader::new(contents, 0);
    let mut seen = Seen::default();
    // Why they are none is told by the compiler.
    let _ = read_all(&mut reader, &mut seen);
    seen
}

fn read_all(reader: &mut BinaryReader<'_>, seen: &mut Seen) -> wasmparser::Result<()> {
    for _ in 0..reader.read_var_u32()? {
        read_type(reader, seen)?;
    }
    Ok(())
}

fn read_type(reader: &mut BinaryReader<'_>, seen: &mut Seen) -> wasmparser::Result<()> {
    // Declarations that are left in each type that is open.
    let mut open: Vec<u32> = Vec::new();
    loop {
        if let Some(declarations) = begin_type(reader, seen)? {
            open.push(declarations);
            seen.depth = seen.depth.max(open.len());
        }
        loop {
            let Some(left) = open.last_mut() else {
                return Ok(());
            };
            if *left == 0 {
                open.pop();
                continue;
            }
            *left -= 1;
            if begin_declaration(reader)? {
                break;
            }
        }
    }
}

/// Reads a type, or only as far as the number of declarations in it.
fn begin_type(reader: &mut BinaryReader<'_>, seen: &mut Seen) -> wasmparser::Result<Option<u32>> {
    const COMPONENT: u8 = 0x41;
    const INSTANCE: u8 = 0x42;
    let mut ahead = reader.clone();
    if matches!(ahead.read_u8()?, COMPONENT | INSTANCE) {
        *reader = ahead;
        return reader.read_var_u32().map(Some);
    }
    seen.is_asynchronous |= match reader.read()? {
        ComponentType::Func(function) => function.async_,
        ComponentType::Defined(defined) => matches!(
            defined,
            ComponentDefinedType::Future(_) | ComponentDefinedType::Stream(_)
        ),
        _ => false,
    };
    Ok(None)
}

/// Reads a declaration; `true` where the type comes next that it declares.
fn begin_declaration(reader: &mut BinaryReader<'_>) -> wasmparser::Result<bool> {
    match reader.read_u8()? {
        0x00 => {
            reader.read::<CoreType<'_>>()?;
        }
        0x01 => return Ok(true),
        0x02 => {
            reader.read::<ComponentAlias<'_>>()?;
        }
        0x03 => {
            reader.read::<ComponentImport<'_>>()?;
        }
        // An export; anything else fails as one.
        _ => {
            reader.read::<ComponentExternName<'_>>()?;
            reader.read::<ComponentTypeRef>()?;
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(types: &str, depth: usize, is_asynchronous: bool) {
        let component = wat::parse_str(format!("(component {types})")).unwrap();
        // The one section's number and length are a byte each.
        let seen = of_section(&component[10..]);
        let expected = Seen {
            depth,
            is_asynchronous,
        };
        assert_eq!(seen, expected, "{types}");
    }

    #[test]
    fn reads_every_declaration() {
        check("(type u8)", 0, false);
        check("(type (instance))", 1, false);
        check(
            "(type (component
               (import \"a\" (func))
               (type $i (instance (type $r (record (field \"b\" u8))) (export \"c\" (type (eq $r)))))
               (import \"d\" (instance (type $i)))
               (alias outer 0 $i (type $o))
               (core type (func (param i32)))
               (export \"e\" (func))))",
            2,
            false,
        );
    }

    #[test]
    fn sees_what_is_asynchronous_at_any_depth() {
        check("(type (stream u8))", 0, true);
        check("(type (instance (type (future))))", 1, true);
        check(
            "(type (component (type (instance (type (func async))))))",
            2,
            true,
        );
    }

    #[test]
    fn any_depth_takes_no_stack() {
        const DEPTH: usize = 1 << 20;
        let mut contents = vec![1];
        contents.extend([0x42, 0x01, 0x01].repeat(DEPTH));
        assert_eq!(of_section(&contents).depth, DEPTH);
    }
}
