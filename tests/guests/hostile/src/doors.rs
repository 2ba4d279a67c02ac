//! Doors that a plugin without grants must find closed: each tried, and those that opened are told.

use std::net::{TcpListener, TcpStream, UdpSocket};

use crate::wasi::http::outgoing_handler;
use crate::wasi::http::types::{Fields, OutgoingRequest, Scheme};
use crate::{Output, text};

/// The answer: the doors that opened.
fn told(doors: &[(&str, bool)]) -> Output {
    let open = doors.iter().filter(|(_, open)| *open);
    let open: Vec<&str> = open.map(|(door, _)| *door).collect();
    text(format!("open: {}", open.join(", ")))
}

pub(crate) fn files() -> Output {
    // Nothing else makes a symbolic link on this target.
    #[allow(deprecated)]
    let linked = std::fs::soft_link("/etc/passwd", "link").is_ok();
    told(&[
        ("/", std::fs::read_dir("/").is_ok()),
        (".", std::fs::read_dir(".").is_ok()),
        ("/etc/passwd", std::fs::read("/etc/passwd").is_ok()),
        ("..", std::fs::read("../../../../etc/passwd").is_ok()),
        ("/proc/self", std::fs::read("/proc/self/environ").is_ok()),
        ("a link", linked),
        ("what it leads to", std::fs::read("link").is_ok()),
        ("writing", std::fs::write("/tmp/hostile", b"x").is_ok()),
        (
            "the folder",
            std::env::current_dir().and_then(std::fs::read_dir).is_ok(),
        ),
    ])
}

pub(crate) fn environment() -> Output {
    let stdin = std::io::read_to_string(std::io::stdin());
    told(&[
        ("environment", std::env::vars_os().next().is_some()),
        ("arguments", std::env::args_os().next().is_some()),
        ("stdin", stdin.is_ok_and(|text| !text.is_empty())),
    ])
}

pub(crate) fn sockets() -> Output {
    let udp = UdpSocket::bind("0.0.0.0:0");
    let sent = udp
        .as_ref()
        .map(|s| s.send_to(b"x", "127.0.0.1:53").is_ok());
    told(&[
        ("name", TcpStream::connect("example.com:80").is_ok()),
        ("localhost", TcpStream::connect("localhost:22").is_ok()),
        ("address", TcpStream::connect("127.0.0.1:22").is_ok()),
        ("metadata", TcpStream::connect("169.254.169.254:80").is_ok()),
        ("v6", TcpStream::connect("[::ffff:127.0.0.1]:22").is_ok()),
        ("decimal", TcpStream::connect("2130706433:22").is_ok()),
        ("udp", sent.unwrap_or(false)),
        ("listening", TcpListener::bind("0.0.0.0:0").is_ok()),
    ])
}

pub(crate) fn http() -> Output {
    let origins = [
        "example.com",
        "localhost:7402",
        "127.0.0.1:7402",
        "169.254.169.254",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "127.0.0.1.rebind.example",
        "redirects.example",
    ];
    let doors: Vec<_> = origins.iter().map(|o| (*o, is_answered(o))).collect();
    told(&doors)
}

fn is_answered(authority: &str) -> bool {
    let request = OutgoingRequest::new(Fields::new());
    let _ = request.set_scheme(Some(&Scheme::Http));
    let _ = request.set_authority(Some(authority));
    let _ = request.set_path_with_query(Some("/to?url=http://127.0.0.1"));
    let Ok(answer) = outgoing_handler::handle(request, None) else {
        return false;
    };
    answer.subscribe().block();
    matches!(answer.get(), Some(Ok(Ok(_))))
}
