//! The walk: list, call, link, pay, confirm, result. A real MCP client over HTTP; nothing is taken from inside the host.

use std::time::Duration;

use anyhow::Context as _;
use coinop_core::mode::{CONFIRM_PAYMENT, CONFIRM_PREFIX};
use rmcp::model::{CallToolRequestParams, CallToolResult, ClientConfig, Tool};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ServiceExt as _, model::JsonObject};
use serde_json::{Value, json};

use crate::cli::terminal::print;
use crate::outbound;

/// Longest answer shown, characters: a terminal is no archive.
const SHOWN_CHARS_MAX: usize = 1_200;
/// How often a payer's hand is waited for at most, and how long between two looks.
const LOOKS_MAX: u32 = 600;
const LOOK: Duration = Duration::from_secs(1);
/// How long one answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(600);

type Client = RunningService<RoleClient, ClientConfig>;

/// Walks through one paid call of `get_forecast`.
pub(super) async fn walk(url: &str, by_hand: bool) -> anyhow::Result<()> {
    let http = outbound::loopback(ANSWER_WAIT).map_err(anyhow::Error::msg)?;
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let client = ClientConfig::default()
        .serve(StreamableHttpClientTransport::with_client(http, config))
        .await
        .with_context(|| format!("cannot connect to {url}"))?;
    list(&client).await?;
    let arguments = json!({"city": "Oslo", "start_date": "2026-12-01", "days": 3});
    let asked = call(&client, "get_forecast", arguments).await?;
    let payment = asked.structured_content.clone().unwrap_or_default();
    let (Some(link), Some(id)) = (
        payment["payment_url"].as_str(),
        payment["payment_id"].as_str(),
    ) else {
        print("\nIt was answered without a payment, so there is nothing more to show.\n")?;
        return Ok(());
    };
    pay(link, by_hand).await?;
    confirm(&client, id, by_hand).await?;
    let _ = client.cancel().await;
    Ok(())
}

async fn list(client: &Client) -> anyhow::Result<()> {
    let tools = client.list_all_tools().await?;
    print("1. The client lists the tools.\n")?;
    for tool in &tools {
        print(&format!("     {:<24} {}\n", tool.name, price(tool)))?;
    }
    let has_forecast = tools.iter().any(|tool| tool.name == "get_forecast");
    anyhow::ensure!(
        has_forecast,
        "the demo calls get_forecast of the weather plugin, which is not in the folder of plugins: build it with `cargo xtask demo`"
    );
    Ok(())
}

fn price(tool: &Tool) -> String {
    let meta = tool
        .meta
        .as_ref()
        .and_then(|meta| meta.0.get("coinop/price"));
    match meta {
        Some(price) if price["amount"].is_string() => format!(
            "{} {} per call",
            price["amount"].as_str().unwrap_or_default(),
            price["currency"].as_str().unwrap_or_default()
        ),
        _ if tool.name.starts_with(CONFIRM_PREFIX) => "redeems a payment".to_owned(),
        _ => "free".to_owned(),
    }
}

async fn call(
    client: &Client,
    tool: &'static str,
    arguments: Value,
) -> anyhow::Result<CallToolResult> {
    print(&format!(
        "\n2. The client calls {tool} with {arguments}. Nothing runs yet; the answer is:\n"
    ))?;
    let result = send(client, tool, arguments).await?;
    print(&indented(&text(&result)))?;
    Ok(result)
}

async fn send(
    client: &Client,
    tool: &'static str,
    arguments: Value,
) -> anyhow::Result<CallToolResult> {
    let arguments: JsonObject = serde_json::from_value(arguments)?;
    let request = CallToolRequestParams::new(tool).with_arguments(arguments);
    Ok(client.call_tool(request).await?)
}

async fn pay(link: &str, by_hand: bool) -> anyhow::Result<()> {
    if by_hand {
        return print("\n3. Open the link and pay. Waiting …\n");
    }
    print("\n3. The payer opens the link and presses Pay. (--by-hand lets you do it.)\n")?;
    let answer = outbound::loopback(ANSWER_WAIT)
        .map_err(anyhow::Error::msg)?
        .post(format!("{link}/pay"))
        .send()
        .await
        .context("the payment page did not answer")?;
    // Once it is decided, a browser is sent back to the page.
    anyhow::ensure!(
        answer.status().is_success() || answer.status().is_redirection(),
        "the payment page answered {}",
        answer.status()
    );
    Ok(())
}

async fn confirm(client: &Client, id: &str, by_hand: bool) -> anyhow::Result<()> {
    let looks = if by_hand { LOOKS_MAX } else { 1 };
    for look in 1..=looks {
        let result = send(client, CONFIRM_PAYMENT, json!({"payment_id": id})).await?;
        let pending = result
            .structured_content
            .as_ref()
            .is_some_and(|c| c["status"] == "pending");
        if pending && look < looks {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        print(&format!(
            "\n4. The client calls {CONFIRM_PAYMENT} with the payment id. The tool runs, once, in its sandbox:\n",
        ))?;
        return print(&indented(&text(&result)));
    }
    Ok(())
}

fn text(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(|block| block.as_text());
    texts
        .map(|text| text.text.as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

fn indented(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    let more = if shown.len() < text.len() {
        "\n     …"
    } else {
        ""
    };
    let lines: Vec<String> = shown.lines().map(|line| format!("     {line}")).collect();
    format!("{}{more}\n", lines.join("\n"))
}
