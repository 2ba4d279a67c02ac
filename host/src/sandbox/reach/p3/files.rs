//! Files by WASI 0.3, whose operations a guest may have under way side by side.
//!
//! Each holds a thread of the host until the system has answered, so that a run has only so many at a time, and the next
//! one waits for its turn. One that the guest called off keeps its turn until it is over.

use std::iter;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use wasmtime::StoreContextMut;
use wasmtime::component::{Accessor, AccessorTask, FutureReader, Linker, Resource, StreamReader};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p3::bindings::filesystem::types::{
    Advice, DescriptorFlags, DirectoryEntry, ErrorCode, Filesize, HostDescriptorWithStore,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p3::filesystem::FilesystemResult;

use super::listing::Listing;
use crate::sandbox::state::State;

/// Where WASI 0.3 has its files.
const FILES: &str = "wasi:filesystem/types@0.3.0";
/// Operations on files that one run may have under way at a time.
const OPERATIONS_MAX: usize = 4;
/// Entries of directories that one run may have listed and not read yet.
const ENTRIES_MAX: usize = 50_000;

/// What one run may have the host do for it and keep for it.
#[derive(Clone)]
pub(in crate::sandbox) struct Turns {
    pub(super) operations: Arc<Semaphore>,
    pub(super) entries: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            operations: Arc::new(Semaphore::new(OPERATIONS_MAX)),
            entries: Arc::new(Semaphore::new(ENTRIES_MAX)),
        }
    }
}

/// Puts operations that wait for their turn in the place of WASI's own.
macro_rules! in_turn {
    ($linker:ident: $($name:literal = $operation:ident($($of:ident: $type:ty),*);)*) => {$(
        $linker.func_wrap_concurrent(
            concat!("[method]descriptor.", $name),
            |store: &Accessor<State>, (fd, $($of,)*): (Resource<Descriptor>, $($type,)*)| {
                Box::pin(async move {
                    let done = in_turn(store, move |wasi| {
                        <WasiFilesystem as HostDescriptorWithStore<State>>::$operation(wasi, fd, $($of),*)
                            .boxed()
                    });
                    told(done.await?)
                })
            },
        )?;
    )*};
}

/// Offers what stands before WASI's own, which must be there.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut files = linker.instance(FILES)?;
    files.func_wrap("[method]descriptor.read-directory", read_directory)?;
    in_turn! { files:
        "advise" = advise(offset: Filesize, length: Filesize, advice: Advice);
        "create-directory-at" = create_directory_at(path: String);
        "get-flags" = get_flags();
        "get-type" = get_type();
        "link-at" = link_at(flags: PathFlags, path: String, other: Resource<Descriptor>, new: String);
        "metadata-hash" = metadata_hash();
        "metadata-hash-at" = metadata_hash_at(flags: PathFlags, path: String);
        "open-at" = open_at(path_flags: PathFlags, path: String, open: OpenFlags, flags: DescriptorFlags);
        "readlink-at" = readlink_at(path: String);
        "remove-directory-at" = remove_directory_at(path: String);
        "rename-at" = rename_at(path: String, other: Resource<Descriptor>, new: String);
        "set-size" = set_size(size: Filesize);
        "set-times" = set_times(access: NewTimestamp, modification: NewTimestamp);
        "set-times-at" = set_times_at(
            flags: PathFlags, path: String, access: NewTimestamp, modification: NewTimestamp);
        "stat" = stat();
        "stat-at" = stat_at(flags: PathFlags, path: String);
        "symlink-at" = symlink_at(path: String, new: String);
        "sync" = sync();
        "sync-data" = sync_data();
        "unlink-file-at" = unlink_file_at(path: String);
    }
    files.func_wrap_concurrent(
        "[method]descriptor.is-same-object",
        |store: &Accessor<State>, (fd, other): (Resource<Descriptor>, Resource<Descriptor>)| {
            Box::pin(async move {
                let same = in_turn(store, move |wasi| {
                    <WasiFilesystem as HostDescriptorWithStore<State>>::is_same_object(
                        wasi, fd, other,
                    )
                    .boxed()
                });
                Ok((same.await??,))
            })
        },
    )
}

type Files = Accessor<State, WasiFilesystem>;

/// Has an operation done when it is its turn.
async fn in_turn<R: Send + 'static>(
    store: &Accessor<State>,
    does: impl for<'a> FnOnce(&'a Files) -> BoxFuture<'a, R> + Send + 'static,
) -> wasmtime::Result<R> {
    let turns = store.with(|mut store| store.get().turns().clone());
    let turn = turns.operations.acquire_owned().await?;
    let (told, heard) = oneshot::channel();
    let wasi = store.with_getter::<WasiFilesystem>(State::filesystem);
    // A task of the store's, since the guest may call off whoever waits here, and the thread works on all the same.
    wasi.spawn(Operation { does, turn, told })?;
    Ok(heard.await?)
}

/// An operation that has its turn.
struct Operation<F, R> {
    does: F,
    turn: OwnedSemaphorePermit,
    told: oneshot::Sender<R>,
}

impl<F, R> AccessorTask<State, WasiFilesystem> for Operation<F, R>
where
    F: for<'a> FnOnce(&'a Files) -> BoxFuture<'a, R> + Send + 'static,
    R: Send + 'static,
{
    async fn run(self, wasi: &Files) -> wasmtime::Result<()> {
        // What was called off before it began is not done.
        if !self.told.is_closed() {
            let answer = (self.does)(wasi).await;
            drop(self.turn);
            // Nobody hears of what was called off; what it opened stays open until the run ends.
            let _unheard = self.told.send(answer);
        }
        Ok(())
    }
}

/// An error in the guest's own words; what is none of them ends the run.
fn told<T>(done: FilesystemResult<T>) -> wasmtime::Result<(Result<T, ErrorCode>,)> {
    match done {
        Ok(done) => Ok((Ok(done),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

type Listed = (
    StreamReader<DirectoryEntry>,
    FutureReader<Result<(), ErrorCode>>,
);

/// WASI's own keeps a thread for as long as the guest does not read. Here nothing is done until it reads.
fn read_directory(
    mut store: StoreContextMut<'_, State>,
    (fd,): (Resource<Descriptor>,),
) -> wasmtime::Result<(Listed,)> {
    let turns = store.data().turns().clone();
    let descriptor = store.data_mut().filesystem().table.get(&fd)?;
    let directory = match descriptor {
        Descriptor::Dir(directory) => Some(Arc::clone(&directory.dir)),
        Descriptor::File(_) => None,
    };
    let (told, result) = oneshot::channel();
    let entries = match directory {
        Some(directory) => StreamReader::new(&mut store, Listing::new(directory, turns, told))?,
        None => {
            // The guest may not want to know.
            let _unheard = told.send(Err(ErrorCode::NotDirectory));
            StreamReader::new(&mut store, iter::empty())?
        }
    };
    let result = FutureReader::new(&mut store, result)?;
    Ok(((entries, result),))
}
