//! What WASI 0.3 leads to, each door tried and told how it went: an answer, or the error's name.

use std::future::{IntoFuture as _, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;

use futures::future::{join, join_all};

use crate::wasi::cli::environment;
use crate::wasi::filesystem::preopens;
use crate::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags,
};
use crate::wasi::http::client;
use crate::wasi::http::types::{Fields, Method, Request, Response, Scheme};
use crate::wasi::sockets::ip_name_lookup;
use crate::wasi::sockets::types::{
    IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket, UdpSocket,
};
use crate::{wit_future, wit_stream};

/// Time for the host to begin with something.
const A_WHILE_NS: u64 = 5_000_000;

type Told = Result<String, String>;

/// A request with a method and perhaps a body; the answer's status and body.
pub(crate) async fn fetch(url: &str, method: &str, body: &str) -> Told {
    let (scheme, rest) = url.split_once("://").ok_or("not a URL")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = match scheme {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        other => Scheme::Other(other.to_owned()),
    };
    let (trailers, promised) = wit_future::new(|| Ok(None));
    drop(trailers);
    let (mut writer, reader) = wit_stream::new();
    let (request, _sent) = Request::new(Fields::new(), Some(reader), promised, None);
    request
        .set_method(&method_of(method))
        .map_err(|()| "method")?;
    request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    request
        .set_authority(Some(authority))
        .map_err(|()| "authority")?;
    request
        .set_path_with_query(Some(path))
        .map_err(|()| "path")?;
    let body = body.as_bytes().to_vec();
    let writing = async move {
        writer.write_all(body).await;
    };
    let (response, ()) = join(client::send(request), writing).await;
    let response = response.map_err(told)?;
    let status = response.get_status_code();
    let (read, result) = wit_future::new(|| Ok(()));
    let (body, trailers) = Response::consume_body(response, result);
    let body = body.collect().await;
    drop(read);
    trailers.await.map_err(told)?;
    Ok(format!("{status} {}", String::from_utf8_lossy(&body)))
}

fn method_of(name: &str) -> Method {
    match name {
        "POST" => Method::Post,
        _ => Method::Get,
    }
}

/// The addresses of a host.
pub(crate) async fn lookup(host: &str) -> Told {
    let found = ip_name_lookup::resolve_addresses(host.to_owned()).await;
    found.map(|found| format!("{found:?}")).map_err(told)
}

/// Connects to an IPv4 address.
pub(crate) async fn connect(address: &str) -> Told {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).map_err(told)?;
    let connected = socket.connect(ipv4(address)?).await;
    connected.map(|()| "connected".to_owned()).map_err(told)
}

/// Sends a datagram to an IPv4 address.
pub(crate) async fn send(address: &str) -> Told {
    let socket = UdpSocket::create(IpAddressFamily::Ipv4).map_err(told)?;
    let sent = socket.send(b"hello".to_vec(), Some(ipv4(address)?)).await;
    sent.map(|()| "sent".to_owned()).map_err(told)
}

/// Listens on a port.
pub(crate) fn listen() -> Told {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).map_err(told)?;
    socket.bind(ipv4("127.0.0.1:0")?).map_err(told)?;
    let listening = socket.listen();
    listening.map(|_| "listening".to_owned()).map_err(told)
}

/// How many sockets of both kinds are made before one is refused.
pub(crate) fn sockets() -> Told {
    let mut held: Vec<(TcpSocket, Option<UdpSocket>)> = Vec::new();
    loop {
        let Ok(tcp) = TcpSocket::create(IpAddressFamily::Ipv4) else {
            let pairs = held.iter().filter(|(_, udp)| udp.is_some()).count();
            return Ok(format!("{}", held.len() + pairs));
        };
        held.push((tcp, UdpSocket::create(IpAddressFamily::Ipv4).ok()));
    }
}

/// How many datagrams one socket can wait for at a time, and what the first one that it cannot is told.
pub(crate) async fn receive(times: u64) -> Told {
    let socket = UdpSocket::create(IpAddressFamily::Ipv4).map_err(told)?;
    socket.bind(ipv4("0.0.0.0:0")?).map_err(told)?;
    let mut waiting: Vec<_> = (0..times).map(|_| Box::pin(socket.receive())).collect();
    let mut refusals = Vec::new();
    for receiving in &mut waiting {
        refusals.extend(begun(receiving.as_mut()).await);
    }
    let waited_for = waiting.len() - refusals.len();
    Ok(format!("{waited_for}, then {:?}", refusals.first()))
}

/// Has something begin; what came of it, if it is over already.
async fn begun<T>(mut operation: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    poll_fn(|context| match operation.as_mut().poll(context) {
        Poll::Ready(over) => Poll::Ready(Some(over)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

fn ipv4(address: &str) -> Result<IpSocketAddress, String> {
    let address: SocketAddr = address.parse().map_err(|_| "not an address")?;
    let SocketAddr::V4(address) = address else {
        return Err("not IPv4".to_owned());
    };
    let [a, b, c, d] = address.ip().octets();
    Ok(IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port: address.port(),
        address: (a, b, c, d),
    }))
}

/// Reads a file of the first directory.
pub(crate) async fn read(path: &str) -> Told {
    let directories = preopens::get_directories();
    let (directory, _) = directories.first().ok_or("no directory")?;
    let opened = directory.open_at(
        PathFlags::SYMLINK_FOLLOW,
        path.to_owned(),
        OpenFlags::empty(),
        DescriptorFlags::READ,
    );
    let file = opened.await.map_err(told)?;
    let (contents, result) = file.read_via_stream(0);
    let contents = contents.collect().await;
    result.await.map_err(told)?;
    Ok(String::from_utf8_lossy(&contents).into_owned())
}

/// Writes a file of the first directory.
pub(crate) async fn write(path: &str, text: &str) -> Told {
    let directories = preopens::get_directories();
    let (directory, _) = directories.first().ok_or("no directory")?;
    let opened = directory.open_at(
        PathFlags::empty(),
        path.to_owned(),
        OpenFlags::CREATE,
        DescriptorFlags::READ | DescriptorFlags::WRITE,
    );
    let file = opened.await.map_err(told)?;
    let (mut writer, reader) = wit_stream::new();
    let text = text.as_bytes().to_vec();
    let writing = async move {
        writer.write_all(text).await;
    };
    let (written, ()) = join(file.write_via_stream(reader, 0).into_future(), writing).await;
    written.map(|()| "written".to_owned()).map_err(told)
}

/// What the last of so many listings of the first directory says, in order. All are kept, and no other one is read.
pub(crate) async fn list(times: u64) -> Told {
    let directories = preopens::get_directories();
    let (directory, _) = directories.first().ok_or("no directory")?;
    let mut listings: Vec<_> = (0..times).map(|_| directory.read_directory()).collect();
    let (entries, result) = listings.pop().ok_or("no listing")?;
    let mut names: Vec<_> = entries.collect().await.into_iter().map(told).collect();
    result.await.map_err(told)?;
    names.sort();
    Ok(names.join("\n"))
}

/// Opens a file of the first directory so many times at a time.
pub(crate) async fn open(path: &str, times: u64) -> Told {
    let directories = preopens::get_directories();
    let (directory, _) = directories.first().ok_or("no directory")?;
    let opened = join_all((0..times).map(|_| opening(directory, path))).await;
    let opened: Vec<_> = opened.into_iter().collect::<Result<_, _>>().map_err(told)?;
    Ok(format!("{}", opened.len()))
}

/// Begins to open a file of the first directory, calls it off, and so on.
pub(crate) async fn give_up(path: &str, times: u64) -> Told {
    let directories = preopens::get_directories();
    let (directory, _) = directories.first().ok_or("no directory")?;
    for _ in 0..times {
        let mut opening = Box::pin(opening(directory, path));
        let _ = begun(opening.as_mut()).await;
        crate::misuse::sleep(A_WHILE_NS).await;
    }
    crate::misuse::sleep(u64::MAX / 2).await;
    Ok("it was woken".to_owned())
}

async fn opening(directory: &Descriptor, path: &str) -> Result<Descriptor, ErrorCode> {
    let (path, read) = (path.to_owned(), DescriptorFlags::READ);
    directory
        .open_at(PathFlags::empty(), path, OpenFlags::empty(), read)
        .await
}

/// Every variable and argument.
pub(crate) fn environment() -> Told {
    let seen = (environment::get_environment(), environment::get_arguments());
    Ok(format!("{seen:?}"))
}

fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
