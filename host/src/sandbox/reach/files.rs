//! Directories of guests: opened when a run begins, so that one that has gone is noticed before any guest runs.

use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::grants::{Access, DirGrant};
use crate::sandbox::RunError;

/// Opens what is granted, off the async threads: a directory may be on a network.
///
/// # Errors
/// The caller learns that a directory is missing, the operator which one.
pub(super) async fn open(
    mut builder: WasiCtxBuilder,
    dirs: &[DirGrant],
) -> Result<WasiCtxBuilder, RunError> {
    if dirs.is_empty() {
        return Ok(builder);
    }
    let dirs = dirs.to_vec();
    let opening = tokio::task::spawn_blocking(move || {
        for dir in dirs {
            let perms = match dir.access {
                Access::Read => FsPerms::ReadOnly,
                Access::Write => FsPerms::ReadWrite,
            };
            if let Err(error) = builder.preopened_dir(&dir.path, &dir.guest_path, perms) {
                return Err((dir, error));
            }
        }
        Ok(builder)
    });
    match opening.await {
        Ok(Ok(builder)) => Ok(builder),
        Ok(Err((dir, error))) => {
            let path = dir.path.display();
            tracing::error!("the granted directory {path} cannot be opened: {error}");
            let told = format!("the directory granted as {} is not there", dir.guest_path);
            Err(RunError::Unavailable(told))
        }
        Err(error) => Err(RunError::Unavailable(error.to_string())),
    }
}
