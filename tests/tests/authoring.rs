//! What an author does: `coinop new`, `build`, `check`, `call`, in every language there is a template for, and the
//! examples.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use coinop_tests::paths;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// A first build compiles a C library or Go's runtime; many tests share the machine.
const BUILD_S: u64 = 900;

/// A folder of projects, and a host's own things beside them.
struct Desk {
    dir: TempDir,
}

/// Awaits `future`, or panics naming `what` after that many seconds.
async fn within_s<T>(seconds: u64, what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(seconds), future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {seconds} s in vain for {what}"),
    }
}

struct Done {
    ok: bool,
    stdout: String,
    stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            ok: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("coinop.toml"), "").unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `coinop` in the folder, with the compilers that xtask installed.
    fn coinop(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(paths::binary("coinop"));
        command.args(arguments).current_dir(self.dir.path());
        if matches!(arguments[0], "call" | "check") {
            for (option, name) in [
                ("--config", "coinop.toml"),
                ("--state", "ledger.db"),
                ("--cache", "cache"),
            ] {
                command.arg(option).arg(self.path(name));
            }
        }
        with_compilers(&mut command);
        command
            .kill_on_drop(true)
            .stdin(std::process::Stdio::null());
        command
    }

    async fn run(&self, arguments: &[&str]) -> Done {
        let running = self.coinop(arguments).output();
        within_s(BUILD_S, "coinop's end", running)
            .await
            .unwrap()
            .into()
    }

    async fn good(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments).await;
        assert!(done.ok, "{arguments:?}: {}{}", done.stdout, done.stderr);
        done.stdout
    }

    /// A new project, from `coinop new` to a call, then its own tests by the command its README names.
    async fn new_project(&self, language: &str, prepare: impl FnOnce(&Path), tests: &[&str]) {
        let said = self.good(&["new", "my-tool", "--lang", language]).await;
        assert!(said.contains("coinop build my-tool"), "{said}");
        prepare(&self.path("my-tool"));
        self.good(&["build", "my-tool"]).await;
        let component = "my-tool/dist/my-tool.wasm";
        let checked = self.good(&["check", component]).await;
        assert!(checked.contains("my_tool: 0.01 USD"), "{checked}");
        let call = |name| ["call", "my_tool", name, "--plugin", component];
        let said = self.good(&call(r#"{"name":"Ada Ü"}"#)).await;
        assert_eq!(said, "Hello, Ada Ü!\n");
        let refused = self.run(&call(r#"{"name":""}"#)).await;
        assert!(
            !refused.ok && refused.stderr.contains("say who is greeted"),
            "{}",
            refused.stderr
        );
        let mut own = Command::new(tests[0]);
        own.args(&tests[1..]).current_dir(self.path("my-tool"));
        with_compilers(&mut own);
        let own: Done = within_s(BUILD_S, "the project's tests", own.output())
            .await
            .unwrap()
            .into();
        assert!(own.ok, "{}{}", own.stdout, own.stderr);
    }

    /// Builds the example in that folder into this one.
    async fn example(&self, folder: &str) {
        let project = paths::root().join("examples").join(folder);
        let out = self.path("dist");
        self.good(&[
            "build",
            project.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ])
        .await;
    }
}

/// The compilers that xtask installed, and the build products that the guests share.
fn with_compilers(command: &mut Command) {
    let mut folders = paths::compilers();
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command.env("CARGO_TARGET_DIR", paths::target().join("guest-build"));
    // A C library and Go's runtime are compiled once.
    command.env("ZIG_GLOBAL_CACHE_DIR", paths::target().join("zig-cache"));
    command.env_remove("CARGO").env_remove("RUSTC_WRAPPER");
}

#[tokio::test]
async fn a_project_in_rust() {
    // The versions that the examples are built with, so that nothing has to be looked up.
    let lock = |project: &Path| {
        let lock = paths::root().join("examples/rust/Cargo.lock");
        fs::copy(lock, project.join("Cargo.lock")).unwrap();
    };
    Desk::new()
        .new_project("rust", lock, &["cargo", "test", "--quiet"])
        .await;
}

#[tokio::test]
async fn a_project_in_go() {
    Desk::new()
        .new_project("go", |_| (), &["go", "test", "./tools"])
        .await;
}

#[tokio::test]
async fn a_project_in_c() {
    let tests = [
        "sh",
        "-c",
        "zig cc -o build/test test.c tool.c && build/test",
    ];
    let tests = match on_path("zig") {
        true => tests,
        false => [
            "sh",
            "-c",
            "python3 -m ziglang cc -o build/test test.c tool.c && build/test",
        ],
    };
    Desk::new().new_project("c", |_| (), &tests).await;
}

#[tokio::test]
async fn a_project_in_python() {
    Desk::new()
        .new_project("python", |_| (), &["python3", "-m", "unittest"])
        .await;
}

/// What an author runs once: the versions of the template's lock, out of npm's cache where they are there.
fn npm_ci(project: &Path) {
    let arguments = [
        "ci",
        "--ignore-scripts",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ];
    let mut npm = std::process::Command::new("npm");
    let installed = npm.args(arguments).current_dir(project).output().unwrap();
    let told = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{told}");
}

#[tokio::test]
async fn a_project_in_javascript() {
    Desk::new()
        .new_project("javascript", npm_ci, &["npm", "test"])
        .await;
}

#[tokio::test]
async fn a_project_in_typescript() {
    Desk::new()
        .new_project("typescript", npm_ci, &["npm", "test"])
        .await;
}

#[tokio::test]
async fn what_a_project_in_javascript_lacks_is_named_with_its_command() {
    let desk = Desk::new();
    desk.good(&["new", "tool", "--lang", "typescript"]).await;
    let build = async || desk.run(&["build", "tool"]).await;
    let bare = build().await;
    assert!(
        !bare.ok && bare.stderr.contains("run `npm ci --ignore-scripts` in "),
        "{}",
        bare.stderr
    );
    npm_ci(&desk.path("tool"));
    let edit = |file: &str, from: &str, to: &str| {
        let path = desk.path("tool").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {text}");
        fs::write(path, text.replace(from, to)).unwrap();
    };
    edit("src/plugin.ts", "run({ name })", "async run({ name })");
    let waiting = build().await;
    assert!(
        !waiting.ok && waiting.stderr.contains("the engine \"small\" cannot wait"),
        "{}",
        waiting.stderr
    );
    edit("src/plugin.ts", "name.trim()", "name.trimmed()");
    let mistyped = build().await;
    assert!(
        !mistyped.ok && mistyped.stderr.contains("'trimmed' does not exist"),
        "{}",
        mistyped.stderr
    );
    edit("src/plugin.ts", "name.trimmed()", "name.trim()");
    edit("package.json", "\"small\"", "\"fetch\"");
    let other = build().await;
    assert!(
        !other.ok
            && other
                .stderr
                .contains("--save-exact @bytecodealliance/componentize-js@0.23.0` in "),
        "{}",
        other.stderr
    );
    edit("package.json", "\"fetch\"", "\"large\"");
    let unknown = build().await;
    assert!(
        !unknown.ok
            && unknown
                .stderr
                .contains("\"engine\" is none of small, fetch"),
        "{}",
        unknown.stderr
    );
    assert!(!desk.path("tool/dist").exists());
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[tokio::test]
async fn the_example_in_rust_asks_only_where_it_may() {
    let desk = Desk::new();
    desk.example("rust").await;
    let convert = |arguments| {
        [
            "call",
            "convert",
            arguments,
            "--plugin",
            "dist/exchange.wasm",
        ]
    };
    let denied = desk
        .run(&convert(r#"{"amount":10,"from":"EUR","to":"USD"}"#))
        .await;
    assert!(!denied.ok, "{}", denied.stdout);
    for words in [
        "has not granted requests to api.frankfurter.dev",
        "[plugins.exchange.grants]",
        "asking for the rate",
    ] {
        assert!(
            denied.stderr.contains(words),
            "{words:?} is not in {}",
            denied.stderr
        );
    }
    let same = desk
        .run(&convert(r#"{"amount":10,"from":"EUR","to":"EUR"}"#))
        .await;
    assert!(
        same.stderr.contains("are the same currency"),
        "{}",
        same.stderr
    );
    let wrong = desk
        .run(&convert(r#"{"amount":10,"from":"euro","to":"USD"}"#))
        .await;
    assert!(
        wrong.stderr.contains("invalid arguments"),
        "{}",
        wrong.stderr
    );
}

#[tokio::test]
async fn the_example_in_go_counts_within_its_setting() {
    let desk = Desk::new();
    desk.example("go").await;
    let primes = |arguments| ["call", "primes", arguments, "--plugin", "dist/primes.wasm"];
    let ten = desk.good(&primes(r#"{"count":10}"#)).await;
    assert!(
        ten.contains("end with 29; their sum is 129.") && ten.contains("\"sum\": 129"),
        "{ten}"
    );
    let many = desk.run(&primes(r#"{"count":2000}"#)).await;
    assert!(
        many.stderr.contains("[1000/2000] searching"),
        "{}",
        many.stderr
    );
    fs::write(
        desk.path("coinop.toml"),
        "[plugins.primes.settings]\ncount_max = \"5\"\n",
    )
    .unwrap();
    let limited = desk.run(&primes(r#"{"count":6}"#)).await;
    assert!(
        !limited.ok && limited.stderr.contains("more than 5"),
        "{}",
        limited.stderr
    );
}

#[tokio::test]
async fn the_example_in_c_draws() {
    let desk = Desk::new();
    desk.example("c").await;
    let identicon = |arguments| {
        [
            "call",
            "identicon",
            arguments,
            "--json",
            "--plugin",
            "dist/identicon.wasm",
        ]
    };
    let drawn = desk.run(&identicon(r#"{"text":"Ada"}"#)).await;
    assert!(
        drawn.ok && drawn.stderr.contains("[80/80] drawing"),
        "{}",
        drawn.stderr
    );
    let outcome: serde_json::Value = serde_json::from_str(&drawn.stdout).unwrap();
    let image = &outcome["content"][0];
    // The signature of a PNG, in base64.
    assert!(
        image["data"].as_str().unwrap().starts_with("iVBORw0KGgo"),
        "{image}"
    );
    let other = desk.good(&identicon(r#"{"text":"Grace"}"#)).await;
    assert_ne!(other, drawn.stdout);
    let empty = desk.run(&identicon(r#"{"text":""}"#)).await;
    assert!(
        !empty.ok && empty.stderr.contains("`text` is empty"),
        "{}",
        empty.stderr
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_before_anything_is_written() {
    let desk = Desk::new();
    for (arguments, words) in [
        (&["new", "My Tool", "--lang", "c"][..], "a-z 0-9"),
        (&["new", "tool", "--lang", "cobol"], "possible values: rust"),
        (&["build", "nowhere"], "it has no plugin.toml"),
    ] {
        let done = desk.run(arguments).await;
        assert!(
            !done.ok && done.stderr.contains(words),
            "{words:?} is not in {}",
            done.stderr
        );
    }
    fs::create_dir(desk.path("tool")).unwrap();
    fs::write(desk.path("tool/notes.txt"), "mine").unwrap();
    let occupied = desk.run(&["new", "tool", "--lang", "c"]).await;
    assert!(
        !occupied.ok && occupied.stderr.contains("not empty"),
        "{}",
        occupied.stderr
    );
    assert_eq!(fs::read_dir(desk.path("tool")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_missing_compiler_is_named_with_its_remedy() {
    let desk = Desk::new();
    desk.good(&["new", "tool", "--lang", "go"]).await;
    let mut build = desk.coinop(&["build", "tool"]);
    let done: Done = build
        .env("PATH", desk.path("nothing"))
        .output()
        .await
        .unwrap()
        .into();
    assert!(
        !done.ok && done.stderr.contains("\"go\" is not here: install Go"),
        "{}",
        done.stderr
    );
}

/// Each line of `stderr` up to the one that has `words`.
async fn until_said(
    lines: &mut tokio::io::Lines<impl tokio::io::AsyncBufRead + Unpin>,
    words: &str,
) {
    let mut heard = String::new();
    loop {
        let line = within_s(BUILD_S, words, lines.next_line()).await.unwrap();
        let line = line.unwrap_or_else(|| panic!("{words:?} was not said:\n{heard}"));
        if line.contains(words) {
            return;
        }
        heard.push_str(&line);
        heard.push('\n');
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_watched_project_is_built_and_called_after_each_edit() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("tool/src")).unwrap();
    let manifest =
        "name = \"tool\"\ncommand = [\"cp\", \"src/part\", \"out.wasm\"]\noutput = \"out.wasm\"\n";
    fs::write(desk.path("tool/plugin.toml"), manifest).unwrap();
    fs::copy(paths::guest("shout"), desk.path("tool/src/part")).unwrap();
    let mut watching = desk.coinop(&[
        "call",
        "shout",
        r#"{"text":"hi"}"#,
        "--watch",
        "--plugin",
        "tool",
    ]);
    watching
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut watching = watching.spawn().unwrap();
    let mut told = BufReader::new(watching.stderr.take().unwrap()).lines();
    let mut answers = BufReader::new(watching.stdout.take().unwrap()).lines();
    until_said(&mut told, "shout took").await;
    until_said(&mut told, "waiting for changes").await;
    assert_eq!(
        answers.next_line().await.unwrap().unwrap(),
        r#"{"TEXT":"HI"}"#
    );

    fs::rename(desk.path("tool/src/part"), desk.path("tool/src/away")).unwrap();
    until_said(&mut told, "`cp src/part out.wasm` failed").await;
    until_said(&mut told, "waiting for changes").await;

    fs::rename(desk.path("tool/src/away"), desk.path("tool/src/part")).unwrap();
    until_said(&mut told, "waiting for changes").await;
    assert_eq!(
        answers.next_line().await.unwrap().unwrap(),
        r#"{"TEXT":"HI"}"#
    );

    let id = watching.id().unwrap().to_string();
    let sent = Command::new("kill")
        .args(["-INT", &id])
        .status()
        .await
        .unwrap();
    assert!(sent.success());
    let ended = within_s(60, "its end", watching.wait()).await.unwrap();
    assert!(ended.success());
}
