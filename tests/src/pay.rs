//! The payer: presses the button on the payment page, or uses the command line.

use std::net::SocketAddr;

use crate::home::Home;
use crate::http::{Connection, Response};

/// Fetches the page behind a payment link.
pub async fn page(link: &str) -> Response {
    send("GET", link, b"")
        .await
        .expect("the payment page is served")
}

/// Pays on the page behind the link, as its form does.
pub async fn pay(link: &str) {
    let response = decide(link, "pay").await;
    assert!(
        response.status < 400,
        "paying answered {}: {}",
        response.status,
        response.text()
    );
}

/// Declines on the page behind the link.
pub async fn decline(link: &str) {
    let response = decide(link, "decline").await;
    assert!(
        response.status < 400,
        "declining answered {}: {}",
        response.status,
        response.text()
    );
}

async fn decide(link: &str, decision: &str) -> Response {
    submit(link, decision)
        .await
        .expect("the payment page is served")
}

/// Submits the page's form with this decision (`pay` or `decline`): the action and the hidden fields come from the page
/// itself.
///
/// # Errors
/// When the host goes away before it has answered.
pub async fn submit(link: &str, decision: &str) -> std::io::Result<Response> {
    let page = send("GET", link, b"").await?;
    assert_eq!(page.status, 200, "{}", page.text());
    let form = Form::with_button(&page.text(), decision)
        .unwrap_or_else(|| panic!("no form to {decision} on:\n{}", page.text()));
    press(link, form).await
}

/// Pays at a host that may be gone or in trouble. Whether it is paid now, by this or before.
///
/// # Errors
/// When the host goes away before it has answered; it may be paid or not.
pub async fn try_pay(link: &str) -> std::io::Result<bool> {
    let page = send("GET", link, b"").await?;
    if page.status != 200 {
        return Ok(false);
    }
    match Form::with_button(&page.text(), "pay") {
        Some(form) => Ok(press(link, form).await?.status < 400),
        None => Ok(true),
    }
}

async fn press(link: &str, form: Form) -> std::io::Result<Response> {
    let action = if form.action.is_empty() {
        link.to_owned()
    } else if form.action.starts_with('/') {
        let (address, _) = split(link).expect("the link is http");
        format!("http://{address}{}", form.action)
    } else if form.action.starts_with("http://") {
        form.action
    } else {
        let folder = link.rsplit_once('/').map_or(link, |(folder, _)| folder);
        format!("{folder}/{}", form.action)
    };
    send("POST", &action, form.body.as_bytes()).await
}

/// Pays with `coinop payments pay`; `id` is a payment id, a call id or a link.
pub async fn pay_by_command(home: &Home, id: &str) {
    let ledger = home.ledger();
    let mut command = home.coinop(&["payments", "pay", id, "--state"]);
    let output = command.arg(ledger).output().await.expect("coinop runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Whether anything listens where the link leads.
pub async fn is_served(link: &str) -> bool {
    matches!(send("GET", link, b"").await, Ok(response) if response.status == 200)
}

async fn send(verb: &str, link: &str, body: &[u8]) -> std::io::Result<Response> {
    let (address, path) = split(link).ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut connection = Connection::open(address).await?;
    let headers =
        format!("Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://{address}\r\n");
    connection.send(verb, &path, &headers, body).await
}

/// `http://ADDRESS/PATH` in two.
fn split(link: &str) -> Option<(SocketAddr, String)> {
    let rest = link.strip_prefix("http://")?;
    let (address, path) = rest.split_once('/')?;
    Some((address.parse().ok()?, format!("/{path}")))
}

/// A form of a page, reduced to what a browser would send.
struct Form {
    action: String,
    body: String,
}

impl Form {
    /// The form that has a button (or an action) for `decision`.
    fn with_button(page: &str, decision: &str) -> Option<Self> {
        page.split("<form").skip(1).find_map(|rest| {
            let form = rest.split("</form>").next()?;
            let opening = form.split('>').next()?;
            let action = attribute(opening, "action").unwrap_or_default();
            let tags: Vec<&str> = form
                .split('<')
                .skip(1)
                .filter_map(|tag| tag.split('>').next())
                .collect();
            let pressed = tags.iter().find(|tag| {
                tag.starts_with("button") && attribute(tag, "value").as_deref() == Some(decision)
            });
            if pressed.is_none() && !action.ends_with(decision) {
                return None;
            }
            let hidden = tags.iter().filter(|tag| tag.starts_with("input"));
            let fields: Vec<String> = hidden
                .chain(pressed)
                .filter_map(|tag| {
                    Some(format!(
                        "{}={}",
                        attribute(tag, "name")?,
                        attribute(tag, "value")?
                    ))
                })
                .collect();
            Some(Self {
                action,
                body: fields.join("&"),
            })
        })
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!("{name}=\""))?;
    Some(after.split('"').next()?.to_owned())
}
