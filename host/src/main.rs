//! The `coinop` binary: parse, run, exit code.

use std::process::ExitCode;

/// A call makes and drops many small values on several threads: this allocator is cheaper at that than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    coinop::cli::main()
}
