//! A client that brings its payments: it signs once for what it wants, and presents that until it knows what it bought.

use serde_json::json;

use super::{ASK_PAUSE, Play};
use crate::answer::Answer;
use crate::chain::Wallet;
use crate::crash::clerk::Stopped;
use crate::crash::scenario::{Act, Scenario};
use crate::credential::{Credential, is_asked};
use crate::facilitator::Facilitator;

/// The facilitator of a play; nobody asks it where payments are made elsewhere.
pub(super) async fn facilitator(scenario: &Scenario) -> Facilitator {
    let facilitator = Facilitator::start().await;
    if let Some(question) = scenario.brings.and_then(|brings| brings.loses) {
        facilitator.lose(question);
    }
    facilitator
}

impl Play {
    /// Buys a call, or goes on with that, asking so often at most. What it signed is told to be of no use only when it was
    /// neither recorded nor taken, and never will be: its offer has ended.
    pub(super) async fn buy(&mut self, tool: &'static str, asks_max: usize) -> Result<(), Stopped> {
        self.tool = tool;
        for _ in 0..asks_max {
            let signed = self.signed(tool).await?;
            let meta = signed.meta.clone();
            let answer = self.clerk.call_with(tool, json!({}), meta).await?;
            if is_asked(&answer) {
                self.sign_anew(tool, &answer)?;
                continue;
            }
            self.hear(&answer)?;
            let told_to_wait = answer.asked().is_some();
            if !told_to_wait && (!answer.is_error() || self.all_have_ended()) {
                return Ok(());
            }
            tokio::time::sleep(ASK_PAUSE).await;
        }
        Ok(())
    }

    /// Throws away what it signed, where that can be done without paying twice.
    fn sign_anew(&mut self, tool: &'static str, answer: &Answer) -> Result<(), Stopped> {
        let known = self.count("SELECT count(*) FROM call");
        let is_late = self
            .scenario
            .acts
            .iter()
            .any(|act| matches!(act, Act::Later(_)));
        if is_late && known == Some(0) && self.facilitator.settled().is_empty() {
            self.signed.remove(tool);
            return Ok(());
        }
        let fault = format!("asked to pay a second time: {}", answer.0);
        Err(Stopped::Fault(fault))
    }

    /// What it signed, or signs now for what it is asked for.
    async fn signed(&mut self, tool: &'static str) -> Result<Credential, Stopped> {
        if let Some(signed) = self.signed.get(tool) {
            return Ok(signed.clone());
        }
        let answer = self.clerk.call(tool, json!({})).await?;
        let rail = self.scenario.brings.expect("a scenario of a rail").rail;
        let Some(asked) = rail.asked(&answer) else {
            let fault = format!("not told what to sign: {}", answer.0);
            return Err(Stopped::Fault(fault));
        };
        let number = u8::try_from(self.signed.len()).expect("a few tools") + 1;
        let signed = rail.sign(&asked, &Wallet::of(number));
        self.signed.insert(tool, signed.clone());
        Ok(signed)
    }

    /// Whether every payment that was signed has its call, and every call its end.
    fn all_have_ended(&self) -> bool {
        let calls = self.count("SELECT count(*) FROM call").unwrap_or(0);
        calls >= self.signed.len() as i64 && self.open_calls() == 0
    }
}
