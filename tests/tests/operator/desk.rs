//! An operator at a ledger, and the calls that an operator has to do with.

use std::path::{Path, PathBuf};
use std::process::Output;

use coinop_tests::answer::PaymentAsked;
use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::pay::pay;
use coinop_tests::wait::within;
use serde_json::{Value, json};

pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Done {
    /// What it printed, once it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Why it said no.
    #[track_caller]
    pub(crate) fn no(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self.stderr
    }

    pub(crate) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.stdout);
        parsed.unwrap_or_else(|e| panic!("{e}: {}{}", self.stdout, self.stderr))
    }
}

/// An operator at a ledger, with a configuration.
pub(crate) struct Desk<'a> {
    home: &'a Home,
    config: String,
    ledger: PathBuf,
}

impl<'a> Desk<'a> {
    pub(crate) fn of(home: &'a Home) -> Self {
        Self {
            home,
            config: "coinop.toml".to_owned(),
            ledger: home.ledger(),
        }
    }

    /// With another configuration.
    pub(crate) fn with(&self, name: &str, toml: &str) -> Self {
        std::fs::write(self.home.path(name), toml).unwrap();
        Self {
            home: self.home,
            config: name.to_owned(),
            ledger: self.ledger.clone(),
        }
    }

    /// At another ledger.
    pub(crate) fn at(&self, ledger: &Path) -> Self {
        Self {
            home: self.home,
            config: self.config.clone(),
            ledger: ledger.to_owned(),
        }
    }

    pub(crate) async fn run(&self, line: &[&str]) -> Done {
        let mut command = self.home.coinop(line);
        command.arg("--config").arg(self.home.path(&self.config));
        command.arg("--state").arg(&self.ledger);
        command
            .kill_on_drop(true)
            .stdin(std::process::Stdio::null());
        let output = within("coinop's end", command.output()).await;
        output.unwrap().into()
    }

    pub(crate) async fn payments(&self, command: &str, id: &str, rest: &[&str]) -> Done {
        self.run(&[&["payments", command, id], rest].concat()).await
    }

    pub(crate) async fn shown(&self, id: &str) -> Value {
        self.payments("show", id, &["--json"]).await.json()
    }

    pub(crate) async fn queue(&self) -> Vec<Value> {
        let queue = self.run(&["payments", "attention", "--json"]).await.json();
        queue.as_array().unwrap().clone()
    }

    pub(crate) async fn checks(&self) -> String {
        self.run(&["ledger", "check"]).await.ok()
    }
}

pub(crate) const SHOP: &str = r#"
provider = "main"
[accounts.main]
kind = "sandbox"
[plugins.misbehave]
price = "0.50 USD"
"#;

/// The same account at a provider that sends no money back.
pub(crate) const NO_REFUNDS: &str = r#"
provider = "main"
[accounts.main]
kind = "sandbox"
refunds = false
[plugins.misbehave]
price = "0.50 USD"
"#;

pub(crate) fn home(config: &str) -> Home {
    let home = Home::new().plugin("echo").plugin("misbehave");
    home.mode("two_step").config(config)
}

pub(crate) async fn paid(client: &Client, tool: &str, arguments: Value) -> PaymentAsked {
    let payment = client.call(tool, arguments).await.payment();
    pay(&payment.url).await;
    payment
}

/// A payment whose call was delivered.
pub(crate) async fn delivered(client: &Client) -> PaymentAsked {
    let payment = paid(client, "echo_paid", json!({"text": "x"})).await;
    let confirm = json!({ "payment_id": payment.id });
    let given = client.call("confirm_echo_paid", confirm).await;
    assert_eq!(given.text(), "x", "{}", given.0);
    payment
}

/// A payment whose call failed and cannot be refunded by itself.
pub(crate) async fn stuck(client: &Client) -> PaymentAsked {
    let payment = paid(client, "trap", json!({})).await;
    let confirm = json!({ "payment_id": payment.id });
    let told = client.call("confirm_trap", confirm).await;
    assert!(told.text().contains("attention"), "{}", told.0);
    payment
}

/// A call whose host was killed on its way to a refund.
pub(crate) async fn half_refunded(home: &mut Home) -> String {
    let client = home.stdio(Era::Legacy).await;
    let payment = paid(&client, "trap", json!({})).await;
    client.stdio().kill().await;
    home.env("COINOP_FAILPOINT", "before-refund");
    let doomed = home.stdio(Era::Legacy).await.stdio();
    let arguments = json!({ "payment_id": payment.id });
    let confirm = json!({ "name": "confirm_trap", "arguments": arguments });
    let (_, answer) = doomed.send("tools/call", confirm).await;
    assert!(within("the host's death", answer).await.is_err());
    doomed.ended().await;
    home.clear_env();
    payment.id
}
