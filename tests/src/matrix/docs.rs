//! The table's place in the documentation: between two comments in `docs/clients.md`.

use std::path::PathBuf;

use crate::paths;

const BEGIN: &str = "<!-- matrix: written by `cargo xtask matrix -- --write` -->\n";
const END: &str = "<!-- end of the matrix -->";

/// The table as it is committed.
///
/// # Panics
/// When the page has no place for it.
pub fn committed() -> String {
    let page = read();
    let (_, rest) = page.split_once(BEGIN).expect("the page has a place for it");
    let (table, _) = rest.split_once(END).expect("the place has an end");
    table.trim().to_owned()
}

/// Puts the table into its place.
///
/// # Panics
/// When the page has no place for it, or cannot be written.
pub fn write(table: &str) {
    let page = read();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for it");
    let (_, after) = rest.split_once(END).expect("the place has an end");
    let page = format!("{before}{BEGIN}\n{}\n\n{END}{after}", table.trim());
    std::fs::write(path(), page).expect("the page can be written");
}

fn read() -> String {
    std::fs::read_to_string(path()).expect("the page can be read")
}

fn path() -> PathBuf {
    paths::root().join("docs/clients.md")
}
