//! wasmtime itself, running a plugin as coinop does, with nothing around it: the floor of the sandbox.
//!
//! Fresh store, WASI context, limits and instance for every call; pooling; epochs; pre-linked.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use tempfile::TempDir;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    StoreLimits, StoreLimitsBuilder,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "coinop:plugin/plugin",
        exports: { default: async },
    });
}

use bindings::coinop::plugin::tool_types as wit;
use bindings::coinop::plugin::{meter, progress, settings};

/// Memory of one instance, bytes: coinop's own default.
const MEMORY_BYTES_MAX: usize = 256 << 20;

/// A component, ready to be called.
pub(crate) struct Raw {
    engine: Engine,
    plugin: bindings::PluginPre<State>,
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    limits: StoreLimits,
}

impl Raw {
    /// Compiles a component.
    ///
    /// # Errors
    /// When wasmtime refuses it.
    pub(crate) fn load(file: &Path) -> Result<Self> {
        let workshop = Workshop::open()?;
        let code = workshop.compile_to_file(&std::fs::read(file)?)?;
        workshop.map(&code)
    }

    /// One call in a fresh instance; whether it answered at all.
    ///
    /// # Errors
    /// When the guest traps or fails.
    pub(crate) async fn call(&self, tool: &str, arguments: &str) -> Result<()> {
        self.instance().await?.call(tool, arguments).await
    }

    /// An instance to be called again and again.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn instance(&self) -> Result<Instance> {
        let limits = StoreLimitsBuilder::new()
            .memory_size(MEMORY_BYTES_MAX)
            .build();
        let state = State {
            wasi: WasiCtx::builder().build(),
            table: ResourceTable::new(),
            limits,
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1_000);
        let plugin = self
            .plugin
            .instantiate_async(&mut store)
            .await
            .map_err(|e| anyhow!("{e:#}"))?;
        Ok(Instance { store, plugin })
    }
}

/// A running instance in its store.
pub(crate) struct Instance {
    store: Store<State>,
    plugin: bindings::Plugin,
}

impl Instance {
    /// One call; whether it answered at all.
    ///
    /// # Errors
    /// When the guest traps or fails.
    pub(crate) async fn call(&mut self, tool: &str, arguments: &str) -> Result<()> {
        let context = wit::Context {
            call_id: "call".to_owned(),
            remaining_ms: 10_000,
            caller: None,
            meta: None,
        };
        let answer = self
            .plugin
            .coinop_plugin_tools()
            .call_call_tool(&mut self.store, tool, arguments, &context)
            .await
            .map_err(|e| anyhow!("{e:#}"))?;
        let output = answer.map_err(|failure| anyhow!("{failure:?}"))?;
        output
            .content
            .first()
            .context("the guest answered nothing")?;
        Ok(())
    }
}

/// An engine, what it links, and a folder for compiled code.
pub(crate) struct Workshop {
    engine: Engine,
    linker: Linker<State>,
    folder: TempDir,
}

impl Workshop {
    /// With the settings of coinop's own engine.
    ///
    /// # Errors
    /// When the pool cannot be had.
    pub(crate) fn open() -> Result<Self> {
        let engine = Engine::new(&config()).map_err(|e| anyhow!("{e:#}"))?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)
            .and_then(|()| {
                bindings::Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
            })
            .map_err(|e| anyhow!("{e:#}"))?;
        Ok(Self {
            engine,
            linker,
            folder: tempfile::tempdir()?,
        })
    }

    /// Compiles in memory and links.
    ///
    /// # Errors
    /// When wasmtime refuses the component.
    pub(crate) fn compile(&self, bytes: &[u8]) -> Result<Raw> {
        let component = Component::from_binary(&self.engine, bytes);
        self.linked(&component.map_err(|e| anyhow!("{e:#}"))?)
    }

    /// Compiles into a file, for [`Workshop::map`].
    ///
    /// # Errors
    /// When wasmtime refuses the component.
    pub(crate) fn compile_to_file(&self, bytes: &[u8]) -> Result<Code> {
        let code = self.engine.precompile_component(bytes);
        let path = self.folder.path().join("code");
        std::fs::write(&path, code.map_err(|e| anyhow!("{e:#}"))?)?;
        Ok(Code(path))
    }

    /// Maps compiled code and links it, as coinop's cache does: a mapped image costs other page faults than one in memory.
    ///
    /// # Errors
    /// When the file is gone.
    #[allow(unsafe_code)]
    pub(crate) fn map(&self, code: &Code) -> Result<Raw> {
        // SAFETY: the file was written by `compile_to_file` of this very engine into a folder of this process.
        let component = unsafe { Component::deserialize_file(&self.engine, &code.0) };
        self.linked(&component.map_err(|e| anyhow!("{e:#}"))?)
    }

    fn linked(&self, component: &Component) -> Result<Raw> {
        let plugin = self
            .linker
            .instantiate_pre(component)
            .and_then(bindings::PluginPre::new)
            .map_err(|e| anyhow!("{e:#}"))?;
        Ok(Raw {
            engine: self.engine.clone(),
            plugin,
        })
    }
}

/// Compiled code that a [`Workshop`] wrote.
pub(crate) struct Code(PathBuf);

/// The pool and the engine as coinop sets them, where it matters for speed.
fn config() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(256)
        .total_memories(256)
        .total_stacks(256)
        .total_tables(2_048)
        .total_core_instances(51_200)
        .max_memories_per_component(4)
        .max_core_instances_per_component(200)
        .max_tables_per_component(8)
        .max_component_instance_size(8 << 20)
        .max_core_instance_size(8 << 20)
        .max_tables_per_module(4)
        .table_elements(64 << 10)
        .max_unused_warm_slots(64);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(128 << 10)
            .table_keep_resident(16 << 10);
    }
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .async_stack_size(2 << 20)
        .max_wasm_stack(1 << 20)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl wit::Host for State {}

impl progress::Host for State {
    fn report(&mut self, _progress: f64, _total: Option<f64>, _message: Option<String>) {}
}

impl meter::Host for State {
    fn add(&mut self, _unit: String, _count: u32) -> Result<(), meter::Refusal> {
        Ok(())
    }
}

impl settings::Host for State {
    fn get(&mut self, _key: String) -> Option<String> {
        None
    }
}
