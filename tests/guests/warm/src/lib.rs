//! Tools whose instance may serve another call, by their own word but for `silent`. Each counts its instance's calls and
//! leaves something behind.

use std::hint::black_box;
use std::mem::forget;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

wit_bindgen::generate!({
    path: "../../../wit",
    world: "coinop:plugin/plugin-full",
    generate_all,
});

use coinop::plugin::progress;
use coinop::plugin::tool_types::{Annotations, Content, Effects, Price};
use exports::coinop::plugin::tools::{Context, Failure, Guest, Output, Tool};
use wasi::http::outgoing_handler;
use wasi::http::types::{Fields, OutgoingRequest, Scheme};
use wasi::keyvalue::store;

struct Warm;
export!(Warm);

const SILENT: &str = "silent";
const TOOLS: &[(&str, &str)] = &[
    ("count", "Answers with how often this instance was called."),
    (
        SILENT,
        "As count, without a word on whether it may be called again.",
    ),
    (
        "tell",
        "Prints and reports its count, and tells its context.",
    ),
    ("burn", "Computes for `ms`."),
    (
        "grow",
        "Allocates `mib` MiB as far as it may, and gives them back.",
    ),
    (
        "leak",
        "Opens `handles` handles of its bucket and forgets them.",
    ),
    ("connect", "Opens a socket to `address` and forgets it."),
    ("ask", "Sends a request to `authority` and forgets it."),
    ("err", "Declares a failure."),
    ("trap", "Panics."),
    ("sleep", "Sleeps for `ms`."),
];

static CALLS: AtomicU32 = AtomicU32::new(0);

impl Guest for Warm {
    fn list_tools() -> Vec<Tool> {
        TOOLS.iter().map(|(name, what)| tool(name, what)).collect()
    }

    fn call_tool(name: String, arguments: String, context: Context) -> Result<Output, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|e| Failure::InvalidArguments(e.to_string()))?;
        let count = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
        let number = |key: &str| arguments[key].as_u64().unwrap_or(0);
        let word = |key: &str| arguments[key].as_str().unwrap_or_default();
        match name.as_str() {
            "count" | SILENT => {}
            "tell" => return Ok(tell(count, &context)),
            "burn" => burn(Duration::from_millis(number("ms"))),
            "grow" => grow(number("mib") as usize),
            "leak" => leak(number("handles")),
            "connect" => connect(word("address"))?,
            "ask" => ask(word("authority"))?,
            "err" => return Err(Failure::Failed("as asked".into())),
            "trap" => panic!("as asked"),
            "sleep" => std::thread::sleep(Duration::from_millis(number("ms"))),
            other => return Err(Failure::Unsupported(other.into())),
        }
        Ok(text(count.to_string()))
    }
}

fn tell(count: u32, context: &Context) -> Output {
    println!("call {count}");
    progress::report(f64::from(count), None, None);
    text(json!({ "call_id": context.call_id, "remaining_ms": context.remaining_ms }).to_string())
}

fn burn(time: Duration) {
    let begun = Instant::now();
    let mut n = 0u64;
    while begun.elapsed() < time {
        n = black_box(n.wrapping_add(1));
    }
}

fn grow(mib: usize) {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for _ in 0..mib {
        let mut more = Vec::new();
        if more.try_reserve_exact(1 << 20).is_err() {
            break;
        }
        kept.push(more);
    }
    black_box(&kept);
}

fn leak(handles: u64) {
    for _ in 0..handles {
        forget(store::open("default"));
    }
}

fn connect(address: &str) -> Result<(), Failure> {
    let stream = TcpStream::connect(address).map_err(|e| Failure::Failed(e.to_string()))?;
    forget(stream);
    Ok(())
}

/// Waits for the answer's head, so that the connection is there.
fn ask(authority: &str) -> Result<(), Failure> {
    let request = OutgoingRequest::new(Fields::new());
    let _ = request.set_scheme(Some(&Scheme::Http));
    let _ = request.set_authority(Some(authority));
    let _ = request.set_path_with_query(Some("/"));
    let answer = outgoing_handler::handle(request, None);
    let answer = answer.map_err(|e| Failure::Failed(e.to_string()))?;
    answer.subscribe().block();
    forget(answer);
    Ok(())
}

fn text(text: String) -> Output {
    Output {
        content: vec![Content::Text(text)],
        structured: None,
        is_error: false,
        meta: None,
    }
}

fn tool(name: &str, description: &str) -> Tool {
    Tool {
        name: name.into(),
        title: None,
        description: description.into(),
        input_schema: json!({ "type": "object" }).to_string(),
        output_schema: None,
        annotations: Annotations {
            read_only: None,
            destructive: None,
            idempotent: None,
            open_world: None,
        },
        effects: Effects::Unspecified,
        price: Some(Price::Free),
        meta: (name != SILENT).then(|| json!({ "coinop/warm": true }).to_string()),
    }
}
