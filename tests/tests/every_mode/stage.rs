//! A home with a host in one mode: clients come and leave, and what is left is judged.

use std::sync::atomic::{AtomicU8, Ordering};

use coinop_tests::books::Books;
use coinop_tests::chain::Wallet;
use coinop_tests::facilitator::{Facilitator, Question};
use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::talker::{Call, Talker};
use coinop_tests::wait::until;

use crate::buying::Asked;
use crate::row::Row;

/// The key by which the HTTP host knows its caller, whichever connection it comes by.
const KEY: &str = "a-key-of-the-tests-0123456789abcdef";
const TRACE: &str = "trace";
/// How much later a host starts after one was killed: the leases of its runs are over, its quotes still stand.
const LATER_MS: &str = "600000";

/// How clients and hosts are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    Stdio,
}

/// How a client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Its connections end (HTTP).
    HangsUp,
    /// Its process ends, and with it the pipes (stdio).
    ClosesPipes,
    /// `kill -9` of the host (stdio).
    KillsHost,
}

impl Leaving {
    pub(crate) fn transport(self) -> Transport {
        match self {
            Self::HangsUp => Transport::Http,
            Self::ClosesPipes | Self::KillsHost => Transport::Stdio,
        }
    }
}

pub(crate) struct Stage {
    pub(crate) row: Row,
    pub(crate) home: Home,
    host: Option<HttpHost>,
    pub(crate) facilitator: Facilitator,
    wallets: AtomicU8,
}

impl Stage {
    pub(crate) async fn open(row: Row, transport: Transport) -> Self {
        let facilitator = Facilitator::start().await;
        let account = match row.rail() {
            Some(rail) => ("provider = \"till\"\n", rail.account(&facilitator.url)),
            None => ("", String::new()),
        };
        let config = format!(
            "{}{}\n{}[http.keys.ada]\nkey = {{ env = \"ADA\" }}\n[quotes]\nlifetime_s = 7200\n",
            account.0, row.config, account.1
        );
        let mut home = Home::new().plugin("sales").mode(row.mode).config(&config);
        home.env("ADA", KEY);
        let trace = home.path(TRACE);
        home.env("COINOP_FAILPOINT_TRACE", trace.to_str().expect("UTF-8"));
        let host = match transport {
            Transport::Http => Some(home.http().await),
            Transport::Stdio => None,
        };
        Self {
            row,
            home,
            host,
            facilitator,
            wallets: AtomicU8::new(1),
        }
    }

    pub(crate) async fn client(&self) -> Talker {
        match &self.host {
            Some(host) => self.client_of(host).await,
            None => Talker::stdio(&self.home, self.row.era, self.row.capabilities()).await,
        }
    }

    pub(crate) async fn client_of(&self, host: &HttpHost) -> Talker {
        let (era, capabilities) = (self.row.era, self.row.capabilities());
        Talker::http(host.address, era, capabilities, Some(KEY)).await
    }

    /// A wallet that nobody has paid with.
    pub(crate) fn new_wallet(&self) -> Wallet {
        Wallet::of(self.wallets.fetch_add(1, Ordering::Relaxed))
    }

    /// The client goes away.
    pub(crate) async fn leave(
        &mut self,
        client: Talker,
        call: Option<Call>,
        asked: &mut Asked,
        how: Leaving,
    ) {
        let waiting = asked.waiting.take();
        match how {
            Leaving::HangsUp => {
                call.iter().chain(&waiting).for_each(Call::hang_up);
                client.leave().await;
            }
            Leaving::ClosesPipes => client.leave().await,
            Leaving::KillsHost => {
                client.kill().await;
                self.home.env("COINOP_CLOCK_SHIFT_MS", LATER_MS);
            }
        }
    }

    /// Awaits a visit of a place, by any host.
    pub(crate) async fn visited(&self, place: &str) {
        until(place, async || (self.visits(place) > 0).then_some(())).await;
    }

    pub(crate) async fn facilitator_is_asked(&self, question: Question) {
        until("the facilitator to be asked", async || {
            let asked = self.facilitator.asked(question);
            (!asked.is_empty()).then_some(())
        })
        .await;
    }

    fn visits(&self, place: &str) -> usize {
        let trace = std::fs::read_to_string(self.home.path(TRACE)).unwrap_or_default();
        let places = trace.lines().filter_map(|line| line.split(' ').nth(1));
        places.filter(|visited| *visited == place).count()
    }

    /// Every call ended like this, was started once, and its money is where that belongs.
    pub(crate) async fn ended(&self, state: &str, calls: usize) {
        let expected = vec![state.to_owned(); calls];
        until("the calls' end", async || {
            let states = Books::of(&self.home).states();
            let is_open = |state: &String| {
                !["deliverable", "refunded", "withheld", "credited"].contains(&state.as_str())
            };
            let open = states.len() < calls || states.iter().any(is_open);
            (!open).then_some(())
        })
        .await;
        let books = Books::of(&self.home);
        assert_eq!(books.states(), expected);
        assert_eq!(self.visits("before-run"), calls, "runs");
        assert_eq!(books.imbalances(), 0);
        if self.row.rail().is_some() {
            let taken = if state == "withheld" { 0 } else { calls };
            assert_eq!(self.facilitator.settled().len(), taken, "payments taken");
        }
    }
}
