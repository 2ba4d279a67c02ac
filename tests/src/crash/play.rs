//! One play of a scenario: the client and the payer as they would go on after every kill.

mod buying;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::aim::Aim;
use super::clerk::{Clerk, Death, Stopped};
use super::scenario::{Act, Decision, HOUR_MS, Mode, Scenario};
use super::trace::{self, Visit};
use super::verdict::{self, Evidence};
use crate::answer::{Answer, PaymentAsked};
use crate::credential::Credential;
use crate::facilitator::Facilitator;
use crate::home::Home;
use crate::pay::submit;

/// Kills in one play at most; far more than any campaign plans.
const TRIES_MAX: usize = 12;
/// How often a client asks again while it is told to wait.
const ASKS_MAX: usize = 20;
const ASK_PAUSE: Duration = Duration::from_millis(50);
/// How often a play at its end is given a host an hour later to bring everything to rest.
const RESTS_MAX: usize = 8;
/// Looks at the ledger before the next host is started.
const LOOKS_MAX: usize = 40;
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// What an operator would ask when in doubt: none of it may find anything.
const CHECKS: &[&[&str]] = &[
    &["ledger", "check"],
    &["reconcile", "--since", "2026-01-01"],
];

/// A play that is over.
pub struct Played {
    /// Who was killed, and where.
    pub deaths: Vec<Death>,
    /// What each process visited, by seat, as `PLACE:N`.
    pub visited: Vec<Vec<String>>,
    /// Broken promises.
    pub violations: Vec<String>,
    /// The home, kept where there are any.
    pub home: Option<PathBuf>,
}

struct Sale {
    tool: &'static str,
    payment: PaymentAsked,
}

/// Plays `scenario` with kills at `aims`.
pub async fn play(scenario: &'static Scenario, aims: &[Aim]) -> Played {
    play_and(scenario, aims, |_| {}).await
}

/// As [`play`]; before the verdict `meddle` has its way with what is left, for the tests of the verdict itself.
pub async fn play_and(
    scenario: &'static Scenario,
    aims: &[Aim],
    meddle: impl FnOnce(&Home),
) -> Played {
    let facilitator = buying::facilitator(scenario).await;
    let mut play = Play {
        scenario,
        clerk: Clerk::new(&scenario.toml(&facilitator.url), aims),
        facilitator,
        tool: "",
        sales: Vec::new(),
        signed: BTreeMap::new(),
        seen: BTreeMap::new(),
        page_is_open: true,
        faults: Vec::new(),
    };
    if let Err(fault) = play.through().await {
        play.faults.push(fault);
    }
    meddle(&play.clerk.home);
    play.judged().await
}

struct Play {
    scenario: &'static Scenario,
    clerk: Clerk,
    /// Who takes payments that are brought.
    facilitator: Facilitator,
    /// The tool asked for last.
    tool: &'static str,
    sales: Vec<Sale>,
    /// Payments that the client brings, by tool: each is signed once, and presented as often as it takes.
    signed: BTreeMap<&'static str, Credential>,
    /// Outcomes that the client has seen, by tool: each answer has to be the same.
    seen: BTreeMap<&'static str, Value>,
    page_is_open: bool,
    faults: Vec<String>,
}

impl Play {
    async fn through(&mut self) -> Result<(), String> {
        for act in self.scenario.acts {
            self.insist(*act).await?;
        }
        // A kill in the last moments leaves something to be finished once more.
        for _ in 0..TRIES_MAX {
            let deaths = self.clerk.deaths.len();
            self.come_to_rest().await?;
            for index in 0..self.sales.len() {
                self.tool = self.sales[index].tool;
                self.insist(Act::Confirm).await?;
            }
            let bought: Vec<_> = self.signed.keys().copied().collect();
            for tool in bought {
                self.insist(Act::Buy(tool)).await?;
            }
            self.insist(Act::Later(0)).await?;
            if self.clerk.deaths.len() == deaths {
                return Ok(());
            }
        }
        Err("kills without end".to_owned())
    }

    /// Does it again for as long as somebody is killed over it.
    async fn insist(&mut self, mut act: Act) -> Result<(), String> {
        for _ in 0..TRIES_MAX {
            match self.act(act).await {
                Ok(()) => return Ok(()),
                Err(Stopped::Killed) => {
                    self.page_is_open = false;
                    act = self.again(act);
                }
                Err(Stopped::Fault(fault)) => return Err(format!("{act:?}: {fault}")),
            }
            // Time has passed as it was to, whoever died over it; and who tries once has tried.
            if matches!(act, Act::Later(_) | Act::TryToBuy(_)) {
                return Ok(());
            }
        }
        Err(format!("{act:?}: kills without end"))
    }

    /// How a client goes on that got no answer: with the payment it was told of, so as not to buy once more.
    fn again(&self, act: Act) -> Act {
        match act {
            Act::Ask(tool) if self.sales.iter().any(|sale| sale.tool == tool) => Act::Confirm,
            other => other,
        }
    }

    async fn act(&mut self, act: Act) -> Result<(), Stopped> {
        match act {
            Act::Ask(tool) => self.ask(tool).await,
            Act::Buy(tool) => self.buy(tool, ASKS_MAX).await,
            Act::TryToBuy(tool) => self.buy(tool, 1).await,
            Act::OnPage(decision) if self.page_is_open => self.on_page(decision).await,
            Act::OnPage(decision) | Act::ByCommand(decision) => {
                self.command(&["payments", decision.word()]).await
            }
            Act::Confirm => self.confirm().await,
            Act::WebhookNoted => self.webhook_noted().await,
            Act::Later(ms) => self.clerk.later(ms).await,
            Act::Operate(words) => self.operate(words).await,
        }
    }

    async fn ask(&mut self, tool: &'static str) -> Result<(), Stopped> {
        self.tool = tool;
        let answer = self.clerk.call(tool, json!({})).await?;
        self.hear(&answer)?;
        match (answer.asked(), self.sale()) {
            (Some(asked), Some(known)) if asked.id != known.id => Err(Stopped::Fault(format!(
                "asked again, and told to pay {} instead of {}",
                asked.id, known.id
            ))),
            (Some(payment), None) => {
                self.sales.push(Sale { tool, payment });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn on_page(&mut self, decision: Decision) -> Result<(), Stopped> {
        let Some(payment) = self.sale() else {
            return Ok(());
        };
        match submit(&payment.url, decision.word()).await {
            Ok(response) if response.status < 400 => Ok(()),
            Ok(response) => Err(Stopped::Fault(format!(
                "the page answered {}: {}",
                response.status,
                response.text()
            ))),
            Err(_) => Err(self.clerk.bury_host().await),
        }
    }

    /// An operator who is refused after a kill lets the hosts finish what was ordered before it, and orders again.
    async fn operate(&mut self, words: &[&str]) -> Result<(), Stopped> {
        match self.command(words).await {
            Err(Stopped::Fault(_)) if !self.clerk.deaths.is_empty() => {}
            done => return done,
        }
        self.come_to_rest().await.map_err(Stopped::Fault)?;
        match self.command(words).await {
            // All of it was done: whether that is so is the verdict's to tell.
            Err(Stopped::Fault(_)) => Ok(()),
            done => done,
        }
    }

    async fn command(&mut self, words: &[&str]) -> Result<(), Stopped> {
        let Some(payment) = self.sale() else {
            return Ok(());
        };
        let words = [words, &[&payment.id]].concat();
        let output = self.clerk.command(&words).await?;
        match output.status.success() {
            true => Ok(()),
            false => Err(Stopped::Fault(format!(
                "{}: {}",
                words.join(" "),
                String::from_utf8_lossy(&output.stderr)
            ))),
        }
    }

    /// Gives the courier a moment, of the host or of the next one.
    async fn webhook_noted(&mut self) -> Result<(), Stopped> {
        self.clerk.host().await?;
        for _ in 0..LOOKS_MAX {
            if self.count("SELECT count(*) FROM webhook") > Some(0) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        // Never heard: what follows finds out by itself.
        Ok(())
    }

    /// Presents the payment until the call has ended, or for as long as a client has patience.
    async fn confirm(&mut self) -> Result<(), Stopped> {
        let Some(payment) = self.sale() else {
            return Ok(());
        };
        let with_id = json!({ "payment_id": payment.id });
        let name = match self.scenario.mode {
            Mode::TwoStep => format!("confirm_{}", self.tool),
            Mode::Resubmit | Mode::Credential => self.tool.to_owned(),
        };
        for _ in 0..ASKS_MAX {
            let answer = self.clerk.call(&name, with_id.clone()).await?;
            self.hear(&answer)?;
            let told_to_wait = answer.asked().is_some();
            if !told_to_wait && (!answer.is_error() || self.open_calls() == 0) {
                return Ok(());
            }
            tokio::time::sleep(ASK_PAUSE).await;
        }
        Ok(())
    }

    /// An outcome that was seen once stays as it was.
    fn hear(&mut self, answer: &Answer) -> Result<(), Stopped> {
        if answer.asked().is_some() || answer.is_error() || answer.0["error"].is_object() {
            return Ok(());
        }
        let content = answer.result()["content"].clone();
        let first = self.seen.entry(self.tool).or_insert(content.clone());
        match *first == content {
            true => Ok(()),
            false => Err(Stopped::Fault(format!(
                "the client saw {first} and then {content}"
            ))),
        }
    }

    /// Starts hosts, each an hour later than the one before, until nothing is open.
    async fn come_to_rest(&mut self) -> Result<(), String> {
        for _ in 0..RESTS_MAX {
            match self.clerk.host().await {
                Ok(_) => {}
                Err(Stopped::Killed) => continue,
                Err(Stopped::Fault(fault)) => return Err(fault),
            }
            for _ in 0..LOOKS_MAX {
                if self.open_calls() == 0 {
                    return Ok(());
                }
                tokio::time::sleep(LOOK_PAUSE).await;
            }
            if let Err(Stopped::Fault(fault)) = self.clerk.later(HOUR_MS).await {
                return Err(fault);
            }
        }
        // What is open still is the verdict's to tell.
        Ok(())
    }

    /// How many calls have not come to an end.
    fn open_calls(&self) -> i64 {
        let open = "SELECT count(*) FROM call WHERE json_extract(body, '$.refund') IS NOT NULL OR state NOT IN
                    ('deliverable', 'withheld', 'refunded', 'credited', 'declined', 'expired')";
        // A ledger that cannot be read just now is looked at again.
        self.count(open).unwrap_or(1)
    }

    fn count(&self, sql: &str) -> Option<i64> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let books = Connection::open_with_flags(self.clerk.home.ledger(), flags).ok()?;
        books.query_row(sql, [], |row| row.get(0)).ok()
    }

    fn sale(&self) -> Option<PaymentAsked> {
        let of_tool = |sale: &&Sale| sale.tool == self.tool;
        self.sales
            .iter()
            .rfind(of_tool)
            .map(|sale| sale.payment.clone())
    }

    async fn judged(self) -> Played {
        let visits: Vec<Visit> = trace::read(&self.clerk.trace());
        let evidence = Evidence {
            scenario: self.scenario,
            disturbed: !self.clerk.deaths.is_empty(),
            visits: &visits,
            seen: &self.seen,
            payments: self.sales.iter().map(|s| s.payment.id.clone()).collect(),
            facilitator: &self.facilitator,
            signed: self.signed.values().map(|s| s.nonce.clone()).collect(),
        };
        let mut violations = self.faults;
        for words in CHECKS {
            violations.extend(self.clerk.check(words).await);
        }
        violations.extend(verdict::violations(&self.clerk.home, &evidence).await);
        let pids = self.clerk.pids.iter();
        let visited = pids.map(|pid| trace::numbered(&visits, *pid)).collect();
        Played {
            deaths: self.clerk.deaths.clone(),
            visited,
            home: (!violations.is_empty()).then(|| self.clerk.home.keep()),
            violations,
        }
    }
}
