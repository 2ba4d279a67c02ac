//! `wasi:keyvalue`: the only file that names its generated bindings. One bucket, `default`, and only where it is granted.

use std::sync::Arc;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};

use super::Denials;
use crate::grants::Denial;
use crate::keyvalue::{Bucket, KeyValueError};
use crate::sandbox::state::State;

#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit/deps/keyvalue",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        with: { "wasi:keyvalue/store.bucket": super::Opened },
        trappable_error_type: { "wasi:keyvalue/store.error" => super::Refused },
    });
}

use bindings::wasi::keyvalue::{atomics, batch, store};

/// What the one bucket is called; the empty name means it, too.
const NAME: &str = "default";

/// A handle of the one bucket.
#[allow(unreachable_pub)] // the bindings re-export it
pub struct Opened;

/// Why an operation did nothing, as the guest is told.
#[allow(unreachable_pub)] // the bindings re-export it
pub enum Refused {
    /// There is no bucket of that name.
    NoSuchStore,
    /// None was granted.
    AccessDenied,
    /// Anything else, in words.
    Other(String),
}

impl From<KeyValueError> for Refused {
    fn from(error: KeyValueError) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<ResourceTableError> for Refused {
    fn from(error: ResourceTableError) -> Self {
        Self::Other(error.to_string())
    }
}

/// The storage of one run.
#[derive(Default)]
pub(super) struct Storage {
    pub(super) bucket: Option<Bucket>,
    pub(super) denials: Option<Arc<Denials>>,
}

/// The storage with the handles of its store.
pub(in crate::sandbox) struct StorageView<'a> {
    pub(super) storage: &'a Storage,
    pub(super) table: &'a mut ResourceTable,
}

struct HasStorage;

impl HasData for HasStorage {
    type Data<'a> = StorageView<'a>;
}

/// Offers the three interfaces.
pub(in crate::sandbox) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasStorage>(linker, State::storage)?;
    atomics::add_to_linker::<_, HasStorage>(linker, State::storage)?;
    batch::add_to_linker::<_, HasStorage>(linker, State::storage)
}

impl StorageView<'_> {
    /// What a handle stands for. Whoever has one was granted the storage.
    fn bucket(&self, handle: &Resource<Opened>) -> Result<&Bucket, Refused> {
        self.table.get(handle)?;
        self.storage.bucket.as_ref().ok_or(Refused::AccessDenied)
    }

    fn deny(&self) -> Refused {
        if let Some(denials) = &self.storage.denials {
            denials.note(Denial {
                wanted: "keep data from call to call".to_owned(),
                line: Some("keyvalue_kib = 1024".to_owned()),
            });
        }
        Refused::AccessDenied
    }
}

impl store::Host for StorageView<'_> {
    async fn open(&mut self, identifier: String) -> Result<Resource<Opened>, Refused> {
        match identifier.as_str() {
            _ if self.storage.bucket.is_none() => Err(self.deny()),
            "" | NAME => Ok(self.table.push(Opened)?),
            _ => Err(Refused::NoSuchStore),
        }
    }

    fn convert_error(&mut self, refused: Refused) -> wasmtime::Result<store::Error> {
        Ok(match refused {
            Refused::NoSuchStore => store::Error::NoSuchStore,
            Refused::AccessDenied => store::Error::AccessDenied,
            Refused::Other(words) => store::Error::Other(words),
        })
    }
}

impl store::HostBucket for StorageView<'_> {
    async fn get(
        &mut self,
        bucket: Resource<Opened>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Refused> {
        let held = self.bucket(&bucket)?.get(vec![key]).await?;
        Ok(held.into_iter().next().flatten())
    }

    async fn set(
        &mut self,
        bucket: Resource<Opened>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Refused> {
        let writes = vec![(key, Some(value))];
        Ok(self.bucket(&bucket)?.write(writes).await?)
    }

    async fn delete(&mut self, bucket: Resource<Opened>, key: String) -> Result<(), Refused> {
        Ok(self.bucket(&bucket)?.write(vec![(key, None)]).await?)
    }

    async fn exists(&mut self, bucket: Resource<Opened>, key: String) -> Result<bool, Refused> {
        Ok(self.bucket(&bucket)?.exists(key).await?)
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Opened>,
        cursor: Option<u64>,
    ) -> Result<store::KeyResponse, Refused> {
        let page = self.bucket(&bucket)?.keys(cursor).await?;
        Ok(store::KeyResponse {
            keys: page.keys,
            cursor: page.next,
        })
    }

    async fn drop(&mut self, bucket: Resource<Opened>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for StorageView<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<Opened>,
        key: String,
        delta: u64,
    ) -> Result<u64, Refused> {
        Ok(self.bucket(&bucket)?.increment(key, delta).await?)
    }
}

impl batch::Host for StorageView<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<Opened>,
        keys: Vec<String>,
    ) -> Result<Vec<Option<(String, Vec<u8>)>>, Refused> {
        let held = self.bucket(&bucket)?.get(keys.clone()).await?;
        let named = keys.into_iter().zip(held);
        Ok(named.map(|(key, held)| Some((key, held?))).collect())
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Opened>,
        key_values: Vec<(String, Vec<u8>)>,
    ) -> Result<(), Refused> {
        let writes = key_values.into_iter();
        let writes = writes.map(|(key, value)| (key, Some(value))).collect();
        Ok(self.bucket(&bucket)?.write(writes).await?)
    }

    async fn delete_many(
        &mut self,
        bucket: Resource<Opened>,
        keys: Vec<String>,
    ) -> Result<(), Refused> {
        let writes = keys.into_iter().map(|key| (key, None)).collect();
        Ok(self.bucket(&bucket)?.write(writes).await?)
    }
}
