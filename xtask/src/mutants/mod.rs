//! `mutants`: removes one safeguard at a time from a copy of the sources, and expects a test to fail each time.
//!
//! A test that does not fail without the safeguard proves nothing of it. Each mutation names the tests that must fail,
//! so that the question is not whether something somewhere noticed, but whether what is meant to notice does.

mod list;
mod suite;
mod tree;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use list::MUTATIONS;
use suite::{Program, Suite, Verdict};
use tree::Tree;

/// A safeguard that is taken away.
struct Mutation {
    /// What the command line calls it.
    name: &'static str,
    /// What would go wrong: why a test must fail.
    why: &'static str,
    edits: &'static [Edit],
    /// The tests of which at least one must fail, and where they are.
    suite: Suite,
    tests: &'static [&'static str],
}

/// Text that occurs once in a file, and what stands there instead.
struct Edit {
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// Applies the mutations named, all when none is, one after another. Fails when one survives.
pub(crate) fn run(workspace: &Workspace, names: &[String]) -> Result<ExitCode> {
    let chosen = chosen(names)?;
    let tree = Tree::copy(workspace)?;
    for mutation in &chosen {
        for edit in mutation.edits {
            tree.check(edit).context(mutation.name)?;
        }
    }
    intact(&tree, &chosen)?;
    let mut survivors = 0;
    for mutation in &chosen {
        let began = Instant::now();
        let result = try_one(&tree, mutation);
        // Whatever came of it, the next one starts from the sources as they are.
        tree.restore(mutation.edits)?;
        let told = match result {
            Ok(Verdict::Failed(test)) => format!("killed    by {test}"),
            Ok(Verdict::Hung) => "killed    (the tests never ended)".to_owned(),
            Ok(Verdict::Passed) => {
                survivors += 1;
                format!("SURVIVED  {}", mutation.why)
            }
            Err(error) => {
                survivors += 1;
                format!("BROKEN    {error:#}")
            }
        };
        tell(mutation.name, &told, began.elapsed());
    }
    eprintln!("{} mutations, {survivors} survived", chosen.len());
    Ok(match survivors {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn chosen(names: &[String]) -> Result<Vec<&'static Mutation>> {
    let known = |name: &String| {
        let found = MUTATIONS.iter().find(|mutation| mutation.name == name);
        let all = || MUTATIONS.iter().map(|mutation| mutation.name);
        found.with_context(|| {
            let all: Vec<&str> = all().collect();
            format!(
                "unknown mutation {name:?}: there are\n  {}",
                all.join("\n  ")
            )
        })
    };
    match names {
        [] => Ok(MUTATIONS.iter().collect()),
        names => names.iter().map(known).collect(),
    }
}

/// The tests of every chosen mutation pass on the sources as they are: otherwise their failing would tell nothing.
fn intact(tree: &Tree, chosen: &[&Mutation]) -> Result<()> {
    for suite in Suite::ALL {
        let of_suite = chosen.iter().filter(|mutation| mutation.suite == suite);
        let mut tests: Vec<&str> = of_suite
            .flat_map(|mutation| mutation.tests)
            .copied()
            .collect();
        tests.sort_unstable();
        tests.dedup();
        if tests.is_empty() {
            continue;
        }
        let began = Instant::now();
        let program = Program::build(tree, suite)?;
        match program.run(tree, &tests)? {
            Verdict::Passed => tell(suite.package(), "intact", began.elapsed()),
            Verdict::Failed(test) => bail!("{test} fails without any mutation"),
            Verdict::Hung => bail!(
                "the tests of {} never ended without any mutation",
                suite.package()
            ),
        }
    }
    Ok(())
}

fn try_one(tree: &Tree, mutation: &Mutation) -> Result<Verdict> {
    for edit in mutation.edits {
        tree.apply(edit)?;
    }
    Program::build(tree, mutation.suite)?.run(tree, mutation.tests)
}

fn tell(name: &str, told: &str, took: Duration) {
    eprintln!("{:>7.1} s  {name:<28} {told}", took.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_mutation_still_fits_the_sources() {
        let tree = Tree::of_sources(&Workspace::find().unwrap());
        for mutation in MUTATIONS {
            assert!(!mutation.edits.is_empty() && !mutation.tests.is_empty());
            for edit in mutation.edits {
                tree.check(edit)
                    .unwrap_or_else(|error| panic!("{}: {error:#}", mutation.name));
                assert_ne!(edit.from, edit.to, "{}", mutation.name);
            }
            for test in mutation.tests {
                let name = test.rsplit("::").next().unwrap();
                assert!(
                    tree.has_test(mutation.suite.folder(), name),
                    "{}: there is no test {test}",
                    mutation.name
                );
            }
        }
    }

    #[test]
    fn names_are_different_and_found() {
        let names: BTreeSet<&str> = MUTATIONS.iter().map(|mutation| mutation.name).collect();
        assert_eq!(names.len(), MUTATIONS.len());
        assert_eq!(chosen(&[]).unwrap().len(), MUTATIONS.len());
        let one = chosen(&["fence".to_owned()]).unwrap();
        assert_eq!(one[0].name, "fence");
        assert!(chosen(&["fense".to_owned()]).is_err());
    }
}
