//! TLS: who is believed to be whom.

use std::sync::Arc;

use coinop::outbound::Dialer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::addresses::Fickle;
use super::{fetched, granted_by, refused};

const AUTHORITY: &[u8] = include_bytes!("../tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../tls/server.pem");
const KEY: &[u8] = include_bytes!("../tls/server.key");

/// A server that is `shop.example` and answers with 204.
async fn shop() -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        );
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await?;
                let read = stream.read(&mut [0; 4096]).await?;
                assert!(read > 0);
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
                stream.shutdown().await
            });
        }
    });
    port
}

fn dialer(believed: bool) -> Dialer {
    let mut roots = RootCertStore::empty();
    if believed {
        let authority = CertificateDer::from_pem_slice(AUTHORITY).unwrap();
        roots.add(authority).unwrap();
    }
    Dialer::new(Fickle::saying(&[&["127.0.0.1"]]), Some(roots))
}

#[tokio::test]
async fn a_server_that_proves_its_name_is_believed() {
    let origin = format!("https://shop.example:{}", shop().await);
    let call = granted_by(dialer(true), &[format!("{origin} internal")]).await;
    assert_eq!(fetched(&call, &origin).await["status"], 204);
}

#[tokio::test]
async fn nobody_else_is() {
    let port = shop().await;
    for (believed, host) in [
        (false, "shop.example"),
        (true, "bank.example"),
        (true, "127.0.0.1"),
    ] {
        let origin = format!("https://{host}:{port}");
        let mark = if host == "127.0.0.1" { "" } else { " internal" };
        let call = granted_by(dialer(believed), &[format!("{origin}{mark}")]).await;
        let error = refused(&call, &origin).await;
        assert_eq!(error, "ErrorCode::TlsCertificateError", "{believed} {host}");
    }
}
