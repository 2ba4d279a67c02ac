//! WASI 0.3, guarded like 0.2: the same contexts, the same grants, and before WASI's own the same questions.
//!
//! Files, HTTP, clocks and the rest go through contexts and hooks that both versions share. What the contexts do not
//! bound stands here: looking up names, making sockets at all, waiting for datagrams, and (in `files`) how many operations
//! on files are under way.

mod files;
mod listing;

use std::net::IpAddr;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Accessor, Linker, Resource};
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup::{self, ErrorCode as LookupError};
use wasmtime_wasi::p3::bindings::sockets::types::{
    self, ErrorCode, HostTcpSocket, HostUdpSocket, HostUdpSocketWithStore as _, IpAddress,
    IpAddressFamily, IpSocketAddress, TcpSocket, UdpSocket,
};
use wasmtime_wasi::p3::sockets::SocketError;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};

pub(in crate::sandbox) use files::Turns;

use super::names::{Guarded, HasGuarded};
use super::sockets::{Lookup, NotReceived, Sockets};
use crate::sandbox::state::State;

/// Where WASI 0.3 makes its sockets.
const SOCKETS: &str = "wasi:sockets/types@0.3.0";
/// What a guest is told that has made all its sockets.
const TOO_MANY_SOCKETS: &str = "too many sockets";
/// What a guest is told that waits for all the datagrams that it may wait for.
const TOO_MANY_RECEIVES: &str = "too many datagrams are waited for";

/// Offers all of WASI 0.3 and of its HTTP.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    linker.allow_shadowing(true);
    ip_name_lookup::add_to_linker::<_, HasGuarded>(linker, State::guarded_sockets)?;
    let mut sockets = linker.instance(SOCKETS)?;
    sockets.func_wrap("[static]tcp-socket.create", create_tcp)?;
    sockets.func_wrap_async("[static]udp-socket.create", |store, params| {
        Box::new(create_udp(store, params))
    })?;
    sockets.func_wrap_concurrent("[method]udp-socket.receive", |store, params| {
        Box::pin(receive(store, params))
    })?;
    files::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

type Told<T> = wasmtime::Result<(Result<T, ErrorCode>,)>;

fn create_tcp(
    mut store: StoreContextMut<'_, State>,
    (family,): (IpAddressFamily,),
) -> Told<Resource<TcpSocket>> {
    let mut guarded = store.data_mut().guarded_sockets();
    if !guarded.has_room() {
        return Ok((Err(other(TOO_MANY_SOCKETS)),));
    }
    let made = HostTcpSocket::create(&mut guarded.inner, family);
    told(&mut guarded, made)
}

async fn create_udp(
    mut store: StoreContextMut<'_, State>,
    (family,): (IpAddressFamily,),
) -> Told<Resource<UdpSocket>> {
    let mut guarded = store.data_mut().guarded_sockets();
    if !guarded.has_room() {
        return Ok((Err(other(TOO_MANY_SOCKETS)),));
    }
    let made = HostUdpSocket::create(&mut guarded.inner, family).await;
    told(&mut guarded, made)
}

type Datagram = (Vec<u8>, IpSocketAddress);

async fn receive(store: &Accessor<State>, (socket,): (Resource<UdpSocket>,)) -> Told<Datagram> {
    let place = store.with(|mut store| {
        let guarded = store.get().guarded_sockets();
        guarded.sockets.map(|sockets| sockets.may_receive())
    });
    let _place = match place.transpose() {
        Ok(place) => place,
        Err(NotReceived::Denied) => return Ok((Err(ErrorCode::AccessDenied),)),
        Err(NotReceived::TooMany) => return Ok((Err(other(TOO_MANY_RECEIVES)),)),
    };
    let wasi = store.with_getter::<WasiSockets>(WasiSocketsView::sockets);
    let received = WasiSockets::receive(&wasi, socket).await;
    store.with(|mut store| told(&mut store.get().guarded_sockets(), received))
}

fn other(words: &str) -> ErrorCode {
    ErrorCode::Other(Some(words.to_owned()))
}

/// An error in the guest's own words; what is none of them ends the run.
fn told<T>(guarded: &mut Guarded<'_>, answer: Result<T, SocketError>) -> Told<T> {
    match answer {
        Ok(answer) => Ok((Ok(answer),)),
        Err(error) => {
            let error = types::Host::convert_error_code(&mut guarded.inner, error)?;
            Ok((Err(error),))
        }
    }
}

impl ip_name_lookup::Host for Guarded<'_> {}

impl ip_name_lookup::HostWithStore<State> for HasGuarded {
    async fn resolve_addresses(
        store: &Accessor<State, Self>,
        name: String,
    ) -> wasmtime::Result<Result<Vec<IpAddress>, LookupError>> {
        let asked = store.with(|mut store| ask(&store.get(), &name));
        match asked {
            Ok(Some((sockets, host, lookup))) => {
                let found = lookup.await;
                sockets.answered_with(host, found.iter().copied());
                let addresses: Vec<_> = found.into_iter().map(wasi_address).collect();
                Ok(match addresses.is_empty() {
                    true => Err(LookupError::NameUnresolvable),
                    false => Ok(addresses),
                })
            }
            Ok(None) => {
                let wasi = store.with_getter::<WasiSockets>(WasiSocketsView::sockets);
                ip_name_lookup::HostWithStore::resolve_addresses(&wasi, name).await
            }
            Err(refused) => Ok(Err(refused)),
        }
    }
}

/// The lookup of a host that was granted by name; `None` for what WASI's own answers without asking anybody.
fn ask(
    guarded: &Guarded<'_>,
    name: &str,
) -> Result<Option<(Arc<Sockets>, String, Lookup)>, LookupError> {
    let is_address = name.parse::<IpAddr>().is_ok();
    // A component that is tried is refused by WASI's own. An address is no name, and nothing is learned of it.
    let Some(sockets) = guarded.sockets.filter(|_| !is_address) else {
        return Ok(None);
    };
    let host = sockets.host(name).ok_or(LookupError::AccessDenied)?;
    let lookup = sockets.lookup(&host);
    let lookup = lookup.ok_or(LookupError::TemporaryResolverFailure)?;
    Ok(Some((Arc::clone(sockets), host, lookup)))
}

fn wasi_address(address: IpAddr) -> IpAddress {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddress::Ipv4(address.octets().into()),
        IpAddr::V6(address) => IpAddress::Ipv6(address.segments().into()),
    }
}
