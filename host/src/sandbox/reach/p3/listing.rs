//! The entries of a directory as a stream: read at one go when the guest begins to, and kept until it has them all.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use rustix::fs::{AtFlags, Dir, DirEntry, FileType, Mode, OFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};
use wasmtime_wasi::p3::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

use super::files::Turns;

/// Entries that are handed on at a time to whoever does not say how many.
const ENTRIES_AT_A_TIME: usize = 32;

/// The listing of one directory.
pub(super) struct Listing {
    entries: Reading,
    result: Option<oneshot::Sender<Result<(), ErrorCode>>>,
}

enum Reading {
    /// Nothing is done until it is polled.
    Begins(BoxFuture<'static, Result<Entries, ErrorCode>>),
    Done(Entries),
}

/// What is still to be handed on, and its room among what the run may keep.
struct Entries {
    left: std::vec::IntoIter<DirectoryEntry>,
    _room: OwnedSemaphorePermit,
}

impl Listing {
    /// Of `directory`; `result` hears how it ended.
    pub(super) fn new(
        directory: Arc<File>,
        turns: Turns,
        result: oneshot::Sender<Result<(), ErrorCode>>,
    ) -> Self {
        Self {
            entries: Reading::Begins(list(directory, turns).boxed()),
            result: Some(result),
        }
    }

    fn close(&mut self, result: Result<(), ErrorCode>) {
        if let Some(told) = self.result.take() {
            // The guest may not want to know.
            let _unheard = told.send(result);
        }
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.close(Ok(()));
    }
}

impl<D> StreamProducer<D> for Listing {
    type Item = DirectoryEntry;
    type Buffer = VecBuffer<DirectoryEntry>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let wanted = destination.remaining(&mut store);
        let wanted = wanted.unwrap_or(ENTRIES_AT_A_TIME);
        if wanted == 0 {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        if let Reading::Begins(reading) = &mut self.entries {
            match reading.as_mut().poll(cx) {
                Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(entries)) => self.entries = Reading::Done(entries),
                Poll::Ready(Err(error)) => {
                    self.close(Err(error));
                    return Poll::Ready(Ok(StreamResult::Dropped));
                }
            }
        }
        let Reading::Done(entries) = &mut self.entries else {
            return Poll::Pending;
        };
        let next: Vec<_> = entries.left.by_ref().take(wanted).collect();
        destination.set_buffer(next.into());
        Poll::Ready(Ok(match entries.left.len() {
            0 => StreamResult::Dropped,
            _ => StreamResult::Completed,
        }))
    }
}

async fn list(directory: Arc<File>, turns: Turns) -> Result<Entries, ErrorCode> {
    let turn = turns.operations.acquire_owned().await;
    let turn = turn.map_err(|_| ErrorCode::Io)?;
    let listing = tokio::task::spawn_blocking(move || {
        let listed = read(&directory, &turns.entries);
        drop(turn);
        listed
    });
    listing.await.map_err(|_| ErrorCode::Io)?
}

/// Reads a directory, as far as there is room for its entries.
fn read(directory: &File, room: &Arc<Semaphore>) -> Result<Entries, ErrorCode> {
    let too_many = |_| ErrorCode::InsufficientMemory;
    let mut taken = Arc::clone(room)
        .try_acquire_many_owned(0)
        .map_err(too_many)?;
    let mut entries = Vec::new();
    for entry in opened(directory).map_err(io::Error::from)? {
        let entry = entry.map_err(io::Error::from)?;
        if matches!(entry.file_name().to_bytes(), b"." | b"..") {
            continue;
        }
        taken.merge(Arc::clone(room).try_acquire_owned().map_err(too_many)?);
        entries.push(told(directory, &entry)?);
    }
    Ok(Entries {
        left: entries.into_iter(),
        _room: taken,
    })
}

/// Opened anew, since what a guest holds may be good for paths only, and is at one place in its entries.
fn opened(directory: &File) -> rustix::io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = rustix::fs::openat(directory, c".", flags, Mode::empty())?;
    Dir::new(readable)
}

fn told(directory: &File, entry: &DirEntry) -> Result<DirectoryEntry, ErrorCode> {
    let name = entry.file_name();
    // Not every file system says what its entries are.
    let kind = match entry.file_type() {
        FileType::Unknown => {
            let found = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
            FileType::from_raw_mode(found.map_err(io::Error::from)?.st_mode)
        }
        kind => kind,
    };
    let name = name.to_str().map_err(|_| ErrorCode::IllegalByteSequence)?;
    Ok(DirectoryEntry {
        type_: wasi_type(kind),
        name: name.to_owned(),
    })
}

fn wasi_type(kind: FileType) -> DescriptorType {
    match kind {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Unknown => DescriptorType::Other(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_room_until_they_are_handed_on() {
        let home = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(home.path().join(name), "").unwrap();
        }
        let directory = File::open(home.path()).unwrap();
        let room = Arc::new(Semaphore::new(4));
        let first = read(&directory, &room).unwrap();
        assert_eq!(first.left.len(), 3);
        let second = read(&directory, &room);
        assert!(matches!(second, Err(ErrorCode::InsufficientMemory)));
        drop((first, second));
        assert!(read(&directory, &room).is_ok());
    }
}
