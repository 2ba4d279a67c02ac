//! A ledger with calls of every kind, for the tests of commands that read it.

use std::sync::Arc;

use coinop_core::arguments::Arguments;
use coinop_core::call::{Call, Event, Remedy};
use coinop_core::digest::Digest;
use coinop_core::ids::{CallId, LinkToken, PaymentId};
use coinop_core::money::Money;
use coinop_core::outcome::{Content, Outcome};
use coinop_core::payment::{Payment, PaymentEvent};
use coinop_core::principal::Principal;
use coinop_core::quote::Quote;

use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Caps, Change, Components as _, Ledger as _, NewCall};

/// 2026-11-20T10:32:05Z.
pub(crate) const AT: i64 = 1_795_170_725_000;

/// A ledger in a folder of its own.
pub(crate) struct Shop {
    pub(crate) ledger: SqliteLedger,
    pub(crate) folder: tempfile::TempDir,
}

/// A quoted call, a second later than the one of the seed before. The tool's name begins like a formula.
pub(crate) fn call(seed: u8, principal: Principal) -> Call {
    let quote = Quote {
        principal,
        tool: "-get_forecast".into(),
        plugin: "weather".into(),
        component: Digest::of(b"component"),
        arguments: Arguments::stored("{}".into()).digest(),
        payment_id_argument: "payment_id".into(),
        confirm_tool: None,
        upfront: false,
        price: Money::parse("0.003", "USD").unwrap(),
        account: "main".into(),
        claim_window_ms: 86_400_000,
        on_failure: Remedy::Refund,
        retries: 0,
        late_window_ms: 0,
        expires_at: AT + 900_000,
    };
    let payment = Payment::creating(
        PaymentId::from_random([seed; 16]),
        LinkToken::from_random([seed; 16]),
        "sandbox".into(),
    );
    let id = CallId::from_random([seed; 16]);
    let at = AT + i64::from(seed) * 1000;
    Call::quoted(id, quote, "two_step", at, payment)
}

impl Shop {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&folder.path().join("ledger"), AT).unwrap();
        let component: Arc<[u8]> = Arc::from(&b"component"[..]);
        let digest = Digest::of(&component);
        ledger.keep_component(digest, component, AT).await.unwrap();
        Self { ledger, folder }
    }

    /// Opens a call; nobody has paid it.
    pub(crate) async fn open(&self, call: Call) -> Call {
        let new = NewCall {
            call,
            arguments: "{}".into(),
            run_spec: "{}".into(),
        };
        let opened = self.ledger.open(new, Caps::default()).await.unwrap();
        opened.record.call
    }

    /// Opens a call, and has it paid, run and delivered; its receipt.
    pub(crate) async fn deliver(&self, call: Call) -> String {
        let call = self.open(call).await;
        let reference = format!("=sbx_{}", call.id);
        let received = call.quote.price;
        let events = vec![
            PaymentEvent::Created {
                reference,
                url: None,
            }
            .into(),
            PaymentEvent::Paid { received }.into(),
            Event::Claimed {
                owner: "host".into(),
                at: AT,
                lease_until: AT + 1,
                rerun: false,
            },
            Event::Executed { epoch: 1 },
            Event::Concluded,
        ];
        let outcome = Outcome {
            content: vec![Content::text("sunny")],
            ..Outcome::default()
        };
        let change = Change {
            call: call.id,
            events,
            outcome: Some(Arc::new(outcome)),
            at: AT + 60_000,
        };
        let advanced = self.ledger.advance(change).await.unwrap();
        advanced.receipt.unwrap().to_string()
    }

    /// Three receipts of one chain: nobody's, and two of ada's.
    pub(crate) async fn deliver_three(&self) -> [String; 3] {
        [
            self.deliver(call(1, Principal::anonymous())).await,
            self.deliver(call(2, Principal::api_key("ada"))).await,
            self.deliver(call(3, Principal::api_key("ada"))).await,
        ]
    }

    /// A file with this text; its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}
