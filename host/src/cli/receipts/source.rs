//! Where receipts come from: compact ones a line each, JSON one after another or in an array, the CSV export. Read as they
//! come, so that a file may be of any length.

use std::fmt;
use std::io::{self, BufRead, Cursor, Read as _};

use coinop_core::receipt::RECEIPT_BYTES_MAX;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::claim::Claim;
use crate::cli::payments::export;

/// Longest line of text read, bytes: a receipt, or the heading of an export.
const LINE_BYTES_MAX: u64 = RECEIPT_BYTES_MAX as u64;

/// Where in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A line, from 1.
    Line(u64),
    /// A JSON value, from 1.
    Entry(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Entry(number) => write!(f, "entry {number}"),
        }
    }
}

/// What is done with what is found: a claim, or why there is none.
type Each<'a> = &'a mut dyn FnMut(Place, Result<Claim, String>);

/// Hands everything in `input` to `each`. What cannot be read as what it seems to be is a fault of its own, after which
/// nothing more is read where the rest cannot be told apart.
///
/// # Errors
/// The input's own.
pub(super) fn read(mut input: impl BufRead, each: Each<'_>) -> io::Result<()> {
    let blank_lines = skip_blank(&mut input)?;
    match input.fill_buf()?.first() {
        None => Ok(()),
        Some(b'[') => array(input, each),
        Some(b'{' | b'"') => values(input, each),
        Some(_) => text(input, blank_lines, each),
    }
}

/// Skips white space before the first value; how many lines it was.
fn skip_blank(input: &mut impl BufRead) -> io::Result<u64> {
    let mut lines = 0;
    loop {
        let buffer = input.fill_buf()?;
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace());
        let length = blank.clone().count();
        lines += blank.filter(|byte| **byte == b'\n').count() as u64;
        let is_done = length < buffer.len() || buffer.is_empty();
        input.consume(length);
        if is_done {
            return Ok(lines);
        }
    }
}

fn values(input: impl BufRead, each: Each<'_>) -> io::Result<()> {
    let values = serde_json::Deserializer::from_reader(input).into_iter::<Value>();
    for (number, value) in (1..).zip(values) {
        match value {
            Ok(value) => each(Place::Entry(number), Claim::of(value)),
            Err(error) => return unread(Place::Entry(number), error, each),
        }
    }
    Ok(())
}

fn array(input: impl BufRead, each: Each<'_>) -> io::Result<()> {
    let mut read = 0;
    let mut reader = serde_json::Deserializer::from_reader(input);
    let elements = Elements {
        read: &mut read,
        each: &mut *each,
    };
    let ended = reader.deserialize_seq(elements).and_then(|()| reader.end());
    match ended {
        Ok(()) => Ok(()),
        Err(error) => unread(Place::Entry(read + 1), error, each),
    }
}

/// A JSON array, an element at a time.
struct Elements<'a, 'b> {
    read: &'a mut u64,
    each: Each<'b>,
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of receipts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<Value>()? {
            *self.read += 1;
            (self.each)(Place::Entry(*self.read), Claim::of(value));
        }
        Ok(())
    }
}

fn unread(at: Place, error: serde_json::Error, each: Each<'_>) -> io::Result<()> {
    if error.is_io() {
        return Err(error.into());
    }
    each(at, Err(format!("not read from here on: {error}")));
    Ok(())
}

fn text(mut input: impl BufRead, blank_lines: u64, each: Each<'_>) -> io::Result<()> {
    let mut number = blank_lines;
    loop {
        let mut line = Vec::new();
        let read = (&mut input)
            .take(LINE_BYTES_MAX + 1)
            .read_until(b'\n', &mut line)?;
        number += 1;
        let at = Place::Line(number);
        if read as u64 > LINE_BYTES_MAX {
            each(
                at,
                Err("not read from here on: the line is longer than a receipt".to_owned()),
            );
            return Ok(());
        }
        if read == 0 {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(&line).trim().to_owned();
        if number == blank_lines + 1 && export::is_heading(&shown) {
            return table(Cursor::new(line).chain(input), blank_lines, each);
        }
        if !shown.is_empty() {
            each(at, Ok(Claim::compact(shown)));
        }
    }
}

fn table(input: impl io::Read, blank_lines: u64, each: Each<'_>) -> io::Result<()> {
    let mut reader = csv::Reader::from_reader(input);
    let names = reader.headers()?.clone();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) if error.is_io_error() => return Err(error.into()),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                each(
                    Place::Line(blank_lines + line),
                    Err(format!("not read: {error}")),
                );
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let cells = names.iter().zip(&record);
        let row = cells.map(|(name, cell)| (name.to_owned(), Value::from(cell)));
        each(
            Place::Line(blank_lines + line),
            Ok(Claim::row(Map::from_iter(row))),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(text.as_bytes(), &mut |at, claim| {
            let jws = claim.map(|claim| claim.jws);
            found.push(format!("{at}: {jws:?}"));
        })
        .unwrap();
        found
    }

    #[test]
    fn receipts_are_found_in_every_form() {
        assert_eq!(found(" \n\n"), [""; 0]);
        assert_eq!(
            found("\na.b.c\r\n\nd.e.f"),
            ["line 2: Ok(Some(\"a.b.c\"))", "line 4: Ok(Some(\"d.e.f\"))"]
        );
        let two = ["entry 1: Ok(Some(\"a\"))", "entry 2: Ok(Some(\"b\"))"];
        assert_eq!(found(r#""a" "b""#), two);
        assert_eq!(found(r#" [ "a", {"jws":"b"} ] "#), two);
        assert_eq!(found("{\"jws\":\"a\"}\n{\n\"jws\":\"b\"}\n"), two);
        let result = r#"{"result":{"content":[],"_meta":{"coinop/receipt":{"jws":"b"}}}}"#;
        assert_eq!(found(&format!("[\"a\",{result}]")), two);
        assert_eq!(
            found("call,receipt_jws\nx,a\n\"y\n\",\n"),
            ["line 2: Ok(Some(\"a\"))", "line 3: Ok(None)"]
        );
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_at_its_place() {
        for (text, at) in [
            ("\"a\" {", "entry 2: Err"),
            ("[\"a\", nonsense", "entry 2: Err"),
            ("[\"a\"] more", "entry 2: Err"),
            ("{\"jws\":1}", "entry 1: Err"),
            ("{}", "entry 1: Err"),
            ("[7]", "entry 1: Err"),
            ("call,receipt_jws\nx\n", "line 2: Err"),
        ] {
            let found = found(text);
            assert!(found.last().unwrap().starts_with(at), "{text}: {found:?}");
        }
        let long = found(&"x".repeat(RECEIPT_BYTES_MAX + 1));
        assert!(long[0].contains("longer than a receipt"), "{long:?}");
    }
}
