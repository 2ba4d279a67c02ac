//! The project's commands: `cargo xtask demo`, `cargo xtask test` and their parts.
//!
//! Each command prepares what it needs and says exactly what is missing. Uses the standard library and `anyhow`
//! alone, so that the first run starts within seconds.

mod bench;
mod clients;
mod compilers;
mod demo;
mod examples;
mod fuzz;
mod guests;
mod javascript;
mod matrix;
mod mutants;
mod night;
mod plugins;
mod postgres;
mod process;
mod projects;
mod python;
mod stamp;
mod summary;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};
use workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo [-- ARGS]     build the plugins that ship and the host, then run `coinop demo ARGS`
  plugins            build the host for release, and every plugin that ships into target/plugins
  guests             build every guest of the tests into target/guests
  test [SUBJECT...]  run all checks and tests, or these: fmt clippy plugins core host e2e
                     conformance
  matrix [-- ARGS]   print how published clients pay, mode by mode; with --write into docs/clients.md
  fuzz [-- SECONDS]  try random inputs on loading, conversion, sidecars and schemas, for ten minutes or so long
  mutants [NAME...]  take safeguards away one at a time, these or all; a test must fail each time
  bench [-- ARGS]    build for release and print the table of measurements
  night [SUBJECT] [-- ARGS]
                     run all long forms of the tests, or this one, its program with ARGS: kills
";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Vec<String>) -> Result<ExitCode> {
    let command = if arguments.is_empty() {
        "help".to_owned()
    } else {
        arguments.remove(0)
    };
    let workspace = Workspace::find()?;
    match command.as_str() {
        "demo" => demo::run(&workspace, passed_on(arguments)),
        "plugins" => {
            none_left(&arguments)?;
            demo::build(&workspace)?;
            Ok(ExitCode::SUCCESS)
        }
        "guests" => {
            none_left(&arguments)?;
            guests::build(&workspace)?;
            Ok(ExitCode::SUCCESS)
        }
        "test" => test::run(&workspace, &arguments),
        "matrix" => matrix::run(&workspace, passed_on(arguments)),
        "fuzz" => fuzz::run(&workspace, arguments),
        "mutants" => mutants::run(&workspace, &arguments),
        "night" => night::run(&workspace, arguments),
        "bench" => bench::run(&workspace, passed_on(arguments)),
        "help" | "--help" | "-h" => {
            eprint!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("unknown command {other:?}\n\n{USAGE}"),
    }
}

/// Arguments for the program that is started: everything, or what follows a leading `--`.
fn passed_on(mut arguments: Vec<String>) -> Vec<String> {
    if arguments.first().is_some_and(|first| first == "--") {
        arguments.remove(0);
    }
    arguments
}

fn none_left(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => Ok(()),
        [first, ..] => bail!("unexpected argument {first:?}\n\n{USAGE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_double_dash_is_not_passed_on() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
        assert_eq!(passed_on(words("-- --http 0 -- x")), words("--http 0 -- x"));
        assert_eq!(
            passed_on(words("--mode resubmit")),
            words("--mode resubmit")
        );
        assert!(passed_on(Vec::new()).is_empty());
    }

    #[test]
    fn unknown_commands_and_arguments_are_refused() {
        assert!(run(vec!["tset".to_owned()]).is_err());
        assert!(run(vec!["guests".to_owned(), "echo".to_owned()]).is_err());
    }
}
