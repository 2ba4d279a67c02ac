//! A raw HTTP/1.1 connection: one request at a time, kept alive. Small, and fast enough to be no bottleneck.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer read, bytes.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// A connection to one server.
pub struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    buffer: Vec<u8>,
    request: Vec<u8>,
}

/// A response, whole.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// The body, unchunked.
    pub body: Vec<u8>,
}

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Connection {
    /// Connects, without Nagle's algorithm.
    ///
    /// # Errors
    /// As the socket's.
    pub async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            address,
            buffer: Vec::with_capacity(8192),
            request: Vec::with_capacity(1024),
        })
    }

    /// Sends a request and reads its whole response. `headers` are lines that end with `\r\n`.
    ///
    /// # Errors
    /// When the server closes early, or answers with what is not HTTP/1.1.
    pub async fn send(
        &mut self,
        verb: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> std::io::Result<Response> {
        self.request.clear();
        let head = format!(
            "{verb} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        self.request.extend_from_slice(head.as_bytes());
        self.request.extend_from_slice(body);
        self.stream.write_all(&self.request).await?;
        self.receive().await
    }

    async fn receive(&mut self) -> std::io::Result<Response> {
        let end = loop {
            match find(&self.buffer, b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => self.more().await?,
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end);
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| wrong(&head))?;
        let mut response = Response {
            status,
            head,
            body: Vec::new(),
        };
        if response
            .header("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            response.body = self.chunks().await?;
        } else if let Some(length) = response.header("content-length") {
            let length: usize = length.parse().map_err(|_| wrong(length))?;
            response.body = self.take(length).await?;
        }
        Ok(response)
    }

    async fn chunks(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                match find(&self.buffer, b"\r\n") {
                    Some(at) => break at,
                    None => self.more().await?,
                }
            };
            let size = String::from_utf8_lossy(&self.buffer[..line]).into_owned();
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| wrong(&size))?;
            self.buffer.drain(..line + 2);
            let mut chunk = self.take(size + 2).await?;
            chunk.truncate(size);
            if size == 0 {
                return Ok(body);
            }
            body.append(&mut chunk);
        }
    }

    async fn take(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn more(&mut self) -> std::io::Result<()> {
        if self.buffer.len() > ANSWER_BYTES_MAX {
            return Err(wrong("the answer is too long"));
        }
        self.buffer.reserve(4096);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn wrong(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned())
}
