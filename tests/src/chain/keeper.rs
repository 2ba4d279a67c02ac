//! A program that lives as long as its owner: a shell at the end of a pipe ends it when the pipe does, also when the test
//! process is killed.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::wait::within;

/// A running program that listens on loopback.
pub(super) struct Kept {
    addr: SocketAddr,
    /// Its end is the program's end.
    _orders: ChildStdin,
    _shell: Child,
}

impl Kept {
    /// Starts `program` and waits until it says on which port it listens.
    pub(super) async fn start(program: &Path, arguments: &[&str]) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", r#""$@" & read -r _; kill -9 $!"#, "sh"]);
        shell.arg(program).args(arguments);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().expect("there is a shell");
        let orders = shell.stdin.take().expect("stdin is piped");
        let mut lines = BufReader::new(shell.stdout.take().expect("stdout is piped")).lines();
        let what = format!("{} to listen", program.display());
        let addr = within(&what, listening(&mut lines, &what)).await;
        // Whoever writes into a pipe that nobody reads stops.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            addr,
            _orders: orders,
            _shell: shell,
        }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

async fn listening(lines: &mut Lines<BufReader<ChildStdout>>, what: &str) -> SocketAddr {
    while let Some(line) = lines.next_line().await.expect("it says text") {
        if let Some((_, addr)) = line.split_once("Listening on ") {
            return addr.trim().parse().expect("an address with a port");
        }
    }
    panic!("waited in vain for {what}: it ended");
}
