//! Sending a request by WASI 0.2, in the place of the engine's own: that keeps the options it is given until the run ends,
//! each as one of the run's handles.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Host as _};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{RequestOptions, WasiHttpView as _};

use crate::sandbox::state::State;

/// Where WASI 0.2 sends requests, in the engine's own version.
const HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";

/// Puts this in the place of the engine's own, which must be there.
pub(in crate::sandbox::reach) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(HANDLER)?.func_wrap("handle", handle)?;
    linker.allow_shadowing(false);
    Ok(())
}

type Given = (
    Resource<HostOutgoingRequest>,
    Option<Resource<RequestOptions>>,
);
type Handled = (Result<Resource<HostFutureIncomingResponse>, ErrorCode>,);

fn handle(
    mut store: StoreContextMut<'_, State>,
    (request, options): Given,
) -> wasmtime::Result<Handled> {
    let given = options.as_ref().map(Resource::rep);
    let mut http = store.data_mut().http();
    let handled = http.handle(request, options);
    if let Some(given) = given {
        http.table
            .delete(Resource::<RequestOptions>::new_own(given))?;
    }
    match handled {
        Ok(response) => Ok((Ok(response),)),
        Err(error) => Ok((Err(http.convert_error_code(error)?),)),
    }
}
