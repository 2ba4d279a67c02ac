//! The trace: what every process of a play visited, in order, and what the harness itself saw between them.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

/// A line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Which process; 0 is the harness.
    pub pid: u32,
    /// The place.
    pub name: String,
    /// What it was about, often empty.
    pub subject: String,
}

/// What the harness notes when it finds a payment decided in the provider's books; the subject is its reference.
pub const SEEN_PAID: &str = "seen-paid";

/// Reads all of it; none yet is empty.
pub fn read(path: &Path) -> Vec<Visit> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<Visit> {
    let mut words = line.splitn(3, ' ');
    Some(Visit {
        pid: words.next()?.parse().ok()?,
        name: words.next()?.to_owned(),
        subject: words.next().unwrap_or_default().to_owned(),
    })
}

/// Appends what the harness saw.
pub fn note(path: &Path, name: &str, subject: &str) {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let mut file = file.expect("the trace can be written");
    writeln!(file, "0 {name} {subject}").expect("the trace can be written");
}

/// The places that one process visited, each as `PLACE:N` with the number of its visit.
pub fn numbered(visits: &[Visit], pid: u32) -> Vec<String> {
    let mut seen = std::collections::HashMap::<&str, u32>::new();
    let own = visits.iter().filter(|visit| visit.pid == pid);
    own.map(|visit| {
        let number = seen.entry(&visit.name).or_default();
        *number += 1;
        format!("{}:{number}", visit.name)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_are_numbered_for_each_process() {
        let lines = ["7 run a 1", "8 run b 1", "7 commit", "7 run a 2"];
        let visits: Vec<Visit> = lines.iter().filter_map(|line| parse(line)).collect();
        assert_eq!(visits[0].subject, "a 1");
        assert_eq!(visits[2].subject, "");
        assert_eq!(numbered(&visits, 7), ["run:1", "commit:1", "run:2"]);
        assert_eq!(numbered(&visits, 8), ["run:1"]);
    }
}
