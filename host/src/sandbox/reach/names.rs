//! The parts of `wasi:sockets` that stand before WASI's own: looking up names, and making sockets at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::network::{
    self, ErrorCode, IpAddress, IpAddressFamily, Network,
};
use wasmtime_wasi::p2::bindings::sockets::{
    ip_name_lookup, tcp::TcpSocket, tcp_create_socket, udp::UdpSocket, udp_create_socket,
};
use wasmtime_wasi::p2::{DynPollable, SocketError};
use wasmtime_wasi::sockets::WasiSocketsCtxView;

use super::sockets::Sockets;
use crate::sandbox::state::State;

type Answer = ip_name_lookup::ResolveAddressStream;

/// WASI's own implementation, and what it is asked only for.
pub(in crate::sandbox) struct Guarded<'a> {
    pub(super) inner: WasiSocketsCtxView<'a>,
    /// `None` for a component that is tried: then WASI's own refuses everything.
    pub(super) sockets: Option<&'a Arc<Sockets>>,
}

pub(super) struct HasGuarded;

impl HasData for HasGuarded {
    type Data<'a> = Guarded<'a>;
}

/// Puts these in the place of WASI's own.
pub(in crate::sandbox) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    ip_name_lookup::add_to_linker::<_, HasGuarded>(linker, State::guarded_sockets)?;
    tcp_create_socket::add_to_linker::<_, HasGuarded>(linker, State::guarded_sockets)?;
    udp_create_socket::add_to_linker::<_, HasGuarded>(linker, State::guarded_sockets)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl Guarded<'_> {
    /// Whether one more socket may be made.
    pub(super) fn has_room(&self) -> bool {
        self.sockets.is_none_or(|sockets| sockets.may_make())
    }

    fn check_room(&self) -> Result<(), SocketError> {
        match self.has_room() {
            true => Ok(()),
            false => Err(ErrorCode::NewSocketLimit.into()),
        }
    }
}

fn plain(address: &IpAddress) -> IpAddr {
    match *address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}

impl network::Host for Guarded<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        network::Host::convert_error_code(&mut self.inner, error)
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime_wasi::p2::bindings::io::error::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        network::Host::network_error_code(&mut self.inner, error)
    }
}

impl network::HostNetwork for Guarded<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.inner, network)
    }
}

impl ip_name_lookup::Host for Guarded<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> Result<Resource<Answer>, SocketError> {
        let Some(sockets) = self.sockets else {
            return ip_name_lookup::Host::resolve_addresses(&mut self.inner, network, name);
        };
        // An address is no name: nobody is asked about it, and nothing is learned.
        if name.parse::<IpAddr>().is_ok() {
            return ip_name_lookup::Host::resolve_addresses(&mut self.inner, network, name);
        }
        let host = sockets.host(&name).ok_or(ErrorCode::AccessDenied)?;
        if !sockets.may_look_up() {
            return Err(ErrorCode::TemporaryResolverFailure.into());
        }
        let answer =
            ip_name_lookup::Host::resolve_addresses(&mut self.inner, network, host.clone())?;
        sockets.asked(answer.rep(), host);
        Ok(answer)
    }
}

impl ip_name_lookup::HostResolveAddressStream for Guarded<'_> {
    fn resolve_next_address(
        &mut self,
        answer: Resource<Answer>,
    ) -> Result<Option<IpAddress>, SocketError> {
        let rep = answer.rep();
        let next = ip_name_lookup::HostResolveAddressStream::resolve_next_address(
            &mut self.inner,
            answer,
        )?;
        if let (Some(sockets), Some(address)) = (self.sockets, &next) {
            sockets.learned(rep, plain(address));
        }
        Ok(next)
    }

    fn subscribe(&mut self, answer: Resource<Answer>) -> wasmtime::Result<Resource<DynPollable>> {
        ip_name_lookup::HostResolveAddressStream::subscribe(&mut self.inner, answer)
    }

    fn drop(&mut self, answer: Resource<Answer>) -> wasmtime::Result<()> {
        if let Some(sockets) = self.sockets {
            sockets.answered(answer.rep());
        }
        ip_name_lookup::HostResolveAddressStream::drop(&mut self.inner, answer)
    }
}

impl tcp_create_socket::Host for Guarded<'_> {
    fn create_tcp_socket(
        &mut self,
        family: IpAddressFamily,
    ) -> Result<Resource<TcpSocket>, SocketError> {
        self.check_room()?;
        tcp_create_socket::Host::create_tcp_socket(&mut self.inner, family)
    }
}

impl udp_create_socket::Host for Guarded<'_> {
    async fn create_udp_socket(
        &mut self,
        family: IpAddressFamily,
    ) -> Result<Resource<UdpSocket>, SocketError> {
        self.check_room()?;
        udp_create_socket::Host::create_udp_socket(&mut self.inner, family).await
    }
}
