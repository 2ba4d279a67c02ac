//! `coinop lock` and what it is good for: replaced files are shown, and while locked not loaded.

use coinop_tests::home::Home;
use coinop_tests::paths;
use coinop_tests::wait::within;
use data_encoding::BASE64;
use ed25519_dalek::{Signer as _, SigningKey};

const LOCKED: &str = "[trust]\nlocked = true\n";

struct Done {
    code: Option<i32>,
    stdout: String,
    said: String,
}

async fn run(home: &Home, arguments: &[&str]) -> Done {
    let mut command = home.coinop(arguments);
    command.arg("--config").arg(home.path("coinop.toml"));
    command.arg("--plugins").arg(home.path("plugins"));
    command.arg("--state").arg(home.ledger());
    command.arg("--cache").arg(paths::shared_cache());
    command
        .kill_on_drop(true)
        .stdin(std::process::Stdio::null());
    let output = within("coinop's end", command.output()).await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Done {
        code: output.status.code(),
        said: format!("{stdout}{}", String::from_utf8_lossy(&output.stderr)),
        stdout,
    }
}

fn lock(home: &Home) -> String {
    std::fs::read_to_string(home.path("coinop.lock")).unwrap()
}

#[tokio::test]
async fn the_lock_says_what_every_tool_says() {
    let home = Home::new().plugin("weather").plugin("echo");
    let done = run(&home, &["lock"]).await;
    assert_eq!(done.code, Some(0), "{}", done.said);
    assert!(done.stdout.contains("2 plugins changed"), "{}", done.said);
    let text = lock(&home);
    for line in [
        "[plugins.weather]",
        "name = \"get_forecast\"",
        "price = \"0.003 USD per call\"",
    ] {
        assert!(text.contains(line), "no {line} in:\n{text}");
    }
    let again = run(&home, &["lock"]).await;
    assert_eq!((again.code, lock(&home)), (Some(0), text), "{}", again.said);
    let check = run(&home, &["lock", "--check"]).await;
    assert_eq!(check.code, Some(0), "{}", check.said);
    let check = run(&home, &["check"]).await;
    assert_eq!(
        check.said.matches("lock: as accepted").count(),
        2,
        "{}",
        check.said
    );
}

#[tokio::test]
async fn a_replaced_file_is_shown_as_a_diff_until_it_is_accepted() {
    let home = Home::new().plugin("weather").plugin("echo");
    run(&home, &["lock"]).await;
    let before = lock(&home);
    home.put_plugin("shout", "echo");
    std::fs::write(
        home.path("plugins").join("weather.toml"),
        "price = \"9.99 USD\"",
    )
    .unwrap();
    let check = run(&home, &["lock", "--check"]).await;
    assert_eq!(check.code, Some(1), "{}", check.said);
    for line in [
        "--- echo (locked)",
        "-name = \"echo\"",
        "+name = \"shout\"",
        "+price = \"9.99 USD per call\"",
    ] {
        assert!(check.stdout.contains(line), "no {line} in:\n{}", check.said);
    }
    assert_eq!(lock(&home), before, "a check writes nothing");

    let only = run(&home, &["lock", "echo"]).await;
    assert!(only.stdout.contains("1 plugin changed"), "{}", only.said);
    let check = run(&home, &["lock", "--check"]).await;
    assert!(
        !check.stdout.contains("shout") && check.stdout.contains("9.99"),
        "{}",
        check.said
    );
    std::fs::remove_file(home.plugin_path("echo")).unwrap();
    run(&home, &["lock"]).await;
    assert!(!lock(&home).contains("plugins.echo"), "{}", lock(&home));
}

#[tokio::test]
async fn while_locked_nothing_that_was_replaced_runs() {
    let home = Home::new().config(LOCKED).plugin("echo");
    let check = run(&home, &["check"]).await;
    assert_eq!(check.code, Some(1), "{}", check.said);
    assert!(
        check.said.contains("`coinop lock echo` accepts it"),
        "{}",
        check.said
    );
    run(&home, &["lock", "echo"]).await;
    let check = run(&home, &["check"]).await;
    assert!(check.said.contains("lock: as accepted"), "{}", check.said);
    assert!(check.said.contains("echo_paid: 0.01 USD"), "{}", check.said);

    home.put_plugin("shout", "echo");
    let check = run(&home, &["check"]).await;
    assert_eq!(check.code, Some(1), "{}", check.said);
    let call = run(&home, &["call", "shout", r#"{"text":"x"}"#]).await;
    assert_eq!(call.code, Some(1), "{}", call.said);
    assert!(
        call.said.contains("`coinop lock --check echo`"),
        "{}",
        call.said
    );
}

#[tokio::test]
async fn a_host_tells_what_a_replaced_file_says_otherwise() {
    let home = Home::new().plugin("echo");
    run(&home, &["lock"]).await;
    home.put_plugin("shout", "echo");
    let mut command = home.serve(&["--http", "127.0.0.1:0", "--no-stdio"]);
    command
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    let mut host = command.spawn().unwrap();
    let stderr = tokio::io::BufReader::new(host.stderr.take().unwrap());
    let told = async {
        use tokio::io::AsyncBufReadExt as _;
        let mut lines = stderr.lines();
        let mut told = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            told.push_str(&line);
            told.push('\n');
            if told.contains("+name = \"shout\"") {
                break;
            }
        }
        told
    };
    let told = within("the diff", told).await;
    assert!(
        told.contains("does not say what was accepted; `coinop lock echo` accepts this"),
        "{told}"
    );
    assert!(told.contains("-name = \"echo\""), "{told}");
    host.kill().await.unwrap();
}

/// A minisign key, and its signatures in the legacy form.
struct Minisign(SigningKey);

impl Minisign {
    fn public(&self) -> String {
        let public = self.0.verifying_key();
        BASE64.encode(&[b"Ed".as_slice(), &[9; 8], public.as_bytes()].concat())
    }

    fn sign(&self, bytes: &[u8]) -> String {
        let signature = self.0.sign(bytes).to_bytes();
        let both = self.0.sign(&[&signature[..], b"note"].concat()).to_bytes();
        let line = BASE64.encode(&[b"Ed".as_slice(), &[9; 8], &signature].concat());
        format!(
            "untrusted comment: x\n{line}\ntrusted comment: note\n{}\n",
            BASE64.encode(&both)
        )
    }
}

#[tokio::test]
async fn a_signature_is_verified_before_anything_is_locked_or_shown() {
    let key = Minisign(SigningKey::from_bytes(&[3; 32]));
    let config = format!("[trust]\nminisign = [\"{}\"]\n", key.public());
    let home = Home::new().config(&config).plugin("echo");
    let signature = home.path("plugins").join("echo.wasm.minisig");
    let bytes = std::fs::read(home.plugin_path("echo")).unwrap();
    for (text, word) in [
        (
            None,
            "put its minisign signature beside it as echo.wasm.minisig",
        ),
        (
            Some(key.sign(b"something else")),
            "was not made for this content",
        ),
    ] {
        if let Some(text) = text {
            std::fs::write(&signature, text).unwrap();
        }
        for command in ["check", "lock"] {
            let done = run(&home, &[command]).await;
            assert_eq!(done.code, Some(1), "{}", done.said);
            assert!(done.said.contains(word), "{}", done.said);
        }
    }
    assert!(!home.path("coinop.lock").exists());
    std::fs::write(&signature, key.sign(&bytes)).unwrap();
    let check = run(&home, &["check"]).await;
    assert!(
        check
            .said
            .contains("signature: valid, minisign 0909090909090909"),
        "{}",
        check.said
    );
    run(&home, &["lock"]).await;
    assert!(
        lock(&home).contains("signed_by = \"minisign 0909090909090909\""),
        "{}",
        lock(&home)
    );

    let keyless = home.config("");
    let check = run(&keyless, &["check"]).await;
    assert!(
        check
            .said
            .contains("signed by an unknown key, 0909090909090909"),
        "{}",
        check.said
    );
}
