//! The name of an artifact: `oci://registry/repository[:tag][@sha256:…]`. Pure.

use std::fmt;
use std::str::FromStr;

use coinop_core::digest::Digest;

/// Longest repository name.
const REPOSITORY_LEN_MAX: usize = 255;
const TAG_LEN_MAX: usize = 128;
const SCHEME: &str = "oci://";

/// Where an artifact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The host, with its port where one was said.
    pub registry: String,
    /// Lower-case words between slashes.
    pub repository: String,
    /// A name that the registry may give to something else tomorrow; `latest` where neither is said.
    pub tag: Option<String>,
    /// The manifest's digest.
    pub digest: Option<Digest>,
}

impl Reference {
    /// What a manifest is asked for by: its digest, else its tag.
    pub fn wanted(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("sha256:{digest}"),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// The last word of the repository: what a plugin is called where nobody says otherwise.
    pub fn last_word(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@sha256:{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{why}: write oci://registry.example/name:tag");
        let rest = text.strip_prefix(SCHEME).unwrap_or(text);
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(sha256(digest).map_err(|why| wrong(&why))?)),
            None => (rest, None),
        };
        let (registry, rest) = rest
            .split_once('/')
            .ok_or_else(|| wrong("there is no registry"))?;
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        if !is_registry(registry) {
            return Err(wrong(&format!("{registry:?} is not a registry's host")));
        }
        if !is_repository(repository) {
            return Err(wrong(&format!("{repository:?} is not a repository's name")));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(wrong(&format!("{tag:?} is not a tag")));
        }
        Ok(Self {
            registry: registry.to_ascii_lowercase(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

/// A digest as registries write it.
pub(super) fn sha256(text: &str) -> Result<Digest, String> {
    let hex = text.strip_prefix("sha256:");
    hex.and_then(|hex| hex.parse().ok())
        .ok_or_else(|| format!("{text:?} is not a SHA-256 digest"))
}

/// A host that cannot be mistaken for the first word of a repository.
fn is_registry(text: &str) -> bool {
    let url = reqwest::Url::parse(&format!("https://{text}/"));
    let whole = url.is_ok_and(|url| {
        url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
    });
    let known = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
    let host = text.contains(['.', ':']) || text == "localhost";
    whole && host && text.bytes().all(known)
}

fn is_repository(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let outer = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let word = |word: &str| {
        let bytes = word.as_bytes();
        bytes.first().is_some_and(|b| outer(*b))
            && bytes.last().is_some_and(|b| outer(*b))
            && bytes.iter().all(|b| inner(*b))
            && !word.contains("..")
    };
    text.len() <= REPOSITORY_LEN_MAX && text.split('/').all(word)
}

fn is_tag(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let start = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    text.len() <= TAG_LEN_MAX
        && text.bytes().all(known)
        && text.as_bytes().first().is_some_and(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written_again() {
        let digest = Digest::of(b"x");
        for text in [
            "oci://ghcr.io/acme/weather:1.2".to_owned(),
            "oci://localhost:5000/weather".to_owned(),
            "oci://[::1]:5000/a/b-c/d_e.f".to_owned(),
            format!("oci://ghcr.io/acme/weather:1.2@sha256:{digest}"),
            format!("oci://ghcr.io/acme/weather@sha256:{digest}"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
        }
        let bare: Reference = "GHCR.io/acme/weather".parse().unwrap();
        assert_eq!(bare.to_string(), "oci://ghcr.io/acme/weather");
        assert_eq!(
            (bare.wanted(), bare.last_word()),
            ("latest".to_owned(), "weather")
        );
    }

    #[test]
    fn the_digest_is_what_is_asked_for() {
        let digest = Digest::of(b"x");
        let both: Reference = format!("ghcr.io/a:tag@sha256:{digest}").parse().unwrap();
        assert_eq!(both.wanted(), format!("sha256:{digest}"));
    }

    #[test]
    fn everything_else_is_refused_with_what_to_write() {
        for text in [
            "",
            "weather",
            "acme/weather",
            "oci://ghcr.io/",
            "oci://ghcr.io/Acme",
            "oci://ghcr.io/../etc",
            "oci://ghcr.io/a..b",
            "oci://ghcr.io/a?b=c",
            "oci://user:pw@ghcr.io/a",
            "oci://ghcr.io/a:",
            "oci://ghcr.io/a:t/../x",
            "oci://ghcr.io/a@md5:00",
            "oci://ghcr.io#x/a",
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert!(error.contains("oci://registry.example"), "{text}: {error}");
        }
    }
}
