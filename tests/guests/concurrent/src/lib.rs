//! Tools that wait for several things at a time, well and badly.

mod doors;
mod hostile;
mod misuse;

use std::cell::RefCell;

use futures::future::join;
use hostile::Hostile;
use serde_json::{Value, json};

wit_bindgen::generate!({
    path: ["../../../wit/plugin.wit", "../../../wit/async"],
    inline: "
        package test:concurrent;
        world concurrent {
            include coinop:async-plugin/plugin-with-http@0.1.0;
            import wasi:cli/environment@0.3.0;
            import wasi:cli/exit@0.3.0;
            import wasi:cli/stdout@0.3.0;
            import wasi:filesystem/preopens@0.3.0;
            import wasi:sockets/types@0.3.0;
            import wasi:sockets/ip-name-lookup@0.3.0;
        }
    ",
    world: "test:concurrent/concurrent",
    generate_all,
});

use coinop::plugin::progress;
use coinop::plugin::tool_types::{Annotations, Content, Effects, Price};
use exports::coinop::async_plugin::tools::{Context, Failure, Guest, Output, Tool};

struct Concurrent;
export!(Concurrent);

const TOOLS: &[(&str, &str)] = &[
    (
        "interleave",
        "Runs two tasks that wait in turns, and tells their order.",
    ),
    ("fetch_both", "Sends GET to `first` and `second` at a time."),
    ("fetch", "Sends `method` to `url` with `body`."),
    ("fail", "Fails after it waited."),
    ("outlive", "Answers while a task of it still waits."),
    ("environment", "Tells every variable."),
    ("lookup", "Looks up `host`."),
    ("connect", "Connects to `address`."),
    ("send", "Sends a datagram to `address`."),
    ("listen", "Listens on a port."),
    ("sockets", "Makes sockets until one is refused."),
    ("receive", "Waits for `times` datagrams at a time."),
    ("read", "Reads `path`."),
    ("write", "Writes `text` to `path`."),
    (
        "list",
        "Lists the directory `times` times, and tells what the last listing says.",
    ),
    (
        "open",
        "Opens `path` `times` times at a time, and waits for all.",
    ),
    (
        "give_up",
        "Begins to open `path` `times` times, calls each off, and waits for ever.",
    ),
];

impl Guest for Concurrent {
    fn list_tools() -> Vec<Tool> {
        let good = TOOLS.iter().map(|(name, what)| tool(name, what));
        let hostile = Hostile::ALL.iter().map(|h| tool(h.name(), "Misbehaves."));
        good.chain(hostile).collect()
    }

    async fn call_tool(
        name: String,
        arguments: String,
        context: Context,
    ) -> Result<Output, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|e| Failure::InvalidArguments(e.to_string()))?;
        let of = |key: &str| arguments[key].as_str().unwrap_or_default().to_owned();
        let times = || arguments["times"].as_u64().unwrap_or(1);
        let told = match name.as_str() {
            "interleave" => Ok(interleave().await),
            "fetch_both" => {
                let (first, second) = (of("first"), of("second"));
                let both = join(
                    doors::fetch(&first, "GET", ""),
                    doors::fetch(&second, "GET", ""),
                );
                Ok(format!("{:?}", both.await))
            }
            "fetch" => doors::fetch(&of("url"), &of("method"), &of("body")).await,
            "fail" => {
                misuse::sleep(1_000_000).await;
                return Err(Failure::Failed(format!("{} did not work", context.call_id)));
            }
            "outlive" => Ok(outlive()),
            "environment" => doors::environment(),
            "lookup" => doors::lookup(&of("host")).await,
            "connect" => doors::connect(&of("address")).await,
            "send" => doors::send(&of("address")).await,
            "listen" => doors::listen(),
            "sockets" => doors::sockets(),
            "receive" => doors::receive(times()).await,
            "read" => doors::read(&of("path")).await,
            "write" => doors::write(&of("path"), &of("text")).await,
            "list" => doors::list(times()).await,
            "open" => doors::open(&of("path"), times()).await,
            "give_up" => doors::give_up(&of("path"), times()).await,
            other => match Hostile::ALL.iter().find(|h| h.name() == other) {
                Some(hostile) => Ok(misuse::act(*hostile).await),
                None => return Err(Failure::InvalidArguments(format!("no tool {other}"))),
            },
        };
        let text = told.unwrap_or_else(|error| format!("error: {error}"));
        Ok(Output {
            content: vec![Content::Text(text)],
            structured: None,
            is_error: false,
            meta: None,
        })
    }
}

/// The second task goes on while the first one waits: each does its steps when the other one has begun to wait.
async fn interleave() -> String {
    let steps = RefCell::new(Vec::new());
    let task = async |name: &'static str| {
        for n in 1..=2 {
            steps.borrow_mut().push(format!("{name}{n}"));
            progress::report(steps.borrow().len() as f64, Some(4.0), Some(name));
            misuse::sleep(150_000_000).await;
        }
    };
    join(task("a"), task("b")).await;
    steps.into_inner().join(" ")
}

/// Leaves a task behind that would say so.
fn outlive() -> String {
    wit_bindgen::spawn_local(async {
        println!("left behind");
        misuse::sleep(u64::MAX / 2).await;
        println!("it went on");
    });
    "answered".to_owned()
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
        meta: None,
    }
}
