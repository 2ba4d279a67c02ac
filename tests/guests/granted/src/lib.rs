//! Tools that reach for what a plugin may be granted, and tell how it went: an answer, or `error: ` and the reason.

mod keyvalue;

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::{env, fs};

use serde_json::{Value, json};

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package test:reach;
        world reach {
            include coinop:plugin/plugin@0.1.0;
            import wasi:keyvalue/store@0.2.0-draft;
            import wasi:keyvalue/atomics@0.2.0-draft;
            import wasi:keyvalue/batch@0.2.0-draft;
        }
    ",
    world: "test:reach/reach",
    generate_all,
});

use coinop::plugin::tool_types::{Annotations, Content, Effects, Price};
use exports::coinop::plugin::tools::{Context, Failure, Guest, Output, Tool};

struct Reach;
export!(Reach);

const TOOLS: &[(&str, &str)] = &[
    ("variables", "Tells every variable."),
    ("caller", "Tells its caller's pseudonym."),
    ("print", "Prints the variable `name`."),
    ("panic", "Panics with the variable `name`."),
    ("fail", "Fails with the variable `name`."),
    ("read", "Reads the file `path`."),
    ("list", "Lists the directory `path`."),
    ("write", "Writes `text` to the file `path`."),
    ("link", "Makes `path` a symbolic link to `to`."),
    ("rename", "Renames `path` to `to`."),
    ("lookup", "Looks up the addresses of `host`."),
    (
        "tcp",
        "Sends `text` to `address` and reads what comes back.",
    ),
    (
        "udp",
        "Sends `text` to `address` and reads what comes back.",
    ),
    ("listen", "Listens on a port."),
    ("keyvalue", "Does `steps` with the bucket `bucket`."),
];

impl Guest for Reach {
    fn list_tools() -> Vec<Tool> {
        TOOLS.iter().map(|(name, what)| tool(name, what)).collect()
    }

    fn call_tool(name: String, arguments: String, context: Context) -> Result<Output, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|e| Failure::InvalidArguments(e.to_string()))?;
        let of = |key: &str| arguments[key].as_str().unwrap_or_default().to_owned();
        let variable = || env::var(of("name")).unwrap_or_default();
        let done = match name.as_str() {
            "variables" => Ok(json!(env::vars().collect::<Vec<_>>()).to_string()),
            "caller" => Ok(context.caller.unwrap_or_default()),
            "print" => {
                eprintln!("the key is {}", variable());
                Ok("printed".to_owned())
            }
            "panic" => panic!("the key is {}", variable()),
            "fail" => return Err(Failure::Failed(format!("refused: {}", variable()))),
            "read" => fs::read_to_string(of("path")).map_err(told),
            "list" => list(&of("path")),
            "write" => fs::write(of("path"), of("text")).map(done).map_err(told),
            "link" => link(&of("to"), &of("path")),
            "rename" => fs::rename(of("path"), of("to")).map(done).map_err(told),
            "lookup" => lookup(&of("host")),
            "tcp" => tcp(&of("address"), &of("text")),
            "udp" => udp(&of("address"), &of("text")),
            "listen" => std::net::TcpListener::bind("0.0.0.0:0")
                .map(|_| "listening".to_owned())
                .map_err(told),
            "keyvalue" => Ok(keyvalue::play(&of("bucket"), &arguments["steps"]).to_string()),
            other => return Err(Failure::InvalidArguments(format!("no tool {other}"))),
        };
        let text = done.unwrap_or_else(|error| format!("error: {error}"));
        Ok(Output {
            content: vec![Content::Text(text)],
            structured: None,
            is_error: false,
            meta: None,
        })
    }
}

fn told(error: std::io::Error) -> String {
    error.to_string()
}

fn done((): ()) -> String {
    "done".to_owned()
}

fn list(path: &str) -> Result<String, String> {
    let entries = fs::read_dir(path).map_err(told)?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(told)?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names.join(","))
}

#[allow(deprecated)] // the one that says nothing of files or directories
fn link(to: &str, path: &str) -> Result<String, String> {
    let (to, path) = (Path::new(to), Path::new(path));
    std::fs::soft_link(to, path).map(done).map_err(told)
}

fn lookup(host: &str) -> Result<String, String> {
    let found = (host, 0).to_socket_addrs().map_err(told)?;
    let found: Vec<String> = found.map(|addr| addr.ip().to_string()).collect();
    Ok(found.join(","))
}

fn tcp(address: &str, text: &str) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).map_err(told)?;
    stream.write_all(text.as_bytes()).map_err(told)?;
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).map_err(told)?;
    Ok(String::from_utf8_lossy(&back).into_owned())
}

fn udp(address: &str, text: &str) -> Result<String, String> {
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(told)?;
    socket.send_to(text.as_bytes(), address).map_err(told)?;
    let mut back = vec![0; 1024];
    let (bytes, _) = socket.recv_from(&mut back).map_err(told)?;
    Ok(String::from_utf8_lossy(&back[..bytes]).into_owned())
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
