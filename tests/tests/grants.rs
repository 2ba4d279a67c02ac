//! What an operator grants: `coinop grant`, `coinop check`, and a running host that takes it up.

use std::process::{Output, Stdio};

use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::wait::{until, within};
use serde_json::{Value, json};

const NEEDS: &str = "[needs]\nreason = \"it counts its callers\"\nhttp = [\"https://api.example.com\"]\n\
                     env = [\"REACH_KEY\"]\ndirs = [{ as = \"/data\" }]\nkeyvalue_kib = 64\n";

fn needy() -> Home {
    let home = Home::new().plugin("granted");
    std::fs::write(home.path("plugins").join("granted.toml"), NEEDS).unwrap();
    home
}

struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn run(home: &Home, arguments: &[&str]) -> Done {
    let mut command = home.coinop(arguments);
    command.arg("--plugins").arg(home.path("plugins"));
    command.arg("--state").arg(home.ledger());
    command.arg("--config").arg(home.path("coinop.toml"));
    command.kill_on_drop(true).stdin(Stdio::null());
    let Output {
        status,
        stdout,
        stderr,
    } = within("coinop's end", command.output()).await.unwrap();
    Done {
        code: status.code(),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

fn config(home: &Home) -> String {
    std::fs::read_to_string(home.path("coinop.toml")).unwrap()
}

#[tokio::test]
async fn without_flags_and_a_terminal_it_only_tells() {
    let home = needy();
    let before = config(&home);
    let told = run(&home, &["grant", "granted"]).await;
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    for part in [
        "✗ send requests to https://api.example.com",
        "✗ read the variable REACH_KEY",
        "✗ read a directory as /data",
        "because: it counts its callers",
        "It is granted nothing.",
    ] {
        assert!(
            told.stdout.contains(part),
            "{part:?} is not in\n{}",
            told.stdout
        );
    }
    assert_eq!(config(&home), before);
}

#[tokio::test]
async fn all_grants_what_needs_no_choice_and_says_what_does() {
    let home = needy();
    let before = config(&home);
    let some = run(&home, &["grant", "granted", "--all"]).await;
    assert_eq!(some.code, Some(1));
    assert!(some.stderr.contains("--dir PATH"), "{}", some.stderr);
    assert!(
        some.stdout.contains("+keyvalue_kib = 64"),
        "{}",
        some.stdout
    );
    let folder = home.path("plugins");
    let dir = format!("{}:/data", folder.display());
    let all = run(&home, &["grant", "granted", "--all", "--dir", &dir]).await;
    assert_eq!(all.code, Some(0), "{}", all.stderr);
    assert!(config(&home).starts_with(&before), "the rest stays");
    let none = run(&home, &["grant", "granted", "--revoke", "--all"]).await;
    assert_eq!(none.code, Some(0), "{}", none.stderr);
    assert_eq!(config(&home), before);
}

#[tokio::test]
async fn a_running_host_takes_grants_up_and_gives_them_back() {
    let home = needy();
    let client = home.stdio(Era::Legacy).await;
    let steps = json!({ "steps": [["increment", "n", 1]] });
    let answer = async || client.call("keyvalue", steps.clone()).await.text();
    assert_eq!(answer().await, "\"error: access denied\"");
    let granted = run(&home, &["grant", "granted", "--keyvalue", "64"]).await;
    assert_eq!(granted.code, Some(0), "{}", granted.stderr);
    until("the storage", async || {
        (answer().await.starts_with('[')).then_some(())
    })
    .await;
    let revoked = run(&home, &["grant", "granted", "--revoke", "--keyvalue"]).await;
    assert_eq!(revoked.code, Some(0), "{}", revoked.stderr);
    until("the refusal", async || {
        answer().await.contains("denied").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_wrong_name_is_corrected() {
    let told = run(&needy(), &["grant", "grnated", "--caller"]).await;
    assert_eq!(told.code, Some(1));
    assert!(
        told.stderr.contains("did you mean \"granted\"?"),
        "{}",
        told.stderr
    );
}

#[tokio::test]
async fn check_shows_grants_and_needs_and_never_a_secret() {
    let mut home =
        needy().config("[plugins.granted.grants]\nenv = { REACH_KEY = { env = \"HOST_KEY\" } }\n");
    home.env("HOST_KEY", "hunter2-of-many");
    let checked = run(&home, &["check"]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.stdout);
    for part in [
        "uses: key-value storage",
        "granted: to read the variable REACH_KEY (a secret from the variable HOST_KEY)",
        "needs, not granted: to keep 64 KiB of data from call to call",
        "[plugins.granted.grants]\n        http = [\"https://api.example.com\"]",
    ] {
        assert!(
            checked.stdout.contains(part),
            "{part:?} is not in\n{}",
            checked.stdout
        );
    }
    let json = run(&home, &["check", "--json"]).await;
    let found: Value = serde_json::from_str(&json.stdout).unwrap();
    let file = &found["files"][0];
    assert_eq!(
        file["grants"]["env"],
        json!({ "REACH_KEY": { "env": "HOST_KEY" } })
    );
    assert_eq!(
        file["tools"][0]["input_schema"],
        json!({ "type": "object" })
    );
    let called = run(&home, &["call", "print", "{\"name\":\"REACH_KEY\"}"]).await;
    assert!(
        called.stderr.contains("the key is [secret]"),
        "{}",
        called.stderr
    );
    for done in [checked, json, called] {
        let said = done.stdout + &done.stderr;
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_grant_that_cannot_be_given_takes_only_its_plugin_off_the_list() {
    let home = Home::new().plugin("granted").plugin("echo").config(
        "[plugins.granted.grants]\nenv = { KEY = { env = \"COINOP_TEST_UNSET\" } }\n\
         dirs = [{ path = \"gone\", as = \"/data\" }]\n",
    );
    let checked = run(&home, &["check"]).await;
    assert_eq!(checked.code, Some(1));
    for part in [
        "plugins.granted.grants.env.KEY: the environment variable COINOP_TEST_UNSET is not set",
        "plugins.granted.grants.dirs: ",
    ] {
        assert!(
            checked.stdout.contains(part),
            "{part:?} is not in\n{}",
            checked.stdout
        );
    }
    let tools = home.stdio(Era::Legacy).await.tools().await;
    assert!(tools.contains(&"echo".to_owned()), "{tools:?}");
    assert!(!tools.contains(&"variables".to_owned()), "{tools:?}");
}

#[tokio::test]
async fn a_sidecar_grants_nothing() {
    let home = Home::new().plugin("granted");
    let sidecar = home.path("plugins").join("granted.toml");
    std::fs::write(sidecar, "[grants]\nkeyvalue_kib = 64\n").unwrap();
    let checked = run(&home, &["check"]).await;
    assert_eq!(checked.code, Some(1));
    assert!(
        checked.stdout.contains("only the operator says that"),
        "{}",
        checked.stdout
    );
}
