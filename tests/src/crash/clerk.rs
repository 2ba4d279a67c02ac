//! The processes of a play: started with their aims, clock and trace; buried when they are killed.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tokio::process::Command;

use super::aim::Aim;
use super::trace;
use crate::answer::Answer;
use crate::era::Era;
use crate::home::Home;
use crate::stdio::StdioClient;
use crate::wait::within;

/// How much later a host starts after one was killed: leases and turns of the sweeper are over, quotes still stand.
const RECOVERY_SHIFT_MS: i64 = 600_000;
const SIGKILL: i32 = 9;

/// A process that was killed as planned.
#[derive(Clone, Debug)]
pub struct Death {
    /// Which process of the play.
    pub seat: usize,
    /// Where.
    pub place: String,
}

/// Why something was not done.
#[derive(Debug)]
pub enum Stopped {
    /// A process was killed as planned: try again.
    Killed,
    /// Something that must not happen.
    Fault(String),
}

/// Starts processes in one home, one host at a time.
pub struct Clerk {
    /// Where they run.
    pub home: Home,
    aims: Vec<Aim>,
    /// The process ids, by seat.
    pub pids: Vec<u32>,
    /// Who was killed as planned so far.
    pub deaths: Vec<Death>,
    host: Option<(usize, StdioClient)>,
    shift_ms: i64,
}

impl Clerk {
    /// Nobody is there yet.
    pub fn new(toml: &str, aims: &[Aim]) -> Self {
        Self {
            home: Home::new().plugin("sales").config(toml),
            aims: aims.to_vec(),
            pids: Vec::new(),
            deaths: Vec::new(),
            host: None,
            shift_ms: 0,
        }
    }

    /// The trace of everybody.
    pub fn trace(&self) -> PathBuf {
        self.home.path("trace")
    }

    /// Calls a tool, of a new host when there is none.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> Result<Answer, Stopped> {
        self.call_with(tool, arguments, json!({})).await
    }

    /// As [`Self::call`], with a `_meta`.
    pub async fn call_with(
        &mut self,
        tool: &str,
        arguments: Value,
        meta: Value,
    ) -> Result<Answer, Stopped> {
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        let answered = {
            let host = self.host().await?;
            let (_, answer) = host.send("tools/call", params).await;
            within(&format!("the answer of {tool}"), answer).await
        };
        match answered {
            Ok(answer) => Ok(Answer(answer)),
            Err(_) => Err(self.bury_host().await),
        }
    }

    /// Runs `coinop` with these words beside the host.
    pub async fn command(&mut self, words: &[&str]) -> Result<Output, Stopped> {
        self.host().await?;
        let mut command = self.coinop(words);
        let seat = self.arm(&mut command);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let child = child.expect("coinop starts");
        self.pids.push(child.id().expect("it has just started"));
        let output = within(&words.join(" "), child.wait_with_output()).await;
        let output = output.expect("a command can be awaited");
        match output.status.signal() {
            None => Ok(output),
            Some(_) => {
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                Err(self.bury(seat, output.status, &told))
            }
        }
    }

    /// Runs `coinop` when everybody has left; what it says when it fails.
    pub async fn check(&self, words: &[&str]) -> Option<String> {
        let mut command = self.coinop(words);
        let output = within(&words.join(" "), command.output()).await;
        let output = output.expect("a command can be awaited");
        let told = [output.stdout, output.stderr].concat();
        let failed = !output.status.success();
        failed.then(|| format!("{}: {}", words.join(" "), String::from_utf8_lossy(&told)))
    }

    /// `coinop` on the play's ledger, at the play's time.
    fn coinop(&self, words: &[&str]) -> Command {
        let mut command = self.home.coinop(words);
        command.arg("--state").arg(self.home.ledger());
        command.arg("--config").arg(self.home.path("coinop.toml"));
        command.env("COINOP_CLOCK_SHIFT_MS", self.shift_ms.to_string());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// The running host, or a new one.
    pub async fn host(&mut self) -> Result<&StdioClient, Stopped> {
        if self.host.is_none() {
            let mut command = self.home.serve(&["--pay-addr", "127.0.0.1:0"]);
            let seat = self.arm(&mut command);
            let host = StdioClient::spawn(command, Era::Legacy);
            self.pids.push(host.pid());
            let greeted = host.greet().await;
            self.host = Some((seat, host));
            if greeted.is_none() {
                return Err(self.bury_host().await);
            }
        }
        let (_, host) = self.host.as_ref().expect("it has just been started");
        Ok(host)
    }

    /// Ends the host in order; the next one starts that much later, milliseconds.
    pub async fn later(&mut self, by_ms: i64) -> Result<(), Stopped> {
        self.shift_ms += by_ms;
        let Some((seat, host)) = self.host.take() else {
            return Ok(());
        };
        let log = host.log.clone();
        let status = host.quit().await;
        match status.success() {
            true => Ok(()),
            false => Err(self.bury(seat, status, &log.text())),
        }
    }

    /// What a host that is gone, or has not answered, was killed by.
    pub async fn bury_host(&mut self) -> Stopped {
        let Some((seat, host)) = self.host.take() else {
            return Stopped::Fault("there is no host".to_owned());
        };
        let status = host.ended().await;
        self.shift_ms += RECOVERY_SHIFT_MS;
        self.bury(seat, status, &host.log.text())
    }

    fn arm(&self, command: &mut Command) -> usize {
        let seat = self.pids.len();
        command.env("COINOP_FAILPOINT_TRACE", self.trace());
        command.env("COINOP_CLOCK_SHIFT_MS", self.shift_ms.to_string());
        if let Some(aim) = self.aims.iter().find(|aim| aim.seat == seat) {
            command.env("COINOP_FAILPOINT", &aim.at);
        }
        seat
    }

    fn bury(&mut self, seat: usize, status: ExitStatus, log: &str) -> Stopped {
        let aim = self.aims.iter().find(|aim| aim.seat == seat);
        let Some(aim) = aim.filter(|_| status.signal() == Some(SIGKILL)) else {
            return Stopped::Fault(format!("process {seat} ended by itself, {status}:\n{log}"));
        };
        let place = self.place(seat, &aim.at);
        self.deaths.push(Death { seat, place });
        self.note_decided();
        Stopped::Killed
    }

    fn place(&self, seat: usize, at: &str) -> String {
        let Some(number) = at.strip_prefix('#') else {
            return at.rsplit_once(':').map_or(at, |(name, _)| name).to_owned();
        };
        let nth = number.parse::<usize>().unwrap_or(1).saturating_sub(1);
        let visits = trace::read(&self.trace());
        let own = visits.iter().filter(|v| v.pid == self.pids[seat]);
        own.skip(nth)
            .map(|visit| visit.name.clone())
            .next()
            .unwrap_or_default()
    }

    /// Notes in the trace which payments the provider's books have as decided: a process killed right after the commit
    /// could not say so itself.
    fn note_decided(&self) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        // There may be no ledger yet.
        let Ok(books) = Connection::open_with_flags(self.home.ledger(), flags) else {
            return;
        };
        let sql =
            "SELECT reference FROM sandbox_payment WHERE state NOT IN ('declined', 'canceled')";
        let Ok(mut query) = books.prepare(sql) else {
            return;
        };
        let Ok(rows) = query.query_map([], |row| row.get::<_, String>(0)) else {
            return;
        };
        for reference in rows.flatten() {
            trace::note(&self.trace(), trace::SEEN_PAID, &reference);
        }
    }
}
