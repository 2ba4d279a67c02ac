//! Why a plugin file is not loaded although it may be a good component.

use coinop_core::digest::Digest;

/// Why a file is refused. The messages say what to do; whoever shows them names the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Locked, and the lock has no such plugin.
    #[error(
        "is not in {lock_file}: `coinop lock {plugin}` accepts it, and shows what its tools say"
    )]
    NotLocked {
        /// The plugin.
        plugin: String,
        /// The lock file's name.
        lock_file: String,
    },
    /// Locked, and the lock has another file of that name.
    #[error(
        "is {}, and {lock_file} has {}: `coinop lock --check {plugin}` shows what changed, `coinop lock {plugin}` accepts it",
        found.short(), locked.short()
    )]
    OtherDigest {
        /// The plugin.
        plugin: String,
        /// The lock file's name.
        lock_file: String,
        /// What the lock has.
        locked: Digest,
        /// What the file is.
        found: Digest,
    },
    /// Locked, and the lock cannot be read.
    #[error("cannot be compared with {lock_file}, which {reason}")]
    NoLock {
        /// The lock file's name.
        lock_file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no signature, and there must be one.
    #[error("is not signed: put its minisign signature beside it as {signature_file}")]
    Unsigned {
        /// The name the signature's file would have.
        signature_file: String,
    },
    /// Signed by a key that the operator has not named.
    #[error("is signed by the key {key_id}, which is not in [trust] minisign")]
    ForeignKey {
        /// The key, as minisign shows it.
        key_id: String,
    },
    /// There is a signature, and it is not one of this content.
    #[error("its signature is not valid: {reason}")]
    BadSignature {
        /// What is wrong.
        reason: String,
    },
}

impl Refusal {
    /// Whether what was admitted before must not be served any longer. A lock that cannot be read says nothing of it.
    pub fn revokes(&self) -> bool {
        !matches!(self, Self::NoLock { .. })
    }

    /// Whether a signature that is still being copied would mend it.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unsigned { .. } | Self::ForeignKey { .. } | Self::BadSignature { .. }
        )
    }
}
