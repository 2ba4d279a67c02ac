//! One tool a way to misbehave; none of them may hurt anybody but its own caller.
//!
//! `listing.rs` says what each tool does; here is how.

use std::hint::black_box;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

wit_bindgen::generate!({ path: "../../../wit", world: "coinop:plugin/plugin" });

use coinop::plugin::tool_types::{Content, Failure, OtherFailure, Unavailable};
use coinop::plugin::{meter, progress, settings};
use exports::coinop::plugin::tools::{Context, Guest, Output, Tool};

mod listing;

struct Misbehave;
export!(Misbehave);

static CALLS: AtomicU32 = AtomicU32::new(0);

impl Guest for Misbehave {
    fn list_tools() -> Vec<Tool> {
        listing::tools()
    }

    fn call_tool(name: String, arguments: String, context: Context) -> Result<Output, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|e| Failure::InvalidArguments(e.to_string()))?;
        match name.as_str() {
            "trap" => panic!("the password is hunter2"),
            "exit" => std::process::exit(0),
            "loop" => spin(),
            "sleep" => Ok(sleep(number(&arguments, "ms"))),
            "naps" => Ok(naps(number(&arguments, "count"))),
            "allocate" => Ok(allocate()),
            "allocate_politely" => Ok(allocate_politely()),
            "overflow" => Ok(text(descend(number(&arguments, "depth")).to_string())),
            "big" => Ok(text("x".repeat(number(&arguments, "bytes") as usize))),
            "blocks" => Ok(blocks(number(&arguments, "count") as usize)),
            "print" => print_for_ever(),
            "stdout" => Ok(stdout()),
            "mojibake" => mojibake(number(&arguments, "bytes") as usize),
            "structured" => Ok(structured(arguments["json"].as_str())),
            "raw" => Ok(answer(vec![Content::RawJson(string(&arguments, "json"))])),
            "meta" => Ok(meta(string(&arguments, "json"))),
            "bad_utf8" => Ok(text(bad_utf8())),
            "flood" => Ok(flood(number(&arguments, "count"))),
            "backwards" => Ok(backwards()),
            "count" => Ok(text(
                (CALLS.fetch_add(1, Ordering::Relaxed) + 1).to_string(),
            )),
            "fail" => Err(fail(
                &string(&arguments, "kind"),
                string(&arguments, "message"),
            )),
            "is_error" => Ok(is_error()),
            "look_around" => Ok(look_around()),
            "context" => Ok(tell_context(&context)),
            "setting" => Ok(tell_setting(&string(&arguments, "key"))),
            "meter" => Ok(text(meter::add("page", 3).is_ok().to_string())),
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        }
    }
}

fn number(arguments: &Value, key: &str) -> u64 {
    arguments[key].as_u64().unwrap_or(0)
}

fn string(arguments: &Value, key: &str) -> String {
    arguments[key].as_str().unwrap_or_default().to_owned()
}

fn answer(content: Vec<Content>) -> Output {
    Output {
        content,
        structured: None,
        is_error: false,
        meta: None,
    }
}

fn text(text: impl Into<String>) -> Output {
    answer(vec![Content::Text(text.into())])
}

fn spin() -> ! {
    let mut n = 0u64;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

fn sleep(ms: u64) -> Output {
    std::thread::sleep(Duration::from_millis(ms));
    text("slept")
}

/// Many short sleeps: little CPU time, many wake-ups.
fn naps(count: u64) -> Output {
    for _ in 0..count {
        std::thread::sleep(Duration::from_millis(1));
    }
    text("rested")
}

fn allocate() -> Output {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1u8; 1 << 20]));
    }
}

fn allocate_politely() -> Output {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(1 << 20).is_err() {
            drop(hoard);
            return text("enough");
        }
        hoard.push(black_box(block));
    }
}

/// Uses the WebAssembly stack only: nothing here has an address.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == 0 {
        return 0;
    }
    black_box(descend(depth - 1)) + 1
}

fn blocks(count: usize) -> Output {
    answer((0..count).map(|_| Content::Text(String::new())).collect())
}

fn print_for_ever() -> ! {
    loop {
        println!("and another thing");
        eprintln!("and another");
    }
}

fn stdout() -> Output {
    println!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{}}}}");
    eprintln!("on stderr");
    text("printed")
}

/// Three-byte characters that do not end where a limit ends, then a trap.
fn mojibake(bytes: usize) -> ! {
    let line = "€".repeat(bytes / 3 + 1);
    let _ = std::io::stderr().write_all(line.as_bytes());
    panic!("€€€")
}

fn structured(json: Option<&str>) -> Output {
    Output {
        structured: json.map(str::to_owned),
        ..text("see the structure")
    }
}

fn meta(json: String) -> Output {
    Output {
        meta: Some(json),
        ..text("see the meta")
    }
}

fn bad_utf8() -> String {
    // SAFETY: none, and that is the point: the host must refuse this string. It is only handed over, never read.
    unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xfe]) }
}

fn flood(count: u64) -> Output {
    let message = "é".repeat(4096);
    for n in 1..=count {
        progress::report(n as f64, Some(count as f64), Some(&message));
    }
    text("told")
}

fn backwards() -> Output {
    for progress in [1.0, 3.0, 2.0, f64::NAN, f64::INFINITY, -1.0, 4.0] {
        progress::report(progress, None, None);
        std::thread::sleep(Duration::from_millis(110));
    }
    text("told")
}

fn fail(kind: &str, message: String) -> Failure {
    match kind {
        "invalid-arguments" => Failure::InvalidArguments(message),
        "unavailable" => Failure::Unavailable(Unavailable {
            message,
            retry_after_ms: Some(1500),
        }),
        "denied" => Failure::Denied(message),
        "timed-out" => Failure::TimedOut(message),
        "unsupported" => Failure::Unsupported(message),
        "other" => Failure::Other(OtherFailure {
            kind: "weather".into(),
            message,
        }),
        _ => Failure::Failed(message),
    }
}

fn is_error() -> Output {
    Output {
        is_error: true,
        ..text("no such city")
    }
}

/// What a plugin without grants sees of the world: all of it should be empty or refused.
fn look_around() -> Output {
    let seen = json!({
        "arguments": std::env::args().count(),
        "environment": std::env::vars().count(),
        "root": std::fs::read_dir("/").is_ok(),
        "passwd": std::fs::read("/etc/passwd").is_ok(),
        "written": std::fs::write("/tmp/plugin", b"x").is_ok(),
        "connected": TcpStream::connect("127.0.0.1:22").is_ok(),
        "stdin": std::io::read_to_string(std::io::stdin()).map_or(0, |s| s.len()),
    });
    text(seen.to_string())
}

fn tell_context(context: &Context) -> Output {
    let told = json!({
        "call_id": context.call_id,
        "remaining_ms": context.remaining_ms,
        "caller": context.caller,
        "meta": context.meta,
    });
    text(told.to_string())
}

fn tell_setting(key: &str) -> Output {
    text(settings::get(key).unwrap_or_else(|| "(not set)".into()))
}
