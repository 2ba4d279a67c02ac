//! Variables, directories and sockets: what is granted works, and nothing else does.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::symlink;
use std::path::Path;

use coinop::grants::{Access, DirGrant, EnvGrant};
use coinop::sandbox::RunError;
use serde_json::json;
use tempfile::TempDir;

use crate::support::Call;

const SECRET: &str = "hunter2-of-many";

/// The guest with variables: two plain ones and a secret.
async fn with_variables() -> Call {
    let mut call = Call::of("granted").await;
    let secret = EnvGrant::Env {
        variable: "HOME".into(),
        value: SECRET.into(),
    };
    let env = [("MODE", EnvGrant::Text("fast".into())), ("KEY", secret)];
    call.grants.env = env.map(|(name, value)| (name.to_owned(), value)).into();
    call
}

#[tokio::test]
async fn only_the_variables_that_are_granted_are_seen() {
    let none = Call::of("granted").await;
    assert_eq!(none.text("variables", json!({})).await, "[]");
    let some = with_variables().await;
    assert_eq!(
        some.text("variables", json!({})).await,
        format!("[[\"KEY\",\"{SECRET}\"],[\"MODE\",\"fast\"]]")
    );
}

#[tokio::test]
async fn a_secret_reaches_neither_the_log_nor_an_error() {
    let call = with_variables().await;
    let secret = json!({ "name": "KEY" });
    let printed = call.report("print", secret.clone()).await;
    assert_eq!(printed.log.text, "the key is [secret]\n");
    let panicked = call.report("panic", secret.clone()).await;
    assert!(
        panicked.log.text.contains("the key is [secret]"),
        "{}",
        panicked.log.text
    );
    let told = format!("{:?}", panicked);
    assert!(!told.contains(SECRET), "{told}");
    let failed = call.error("fail", secret).await;
    assert_eq!(failed.to_string(), "refused: [secret]");
    let plain = call.report("print", json!({ "name": "MODE" })).await;
    assert_eq!(plain.log.text, "the key is fast\n");
}

#[tokio::test]
async fn a_secret_that_the_logs_limit_cuts_through_is_not_shown_either() {
    let mut call = with_variables().await;
    call.limits.log_bytes_max = "the key is hunter2".len();
    let report = call.report("print", json!({ "name": "KEY" })).await;
    assert_eq!(report.log.text, "the key is [secret]");
}

/// A folder with `inside/`, which is granted, and `outside/`, which is not.
struct Folders {
    home: TempDir,
}

impl Folders {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for (folder, file) in [("inside", "note"), ("outside", "secret")] {
            let folder = home.path().join(folder);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(file), format!("a {file}")).unwrap();
        }
        Self { home }
    }

    fn inside(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join("inside").join(name)
    }

    fn outside(&self) -> std::path::PathBuf {
        self.home.path().join("outside")
    }

    async fn call(&self, access: Access) -> Call {
        let mut call = Call::of("granted").await;
        call.grants.dirs = vec![DirGrant {
            path: self.home.path().join("inside"),
            guest_path: "/data".into(),
            access,
        }];
        call
    }
}

async fn read(call: &Call, path: &str) -> String {
    call.text("read", json!({ "path": path })).await
}

#[tokio::test]
async fn a_directory_is_read_only_unless_it_says_otherwise() {
    let folders = Folders::new();
    let reads = folders.call(Access::Read).await;
    assert_eq!(read(&reads, "/data/note").await, "a note");
    assert_eq!(reads.text("list", json!({ "path": "/data" })).await, "note");
    let write = json!({ "path": "/data/new", "text": "hello" });
    let refused = reads.text("write", write.clone()).await;
    assert!(refused.starts_with("error: "), "{refused}");
    let over = reads
        .text("write", json!({ "path": "/data/note", "text": "x" }))
        .await;
    assert!(over.starts_with("error: "), "{over}");
    let moved = json!({ "path": "/data/note", "to": "/data/moved" });
    assert!(reads.text("rename", moved).await.starts_with("error: "));
    assert_eq!(
        fs::read_to_string(folders.inside("note")).unwrap(),
        "a note"
    );

    let writes = folders.call(Access::Write).await;
    assert_eq!(writes.text("write", write).await, "done");
    assert_eq!(fs::read_to_string(folders.inside("new")).unwrap(), "hello");
}

#[tokio::test]
async fn nothing_leads_out_of_a_directory() {
    let folders = Folders::new();
    symlink(folders.outside(), folders.inside("door")).unwrap();
    symlink("../outside/secret", folders.inside("window")).unwrap();
    let secret = folders.outside().join("secret");
    let call = folders.call(Access::Write).await;
    let escapes = [
        "/data/../outside/secret",
        "/data/x/../../outside/secret",
        "/data/door/secret",
        "/data/window",
        "/outside/secret",
        "/etc/passwd",
        secret.to_str().unwrap(),
    ];
    for path in escapes {
        let answer = read(&call, path).await;
        assert!(answer.starts_with("error: "), "{path}: {answer}");
        let write = json!({ "path": path, "text": "broken" });
        let answer = call.text("write", write).await;
        assert!(answer.starts_with("error: "), "{path}: {answer}");
    }
    let moved = json!({ "path": "/data/note", "to": "/data/../outside/note" });
    let answer = call.text("rename", moved).await;
    assert!(answer.starts_with("error: "), "{answer}");
    assert_eq!(fs::read_to_string(secret).unwrap(), "a secret");
    assert_eq!(fs::read_dir(folders.outside()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_link_that_the_guest_makes_leads_nowhere_else() {
    let folders = Folders::new();
    let call = folders.call(Access::Write).await;
    for (n, to) in ["../outside/secret", "/etc/passwd"].iter().enumerate() {
        let path = format!("/data/link{n}");
        call.text("link", json!({ "path": path, "to": to })).await;
        let answer = read(&call, &path).await;
        assert!(answer.starts_with("error: "), "{to}: {answer}");
    }
}

#[tokio::test]
async fn a_directory_that_has_gone_stops_the_run_and_names_only_the_plugins_path() {
    let folders = Folders::new();
    let call = folders.call(Access::Read).await;
    fs::remove_dir_all(folders.inside("")).unwrap();
    let error = call.error("list", json!({ "path": "/data" })).await;
    assert!(matches!(error, RunError::Unavailable(_)), "{error}");
    let told = error.to_string();
    let host = Path::new(folders.home.path()).display().to_string();
    assert!(told.contains("/data") && !told.contains(&host), "{told}");
}

/// A server that sends back what it gets, once.
fn tcp_echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut bytes = [0; 5];
            if stream.read_exact(&mut bytes).is_ok() {
                let _ = stream.write_all(&bytes);
            }
        }
    });
    addr
}

fn udp_echo() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 64];
        while let Ok((n, from)) = socket.recv_from(&mut bytes) {
            let _ = socket.send_to(&bytes[..n], from);
        }
    });
    addr
}

async fn granted(sockets: &[String]) -> Call {
    let mut call = Call::of("granted").await;
    call.grants.sockets = sockets.iter().map(|s| s.parse().unwrap()).collect();
    call
}

#[tokio::test]
async fn a_socket_that_is_named_works_by_address_and_by_name() {
    let (tcp, udp) = (tcp_echo(), udp_echo());
    let by_name = format!("localhost:{}", tcp.port());
    let call = granted(&[
        format!("tcp://{tcp}"),
        format!("tcp://{by_name}"),
        format!("udp://{udp}"),
    ])
    .await;
    for (tool, address) in [
        ("tcp", tcp.to_string()),
        ("tcp", by_name),
        ("udp", udp.to_string()),
    ] {
        let sent = json!({ "address": address, "text": "hello" });
        assert_eq!(call.text(tool, sent).await, "hello", "{tool} {address}");
    }
    let found = call.text("lookup", json!({ "host": "LOCALHOST" })).await;
    assert!(found.contains("127.0.0.1"), "{found}");
}

#[tokio::test]
async fn a_socket_that_is_not_named_is_refused_and_the_operator_told() {
    let (tcp, udp) = (tcp_echo(), udp_echo());
    let other = tcp_echo();
    let call = granted(&[format!("tcp://{other}")]).await;
    for call in [Call::of("granted").await, call] {
        for (tool, address) in [("tcp", tcp), ("udp", udp)] {
            let sent = json!({ "address": address.to_string(), "text": "hello" });
            let report = call.report(tool, sent).await;
            let answer = crate::support::text_of(&report.result.unwrap());
            assert!(answer.starts_with("error: "), "{tool}: {answer}");
            let line = format!("sockets = [\"{tool}://{address}\"]");
            assert_eq!(report.denials.len(), 1, "{:?}", report.denials);
            assert_eq!(report.denials[0].line.as_deref(), Some(&line[..]));
        }
    }
}

#[tokio::test]
async fn names_that_are_not_granted_are_not_looked_up() {
    let call = granted(&["tcp://localhost:1".to_owned()]).await;
    for call in [Call::of("granted").await, call] {
        let host = json!({ "host": "secret-data.attacker.example" });
        let report = call.report("lookup", host).await;
        let answer = crate::support::text_of(&report.result.unwrap());
        assert!(answer.starts_with("error: "), "{answer}");
        let wanted = &report.denials[0].wanted;
        assert_eq!(
            wanted,
            "look up the address of secret-data.attacker.example"
        );
    }
}

#[tokio::test]
async fn nobody_listens() {
    let call = granted(&["tcp://localhost:1".to_owned()]).await;
    let answer = call.text("listen", json!({})).await;
    assert!(answer.starts_with("error: "), "{answer}");
}

#[tokio::test]
async fn without_the_grant_a_plugin_is_told_no_caller() {
    assert_eq!(
        Call::of("granted").await.text("caller", json!({})).await,
        ""
    );
}
