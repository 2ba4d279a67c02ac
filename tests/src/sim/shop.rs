//! What is sold in simulated worlds: tools of every kind, the same in each world.

use std::sync::{Arc, LazyLock};

use coinop::catalog::{Entry, Listing, Snapshot};
use coinop::gate::Invocation;
use coinop::limits::Limits;
use coinop::plugin::{Annotations, Contract, Effects, Manifest, ToolDecl};
use coinop::sandbox::schema::Schema;
use coinop_core::call::Remedy;
use coinop_core::digest::Digest;
use coinop_core::mode;
use coinop_core::money::Money;
use coinop_core::peer::Dialog;
use coinop_core::price::Price;
use coinop_core::principal::Principal;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// The accounts that are paid.
pub(crate) const ACCOUNTS: [&str; 2] = ["main", "other"];

/// The argument that carries a payment's id.
pub(crate) const PAYMENT_ID: &str = "payment_id";

/// Every tool.
pub(crate) static TOOLS: LazyLock<Vec<Arc<Listing>>> = LazyLock::new(|| {
    use Effects::{Effectful, Pure};
    vec![
        tool("look", "two_step", "main", "3", Pure, Remedy::Refund, 0),
        tool("think", "resubmit", "main", "1.25", Pure, Remedy::Credit, 2),
        tool(
            "send",
            "two_step",
            "main",
            "2.50",
            Effectful,
            Remedy::Refund,
            0,
        ),
        tool(
            "order",
            "resubmit",
            "other",
            "5",
            Effectful,
            Remedy::Credit,
            1,
        ),
        tool("draw", "two_step", "other", "0.75", Pure, Remedy::Refund, 1),
    ]
});

fn tool(
    name: &str,
    mode: &str,
    account: &str,
    price: &str,
    effects: Effects,
    on_failure: Remedy,
    retries: u32,
) -> Arc<Listing> {
    let schema = json!({"type": "object"});
    let declared = ToolDecl {
        name: name.to_owned(),
        title: None,
        description: String::new(),
        input_schema: schema.to_string(),
        output_schema: None,
        annotations: Annotations::default(),
        price: None,
        effects,
        meta: None,
    };
    let mode = mode::by_name(mode).expect("the mode is one of this version");
    let object = schema.as_object().cloned().unwrap_or_default();
    Arc::new(Listing {
        name: name.to_owned(),
        plugin: account.to_owned(),
        manifest: Arc::new(Manifest {
            digest: Digest::of(account.as_bytes()),
            contract: Contract::Plugin {
                version: "0.1.0".to_owned(),
            },
            imports: Vec::new(),
            tools: vec![declared.clone()],
        }),
        tool: declared,
        price: Price::PerCall(dollars(price)),
        surface: mode.surface(),
        mode,
        account: account.to_owned(),
        test: true,
        // Where the account has a rail in this world.
        accepts: vec![account.to_owned()],
        upfront: matches!(name, "look" | "order"),
        // Short leases, so that hosts outlive them often.
        limits: Limits {
            wall_ms_max: 5_000,
            ..Limits::default()
        },
        on_failure,
        retries,
        repeatable: effects != Effects::Effectful,
        settings: Arc::default(),
        payment_id_argument: PAYMENT_ID.to_owned(),
        description: String::new(),
        input_schema: Arc::new(object),
        output_schema: None,
        validator: Arc::new(Schema::compile(&schema.to_string()).expect("a plain schema")),
    })
}

/// The components behind the tools: one an account.
pub(crate) fn components() -> impl Iterator<Item = Digest> {
    ACCOUNTS.into_iter().map(|name| Digest::of(name.as_bytes()))
}

/// Whether a tool must never be started twice.
pub(crate) fn is_effectful(name: &str) -> bool {
    let tool = TOOLS.iter().find(|tool| tool.name == name);
    tool.is_some_and(|tool| tool.tool.effects == Effects::Effectful)
}

/// So many dollars.
pub(crate) fn dollars(amount: &str) -> Money {
    Money::parse(amount, "USD").expect("an amount of dollars")
}

/// A tool call as it comes in.
pub(crate) fn invocation(
    entry: Entry,
    arguments: &Value,
    principal: &Principal,
    cancel: &CancellationToken,
) -> Invocation {
    Invocation {
        snapshot: Arc::new(Snapshot::default()),
        entry,
        arguments: arguments.as_object().cloned().unwrap_or_default(),
        principal: principal.clone(),
        progress: None,
        cancel: cancel.clone(),
        dialog: Dialog::default(),
        mode: None,
        viewer: None,
        resumption: None,
        credential: None,
    }
}
