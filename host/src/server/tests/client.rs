//! rmcp's own client, in both eras and over both transports: list, call, and the news that the listing changed.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, ProtocolVersion, ServerNotification, SubscriptionFilter};
use rmcp::service::{NotificationContext, RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt};
use tokio::sync::Notify;

use super::http::Shop;
use crate::outbound;
use crate::server::http::{Replies, Settings};
use crate::server::stdio::serve_on;
use crate::server::testing::Fixture;

/// A client that notes that the listing changed.
#[derive(Clone, Default)]
struct Listener(Arc<Notify>);

impl ClientHandler for Listener {
    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.0.notify_one();
    }
}

type Client = RunningService<RoleClient, Listener>;

fn modern() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    }
}

async fn names(client: &Client) -> Vec<String> {
    let tools = client.list_all_tools().await.unwrap();
    tools
        .into_iter()
        .map(|tool| tool.name.to_string())
        .collect()
}

async fn lists_and_calls(client: &Client) {
    let expected = ["confirm_paid", "echo", "paid", "steps", "wait"];
    assert_eq!(names(client).await, expected);
    let call = async |tool: &'static str| {
        let answer = client.call_tool(CallToolRequestParams::new(tool)).await;
        answer.unwrap()
    };
    let answer = call("echo").await;
    assert!(answer.content[0].as_text().unwrap().text.ends_with("{}"));
    let asked = call("paid").await.structured_content.unwrap();
    assert_eq!(asked["status"], "payment_required");
}

/// Changes the listing until `heard` ends: a legacy client may still be opening its stream.
async fn change_until<T>(fixture: &Fixture, heard: impl Future<Output = T>) -> T {
    let changing = async {
        loop {
            fixture.add_tool();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::pin!(changing);
    let bound = tokio::time::sleep(Duration::from_secs(10));
    tokio::select! {
        heard = heard => heard,
        () = &mut changing => unreachable!("there is always another change"),
        () = bound => panic!("the client never heard of a change"),
    }
}

async fn legacy_client_hears(client: &Client, fixture: &Fixture) {
    let announcing = tokio::spawn(fixture.server.clone().announce());
    change_until(fixture, client.service().0.notified()).await;
    assert!(names(client).await.contains(&"new_tool".to_owned()));
    fixture.server.closing().cancel();
    announcing.await.unwrap();
}

async fn modern_client_hears(client: &Client, fixture: &Fixture) {
    let filter = SubscriptionFilter::builder().tools_list_changed().build();
    let mut subscription = client.listen(filter).await.unwrap();
    let heard = change_until(fixture, subscription.next()).await;
    assert!(matches!(
        heard.unwrap().unwrap(),
        ServerNotification::ToolListChangedNotification(_)
    ));
    assert!(names(client).await.contains(&"new_tool".to_owned()));
}

#[tokio::test]
async fn over_stdio() {
    for lifecycle in [ClientLifecycleMode::Initialize, modern()] {
        let fixture = Fixture::new();
        let (near, far) = tokio::io::duplex(4 << 10);
        let (read, write) = tokio::io::split(far);
        tokio::spawn(serve_on(fixture.server.clone(), read, write));
        let client = Listener::default().serve_with_lifecycle(near, lifecycle.clone());
        let client = client.await.unwrap();
        lists_and_calls(&client).await;
        match lifecycle {
            ClientLifecycleMode::Initialize => legacy_client_hears(&client, &fixture).await,
            _ => modern_client_hears(&client, &fixture).await,
        }
    }
}

#[tokio::test]
async fn over_http() {
    for replies in [Replies::Json, Replies::EventStream] {
        for lifecycle in [ClientLifecycleMode::Initialize, modern()] {
            let settings = Settings {
                replies,
                ..Settings::default()
            };
            let shop = Shop::open(settings).await;
            let http = outbound::loopback(Duration::from_secs(60)).unwrap();
            let config = StreamableHttpClientTransportConfig::with_uri(shop.url("/mcp"));
            let transport = StreamableHttpClientTransport::with_client(http, config);
            let client = Listener::default().serve_with_lifecycle(transport, lifecycle.clone());
            let client = client.await.unwrap();
            lists_and_calls(&client).await;
            match lifecycle {
                ClientLifecycleMode::Initialize => {
                    legacy_client_hears(&client, &shop.fixture).await
                }
                _ => modern_client_hears(&client, &shop.fixture).await,
            }
        }
    }
}
