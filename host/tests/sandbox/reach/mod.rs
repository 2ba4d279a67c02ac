//! Outgoing HTTP of a guest: what is sent, what is refused, and what no server can do to the host.

mod addresses;
mod bounds;
mod grants;
mod tls;
mod wire;

use coinop::outbound::Dialer;
use serde_json::{Value, json};

use crate::support::{Call, guest, sandbox_with};

/// The guest, granted these.
async fn granted(grants: &[String]) -> Call {
    let call = Call::of("reach").await;
    grant(call, grants)
}

/// The same, with connections by `dialer`.
async fn granted_by(dialer: Dialer, grants: &[String]) -> Call {
    let sandbox = sandbox_with(dialer);
    let component = sandbox.load("reach", guest("reach")).await.unwrap();
    grant(Call::of_component(component), grants)
}

fn grant(mut call: Call, grants: &[String]) -> Call {
    let parsed = grants.iter().map(|text| text.parse().unwrap());
    call.grants.http = parsed.collect();
    call
}

/// What the guest saw of one request.
async fn fetched(call: &Call, url: &str) -> Value {
    told(call, "fetch", json!({ "url": url })).await
}

async fn told(call: &Call, tool: &str, arguments: Value) -> Value {
    serde_json::from_str(&call.text(tool, arguments).await).unwrap()
}

/// The error code that the guest saw, and nothing else of an answer.
async fn refused(call: &Call, url: &str) -> String {
    let seen = fetched(call, url).await;
    let error = seen["error"].as_str();
    error
        .unwrap_or_else(|| panic!("{url} answered {}", seen["status"]))
        .to_owned()
}

/// The lines that the operator would add, after a request.
async fn lines(call: &Call, tool: &str, arguments: Value) -> Vec<(String, Option<String>)> {
    let report = call.report(tool, arguments).await;
    let told = report.denials.into_iter().map(|d| (d.wanted, d.line));
    told.collect()
}
