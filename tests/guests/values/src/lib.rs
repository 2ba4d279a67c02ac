//! Gives back what it gets, a function a type of the component model.

wit_bindgen::generate!({ path: "wit", world: "local:values/values" });

use exports::local::values::answer;
use exports::local::values::echo::{self, Colour, Form, Person, Rights};

struct Values;
export!(Values);

impl echo::Guest for Values {
    fn bools(v: bool) -> bool {
        v
    }

    fn small(v: (i8, u8, i16, u16, i32, u32)) -> (i8, u8, i16, u16, i32, u32) {
        v
    }

    fn wide(v: (i64, u64)) -> (i64, u64) {
        v
    }

    fn floats(v: (f32, f64)) -> (f32, f64) {
        v
    }

    fn chars(v: char) -> char {
        v
    }

    fn strings(v: String) -> String {
        v
    }

    fn bytes(v: Vec<u8>) -> Vec<u8> {
        v
    }

    fn lists(v: Vec<Vec<String>>) -> Vec<Vec<String>> {
        v
    }

    fn records(v: Person) -> Person {
        v
    }

    fn variants(v: Vec<Form>) -> Vec<Form> {
        v
    }

    fn enums(v: Colour) -> Colour {
        v
    }

    fn flags(v: Rights) -> Rights {
        v
    }

    fn options(v: Option<Option<u32>>, w: Option<String>) -> (Option<Option<u32>>, Option<String>) {
        (v, w)
    }

    fn results(
        v: Vec<Result<u32, String>>,
        w: Vec<Result<(), ()>>,
    ) -> (Vec<Result<u32, String>>, Vec<Result<(), ()>>) {
        (v, w)
    }
}

impl answer::Guest for Values {
    fn nothing() {}

    fn only_failure(fail: bool) -> Result<(), u32> {
        if fail { Err(7) } else { Ok(()) }
    }

    fn only_success(fail: bool) -> Result<u32, ()> {
        if fail { Err(()) } else { Ok(7) }
    }

    fn bare(fail: bool) -> Result<(), ()> {
        if fail { Err(()) } else { Ok(()) }
    }

    fn not_a_number() -> Vec<f64> {
        vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.1]
    }

    fn panic() -> String {
        panic!("the table of values is gone")
    }

    fn flood(bytes: u32) -> Vec<u8> {
        vec![0; bytes as usize]
    }
}
