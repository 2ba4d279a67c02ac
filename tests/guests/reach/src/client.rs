//! Requests by `wasi:http`, as plain as it can be: nothing is put right that the tests want to be wrong.

use serde_json::{Map, Value, json};

use crate::wasi::http::outgoing_handler;
use crate::wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme,
};
use crate::wasi::io::streams::{InputStream, OutputStream, StreamError};

/// Bytes that one write may have.
const WRITE_BYTES: usize = 4096;

/// One request and its whole answer: status, headers, body as text.
pub(crate) fn fetch(arguments: &Value) -> Result<Value, String> {
    let asked = ask(arguments)?;
    if let Some(body) = arguments["body"].as_str() {
        asked.write(body.as_bytes())?;
    }
    let response = asked.answer()?;
    let headers = headers(&response);
    let status = response.status();
    let body = response.consume().map_err(|()| "consumed")?;
    let mut text = Vec::new();
    let read = read(&body, |piece| text.extend_from_slice(piece));
    let body = String::from_utf8_lossy(&text).into_owned();
    Ok(match read {
        Ok(()) => json!({ "status": status, "headers": headers, "body": body }),
        Err(error) => json!({ "status": status, "headers": headers, "body": body, "error": error }),
    })
}

/// Reads until somebody else ends it, keeping nothing.
pub(crate) fn drain(arguments: &Value) -> Value {
    let mut bytes = 0;
    let mut drained = || {
        let response = ask(arguments)?.answer()?;
        let body = response.consume().map_err(|()| "consumed")?;
        read(&body, |piece| bytes += piece.len())
    };
    let error = drained().err();
    json!({ "bytes": bytes, "error": error })
}

/// Sends `bytes` bytes in small pieces.
pub(crate) fn upload(arguments: &Value) -> Value {
    let whole = arguments["bytes"].as_u64().unwrap_or(0) as usize;
    let mut sent = 0;
    let mut uploaded = || {
        let asked = ask(arguments)?;
        let piece = [b'x'; WRITE_BYTES];
        let mut broken = None;
        while sent < whole && broken.is_none() {
            let piece = &piece[..WRITE_BYTES.min(whole - sent)];
            broken = asked.write(piece).err();
            sent += piece.len();
        }
        let response = asked.answer()?;
        broken.map_or(Ok(response.status()), Err)
    };
    match uploaded() {
        Ok(status) => json!({ "sent": sent, "status": status }),
        Err(error) => json!({ "sent": sent, "error": error }),
    }
}

/// Sends `count` requests before it reads the first answer.
pub(crate) fn crowd(arguments: &Value) -> Value {
    let count = arguments["count"].as_u64().unwrap_or(1);
    let asked: Vec<_> = (0..count).map(|_| ask(arguments)).collect();
    let answers = asked.into_iter().map(|asked| {
        let response = asked?.answer()?;
        let body = response.consume().map_err(|()| "consumed".to_owned())?;
        read(&body, |_| ()).map(|()| response.status())
    });
    let told = answers.map(|answer: Result<u16, String>| match answer {
        Ok(status) => json!(status),
        Err(error) => json!(error),
    });
    Value::Array(told.collect())
}

struct Asked {
    /// Only where there is something to send. The stream goes before its body.
    stream: Option<OutputStream>,
    request_body: Option<OutgoingBody>,
    answer: FutureIncomingResponse,
}

/// `url`, `method`, `headers` and the three waits, milliseconds, of `arguments`.
fn ask(arguments: &Value) -> Result<Asked, String> {
    let url = arguments["url"].as_str().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").ok_or("no scheme")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let fields = Fields::new();
    for (name, value) in arguments["headers"].as_object().unwrap_or(&Map::new()) {
        let value = value.as_str().unwrap_or_default().as_bytes().to_vec();
        let set = fields.append(name, &value);
        set.map_err(|error| format!("{error:?}"))?;
    }
    let request = OutgoingRequest::new(fields);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let refused = |what: &'static str| move |()| format!("refused: {what}");
    request
        .set_scheme(Some(&scheme))
        .map_err(refused("scheme"))?;
    request
        .set_authority(Some(authority))
        .map_err(refused("authority"))?;
    request
        .set_path_with_query(Some(path))
        .map_err(refused("path"))?;
    let method = method(arguments["method"].as_str().unwrap_or("GET"));
    request.set_method(&method).map_err(refused("method"))?;
    let sends = arguments["body"].is_string() || arguments["bytes"].is_u64();
    let request_body = sends.then(|| request.body().map_err(|()| "no body"));
    let request_body = request_body.transpose()?;
    let answer = outgoing_handler::handle(request, Some(options(arguments)));
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let stream = request_body.as_ref().map(|body| body.write());
    Ok(Asked {
        stream: stream.transpose().map_err(|()| "no stream")?,
        request_body,
        answer,
    })
}

fn options(arguments: &Value) -> RequestOptions {
    let wait = |key: &str| arguments[key].as_u64().map(|ms| ms * 1_000_000);
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(wait("connect_ms"));
    let _ = options.set_first_byte_timeout(wait("first_byte_ms"));
    let _ = options.set_between_bytes_timeout(wait("between_bytes_ms"));
    options
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "CONNECT" => Method::Connect,
        other => Method::Other(other.to_owned()),
    }
}

impl Asked {
    fn write(&self, bytes: &[u8]) -> Result<(), String> {
        let stream = self.stream.as_ref().ok_or("no body")?;
        let written = bytes
            .chunks(WRITE_BYTES)
            .try_for_each(|piece| stream.blocking_write_and_flush(piece));
        written.map_err(|error| told(&error))
    }

    fn answer(self) -> Result<IncomingResponse, String> {
        drop(self.stream);
        let finish = |body| OutgoingBody::finish(body, None);
        let finished = self.request_body.map_or(Ok(()), finish);
        self.answer.subscribe().block();
        let answer = self.answer.get().ok_or("no answer")?;
        let answer = answer.map_err(|()| "taken")?;
        let answer = answer.map_err(|error| format!("{error:?}"))?;
        finished.map_err(|error| format!("{error:?}"))?;
        Ok(answer)
    }
}

fn headers(response: &IncomingResponse) -> Map<String, Value> {
    let entries = response.headers().entries().into_iter();
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    entries
        .map(|(name, value)| (name, text(value).into()))
        .collect()
}

fn read(body: &IncomingBody, mut each: impl FnMut(&[u8])) -> Result<(), String> {
    let stream: InputStream = body.stream().map_err(|()| "no stream")?;
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(piece) => each(&piece),
            Err(StreamError::Closed) => return Ok(()),
            Err(error) => return Err(told(&error)),
        }
    }
}

fn told(error: &StreamError) -> String {
    match error {
        StreamError::Closed => "closed".to_owned(),
        StreamError::LastOperationFailed(error) => {
            match crate::wasi::http::types::http_error_code(error) {
                Some(code) => format!("{code:?}"),
                None => error.to_debug_string(),
            }
        }
    }
}
