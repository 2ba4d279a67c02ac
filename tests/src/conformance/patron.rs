//! Who stands beside a suite: pays what the host asks for, and brings a new plugin when the list is to change.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::books::{Asked, Books};
use crate::home::Home;
use crate::host::HttpHost;
use crate::pay::pay;

/// The tool whose call means that the list of tools is to change.
const CHANGES_THE_LIST: &str = "test_trigger_tool_change";
/// The tool that is to be asked for twice before it is paid.
const ASKED_TWICE: &str = "test_input_required_result_multi_round";
/// Left unpaid for so long after it was asked for. A user's consent is believed for 5 s before the form comes again.
const PAID_LATE: Duration = Duration::from_millis(6_500);
/// How often the ledger is looked at.
const PACE: Duration = Duration::from_millis(20);

/// Runs until it is dropped.
pub struct Patron(JoinHandle<()>);

impl Patron {
    /// Looks after the calls of this home, whose pages this host serves.
    pub fn of(home: &Home, host: &HttpHost) -> Self {
        let books = Books::of(home);
        let pages = format!("http://{}/pay/", host.address);
        let plugins = Plugins {
            change: home.plugin_path("changed"),
            versions: ["echo", "echo-v2"].map(|name| {
                std::fs::read(crate::paths::guest(name)).expect("the guest can be read")
            }),
        };
        Self(tokio::spawn(attend(books, pages, plugins)))
    }
}

impl Drop for Patron {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A plugin that comes in two versions by turns.
struct Plugins {
    change: std::path::PathBuf,
    versions: [Vec<u8>; 2],
}

impl Plugins {
    fn change(&mut self) {
        self.versions.swap(0, 1);
        let part = self.change.with_extension("part");
        std::fs::write(&part, &self.versions[0]).expect("the folder is writable");
        std::fs::rename(part, &self.change).expect("the folder is writable");
    }
}

async fn attend(books: Books, pages: String, mut plugins: Plugins) {
    let mut changed_for: Vec<String> = Vec::new();
    loop {
        for asked in books.asked() {
            if asked.tool == CHANGES_THE_LIST {
                if !changed_for.contains(&asked.link) {
                    plugins.change();
                    changed_for.push(asked.link);
                }
            } else if asked.tool != ASKED_TWICE || is_old(&asked) {
                pay(&format!("{pages}{}", asked.link)).await;
            }
        }
        tokio::time::sleep(PACE).await;
    }
}

fn is_old(asked: &Asked) -> bool {
    asked.at.elapsed().is_ok_and(|age| age >= PAID_LATE)
}
