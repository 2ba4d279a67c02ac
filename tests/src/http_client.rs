//! A raw MCP client over streamable HTTP: as many connections as there are requests at a time.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::era::Era;
use crate::http::{Connection, Response};
use crate::stream::Stream;
use crate::wait::within;

/// A client of one `/mcp` endpoint.
pub struct HttpClient {
    era: Era,
    address: SocketAddr,
    bearer: Option<String>,
    session: Option<String>,
    next_id: AtomicU64,
    idle: Mutex<Vec<Connection>>,
}

impl HttpClient {
    /// A client of the modern era, anonymous: there is no session, so nothing is said before the first request.
    pub fn modern(address: SocketAddr) -> Self {
        Self::silent(address, Era::Modern, None)
    }

    /// As [`Self::modern`], in either era, with an API key or a token.
    pub fn with_bearer(address: SocketAddr, era: Era, bearer: &str) -> Self {
        Self::silent(address, era, Some(bearer))
    }

    fn silent(address: SocketAddr, era: Era, bearer: Option<&str>) -> Self {
        Self {
            era,
            address,
            bearer: bearer.map(str::to_owned),
            session: None,
            next_id: AtomicU64::new(1),
            idle: Mutex::default(),
        }
    }

    /// Connects and greets; `bearer` is an API key.
    pub async fn open(address: SocketAddr, era: Era, bearer: Option<&str>) -> Self {
        let mut client = Self::silent(address, era, bearer);
        let response = client
            .post(&era.hello(0))
            .await
            .expect("the host is reachable");
        let greeting = message(&response, 0);
        assert!(
            greeting["result"].is_object(),
            "greeted with {} {greeting}",
            response.status
        );
        if era == Era::Legacy {
            client.session = response.header("mcp-session-id").map(str::to_owned);
            let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
            let accepted = client.post(&ready).await.expect("the host is reachable");
            assert_eq!(accepted.status, 202, "{}", accepted.text());
        }
        client
    }

    /// Sends a request and awaits its response: the whole message, result or error.
    pub async fn request(&self, method: &str, params: Value) -> Value {
        within(method, self.try_request(method, params))
            .await
            .expect("the host answers")
    }

    /// As [`Self::request`], for hosts that may die over it.
    ///
    /// # Errors
    /// When the connection ends before the response.
    pub async fn try_request(&self, method: &str, params: Value) -> std::io::Result<Value> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let response = self.post(&self.era.request(id, method, params)).await?;
        Ok(message(&response, id))
    }

    /// Posts one message on a connection of its own for the time being.
    ///
    /// # Errors
    /// When the connection ends before the response.
    pub async fn post(&self, body: &Value) -> std::io::Result<Response> {
        let idle = self.idle.lock().expect("no panic holds it").pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        let headers = self.headers(body);
        let response = connection
            .send("POST", "/mcp", &headers, body.to_string().as_bytes())
            .await?;
        self.idle
            .lock()
            .expect("no panic holds it")
            .push(connection);
        Ok(response)
    }

    /// The headers of one message, each line ended.
    pub fn headers(&self, body: &Value) -> String {
        let mut headers = String::from(
            "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n",
        );
        let mut add = |name: &str, value: &str| headers.push_str(&format!("{name}: {value}\r\n"));
        if let Some(bearer) = &self.bearer {
            add("Authorization", &format!("Bearer {bearer}"));
        }
        if self.era == Era::Modern {
            add("MCP-Protocol-Version", self.era.version());
            add("Mcp-Method", body["method"].as_str().unwrap_or_default());
            let params = &body["params"];
            if let Some(name) = params["name"].as_str().or(params["taskId"].as_str()) {
                add("Mcp-Name", name);
            }
        } else if let Some(session) = &self.session {
            add("MCP-Protocol-Version", self.era.version());
            add("Mcp-Session-Id", session);
        }
        headers
    }

    /// What the host says unasked: in the legacy era to this session, in the modern one to who listens for `filter`.
    pub async fn listen(&self, filter: Value) -> Stream {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        match self.era {
            Era::Legacy => {
                let headers = self.headers(&Value::Null);
                Stream::open(self.address, "GET", &headers, "").await
            }
            Era::Modern => {
                let params = json!({ "notifications": filter });
                let body = self.era.request(id, "subscriptions/listen", params);
                let headers = self.headers(&body);
                Stream::open(self.address, "POST", &headers, &body.to_string()).await
            }
        }
    }

    /// The session, in the legacy era.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }
}

/// The response to `id` in a JSON or SSE body; a description of the answer when it is neither.
fn message(response: &Response, id: u64) -> Value {
    let text = response.text();
    let sse = response
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/event-stream"));
    let found = if sse {
        text.lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok())
            .find(|message| message["id"] == id && message.get("method").is_none())
    } else {
        serde_json::from_str(&text).ok()
    };
    found.unwrap_or_else(|| json!({ "http": response.status, "body": text }))
}
