//! Where the things under test lie: the host's binary, the guests, the clients. Missing ones name the command that makes them.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ lies in the root").to_owned()
}

/// The target directory: the one this program was built into.
pub fn target() -> PathBuf {
    profile()
        .parent()
        .expect("a profile lies in target")
        .to_owned()
}

/// The directory of this program's profile, where its sibling binaries are.
fn profile() -> PathBuf {
    let exe = std::env::current_exe().expect("this program has a path");
    let dir = exe.parent().expect("a program lies in a directory");
    if dir.ends_with("deps") {
        return dir.parent().expect("deps lies in a profile").to_owned();
    }
    dir.to_owned()
}

/// A binary of the workspace, built with this program's profile.
pub fn binary(name: &str) -> PathBuf {
    existing(profile().join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// A component of `tests/guests`, or a shipped plugin.
pub fn guest(name: &str) -> PathBuf {
    existing(target().join("guests").join(format!("{name}.wasm")))
}

/// Folders of compilers for plugins, for the front of `PATH`: those that xtask installed.
pub fn compilers() -> Vec<PathBuf> {
    ["venv-compilers/bin", "venv-plugins/bin"]
        .map(|folder| target().join(folder))
        .to_vec()
}

/// The Python that has the MCP client.
pub fn python() -> PathBuf {
    existing(target().join("venv-clients/bin/python"))
}

/// The Python that has pympp, which needs an older MCP client.
pub fn mpp_python() -> PathBuf {
    existing(target().join("venv-mpp/bin/python"))
}

/// The packages of mppx.
pub fn mpp_node_packages() -> PathBuf {
    existing(client_script("mpp").join("node_modules/mppx"))
}

/// The Python that has the official x402 packages, facilitator and wallet; its wallet needs an older MCP client than
/// [`python`] has.
pub fn python_x402() -> PathBuf {
    existing(target().join("venv-x402/bin/python"))
}

/// The Ethereum node for tests, from npm.
pub fn anvil() -> PathBuf {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        _ => "arm64",
    };
    let package = format!("chain/node_modules/@foundry-rs/anvil-{system}-{processor}");
    existing(root().join("tests/clients").join(package).join("bin/anvil"))
}

/// A driver script of `tests/clients`.
pub fn client_script(path: &str) -> PathBuf {
    existing(root().join("tests/clients").join(path))
}

/// The packages of the Node.js client.
pub fn node_packages() -> PathBuf {
    existing(client_script("node").join("node_modules/@modelcontextprotocol/client"))
}

/// The packages of the protocol's own test suites, with the Node.js they need.
pub fn conformance() -> PathBuf {
    existing(target().join("conformance"))
}

/// The Python that reads pictures, with a reader of QR codes.
pub fn reader_python() -> PathBuf {
    existing(target().join("venv-readers/bin/python"))
}

/// Compiled code shared by all tests that do not test the cache.
pub fn shared_cache() -> PathBuf {
    target().join("tests-cache")
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask test e2e`, which builds the host, the guests and the clients",
        path.display()
    );
    path
}
