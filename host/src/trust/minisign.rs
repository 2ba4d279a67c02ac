//! minisign signatures: a file of a few lines beside the plugin's. Verifies; makes none.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use data_encoding::{BASE64, HEXUPPER};
use minisign_verify as minisign;

use super::Refusal;

/// Largest signature file that is read, bytes; real ones have about 300.
pub(super) const SIGNATURE_BYTES_MAX: u64 = 4096;

/// A public key whose signatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinisignKey {
    id: String,
    key: minisign::PublicKey,
}

impl MinisignKey {
    /// The key's id, as minisign shows it.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl FromStr for MinisignKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || {
            format!(
                "{text:?} is not a minisign public key: write the line of minisign.pub that starts with RW"
            )
        };
        Ok(Self {
            key: minisign::PublicKey::from_base64(text).map_err(|_| wrong())?,
            id: key_id(text).ok_or_else(wrong)?,
        })
    }
}

/// A signature as it was found beside a file. It proves nothing until it is verified.
#[derive(Clone)]
pub struct Signature {
    key_id: String,
    signature: minisign::Signature,
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", self.key_id)
    }
}

impl Signature {
    /// Reads what `minisign -S` writes, in its present and its legacy form.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let wrong = || Refusal::BadSignature {
            reason: "its file is not one that minisign writes".to_owned(),
        };
        let line = text.lines().nth(1).ok_or_else(wrong)?;
        Ok(Self {
            key_id: key_id(line).ok_or_else(wrong)?,
            signature: minisign::Signature::decode(text).map_err(|_| wrong())?,
        })
    }

    /// The id of the key that is said to have made it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Which of `keys` signed `bytes`.
    ///
    /// # Errors
    /// None of them did.
    pub fn verify<'a>(
        &self,
        bytes: &[u8],
        keys: &'a [MinisignKey],
    ) -> Result<&'a MinisignKey, Refusal> {
        let mut named = keys.iter().filter(|key| key.id == self.key_id).peekable();
        if named.peek().is_none() {
            return Err(Refusal::ForeignKey {
                key_id: self.key_id.clone(),
            });
        }
        // Ids are no more than a hint: two keys may have the same.
        let signed = |key: &&MinisignKey| key.key.verify(bytes, &self.signature, true).is_ok();
        named.find(signed).ok_or_else(|| Refusal::BadSignature {
            reason: format!(
                "it was not made for this content by the key {}",
                self.key_id
            ),
        })
    }
}

/// Where the signature of `file` is.
pub fn signature_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

/// Reads the signature beside `file`; `None` when there is none. Blocks.
///
/// # Errors
/// It cannot be read, or is no signature.
pub(super) fn beside(file: &Path) -> Result<Option<Signature>, Refusal> {
    use std::io::Read as _;
    let wrong = |reason: String| Refusal::BadSignature { reason };
    let unreadable = |error: std::io::Error| wrong(format!("it cannot be read: {error}"));
    let open = match std::fs::File::open(signature_file(file)) {
        Ok(open) => open,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut text = String::new();
    open.take(SIGNATURE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > SIGNATURE_BYTES_MAX {
        return Err(wrong(format!(
            "it is longer than {SIGNATURE_BYTES_MAX} bytes"
        )));
    }
    Signature::parse(&text).map(Some)
}

/// The id in a key's or a signature's base64: eight bytes after the algorithm's two, the last first, as minisign prints it.
fn key_id(base64: &str) -> Option<String> {
    let bytes = BASE64.decode(base64.trim().as_bytes()).ok()?;
    let mut id: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
    id.reverse();
    Some(HEXUPPER.encode(&id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::testing::Signer;

    /// From minisign's own documentation: made by the C program, over the text `test`.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    const PREHASHED: &str = "untrusted comment: signature from minisign secret key\n\
        RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n\
        trusted comment: timestamp:1633700835\tfile:test\tprehashed\n\
        wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==\n";

    fn verified(bytes: &[u8], signature: &str, keys: &[MinisignKey]) -> Result<String, Refusal> {
        let signature = Signature::parse(signature)?;
        signature.verify(bytes, keys).map(|key| key.id().to_owned())
    }

    #[test]
    fn a_signature_of_minisign_itself_is_verified() {
        let keys = [KEY.parse().unwrap()];
        assert_eq!(
            verified(b"test", PREHASHED, &keys).unwrap(),
            "E7620F1842B4E81F"
        );
        let other = verified(b"tess", PREHASHED, &keys).unwrap_err();
        assert!(
            other.to_string().contains("not made for this content"),
            "{other}"
        );
    }

    #[test]
    fn a_legacy_signature_is_verified() {
        let (ours, theirs) = (Signer::new(1), Signer::new(2));
        let keys = [theirs.key(), ours.key()];
        assert_eq!(
            verified(b"x", &ours.sign(b"x"), &keys).unwrap(),
            ours.key().id()
        );
        assert!(verified(b"y", &ours.sign(b"x"), &keys).is_err());
    }

    #[test]
    fn a_key_that_nobody_named_is_refused_by_its_id() {
        let (ours, theirs) = (Signer::new(1), Signer::new(2));
        let refused = verified(b"x", &theirs.sign(b"x"), &[ours.key()]).unwrap_err();
        let key_id = theirs.key().id().to_owned();
        assert_eq!(refused, Refusal::ForeignKey { key_id });
    }

    #[test]
    fn a_changed_trusted_comment_is_refused() {
        let signer = Signer::new(1);
        let forged = signer
            .sign(b"x")
            .replace("trusted comment: by", "trusted comment: my");
        assert!(verified(b"x", &forged, &[signer.key()]).is_err());
    }

    #[test]
    fn what_is_no_signature_says_so() {
        for text in ["", "one line", "a\nb\nc\nd", "\n\n\n\n"] {
            let refused = Signature::parse(text).unwrap_err();
            assert!(refused.to_string().contains("minisign writes"), "{text:?}");
        }
        assert!(
            "RWQ"
                .parse::<MinisignKey>()
                .unwrap_err()
                .contains("starts with RW")
        );
    }
}
