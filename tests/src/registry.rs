//! A registry of OCI artifacts on a port of its own: as much of the distribution API as clients use, log-ins, and lies.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use coinop_core::digest::Digest;
use futures::stream;
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

/// Largest body that it takes, bytes.
const BODY_BYTES_MAX: usize = 64 << 20;
/// What an endless answer sends at a time.
const PIECE: &[u8] = &[0; 64 << 10];
/// The user and the password that it knows, as Basic has them: `me:secret`.
const BASIC: &str = "Basic bWU6c2VjcmV0";
const BEARER: &str = "Bearer of-the-registry";

/// Whom it serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// Everybody.
    #[default]
    Open,
    /// Whoever has the password.
    Basic,
    /// Whoever has a token, which it gives to everybody.
    Token,
    /// Whoever has a token, which it gives for the password.
    TokenForPassword,
}

/// How it deceives its clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lie {
    /// Not at all.
    #[default]
    None,
    /// Blobs are other bytes of the same length.
    OtherBlob,
    /// Blobs end early.
    ShortBlob,
    /// Blobs do not end.
    EndlessBlob,
    /// Manifests do not end.
    EndlessManifest,
    /// A digest gives another manifest.
    OtherManifest,
    /// Blobs are elsewhere: under this address, path and all.
    Elsewhere(String),
}

#[derive(Default)]
struct Kept {
    blobs: HashMap<String, Bytes>,
    /// By tag and by digest.
    manifests: HashMap<String, Bytes>,
    /// What a tag means once it has been asked for.
    moves: HashMap<String, Bytes>,
    uploads: HashMap<String, Vec<u8>>,
    /// Method, path and authorization of every request.
    asked: Vec<String>,
}

struct Inner {
    door: Door,
    lie: Lie,
    address: SocketAddr,
    kept: Mutex<Kept>,
}

/// A registry, for as long as the test runs.
pub struct Registry(Arc<Inner>);

impl Registry {
    /// Listens.
    pub async fn start(door: Door, lie: Lie) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port is free");
        let inner = Arc::new(Inner {
            door,
            lie,
            address: listener.local_addr().expect("it is bound"),
            kept: Mutex::default(),
        });
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self(inner)
    }

    /// Its host and port.
    pub fn host(&self) -> String {
        self.0.address.to_string()
    }

    /// `oci://…` of a name in it.
    pub fn reference(&self, name: &str) -> String {
        format!("oci://{}/{name}", self.host())
    }

    /// Keeps a blob; gives its digest.
    pub fn put_blob(&self, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        let bytes = Bytes::copy_from_slice(bytes);
        self.kept().blobs.insert(digest.clone(), bytes);
        digest
    }

    /// Keeps a manifest under a tag and its digest; gives the digest.
    pub fn put_manifest(&self, tag: &str, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        let bytes = Bytes::copy_from_slice(bytes);
        let mut kept = self.kept();
        kept.manifests.insert(tag.to_owned(), bytes.clone());
        kept.manifests.insert(digest.clone(), bytes);
        digest
    }

    /// Moves a tag to this manifest as soon as somebody has asked for it.
    pub fn move_tag(&self, tag: &str, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.kept().moves.insert(tag.to_owned(), bytes);
    }

    /// What is kept under a tag or a digest.
    pub fn manifest(&self, name: &str) -> Option<Bytes> {
        self.kept().manifests.get(name).cloned()
    }

    /// A kept blob.
    pub fn blob(&self, digest: &str) -> Option<Bytes> {
        self.kept().blobs.get(digest).cloned()
    }

    /// Method, path and authorization of every request so far.
    pub fn asked(&self) -> Vec<String> {
        self.kept().asked.clone()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.kept.lock().expect("nobody panicked")
    }
}

/// As registries write digests.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Digest::of(bytes))
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let authorization = header(&parts.headers, "authorization");
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let told = format!("{} {path} {authorization}", parts.method);
    inner.kept.lock().expect("nobody panicked").asked.push(told);
    if path == "/token" {
        return inner.token(&authorization, &query);
    }
    if let Some(refusal) = inner.refusal(&authorization) {
        return refusal;
    }
    let body = to_bytes(body, BODY_BYTES_MAX).await.expect("a whole body");
    if path == "/v2/" {
        return text(StatusCode::OK, "{}");
    }
    let Some(rest) = path.strip_prefix("/v2/") else {
        return text(StatusCode::NOT_FOUND, "");
    };
    if let Some((_, name)) = rest.split_once("/manifests/") {
        return inner.manifest(&parts.method, name, &body);
    }
    if let Some((repository, id)) = rest.split_once("/blobs/uploads/") {
        return inner.upload(&parts.method, repository, id, &query, &body);
    }
    match rest.split_once("/blobs/") {
        Some((_, digest)) => inner.blob(&parts.method, digest),
        None => text(StatusCode::NOT_FOUND, ""),
    }
}

impl Inner {
    fn refusal(&self, authorization: &str) -> Option<Response> {
        let realm = format!(
            "Bearer realm=\"http://{}/token\",service=\"test\"",
            self.address
        );
        let (enough, challenge) = match self.door {
            Door::Open => return None,
            Door::Basic => (BASIC, "Basic realm=\"test\"".to_owned()),
            Door::Token | Door::TokenForPassword => (BEARER, realm),
        };
        let refusal = Response::builder()
            .status(401)
            .header("www-authenticate", challenge);
        (authorization != enough).then(|| refusal.body(Body::empty()).expect("an answer"))
    }

    fn token(&self, authorization: &str, query: &str) -> Response {
        let known = self.door == Door::Token || authorization == BASIC;
        if !known || !query.contains("scope=repository") {
            return text(StatusCode::UNAUTHORIZED, "");
        }
        let token = BEARER.trim_start_matches("Bearer ");
        text(StatusCode::OK, &json!({ "token": token }).to_string())
    }

    fn manifest(&self, method: &Method, name: &str, body: &Bytes) -> Response {
        let mut kept = self.kept.lock().expect("nobody panicked");
        if method == Method::PUT {
            kept.manifests.insert(name.to_owned(), body.clone());
            kept.manifests.insert(sha256(body), body.clone());
            return digest_of(StatusCode::CREATED, body, Body::empty());
        }
        if self.lie == Lie::EndlessManifest {
            return endless();
        }
        let Some(found) = kept.manifests.get(name).cloned() else {
            return text(StatusCode::NOT_FOUND, "");
        };
        if let Some(next) = kept.moves.remove(name) {
            kept.manifests.insert(name.to_owned(), next);
        }
        let sent = match self.lie == Lie::OtherManifest {
            true => Bytes::from([&found[..], b" "].concat()),
            false => found.clone(),
        };
        digest_of(StatusCode::OK, &found, Body::from(sent))
    }

    fn upload(
        &self,
        method: &Method,
        repository: &str,
        id: &str,
        query: &str,
        body: &Bytes,
    ) -> Response {
        let mut kept = self.kept.lock().expect("nobody panicked");
        let id = match method == Method::POST {
            true => kept.uploads.len().to_string(),
            false => id.to_owned(),
        };
        let upload = kept.uploads.entry(id.clone()).or_default();
        upload.extend_from_slice(body);
        if method != Method::PUT {
            let accepted = Response::builder().status(202);
            let accepted = accepted.header(
                "location",
                format!("/v2/{repository}/blobs/uploads/{id}?_state=x"),
            );
            let accepted =
                accepted.header("range", format!("0-{}", upload.len().saturating_sub(1)));
            return accepted.body(Body::empty()).expect("an answer");
        }
        let bytes = Bytes::from(std::mem::take(upload));
        let digest = sha256(&bytes);
        if !query.replace("%3A", ":").contains(&digest) {
            return text(StatusCode::BAD_REQUEST, "DIGEST_INVALID");
        }
        kept.blobs.insert(digest.clone(), bytes.clone());
        let created = Response::builder().status(201);
        let created = created.header("location", format!("/v2/{repository}/blobs/{digest}"));
        created.body(Body::empty()).expect("an answer")
    }

    fn blob(&self, method: &Method, digest: &str) -> Response {
        let kept = self.kept.lock().expect("nobody panicked");
        let Some(found) = kept.blobs.get(digest).cloned() else {
            return text(StatusCode::NOT_FOUND, "");
        };
        if method == Method::HEAD {
            return digest_of(StatusCode::OK, &found, Body::empty());
        }
        match &self.lie {
            Lie::OtherBlob => text(StatusCode::OK, &"x".repeat(found.len())),
            Lie::ShortBlob => Response::new(Body::from(found.slice(..found.len() / 2))),
            Lie::EndlessBlob => endless(),
            Lie::Elsewhere(base) => {
                let away = Response::builder().status(307);
                let away = away.header("location", format!("{base}/{digest}"));
                away.body(Body::empty()).expect("an answer")
            }
            _ => Response::new(Body::from(found)),
        }
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn text(status: StatusCode, text: &str) -> Response {
    let answer = Response::builder().status(status);
    answer.body(Body::from(text.to_owned())).expect("an answer")
}

fn digest_of(status: StatusCode, content: &[u8], body: Body) -> Response {
    let answer = Response::builder().status(status);
    let answer = answer.header("docker-content-digest", sha256(content));
    let answer = answer.header("content-type", "application/vnd.oci.image.manifest.v1+json");
    answer.body(body).expect("an answer")
}

/// Goes on until the client has had enough.
fn endless() -> Response {
    let piece = || Ok::<_, std::io::Error>(Bytes::from_static(PIECE));
    Response::new(Body::from_stream(stream::repeat_with(piece)))
}
