//! Where a component's bytes come from: its file while it has not changed, else the ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use coinop_core::digest::Digest;
use tokio::sync::Semaphore;

use super::library::{Code, Loader};
use crate::ledger::Components;
use crate::sandbox::Metering;

/// Largest plugin file that is read, bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 256 << 20;

/// Where bytes come from and who makes code of them.
pub(super) struct Sources {
    loader: Arc<dyn Loader>,
    ledger: Arc<dyn Components>,
    /// Loads at a time; further ones wait.
    loads: Semaphore,
}

impl Sources {
    pub(super) fn new(loader: Arc<dyn Loader>, ledger: Arc<dyn Components>) -> Self {
        let loads = std::thread::available_parallelism().map_or(2, |n| n.get().max(2));
        Self {
            loader,
            ledger,
            loads: Semaphore::new(loads),
        }
    }

    pub(super) fn loader(&self) -> &dyn Loader {
        &*self.loader
    }

    pub(super) async fn load(
        &self,
        digest: Digest,
        file: Option<PathBuf>,
        metering: Metering,
    ) -> Result<Arc<dyn Code>, String> {
        let _place = self.loads.acquire().await.map_err(|e| e.to_string())?;
        let name = file
            .as_deref()
            .map_or_else(|| format!("component {}", digest.short()), file_name);
        let bytes = self
            .bytes(digest, file)
            .await
            .map_err(|reason| format!("{name}: {reason}"))?;
        self.loader.load_metered(&name, bytes, metering).await
    }

    async fn bytes(&self, digest: Digest, file: Option<PathBuf>) -> Result<Arc<[u8]>, String> {
        if let Some(file) = file
            && let Ok(bytes) = read_component(file, digest).await
        {
            return Ok(bytes);
        }
        match self.ledger.component(digest).await {
            Ok(Some(bytes)) if Digest::of(&bytes) == digest => Ok(bytes),
            Ok(Some(_)) => Err("the ledger's copy is damaged".to_owned()),
            Ok(None) => {
                Err("its file has changed or is gone, and the ledger keeps no copy".to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The bytes of `file`, if they are still those of `digest`.
pub(crate) async fn read_component(file: PathBuf, digest: Digest) -> Result<Arc<[u8]>, String> {
    let read = tokio::task::spawn_blocking(move || {
        let bytes = read_bounded(&file)?;
        let same = Digest::of(&bytes) == digest;
        same.then(|| Arc::from(bytes))
            .ok_or_else(|| "the file changed meanwhile".to_owned())
    });
    read.await.unwrap_or_else(|error| Err(error.to_string()))
}

/// A plugin file's bytes. Blocks.
pub(crate) fn read_bounded(file: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let open = std::fs::File::open(file).map_err(|e| format!("cannot be read: {e}"))?;
    // A length that is wrong costs room or time, and is not believed beyond the limit.
    let length = open.metadata().map_or(0, |found| found.len());
    let mut bytes = Vec::with_capacity(length.min(FILE_BYTES_MAX) as usize + 1);
    open.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is larger than {} MiB", FILE_BYTES_MAX >> 20));
    }
    Ok(bytes)
}

/// A file's last name, for messages.
pub(crate) fn file_name(file: &Path) -> String {
    file.file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// A loader's message without the file's name it begins with, for places that name the file already.
pub(crate) fn without_file(message: &str, file: &Path) -> String {
    let prefix = format!("{}: ", file_name(file));
    message.strip_prefix(&prefix).unwrap_or(message).to_owned()
}
