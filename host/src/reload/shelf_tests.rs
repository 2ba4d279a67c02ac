use std::time::{Duration, SystemTime};

use super::*;
use crate::plugin::{Contract, Manifest};
use crate::reload::slot::WRITING;

/// A folder of files as [`super::super::folder::scan`] finds it, without the disk's clock.
#[derive(Default)]
struct Shown {
    shelf: Shelf,
    admission: Admission,
    folder: Option<tempfile::TempDir>,
}

fn manifest(text: &str) -> Manifest {
    Manifest {
        digest: Digest::of(text.as_bytes()),
        contract: Contract::Plugin {
            version: "0.1.0".to_owned(),
        },
        imports: Vec::new(),
        tools: Vec::new(),
    }
}

impl Shown {
    /// Puts `files` into the folder (changed an hour ago), looks, and returns what is to be loaded.
    fn look(&mut self, files: &[(&str, &str)], known: &[&str]) -> Vec<String> {
        self.look_at_age(files, known, Duration::from_secs(3600))
    }

    fn look_at_age(
        &mut self,
        files: &[(&str, &str)],
        known: &[&str],
        age: Duration,
    ) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(format!("{name}.wasm"));
            std::fs::write(&path, text).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        let scan = super::super::folder::scan(folder.path(), &self.shelf.stamps(), &self.admission);
        self.folder = Some(folder);
        let find = |digest: &Digest| {
            known
                .iter()
                .map(|text| manifest(text))
                .find(|m| m.digest == *digest)
        };
        let loads = self.shelf.seen("plugins", scan, Instant::now(), find);
        loads.into_iter().map(|load| load.name).collect()
    }

    fn load(&mut self, name: &str, text: &str, result: Result<(), &str>) {
        let result = result.map(|()| manifest(text)).map_err(str::to_owned);
        self.shelf
            .loaded(name, Digest::of(text.as_bytes()), result, Instant::now());
    }

    /// What is served: the digest's text by plugin.
    fn served(&self, texts: &[&str]) -> Vec<String> {
        let text = |digest: Digest| {
            texts
                .iter()
                .find(|t| Digest::of(t.as_bytes()) == digest)
                .unwrap()
                .to_string()
        };
        self.shelf
            .plugins()
            .into_iter()
            .map(|p| format!("{}={}", p.name, text(p.manifest.digest)))
            .collect()
    }

    fn problems(&self) -> Vec<(String, bool)> {
        self.shelf
            .problems(Instant::now())
            .into_iter()
            .map(|p| (p.message, p.keeps_last_good))
            .collect()
    }
}

#[test]
fn an_unknown_file_is_served_when_it_has_loaded() {
    let mut shown = Shown::default();
    assert_eq!(
        shown.look(&[("a", "one"), ("b", "larger")], &[]),
        ["a", "b"]
    );
    assert_eq!(shown.served(&["one"]), [""; 0]);
    shown.load("a", "one", Ok(()));
    assert_eq!(shown.served(&["one"]), ["a=one"]);
    assert_eq!(shown.look(&[("a", "one"), ("b", "larger")], &[]), [""; 0]);
}

#[test]
fn a_known_file_is_served_at_once_and_withdrawn_when_its_code_fails() {
    let mut shown = Shown::default();
    assert_eq!(shown.look(&[("a", "one")], &["one"]), ["a"]);
    assert_eq!(shown.served(&["one"]), ["a=one"]);
    shown.load("a", "one", Err("broken"));
    assert_eq!(shown.served(&["one"]), [""; 0]);
    assert_eq!(shown.problems(), [("broken".to_owned(), false)]);
}

#[test]
fn a_bad_file_keeps_the_last_good_version() {
    for known in [vec![], vec!["two"]] {
        let mut shown = Shown::default();
        shown.look(&[("a", "one")], &[]);
        shown.load("a", "one", Ok(()));
        assert_eq!(shown.look(&[("a", "two")], &known), ["a"]);
        shown.load("a", "two", Err("broken"));
        assert_eq!(shown.served(&["one", "two"]), ["a=one"], "{known:?}");
        assert_eq!(shown.problems(), [("broken".to_owned(), true)]);

        shown.look(&[("a", "three")], &[]);
        shown.load("a", "three", Ok(()));
        assert_eq!(shown.served(&["three"]), ["a=three"]);
        assert_eq!(shown.problems(), []);
    }
}

#[test]
fn a_load_that_was_overtaken_changes_nothing() {
    let mut shown = Shown::default();
    shown.look(&[("a", "one")], &[]);
    shown.look(&[("a", "two")], &[]);
    shown.load("a", "two", Ok(()));
    shown.load("a", "one", Ok(()));
    assert_eq!(shown.served(&["two"]), ["a=two"]);
    shown.load("a", "one", Err("broken"));
    assert_eq!(
        (shown.served(&["two"]), shown.problems()),
        (vec!["a=two".to_owned()], vec![])
    );
}

#[test]
fn going_back_to_the_version_served_ends_the_trouble() {
    let mut shown = Shown::default();
    shown.look(&[("a", "one")], &[]);
    shown.load("a", "one", Ok(()));
    shown.look(&[("a", "bad")], &[]);
    shown.load("a", "bad", Err("broken"));
    assert_eq!(shown.look(&[("a", "one")], &[]), [""; 0]);
    assert_eq!(shown.problems(), []);
}

#[test]
fn a_removed_file_is_served_no_more() {
    let mut shown = Shown::default();
    shown.look(&[("a", "one"), ("b", "two")], &["one", "two"]);
    shown.look(&[("b", "two")], &["two"]);
    assert_eq!(shown.served(&["two"]), ["b=two"]);
    assert_eq!(shown.shelf.served().len(), 1);
}

#[test]
fn a_file_perhaps_still_being_written_is_no_problem_yet() {
    let mut shown = Shown::default();
    shown.look_at_age(&[("a", "half")], &[], Duration::from_millis(500));
    shown.load("a", "half", Err("truncated"));
    assert_eq!(shown.problems(), []);
    let now = Instant::now();
    let due = shown.shelf.next_due(now).unwrap();
    assert!(due > now && due <= now + WRITING);
    assert_eq!(shown.shelf.problems(due).len(), 1);
    assert_eq!(shown.shelf.next_due(due), None);
}

#[test]
fn a_folder_that_cannot_be_read_keeps_everything() {
    let mut shown = Shown::default();
    shown.look(&[("a", "one")], &["one"]);
    let scan = Scan {
        unreadable: Some("gone".to_owned()),
        ..Scan::default()
    };
    shown.shelf.seen("plugins", scan, Instant::now(), |_| None);
    assert_eq!(shown.served(&["one"]), ["a=one"]);
    assert_eq!(shown.problems(), [("gone".to_owned(), true)]);
}
