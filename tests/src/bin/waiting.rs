//! What it costs a host when many calls wait for their payments at once:
//! `cargo run -p coinop-tests --bin waiting -- 10000 [stdio|http]`.
//!
//! A real host in a process of its own, in PROGRESS mode, modern calls. On stdio all calls share one pipe; over HTTP each
//! has a connection, for which `[http] connections_max` is set. Printed: the host's memory, threads, descriptors and CPU time while they
//! wait, and how long it takes until each of a few that are paid then is answered.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::pay::pay;
use coinop_tests::process::{cpu_time, resident_bytes};
use coinop_tests::talker::{Call, Talker};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Calls made at a time.
const AT_ONCE: usize = 64;
/// How long the host is watched while all wait.
const WATCHED: Duration = Duration::from_secs(10);
/// Calls that are paid at the end.
const PAID: usize = 20;
/// Connections, and descriptors of ours, beside those of the calls.
const BESIDE: usize = 128;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// A crowd of calls that wait, and how to hear that one of them is answered.
trait Crowd {
    /// The host's process.
    fn pid(&self) -> u32;
    /// Makes `calls` more calls wait: each has been told its link then.
    async fn wait(&mut self, calls: usize) -> anyhow::Result<()>;
    /// Pays one of them and awaits its answer.
    async fn pay_one(&mut self) -> anyhow::Result<Duration>;
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let calls: usize = arguments.next().map_or(Ok(1_000), |text| text.parse())?;
    let connections = calls + BESIDE;
    let config = format!("[http]\nconnections_max = {connections}\n");
    let home = Home::new().plugin("echo").mode("progress").config(&config);
    let measured = async {
        match arguments.next().as_deref() {
            Some("http") => {
                allow_descriptors(connections)?;
                measure(OverHttp::start(&home).await, calls).await
            }
            Some("stdio") | None => measure(OverStdio::start(&home).await, calls).await,
            Some(other) => anyhow::bail!("stdio or http, not {other}"),
        }
    };
    tokio::time::timeout(PATIENCE, measured)
        .await
        .context("it takes too long")?
}

/// Raises our own limit of open files, where it is lower.
fn allow_descriptors(wanted: usize) -> anyhow::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = wanted as u64;
    if limit.current.is_some_and(|soft| soft < wanted) {
        limit.current = Some(wanted);
        setrlimit(Resource::Nofile, limit).context("the limit of open files cannot be raised")?;
    }
    Ok(())
}

async fn measure(mut crowd: impl Crowd, calls: usize) -> anyhow::Result<()> {
    // Code and pools are touched before anything is measured.
    crowd.wait(1).await?;
    crowd.pay_one().await?;
    let pid = crowd.pid();
    let (bytes_before, threads_before) = (resident_bytes(pid), count(pid, "task"));
    let started = Instant::now();
    crowd.wait(calls).await?;
    let opened = started.elapsed();
    let bytes = resident_bytes(pid).saturating_sub(bytes_before);

    let busy_before = cpu_time(pid);
    tokio::time::sleep(WATCHED).await;
    let busy = cpu_time(pid).saturating_sub(busy_before);
    let bytes_later = resident_bytes(pid).saturating_sub(bytes_before);
    println!("calls waiting at once     {calls}, all of them after {opened:.1?}");
    println!(
        "memory per waiting call   {:.1} KiB at once, {:.1} KiB {WATCHED:?} later",
        per(bytes, calls),
        per(bytes_later, calls)
    );
    println!(
        "the host's memory         {:.1} MiB before, {:.1} MiB then",
        bytes_before as f64 / 1_048_576.0,
        resident_bytes(pid) as f64 / 1_048_576.0
    );
    println!(
        "the host's threads        {threads_before} before, {} then",
        count(pid, "task")
    );
    println!("the host's descriptors    {}", count(pid, "fd"));
    println!(
        "CPU while all wait        {:.1} % of one core",
        100.0 * busy.as_secs_f64() / WATCHED.as_secs_f64()
    );
    let mut times = Vec::new();
    for _ in 0..PAID.min(calls) {
        times.push(crowd.pay_one().await?);
    }
    times.sort_unstable();
    if let (Some(middle), Some(last)) = (times.get(times.len() / 2), times.last()) {
        println!("from payment to answer    {middle:.1?} median, {last:.1?} at most");
    }
    Ok(())
}

/// The first link in a message.
fn link(message: &str) -> Option<&str> {
    let from = message.find("http://")?;
    message[from..].split(' ').next()
}

/// All calls on one pipe.
struct OverStdio {
    client: Talker,
    next: usize,
    /// The latest calls and their links.
    latest: Vec<(Call, String)>,
}

impl OverStdio {
    async fn start(home: &Home) -> Self {
        Self {
            client: Talker::stdio(home, Era::Modern, json!({})).await,
            next: 0,
            latest: Vec::new(),
        }
    }
}

impl Crowd for OverStdio {
    fn pid(&self) -> u32 {
        self.client.pid()
    }

    async fn wait(&mut self, calls: usize) -> anyhow::Result<()> {
        let mut open = BTreeMap::new();
        let mut told = 0;
        let mut made = 0;
        while told < calls {
            while made < calls && made - told < AT_ONCE {
                let (n, more) = (self.next, json!({"_meta": {"progressToken": self.next}}));
                let text = json!({"text": format!("call {n}")});
                open.insert(n as u64, self.client.call("echo_paid", text, more).await);
                self.next += 1;
                made += 1;
            }
            let word = self.client.heard("notifications/progress").await["params"].clone();
            // Those that wait already are told again from time to time.
            let token = word["progressToken"].as_u64().unwrap_or(u64::MAX);
            if let Some(call) = open.remove(&token) {
                let link = word["message"].as_str().and_then(link).unwrap_or_default();
                self.latest.push((call, link.to_owned()));
                told += 1;
            }
        }
        Ok(())
    }

    async fn pay_one(&mut self) -> anyhow::Result<Duration> {
        let (call, link) = self.latest.pop().context("a call that waits")?;
        pay(&link).await;
        let paid = Instant::now();
        let answer = self.client.answer(&call).await;
        anyhow::ensure!(answer.text().starts_with("call "), "answered {}", answer.0);
        Ok(paid.elapsed())
    }
}

/// Each call on a connection of its own.
struct OverHttp {
    host: HttpHost,
    next: usize,
    waiting: Vec<Waiting>,
}

/// A call whose link has come.
struct Waiting {
    stream: TcpStream,
    link: String,
}

impl OverHttp {
    async fn start(home: &Home) -> Self {
        Self {
            host: home.http().await,
            next: 0,
            waiting: Vec::new(),
        }
    }
}

impl Crowd for OverHttp {
    fn pid(&self) -> u32 {
        self.host.pid()
    }

    async fn wait(&mut self, calls: usize) -> anyhow::Result<()> {
        let mut opening = JoinSet::new();
        for _ in 0..calls {
            if opening.len() == AT_ONCE
                && let Some(opened) = opening.join_next().await
            {
                self.waiting.push(opened??);
            }
            opening.spawn(open(self.host.address, self.next));
            self.next += 1;
        }
        while let Some(opened) = opening.join_next().await {
            self.waiting.push(opened??);
        }
        Ok(())
    }

    async fn pay_one(&mut self) -> anyhow::Result<Duration> {
        let mut one = self.waiting.pop().context("a call that waits")?;
        pay(&one.link).await;
        let paid = Instant::now();
        let heard = read_until(&mut one.stream, "\"content\"").await?;
        anyhow::ensure!(heard.contains("call "), "answered {heard}");
        Ok(paid.elapsed())
    }
}

fn per(bytes: u64, calls: usize) -> f64 {
    bytes as f64 / 1024.0 / calls.max(1) as f64
}

/// Makes a call and reads until its link has come.
async fn open(address: std::net::SocketAddr, n: usize) -> anyhow::Result<Waiting> {
    let mut params = json!({"name": "echo_paid", "arguments": {"text": format!("call {n}")}});
    params["_meta"]["progressToken"] = json!(n);
    let message = Era::Modern.request(n as u64 + 1, "tools/call", params);
    let body = message.to_string();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {}\r\n\
         Mcp-Method: tools/call\r\nMcp-Name: echo_paid\r\nContent-Length: {}\r\n\r\n{body}",
        Era::Modern.version(),
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let heard = read_until(&mut stream, "http://").await?;
    let link = link(&heard).unwrap_or_default().to_owned();
    Ok(Waiting { stream, link })
}

/// Reads until a data line holds `wanted`, and gives that line's message as text.
async fn read_until(stream: &mut TcpStream, wanted: &str) -> anyhow::Result<String> {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read =
            tokio::time::timeout(Duration::from_secs(120), stream.read(&mut buffer)).await??;
        anyhow::ensure!(
            read > 0,
            "the host hung up: {}",
            String::from_utf8_lossy(&heard)
        );
        heard.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&heard);
        let messages = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let found = messages
            .filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok())
            .map(|message| message.to_string())
            .find(|message| message.contains(wanted));
        if let Some(found) = found {
            return Ok(found);
        }
    }
}

fn count(pid: u32, folder: &str) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/{folder}")).map_or(0, Iterator::count)
}
