//! Load on a server's pipes: one thread that writes, reads, and never waits without need.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use coinop_tests::era::Era;
use coinop_tests::process::{cpu_time, resident_bytes};
use serde_json::Value;

use crate::load::{Load, Plan};
use crate::work::{Call, Writer};

/// A server on stdio, greeted. Dropping it kills the server.
pub(crate) struct StdioSubject {
    child: Child,
    stdin: BufWriter<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    writer: Writer,
    next_id: u64,
    next_unit: u64,
    line: String,
}

struct Open {
    unit: u64,
    begun: Instant,
    sent: Call,
}

impl StdioSubject {
    /// Starts `command`, awaits its greeting, and says how long that took from before the spawn.
    ///
    /// # Errors
    /// When it does not start or does not greet.
    pub(crate) fn start(mut command: Command, era: Era) -> Result<(Self, Duration)> {
        let started = Instant::now();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("the server does not start")?;
        let stdin = BufWriter::new(child.stdin.take().context("stdin is piped")?);
        let stdout = BufReader::new(child.stdout.take().context("stdout is piped")?);
        let mut subject = Self {
            child,
            stdin,
            stdout,
            writer: Writer::new(era),
            next_id: 1,
            next_unit: 0,
            line: String::new(),
        };
        writeln!(subject.stdin, "{}", era.hello(0))?;
        subject.stdin.flush()?;
        subject.read_line()?;
        let took = started.elapsed();
        ensure!(
            subject.line.contains("\"result\""),
            "greeted with {}",
            subject.line
        );
        if era == Era::Legacy {
            writeln!(
                subject.stdin,
                r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#
            )?;
        }
        Ok((subject, took))
    }

    /// Asks for the list of tools: how many names are in it.
    ///
    /// # Errors
    /// When the server ends or answers something else.
    pub(crate) fn list_tools(&mut self) -> Result<usize> {
        let id = self.next_id;
        self.next_id += 1;
        let request =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list","params":{{}}}}"#);
        writeln!(self.stdin, "{request}")?;
        self.stdin.flush()?;
        loop {
            self.read_line()?;
            if id_of(&self.line) == Some(id) {
                break;
            }
        }
        let answer: Value = serde_json::from_str(&self.line)?;
        let tools = answer["result"]["tools"].as_array();
        Ok(tools.context("tools are listed")?.len())
    }

    /// Resident memory of the server, bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        resident_bytes(self.child.id())
    }

    /// See [`crate::load::Subject::run`].
    ///
    /// # Errors
    /// When the server ends or answers wrongly.
    pub(crate) fn run(&mut self, plan: Plan) -> Result<Load> {
        self.run_while(plan, |started, _| started.elapsed() < plan.time)
    }

    /// As [`Self::run`], for a number of units instead of a time.
    ///
    /// # Errors
    /// When the server ends or answers wrongly.
    pub(crate) fn run_units(&mut self, plan: Plan, units: usize) -> Result<Load> {
        self.run_while(plan, |_, begun| begun < units)
    }

    fn run_while(&mut self, plan: Plan, goes_on: impl Fn(Instant, usize) -> bool) -> Result<Load> {
        let mut open: HashMap<u64, Open> = HashMap::with_capacity(plan.in_flight);
        let mut latencies = Vec::new();
        let (started, cpu) = (Instant::now(), cpu_time(self.child.id()));
        let mut begun = 0;
        loop {
            while open.len() < plan.in_flight && goes_on(started, begun) {
                let unit = self.next_unit;
                self.next_unit += 1;
                begun += 1;
                let sent = plan.work.first(unit);
                let id = self.send(&sent)?;
                open.insert(
                    id,
                    Open {
                        unit,
                        begun: Instant::now(),
                        sent,
                    },
                );
            }
            if open.is_empty() {
                return Ok(Load::new(
                    latencies,
                    started,
                    cpu_time(self.child.id()) - cpu,
                ));
            }
            if self.stdout.buffer().is_empty() {
                self.stdin.flush()?;
            }
            self.read_line()?;
            let Some(answered) = id_of(&self.line).and_then(|id| open.remove(&id)) else {
                continue;
            };
            match plan.work.next(answered.unit, &answered.sent, &self.line)? {
                Some(sent) => {
                    let id = self.send(&sent)?;
                    open.insert(id, Open { sent, ..answered });
                }
                None => latencies.push(answered.begun.elapsed()),
            }
        }
    }

    fn send(&mut self, call: &Call) -> Result<u64> {
        let id = self.next_id;
        self.next_id += 1;
        writeln!(self.stdin, "{}", self.writer.message(id, call))?;
        Ok(id)
    }

    fn read_line(&mut self) -> Result<()> {
        self.line.clear();
        ensure!(
            self.stdout.read_line(&mut self.line)? > 0,
            "the server ended"
        );
        Ok(())
    }
}

impl Drop for StdioSubject {
    fn drop(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The id of a response; `None` for notifications.
fn id_of(line: &str) -> Option<u64> {
    let (_, after) = line.split_once("\"id\":")?;
    let digits = after.find(|c: char| !c.is_ascii_digit())?;
    after[..digits].parse().ok()
}
