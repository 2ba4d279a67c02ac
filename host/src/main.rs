//! The `coinop` binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    coinop::cli::main()
}
