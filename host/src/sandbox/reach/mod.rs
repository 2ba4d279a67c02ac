//! What one run can reach through WASI: exactly what its grants say. Everything is linked; the context refuses.

mod denials;
mod http;

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView};

pub(super) use denials::Denials;
use http::Outgoing;

use super::Run;
use super::log::LogPipe;
use crate::outbound::Dialer;

/// Random bytes in one request.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// The doors of one store.
pub(super) struct Reach {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    pub(super) config: WasiConfigVariables,
}

impl Reach {
    /// For a component that is tried: nothing.
    pub(super) fn nothing(log: &LogPipe) -> Self {
        Self {
            wasi: wasi(log),
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::closed(),
            config: WasiConfigVariables::new(),
        }
    }

    /// What `run` is granted. What it lacks is noted in `denials`.
    pub(super) fn of(
        run: &Run<'_>,
        log: &LogPipe,
        denials: &Arc<Denials>,
        dialer: &Arc<Dialer>,
    ) -> Self {
        Self {
            wasi: wasi(log),
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::of(run, denials, dialer),
            config: WasiConfigVariables::from_iter(run.settings),
        }
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
}

fn wasi(log: &LogPipe) -> WasiCtx {
    WasiCtxBuilder::new()
        .stdout(log.clone())
        .stderr(log.clone())
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(RANDOM_BYTES_MAX)
        .build()
}
