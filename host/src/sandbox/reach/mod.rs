//! What one run can reach through WASI: exactly what its grants say. Everything is linked; the context refuses.

mod denials;
mod files;
mod http;
mod keyvalue;
mod names;
mod p3;
mod sockets;

use std::any::Any;
use std::sync::Arc;

use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};
use wasmtime_wasi::sockets::WasiSocketsCtxView;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{FieldMap, RequestOptions, WasiHttpCtx, WasiHttpCtxView};

pub(super) use denials::Denials;
use http::Outgoing;
use keyvalue::Storage;
pub(super) use keyvalue::StorageView;
pub(super) use names::Guarded;
pub(super) use p3::Turns;
use sockets::Sockets;

use super::log::LogPipe;
use super::state::State;
use super::{Run, RunError};
use crate::outbound::Dialer;

/// Random bytes in one request.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// The doors of one store.
pub(super) struct Reach {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    sockets: Option<Arc<Sockets>>,
    storage: Storage,
    turns: Turns,
    pub(super) config: WasiConfigVariables,
}

/// Offers what is not WASI's own implementation.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    names::add_to_linker(linker)?;
    http::add_to_linker(linker)?;
    keyvalue::add_to_linker(linker)
}

/// Offers WASI 0.3, with what is not its own implementation.
pub(super) fn add_p3_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    p3::add_to_linker(linker)
}

impl Reach {
    /// For a component that is tried: nothing.
    pub(super) fn nothing(log: &LogPipe) -> Self {
        Self {
            wasi: wasi(log).build(),
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::closed(),
            sockets: None,
            storage: Storage::default(),
            turns: Turns::default(),
            config: WasiConfigVariables::new(),
        }
    }

    /// What `run` is granted. What it lacks is noted in `denials`.
    ///
    /// # Errors
    /// A granted directory cannot be opened.
    pub(super) async fn of(
        run: &Run<'_>,
        log: &LogPipe,
        denials: &Arc<Denials>,
        dialer: &Arc<Dialer>,
    ) -> Result<Self, RunError> {
        let grants = run.grants;
        let mut builder = wasi(log);
        for (name, variable) in &grants.env {
            builder.env(name, variable.value());
        }
        let sockets = Sockets::new(&grants.sockets, denials, dialer.resolver());
        sockets.guard(&mut builder);
        let mut builder = files::open(builder, &grants.dirs).await?;
        Ok(Self {
            wasi: builder.build(),
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::of(run, denials, dialer),
            sockets: Some(sockets),
            storage: Storage {
                bucket: run.bucket.cloned(),
                denials: Some(Arc::clone(denials)),
            },
            turns: Turns::default(),
            config: WasiConfigVariables::from_iter(run.settings),
        })
    }

    /// Between calls: nothing may be sent, and what is still connected is closed.
    pub(super) fn rest(&mut self) {
        self.outgoing = Outgoing::closed();
        self.storage = Storage::default();
    }

    /// As [`Reach::of`], for one more run with the same grants in the same store: what is counted or learned in a run
    /// begins anew.
    pub(super) fn renew(&mut self, run: &Run<'_>, denials: &Arc<Denials>, dialer: &Arc<Dialer>) {
        self.outgoing = Outgoing::of(run, denials, dialer);
        self.storage = Storage {
            bucket: run.bucket.cloned(),
            denials: Some(Arc::clone(denials)),
        };
        if let Some(sockets) = &self.sockets {
            sockets.renew();
        }
    }

    /// Whether a handle stands for nothing that goes on or stays open: a language's runtime keeps such, for its standard
    /// streams for instance. A stream that belongs to a connection or a body never comes without it.
    pub(super) fn is_quiet(handle: &dyn Any) -> bool {
        handle.is::<DynInputStream>()
            || handle.is::<DynOutputStream>()
            || handle.is::<DynPollable>()
            || handle.is::<FieldMap>()
            || handle.is::<RequestOptions>()
            || handle.is::<keyvalue::Opened>()
    }

    pub(super) fn wasi<'a>(&'a mut self, table: &'a mut ResourceTable) -> WasiCtxView<'a> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table,
        }
    }

    pub(super) fn http<'a>(&'a mut self, table: &'a mut ResourceTable) -> WasiHttpCtxView<'a> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table,
            hooks: &mut self.outgoing,
        }
    }

    pub(super) fn sockets<'a>(&'a mut self, table: &'a mut ResourceTable) -> Guarded<'a> {
        Guarded {
            inner: WasiSocketsCtxView {
                ctx: self.wasi.sockets(),
                table,
            },
            sockets: self.sockets.as_ref(),
        }
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    pub(super) fn storage<'a>(&'a mut self, table: &'a mut ResourceTable) -> StorageView<'a> {
        StorageView {
            storage: &self.storage,
            table,
        }
    }
}

fn wasi(log: &LogPipe) -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdout(log.clone())
        .stderr(log.clone())
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(RANDOM_BYTES_MAX);
    builder
}
