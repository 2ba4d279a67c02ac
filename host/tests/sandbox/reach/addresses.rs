//! What a name may stand for: decided once, and connected to as decided.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use coinop::outbound::{Dialer, Resolve};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

use super::{fetched, grant, granted_by, lines, refused, told};
use crate::servers::{Server, ok};
use crate::support::Call;

/// Answers in turn, the last one for ever, and counts what it was asked.
#[derive(Default)]
pub(super) struct Fickle {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Fickle {
    pub(super) fn saying(answers: &[&[&str]]) -> Arc<Self> {
        let parsed = |list: &&[&str]| list.iter().map(|a| a.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parsed).collect()),
            asked: Mutex::default(),
        })
    }

    fn dialer(self: &Arc<Self>) -> Dialer {
        Dialer::new(Arc::clone(self) as Arc<dyn Resolve>, None)
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Resolve for Fickle {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            0 => Err(io::Error::from(io::ErrorKind::NotFound)),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.pop_front().unwrap_or_default()),
        };
        async move { answer }.boxed()
    }
}

#[tokio::test]
async fn a_name_that_stands_for_an_inner_address_is_refused() {
    let server = Server::that(ok("secret")).await;
    let origin = format!("http://rebind.example:{}", server.port);
    for addresses in [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["::ffff:127.0.0.1"],
        &["::1", "fd00::1", "192.168.0.1", "100.64.0.1"],
        &["64:ff9b::7f00:1", "2002:7f00:1::"],
        &["0.0.0.0", "::"],
    ] {
        let resolver = Fickle::saying(&[addresses]);
        let call = granted_by(resolver.dialer(), std::slice::from_ref(&origin)).await;
        let error = refused(&call, &origin).await;
        assert_eq!(error, "ErrorCode::DestinationIpProhibited", "{addresses:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn the_operator_is_told_of_the_mark_where_it_would_help() {
    for (address, helps) in [
        ("127.0.0.1", true),
        ("10.0.0.1", true),
        ("169.254.169.254", false),
    ] {
        let resolver = Fickle::saying(&[&[address]]);
        let call = granted_by(resolver.dialer(), &["http://wiki.example:1".into()]).await;
        let denied = lines(
            &call,
            "fetch",
            json!({ "url": "http://wiki.example:1/a?b" }),
        )
        .await;
        let line = "http = [\"GET http://wiki.example:1 internal\"]".to_owned();
        let wanted = "connect to http://wiki.example:1, whose name stands for no address of the public Internet";
        assert_eq!(denied, [(wanted.to_owned(), helps.then_some(line))]);
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_connected_to_as_it_was_checked() {
    let server = Server::that(ok("hello")).await;
    let origin = format!("http://wiki.example:{}", server.port);
    // Had the connection looked it up again, it would have gone where nobody listens.
    let resolver = Fickle::saying(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let call = granted_by(resolver.dialer(), &[format!("{origin} internal")]).await;
    assert_eq!(fetched(&call, &origin).await["status"], 200);
    assert_eq!((resolver.asked(), server.connections()), (1, 1));
    // The next run looks it up anew.
    assert_eq!(
        refused(&call, &origin).await,
        "ErrorCode::ConnectionRefused"
    );
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_are_tried() {
    let server = Server::that(ok("hello")).await;
    let origin = format!("http://wiki.example:{}", server.port);
    let resolver = Fickle::saying(&[&["169.254.169.254", "127.0.0.2", "127.0.0.1"]]);
    let call = granted_by(resolver.dialer(), &[format!("{origin} internal")]).await;
    assert_eq!(fetched(&call, &origin).await["status"], 200);
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_a_resolver_says() {
    let resolver = Fickle::saying(&[&["93.184.216.34"]]);
    let call = granted_by(resolver.dialer(), &["http://localhost:1".into()]).await;
    let error = refused(&call, "http://localhost:1").await;
    assert_eq!(error, "ErrorCode::DestinationIpProhibited");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_said_to_be_so() {
    let resolver = Fickle::saying(&[]);
    let call = granted_by(resolver.dialer(), &["https://no.example".into()]).await;
    let error = refused(&call, "https://no.example").await;
    assert!(error.starts_with("ErrorCode::DnsError"), "{error}");
}

#[tokio::test]
async fn no_plugin_reaches_an_address_by_anothers_connection() {
    let server = Server::that(ok("secret")).await;
    let origin = format!("http://wiki.example:{}", server.port);
    let resolver = Fickle::saying(&[&["127.0.0.1"]]);
    let marked = granted_by(resolver.dialer(), &[format!("{origin} internal")]).await;
    let unmarked = grant(
        Call::of_component(Arc::clone(&marked.component)),
        std::slice::from_ref(&origin),
    );
    assert_eq!(fetched(&marked, &origin).await["status"], 200);
    assert_eq!(
        refused(&unmarked, &origin).await,
        "ErrorCode::DestinationIpProhibited"
    );
    // Nor by another method of its own.
    let both = [format!("GET {origin} internal"), format!("POST {origin}")];
    let mixed = grant(Call::of_component(Arc::clone(&marked.component)), &both);
    assert_eq!(fetched(&mixed, &origin).await["status"], 200);
    let posted = told(&mixed, "fetch", json!({ "url": origin, "method": "POST" })).await;
    assert_eq!(posted["error"], "ErrorCode::DestinationIpProhibited");
}
