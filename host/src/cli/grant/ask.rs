//! Asks a person about one need after the other. No answer is a no.

use std::io::{self, BufRead, Write};

use super::flags::{directory, variable};
use super::of_need;
use crate::config::edit::Edit;
use crate::grants::{Access, Need};

/// Most attempts at one answer that can be used.
const ATTEMPTS_MAX: u32 = 3;

/// What grants the need, where the answer is yes.
pub(super) fn about(
    need: &Need,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> io::Result<Option<Edit>> {
    write!(output, "Let it {}? [y/N] ", need.phrase())?;
    let yes = ["y", "yes"].contains(&answer(input, output)?.to_ascii_lowercase().as_str());
    if !yes {
        return Ok(None);
    }
    match need {
        Need::Dir(need) => {
            let end = match need.access {
                Access::Read => "",
                Access::Write => ":rw",
            };
            let read = |path: &str| directory(&format!("{path}:{}{end}", need.guest_path));
            asked("Which directory? ", None, read, input, output)
        }
        Need::Env(name) => {
            let question = format!("From where? env:NAME, file:PATH or text:TEXT [env:{name}] ");
            let read = |source: &str| variable(&format!("{name}={source}"));
            let usual = format!("env:{name}");
            asked(&question, Some(&usual), read, input, output)
        }
        other => Ok(of_need(other)),
    }
}

/// Asks until the answer can be used, or there is none.
fn asked(
    question: &str,
    usual: Option<&str>,
    read: impl Fn(&str) -> Result<Edit, String>,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> io::Result<Option<Edit>> {
    for _ in 0..ATTEMPTS_MAX {
        write!(output, "{question}")?;
        let answer = answer(input, output)?;
        let chosen = match (answer.as_str(), usual) {
            ("", None) => return Ok(None),
            ("", Some(usual)) => usual,
            (answer, _) => answer,
        };
        match read(chosen) {
            Ok(edit) => return Ok(Some(edit)),
            Err(why) => writeln!(output, "{why}")?,
        }
    }
    Ok(None)
}

fn answer(input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<String> {
    output.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretSource;
    use crate::config::edit::EnvSource;
    use crate::grants::DirNeed;

    fn check(need: &Need, typed: &str, expected: Option<Edit>) {
        let mut output = Vec::new();
        let edit = about(need, &mut typed.as_bytes(), &mut output).unwrap();
        assert_eq!(edit, expected, "{typed:?}");
        assert!(String::from_utf8(output).unwrap().contains(&need.phrase()));
    }

    #[test]
    fn only_yes_is_yes() {
        check(&Need::Caller, "y\n", Some(Edit::Caller));
        check(&Need::Caller, "YES\n", Some(Edit::Caller));
        for typed in ["", "\n", "n\n", "yep\n"] {
            check(&Need::Caller, typed, None);
        }
    }

    #[test]
    fn a_directory_is_asked_for_and_a_variables_source() {
        let need = Need::Dir(DirNeed {
            guest_path: "/data".into(),
            access: Access::Write,
        });
        let dir = Edit::Dir {
            path: "/srv/x".into(),
            guest_path: "/data".into(),
            access: Access::Write,
        };
        check(&need, "y\n/srv/x\n", Some(dir));
        check(&need, "y\n\n", None);
        let env = |source| Edit::Env("KEY".into(), EnvSource::Secret(source));
        let need = Need::Env("KEY".into());
        check(&need, "y\n\n", Some(env(SecretSource::Env("KEY".into()))));
        let file = env(SecretSource::File("/run/key".into()));
        check(&need, "y\nhunter2\nfile:/run/key\n", Some(file));
    }
}
