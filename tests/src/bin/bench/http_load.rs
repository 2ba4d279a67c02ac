//! Load over HTTP: a connection for every unit in flight, on one thread.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use coinop_tests::era::Era;
use coinop_tests::host::HttpHost;
use coinop_tests::http::Connection;
use coinop_tests::http_client::HttpClient;
use coinop_tests::process::cpu_time;
use futures::future::try_join_all;
use serde_json::json;
use tokio::process::Command;
use tokio::runtime::Runtime;

use crate::load::{Load, Plan};
use crate::work::{Call, Writer};

/// A server on HTTP. The legacy era gives SSE replies, the modern one JSON.
pub(crate) struct HttpSubject {
    runtime: Runtime,
    host: HttpHost,
    client: HttpClient,
    writer: Writer,
    connections: Vec<Connection>,
    next_unit: u64,
}

impl HttpSubject {
    /// Starts `command` and greets it.
    ///
    /// # Errors
    /// When it does not start or does not greet.
    pub(crate) fn start(command: Command, era: Era) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (host, client) = runtime.block_on(async {
            let host = HttpHost::start(command).await;
            let client = HttpClient::open(host.address, era, None).await;
            (host, client)
        });
        Ok(Self {
            runtime,
            host,
            client,
            writer: Writer::new(era),
            connections: Vec::new(),
            next_unit: 0,
        })
    }

    /// Commits of the ledger so far, where the host tells.
    pub(crate) fn commits(&self) -> Option<u64> {
        let metrics = self.runtime.block_on(self.host.get("/metrics")).text();
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("coinop_ledger_commits_total "));
        line?.parse().ok()
    }

    /// Closes its connections; the next load opens new ones. The server closes those that say nothing for long.
    pub(crate) fn hang_up(&mut self) {
        self.connections.clear();
    }

    /// See [`crate::load::Subject::run`].
    ///
    /// # Errors
    /// When the server ends or answers wrongly.
    pub(crate) fn run(&mut self, plan: Plan) -> Result<Load> {
        let Self {
            runtime,
            host,
            client,
            writer,
            connections,
            next_unit,
        } = self;
        let (unit, latencies) = (Cell::new(*next_unit), Cell::new(Vec::new()));
        let load = runtime.block_on(async {
            while connections.len() < plan.in_flight {
                connections.push(Connection::open(host.address).await?);
            }
            let (started, cpu) = (Instant::now(), cpu_time(host.pid()));
            let workers = connections
                .iter_mut()
                .take(plan.in_flight)
                .map(async |connection| {
                    let mut seen = Vec::new();
                    while started.elapsed() < plan.time {
                        let n = unit.replace(unit.get() + 1);
                        seen.push(one_unit(plan, n, connection, client, writer).await?);
                    }
                    let mut all = latencies.take();
                    all.append(&mut seen);
                    latencies.set(all);
                    anyhow::Ok(())
                });
            try_join_all(workers).await?;
            anyhow::Ok(Load::new(
                latencies.take(),
                started,
                cpu_time(host.pid()) - cpu,
            ))
        });
        *next_unit = unit.get();
        load
    }
}

async fn one_unit(
    plan: Plan,
    n: u64,
    connection: &mut Connection,
    client: &HttpClient,
    writer: &Writer,
) -> Result<Duration> {
    let begun = Instant::now();
    let mut call = plan.work.first(n);
    loop {
        let message = writer.message(n, &call);
        let response = connection
            .send("POST", "/mcp", &headers(client, &call), message.as_bytes())
            .await?;
        ensure!(
            response.status == 200,
            "answered {} {}",
            response.status,
            response.text()
        );
        match plan
            .work
            .next(n, &call, &String::from_utf8_lossy(&response.body))?
        {
            Some(next) => call = next,
            None => return Ok(begun.elapsed()),
        }
    }
}

fn headers(client: &HttpClient, call: &Call) -> String {
    client.headers(&json!({ "method": "tools/call", "params": { "name": call.tool } }))
}
