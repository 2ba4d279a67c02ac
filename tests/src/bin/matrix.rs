//! Prints how published clients pay, mode by mode: `matrix [--write] [MODE...]`. With `--write` the whole table goes into
//! `docs/clients.md`.

use std::process::ExitCode;

use coinop_tests::matrix;

#[tokio::main]
async fn main() -> ExitCode {
    let (options, modes): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|word| word.starts_with("--"));
    let write = options == ["--write"];
    if !(options.is_empty() || write && modes.is_empty()) {
        eprintln!("usage: matrix [MODE...]\n       matrix --write");
        return ExitCode::FAILURE;
    }
    let table = matrix::run(&modes).await;
    println!("{}", table.markdown());
    let failures = table.failures();
    failures.iter().for_each(|failure| eprintln!("{failure}\n"));
    if !failures.is_empty() {
        return ExitCode::FAILURE;
    }
    if write {
        matrix::docs::write(&table.markdown());
    }
    ExitCode::SUCCESS
}
