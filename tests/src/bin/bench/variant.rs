//! Many plugins of one: copies of a component that differ in a custom section, so that each has a digest, a listing and
//! compiled code of its own, and does the same.

use std::path::Path;

use anyhow::Result;

const CUSTOM_SECTION: u8 = 0;
const SECTION_NAME: &[u8] = b"bench";

/// Puts a copy of `component` at `path` in one step, told from every other by `mark`.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn put(component: &[u8], mark: &str, path: &Path) -> Result<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, marked(component, mark))?;
    std::fs::rename(part, path)?;
    Ok(())
}

fn marked(component: &[u8], mark: &str) -> Vec<u8> {
    let mut section = length(SECTION_NAME.len());
    section.extend_from_slice(SECTION_NAME);
    section.extend_from_slice(mark.as_bytes());
    let mut whole = component.to_vec();
    whole.push(CUSTOM_SECTION);
    whole.extend(length(section.len()));
    whole.extend(section);
    whole
}

/// LEB128.
fn length(mut left: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (left & 0x7f) as u8;
        left >>= 7;
        if left == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
