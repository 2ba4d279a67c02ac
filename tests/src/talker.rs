//! A raw client that holds conversations: it declares what it can do, hears what the server asks and tells while its calls
//! are open, and answers when the test says so. Over both transports, in both eras.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::answer::Answer;
use crate::era::Era;
use crate::home::Home;
use crate::host::Log;
use crate::wait::within;

/// A client of one server, or of one session of it.
pub struct Talker {
    era: Era,
    capabilities: Value,
    wire: Wire,
    inbox: Arc<Inbox>,
    /// Whoever reads what the server says unasked: from the pipe, or from the session's own stream.
    listening: Mutex<Option<AbortHandle>>,
    next_id: AtomicU64,
}

enum Wire {
    Stdio {
        stdin: tokio::sync::Mutex<ChildStdin>,
        child: Box<Child>,
        /// What the server wrote to stderr.
        log: Log,
    },
    Http {
        address: SocketAddr,
        bearer: Option<String>,
        session: Mutex<Option<String>>,
    },
}

/// A call under way. Over HTTP, dropping the connection is [`Call::hang_up`]'s.
pub struct Call {
    /// Its request's id.
    pub id: u64,
    task: Option<AbortHandle>,
}

impl Call {
    /// Drops the connection that the answer would come on.
    pub fn hang_up(&self) {
        self.task.as_ref().expect("a call over HTTP").abort();
    }
}

/// Everything that came and was not taken yet, in order.
#[derive(Default)]
struct Inbox {
    messages: Mutex<Vec<Value>>,
    more: Notify,
}

impl Inbox {
    fn put(&self, message: Value) {
        self.messages
            .lock()
            .expect("no panic holds it")
            .push(message);
        self.more.notify_waiters();
    }

    fn take(&self, wanted: &impl Fn(&Value) -> bool) -> Option<Value> {
        let mut messages = self.messages.lock().expect("no panic holds it");
        let at = messages.iter().position(wanted)?;
        Some(messages.remove(at))
    }
}

impl Talker {
    /// Starts a host on stdio and greets it.
    pub async fn stdio(home: &Home, era: Era, capabilities: Value) -> Self {
        let mut command = home.serve(&["--pay-addr", "127.0.0.1:0"]);
        command
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("the host starts");
        let log = Log::follow(child.stderr.take().expect("stderr is piped"));
        let inbox = Arc::<Inbox>::default();
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let heard = inbox.clone();
        let listening = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                heard.put(serde_json::from_str(&line).expect("stdout carries JSON only"));
            }
        });
        let wire = Wire::Stdio {
            stdin: child.stdin.take().expect("stdin is piped").into(),
            child: Box::new(child),
            log,
        };
        let talker = Self::greeted(wire, era, capabilities, inbox).await;
        talker.listens(listening.abort_handle());
        talker
    }

    /// Opens a session of a host on HTTP (legacy), or nothing (modern); `bearer` is an API key.
    pub async fn http(
        address: SocketAddr,
        era: Era,
        capabilities: Value,
        bearer: Option<&str>,
    ) -> Self {
        let wire = Wire::Http {
            address,
            bearer: bearer.map(str::to_owned),
            session: Mutex::default(),
        };
        Self::greeted(wire, era, capabilities, Arc::default()).await
    }

    async fn greeted(wire: Wire, era: Era, capabilities: Value, inbox: Arc<Inbox>) -> Self {
        let talker = Self {
            era,
            capabilities,
            wire,
            inbox,
            listening: Mutex::default(),
            next_id: AtomicU64::new(1),
        };
        let mut hello = era.hello(0);
        if era == Era::Legacy {
            hello["params"]["capabilities"] = talker.capabilities.clone();
        }
        talker.send(hello).await;
        let greeting = talker.message("the greeting", |m| m["id"] == 0).await;
        assert!(greeting["result"].is_object(), "{greeting}");
        if era == Era::Legacy {
            talker
                .send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
                .await;
            talker.listen().await;
        }
        talker
    }

    /// The host's process (stdio).
    pub fn pid(&self) -> u32 {
        match &self.wire {
            Wire::Stdio { child, .. } => child.id().expect("the host has not been awaited"),
            Wire::Http { .. } => panic!("this client does not own its host"),
        }
    }

    /// Goes away as a client's process does, and nobody hears what the server still says. On stdio both pipes are closed,
    /// and the host's own end is awaited; over HTTP the session's stream ends, and its calls by [`Call::hang_up`].
    pub async fn leave(self) {
        if let Some(listening) = &*self.listening.lock().expect("no panic holds it") {
            listening.abort();
        }
        if let Wire::Stdio {
            stdin, mut child, ..
        } = self.wire
        {
            drop(stdin);
            let ended = within("the host's end", child.wait()).await;
            ended.expect("the host can be awaited");
        }
    }

    /// kill -9 of the host, and waits until it is dead (stdio).
    pub async fn kill(self) {
        let Wire::Stdio { mut child, .. } = self.wire else {
            panic!("this client does not own its host");
        };
        child.kill().await.expect("the host can be killed");
    }

    /// Calls a tool; `more` goes beside the name and the arguments.
    pub async fn call(&self, tool: &str, arguments: Value, more: Value) -> Call {
        let mut params = json!({"name": tool, "arguments": arguments});
        for (key, value) in more.as_object().expect("more parameters") {
            params[key] = value.clone();
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut request = self.era.request(id, "tools/call", params);
        if self.era == Era::Modern {
            request["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
                self.capabilities.clone();
        }
        let task = self.send(request).await;
        Call { id, task }
    }

    /// The response to a call.
    pub async fn answer(&self, call: &Call) -> Answer {
        let id = call.id;
        let is_answer = move |m: &Value| m["id"] == id && m.get("method").is_none();
        Answer(self.message("the answer", is_answer).await)
    }

    /// Calls a tool and awaits the response.
    pub async fn ask(&self, tool: &str, arguments: Value, more: Value) -> Answer {
        let call = self.call(tool, arguments, more).await;
        self.answer(&call).await
    }

    /// Awaits a message of the server with this method, and takes it.
    pub async fn heard(&self, method: &str) -> Value {
        self.message(method, |m| m["method"] == method).await
    }

    /// Takes a message of this method that has come already.
    pub fn take(&self, method: &str) -> Option<Value> {
        self.inbox.take(&|m: &Value| m["method"] == method)
    }

    async fn message(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                let more = self.inbox.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if let Some(message) = self.inbox.take(&wanted) {
                    return message;
                }
                more.await;
            }
        };
        match tokio::time::timeout(crate::wait::PATIENCE, waiting).await {
            Ok(message) => message,
            Err(_) => panic!(
                "waited in vain for {what}; what came: {:?}\n{}",
                self.inbox.messages.lock().expect("no panic holds it"),
                self.log()
            ),
        }
    }

    fn log(&self) -> String {
        match &self.wire {
            Wire::Stdio { log, .. } => log.text(),
            Wire::Http { .. } => String::new(),
        }
    }

    /// Answers a request of the server.
    pub async fn respond(&self, request: &Value, result: Value) {
        self.send(json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
            .await;
    }

    /// Answers a request of the server by an error.
    pub async fn refuse(&self, request: &Value) {
        let error = json!({"code": -32603, "message": "nobody is here"});
        self.send(json!({"jsonrpc": "2.0", "id": request["id"], "error": error}))
            .await;
    }

    /// Cancels a call (legacy, or stdio).
    pub async fn cancel(&self, call: &Call) {
        let params = json!({"requestId": call.id});
        self.send(json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params,
        }))
        .await;
    }

    async fn send(&self, message: Value) -> Option<AbortHandle> {
        match &self.wire {
            Wire::Stdio { stdin, .. } => {
                let line = format!("{message}\n");
                let mut stdin = stdin.lock().await;
                stdin
                    .write_all(line.as_bytes())
                    .await
                    .expect("the host reads");
                None
            }
            Wire::Http {
                address, session, ..
            } => {
                let posting = self.open("POST", &message).await;
                let is_hello = message["method"] == "initialize";
                if is_hello {
                    let found = header(&posting.head, "mcp-session-id");
                    *session.lock().expect("no panic holds it") = found;
                }
                let (inbox, _) = (self.inbox.clone(), address);
                // What is no request is answered by a status.
                let task = tokio::spawn(posting.read(inbox));
                Some(task.abort_handle())
            }
        }
    }

    /// Opens the session's own stream (legacy HTTP).
    async fn listen(&self) {
        if matches!(self.wire, Wire::Http { .. }) {
            let stream = self.open("GET", &Value::Null).await;
            let reading = tokio::spawn(stream.read(self.inbox.clone()));
            self.listens(reading.abort_handle());
        }
    }

    fn listens(&self, listening: AbortHandle) {
        *self.listening.lock().expect("no panic holds it") = Some(listening);
    }

    async fn open(&self, verb: &str, message: &Value) -> Incoming {
        let Wire::Http {
            address,
            bearer,
            session,
        } = &self.wire
        else {
            panic!("this client speaks over stdio");
        };
        let mut head = format!(
            "{verb} /mcp HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
        );
        let mut add = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
        if let Some(bearer) = bearer {
            add("Authorization", &format!("Bearer {bearer}"));
        }
        if let Some(session) = &*session.lock().expect("no panic holds it") {
            add("Mcp-Session-Id", session);
        }
        add("MCP-Protocol-Version", self.era.version());
        if self.era == Era::Modern {
            add("Mcp-Method", message["method"].as_str().unwrap_or_default());
            if let Some(name) = message["params"]["name"].as_str() {
                add("Mcp-Name", name);
            }
        }
        let body = match verb {
            "GET" => String::new(),
            _ => message.to_string(),
        };
        head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let mut stream = TcpStream::connect(address)
            .await
            .expect("the host is reachable");
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the host reads");
        // A call that is waited in sends its head with its first word; reading it here would hold the test up.
        let mut incoming = Incoming {
            stream: BufReader::new(stream),
            head: String::new(),
        };
        if verb == "GET" || message["method"] == "initialize" || message.get("id").is_none() {
            within("a head", incoming.read_head()).await;
        }
        incoming
    }
}

/// A response on its way.
struct Incoming {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Incoming {
    async fn read_head(&mut self) {
        while !self.head.ends_with("\r\n\r\n") {
            let read = self.stream.read_line(&mut self.head).await;
            if !matches!(read, Ok(1..)) {
                return;
            }
        }
    }

    /// Puts what comes into the inbox, message by message, until the stream ends.
    async fn read(mut self, inbox: Arc<Inbox>) {
        if self.head.is_empty() {
            self.read_head().await;
        }
        let is_stream =
            header(&self.head, "content-type").is_some_and(|kind| kind.contains("event-stream"));
        if !is_stream {
            let length = header(&self.head, "content-length");
            let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            if self.stream.read_exact(&mut body).await.is_ok()
                && let Ok(message) = serde_json::from_slice(&body)
            {
                inbox.put(message);
            }
            return;
        }
        // Chunk sizes and event fields are lines of their own here, and only data is looked at.
        let mut line = String::new();
        while matches!(self.stream.read_line(&mut line).await, Ok(1..)) {
            let data = line.strip_prefix("data:").map(str::trim);
            if let Some(message) = data.and_then(|data| serde_json::from_str(data).ok()) {
                inbox.put(message);
            }
            line.clear();
        }
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}
