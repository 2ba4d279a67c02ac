//! One raw client for both transports: what most tests hold.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::http_client::HttpClient;
use crate::stdio::StdioClient;
use crate::stream::Stream;
use crate::wait::until;

/// A raw client.
pub enum Client {
    /// On a child's pipes; owns the host.
    Stdio(Box<StdioClient>),
    /// Over HTTP.
    Http(HttpClient),
}

impl Client {
    /// Calls a tool.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answer {
        let params = json!({ "name": tool, "arguments": arguments });
        Answer(self.request("tools/call", params).await)
    }

    /// Calls a tool, and again while its money is on the way back: the host's sweeper may have come to it first.
    pub async fn call_settled(&self, tool: &str, arguments: Value) -> Answer {
        until("the money to be back", async || {
            let answer = self.call(tool, arguments.clone()).await;
            (!answer.text().contains("is being returned")).then_some(answer)
        })
        .await
    }

    /// The names of the tools, in the order listed.
    pub async fn tools(&self) -> Vec<String> {
        let listed = self.request("tools/list", json!({})).await;
        let tools = listed["result"]["tools"]
            .as_array()
            .unwrap_or_else(|| panic!("listed {listed}"));
        tools
            .iter()
            .filter_map(|tool| Some(tool["name"].as_str()?.to_owned()))
            .collect()
    }

    /// Any request: the whole response.
    pub async fn request(&self, method: &str, params: Value) -> Value {
        match self {
            Self::Stdio(client) => client.request(method, params).await,
            Self::Http(client) => client.request(method, params).await,
        }
    }

    /// What the host says unasked of changes of the list, over HTTP.
    pub async fn list_changes(&self) -> Stream {
        match self {
            Self::Http(client) => client.listen(json!({ "toolsListChanged": true })).await,
            Self::Stdio(_) => panic!("on stdio it is said among the answers"),
        }
    }

    /// The stdio client, for what only it can do.
    pub fn stdio(self) -> StdioClient {
        match self {
            Self::Stdio(client) => *client,
            Self::Http(_) => panic!("this client speaks HTTP"),
        }
    }
}
