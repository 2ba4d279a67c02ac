//! The keys to verify with: a file's, a running host's, or the ledger's own.

use std::net::IpAddr;
use std::time::Duration;

use coinop_core::receipt::KeySet;

use super::error::ReceiptsError;
use crate::outbound::{self, Unread};

/// Largest key set read, bytes: thousands of keys.
const KEYS_BYTES_MAX: u64 = 1 << 20;
/// How long a host may take to send its keys.
const FETCH_WAIT: Duration = Duration::from_secs(10);

/// The keys at `from`: a file, or a host of this machine.
///
/// # Errors
/// [`ReceiptsError::Keys`] with what to do.
pub(super) async fn keys(from: &str) -> Result<KeySet, ReceiptsError> {
    let failed = |why: String| ReceiptsError::Keys {
        from: from.to_owned(),
        why,
    };
    let text = match from.starts_with("http://") || from.starts_with("https://") {
        true => fetch(from).await,
        false => read(from),
    };
    let text = text.map_err(&failed)?;
    let set = serde_json::from_str(&text).map_err(|error| error.to_string());
    let set = set.and_then(|set| KeySet::from_jwks(&set).map_err(|error| error.to_string()));
    let set = set.map_err(|why| failed(format!("it is no JSON Web Key Set ({why})")))?;
    match set.is_empty() {
        true => Err(failed("there is no Ed25519 key in it".to_owned())),
        false => Ok(set),
    }
}

fn read(path: &str) -> Result<String, String> {
    use std::io::Read as _;

    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let read = file.take(KEYS_BYTES_MAX + 1).read_to_string(&mut text);
    match read.map_err(|error| error.to_string())? as u64 {
        0..=KEYS_BYTES_MAX => Ok(text),
        _ => Err(too_large()),
    }
}

async fn fetch(url: &str) -> Result<String, String> {
    if !is_here(url) {
        // Keys that come unauthenticated prove nothing.
        return Err("keys are fetched from this machine's own hosts only: save the key set with a tool that checks \
             certificates (`curl -o keys.json URL`) and give the file"
            .to_owned());
    }
    let client = outbound::loopback(FETCH_WAIT)?;
    let answer = client.get(url).send().await;
    let answer = answer.map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("the host answered {}", answer.status()));
    }
    let body = outbound::body(answer, KEYS_BYTES_MAX as usize).await;
    let body = body.map_err(|unread| match unread {
        Unread::TooLong(_) => too_large(),
        broken @ Unread::BrokenOff(_) => broken.to_string(),
    })?;
    String::from_utf8(body).map_err(|error| error.to_string())
}

fn too_large() -> String {
    format!("it has more than {KEYS_BYTES_MAX} bytes")
}

/// Whether `url` is plain HTTP to this machine.
fn is_here(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let name = uri.host().unwrap_or_default();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    uri.scheme_str() == Some("http") && (is_loopback || name.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_the_wire_from_this_machine_only() {
        for here in [
            "http://127.0.0.1:7402/a",
            "http://localhost/a",
            "http://[::1]:1/a",
        ] {
            assert!(is_here(here), "{here}");
        }
        for away in [
            "https://127.0.0.1/a",
            "http://tools.example.org/a",
            "http://127.0.0.1.example/a",
            "http://127.0.0.1@evil.example/a",
        ] {
            assert!(!is_here(away), "{away}");
        }
    }

    #[tokio::test]
    async fn what_is_no_key_set_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        for (text, why) in [
            ("{", "no JSON Web Key Set"),
            ("{}", "no JSON Web Key Set"),
            (r#"{"keys":[{"kty":"RSA"}]}"#, "no Ed25519 key"),
            (&" ".repeat((1 << 20) + 1), "more than"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = keys(path.to_str().unwrap()).await.unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let away = keys("https://tools.example.org/k").await.unwrap_err();
        assert!(away.to_string().contains("curl"), "{away}");
    }
}
