//! One repository of one registry, over OCI's distribution API: manifests and blobs, fetched and uploaded.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use coinop_core::digest::Digest;
use data_encoding::BASE64;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use super::artifact::{Descriptor, MANIFEST_TYPE};
use super::transport::{Plain, same_origin};
use super::{Login, OciError, Reference, challenge};
use crate::outbound;

/// How long one file may take, both ways.
const FILE_WAIT: Duration = Duration::from_secs(600);
/// How long anything small may take.
const SHORT_WAIT: Duration = Duration::from_secs(30);
/// Largest manifest, bytes: what the specification asks registries to take.
pub(super) const MANIFEST_BYTES_MAX: usize = 4 << 20;
const TOKEN_BYTES_MAX: usize = 256 << 10;
const REDIRECTS_MAX: usize = 5;
/// Kinds of manifests that are asked for: what is not ours is refused by its name.
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                        application/vnd.docker.distribution.manifest.v2+json, \
                        application/vnd.docker.distribution.manifest.list.v2+json";

/// What is to be done, as registries grant it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Pull,
    Push,
}

/// One repository, and who asks.
pub struct Registry {
    client: reqwest::Client,
    base: Url,
    repository: String,
    plain: Plain,
    login: Login,
    /// The `Authorization` that the registry was last satisfied with.
    authorization: Mutex<Option<String>>,
}

impl Registry {
    /// The repository of `reference`. Asks nobody yet.
    ///
    /// # Errors
    /// What keeps TLS from being set up.
    pub fn new(reference: &Reference, login: Login, plain: Plain) -> Result<Self, OciError> {
        // What docker calls its registry is a web page.
        let host = match reference.registry.as_str() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        let scheme = plain.scheme(host);
        let base = format!("{scheme}://{host}/v2/{}/", reference.repository);
        Ok(Self {
            client: outbound::client(FILE_WAIT).map_err(OciError::Unreachable)?,
            base: Url::parse(&base).map_err(|error| OciError::Unreachable(error.to_string()))?,
            repository: reference.repository.clone(),
            plain,
            login,
            authorization: Mutex::default(),
        })
    }

    /// A manifest by its tag or digest; `None` when there is none. Whoever asks compares digests.
    pub(super) async fn manifest(&self, wanted: &str) -> Result<Option<Vec<u8>>, OciError> {
        let url = self.url(&format!("manifests/{wanted}"))?;
        let get = || {
            let request = self.client.get(url.clone()).header(ACCEPT, ACCEPTED);
            request.timeout(SHORT_WAIT)
        };
        let answer = self.ask(Access::Pull, get).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = good(answer).await?;
        Ok(Some(outbound::body(answer, MANIFEST_BYTES_MAX).await?))
    }

    /// The content that `descriptor` describes, verified.
    pub(super) async fn blob(
        &self,
        what: &'static str,
        descriptor: &Descriptor,
    ) -> Result<Vec<u8>, OciError> {
        let digest = descriptor.sha256()?;
        let url = self.url(&format!("blobs/sha256:{digest}"))?;
        let answer = self
            .ask(Access::Pull, || self.client.get(url.clone()))
            .await?;
        let answer = self.followed(answer).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(OciError::Missing(format!("{what} sha256:{digest}")));
        }
        let size = usize::try_from(descriptor.size).unwrap_or(usize::MAX);
        let bytes = outbound::body(good(answer).await?, size).await?;
        match Digest::of(&bytes) {
            found if found == digest && bytes.len() == size => Ok(bytes),
            found => Err(OciError::OtherContent {
                what,
                expected: digest,
                found,
            }),
        }
    }

    /// Registries keep blobs elsewhere. What arrives is verified by its digest, and no password goes along.
    async fn followed(&self, mut answer: Response) -> Result<Response, OciError> {
        for _ in 0..REDIRECTS_MAX {
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            let url = location(&answer)?;
            let request = self.client.get(self.checked(url.clone())?);
            answer = self.sent(self.authorised(request, &url)).await?;
        }
        Err(OciError::Answer(format!(
            "with more than {REDIRECTS_MAX} redirects"
        )))
    }

    /// Uploads a blob, unless the registry has it.
    pub(super) async fn put_blob(&self, bytes: Bytes) -> Result<(), OciError> {
        let digest = format!("sha256:{}", Digest::of(&bytes));
        let url = self.url(&format!("blobs/{digest}"))?;
        let head = || self.client.head(url.clone()).timeout(SHORT_WAIT);
        if self.ask(Access::Push, head).await?.status().is_success() {
            return Ok(());
        }
        let uploads = self.url("blobs/uploads/")?;
        let begin = || self.client.post(uploads.clone()).timeout(SHORT_WAIT);
        let begun = good(self.ask(Access::Push, begin).await?).await?;
        let mut upload = self.checked(location(&begun)?)?;
        upload.query_pairs_mut().append_pair("digest", &digest);
        let put = || {
            let request = self.client.put(upload.clone()).body(bytes.clone());
            request.header(CONTENT_TYPE, "application/octet-stream")
        };
        good(self.ask(Access::Push, put).await?).await.map(drop)
    }

    /// Uploads a manifest under a tag or its digest.
    pub(super) async fn put_manifest(&self, name: &str, bytes: Bytes) -> Result<(), OciError> {
        let url = self.url(&format!("manifests/{name}"))?;
        let put = || {
            let request = self.client.put(url.clone()).body(bytes.clone());
            request
                .header(CONTENT_TYPE, MANIFEST_TYPE)
                .timeout(SHORT_WAIT)
        };
        good(self.ask(Access::Push, put).await?).await.map(drop)
    }

    fn url(&self, path: &str) -> Result<Url, OciError> {
        let joined = self.base.join(path);
        joined.map_err(|error| OciError::Unreachable(error.to_string()))
    }

    /// A place that the registry names may be asked over https; over plain HTTP if the registry itself is.
    fn checked(&self, url: Url) -> Result<Url, OciError> {
        let allowed = match self.base.scheme() {
            "https" => url.scheme() == "https",
            _ => self.plain.allows(&url),
        };
        match allowed {
            true => Ok(url),
            false => Err(OciError::Elsewhere(origin(&url))),
        }
    }

    /// Asks; logs in once where the registry wants that.
    async fn ask(
        &self,
        access: Access,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Response, OciError> {
        let answer = self.sent(self.authorised_anywhere(request())?).await?;
        // Nobody but the registry is told who asks.
        let asks = answer.status() == StatusCode::UNAUTHORIZED;
        if !asks || !same_origin(&self.base, answer.url()) {
            return Ok(answer);
        }
        let challenges = answer.headers().get_all(WWW_AUTHENTICATE);
        let challenges = challenges.iter().filter_map(|value| value.to_str().ok());
        let challenge = challenge::best(challenges).ok_or(OciError::Denied { status: 401 })?;
        let authorization = self.log_in(&challenge, access).await?;
        *self.kept() = Some(authorization);
        self.sent(self.authorised_anywhere(request())?).await
    }

    async fn log_in(
        &self,
        challenge: &challenge::Challenge,
        access: Access,
    ) -> Result<String, OciError> {
        match challenge {
            challenge::Challenge::Basic => match &self.login {
                Login::Anonymous => Err(OciError::Denied { status: 401 }),
                Login::Password { username, password } => {
                    let both = format!("{username}:{}", password.expose());
                    Ok(format!("Basic {}", BASE64.encode(both.as_bytes())))
                }
            },
            challenge::Challenge::Bearer { realm, service } => {
                let token = self.token(realm, service.as_deref(), access).await?;
                Ok(format!("Bearer {token}"))
            }
        }
    }

    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        access: Access,
    ) -> Result<String, OciError> {
        let wrong = |_| OciError::Answer("with a log-in that has no address".to_owned());
        let mut url = self.checked(Url::parse(realm).map_err(wrong)?)?;
        let actions = match access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        let scope = format!("repository:{}:{actions}", self.repository);
        url.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = service {
            url.query_pairs_mut().append_pair("service", service);
        }
        let mut request = self.client.get(url).timeout(SHORT_WAIT);
        if let Login::Password { username, password } = &self.login {
            request = request.basic_auth(username, Some(password.expose()));
        }
        let answer = good(self.sent(request).await?).await?;
        let body = outbound::body(answer, TOKEN_BYTES_MAX).await?;
        let token: Token = serde_json::from_slice(&body)
            .map_err(|_| OciError::Answer("with a log-in that gives no token".to_owned()))?;
        let token = token.token.or(token.access_token);
        token.ok_or_else(|| OciError::Answer("with a log-in that gives no token".to_owned()))
    }

    fn authorised_anywhere(&self, request: RequestBuilder) -> Result<RequestBuilder, OciError> {
        let (client, built) = request.build_split();
        let built =
            built.map_err(|error| OciError::Unreachable(error.without_url().to_string()))?;
        let url = built.url().clone();
        Ok(self.authorised(RequestBuilder::from_parts(client, built), &url))
    }

    /// With what the registry gave out, if the request goes to it.
    fn authorised(&self, request: RequestBuilder, url: &Url) -> RequestBuilder {
        match &*self.kept() {
            Some(authorization) if same_origin(&self.base, url) => {
                request.header(AUTHORIZATION, authorization)
            }
            _ => request,
        }
    }

    async fn sent(&self, request: RequestBuilder) -> Result<Response, OciError> {
        request
            .send()
            .await
            .map_err(|error| OciError::Unreachable(deepest(&error.without_url())))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.authorization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// An answer that says yes.
async fn good(answer: Response) -> Result<Response, OciError> {
    let status = answer.status();
    match status.as_u16() {
        200..=299 => Ok(answer),
        401 | 403 => Err(OciError::Denied {
            status: status.as_u16(),
        }),
        404 => Err(OciError::Missing("such repository".to_owned())),
        _ => Err(OciError::Answer(format!("with HTTP {status}"))),
    }
}

fn location(answer: &Response) -> Result<Url, OciError> {
    let header = answer
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok());
    let url = header.and_then(|text| answer.url().join(text).ok());
    url.ok_or_else(|| OciError::Answer("with no place to go on".to_owned()))
}

/// What went wrong in the end, without the address that a whole error repeats.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
