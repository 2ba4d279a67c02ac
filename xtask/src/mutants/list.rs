//! The safeguards and the tests that stand for them. A mutation whose text is gone fails xtask's own tests, so that the
//! list follows the sources.

use super::suite::Suite;
use super::{Edit, Mutation};

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "refund-key",
        why: "a refund whose answer was lost is asked for again under another key, and goes back twice",
        edits: &[Edit {
            file: "host/src/gate/remedy.rs",
            from: r#"key: format!("{}-compensation", call.payment.id),"#,
            to: "key: crate::random::token(),",
        }],
        suite: Suite::Host,
        tests: &["gate::tests::recovery::a_refund_whose_answer_was_lost_goes_back_once"],
    },
    Mutation {
        name: "fence",
        why: "a run that was given up reports over the run that took its place",
        edits: &[Edit {
            file: "host/core/src/call/transition.rs",
            from: "if *epoch == self.epoch && self.payment.state != PaymentState::Releasing =>",
            to: "if *epoch <= self.epoch && self.payment.state != PaymentState::Releasing =>",
        }],
        suite: Suite::Core,
        tests: &["call::tests::a_run_reports_only_under_its_own_epoch"],
    },
    Mutation {
        name: "argument-binding",
        why: "a payment for one set of arguments buys a run of another",
        edits: &[Edit {
            file: "host/core/src/quote.rs",
            from: "Some(arguments) if arguments.digest() != self.arguments => Err(Mismatch::Arguments),",
            to: "Some(arguments) if arguments.as_json().is_empty() => Err(Mismatch::Arguments),",
        }],
        suite: Suite::Host,
        tests: &["gate::tests::a_payment_buys_nothing_else_and_is_not_consumed"],
    },
    Mutation {
        name: "amount-check",
        why: "any amount that arrives buys the run",
        edits: &[Edit {
            file: "host/core/src/call/transition.rs",
            from: "(S::Awaiting, E::Paid { received }) if *received == self.due() => S::Ready,",
            to: "(S::Awaiting, E::Paid { received }) if received.amount.is_positive() => S::Ready,",
        }],
        suite: Suite::Host,
        tests: &["gate::tests::a_wrong_amount_is_sent_back"],
    },
    Mutation {
        name: "claim-alive",
        why: "two hosts run one paid call at a time",
        edits: &[Edit {
            file: "host/core/src/call/transition.rs",
            from: ") if at >= old && lease_until > at => running(owner, *lease_until),",
            to: ") if *at >= 0 && *old >= 0 && lease_until > at => running(owner, *lease_until),",
        }],
        suite: Suite::Core,
        tests: &["call::tests::a_second_claim_needs_a_dead_lease_and_a_repeatable_tool"],
    },
    Mutation {
        name: "paid-first",
        why: "a call runs that nobody has paid for",
        edits: &[
            Edit {
                file: "host/core/src/call/transition.rs",
                from: ") if self.backs_a_run() && lease_until > at => running(owner, *lease_until),",
                to: ") if lease_until > at => running(owner, *lease_until),",
            },
            Edit {
                file: "host/core/src/call/transition.rs",
                from: "            (
                S::Ready,
                E::Claimed {",
                to: "            (
                S::Awaiting | S::Ready,
                E::Claimed {",
            },
        ],
        suite: Suite::Core,
        tests: &["call::tests::nothing_runs_before_it_is_paid"],
    },
    Mutation {
        name: "upfront-first",
        why: "a call runs on a promise where its seller wants the money first",
        edits: &[Edit {
            file: "host/core/src/call.rs",
            from: "PaymentState::Authorized => !self.quote.upfront,",
            to: "PaymentState::Authorized => true,",
        }],
        suite: Suite::Core,
        tests: &[
            "call::tests::reserved_money_that_is_taken_upfront_backs_a_run_only_once_it_is_here",
        ],
    },
    Mutation {
        name: "one-payment-one-call",
        why: "a payment that is presented to two hosts at once is refused by one of them, and its caller pays again",
        edits: &[Edit {
            file: "host/src/ledger/transition.rs",
            from: "    call.payment.credential?;
    call.payment.reference.as_deref()",
            to: "    call.payment.credential.filter(|_| false)?;
    call.payment.reference.as_deref()",
        }],
        suite: Suite::Stores,
        tests: &["sqlite::a_payment_that_came_with_its_call_is_one_call"],
    },
    Mutation {
        name: "own-purchase",
        why: "of two payments for the same call one is taken for nothing",
        edits: &[Edit {
            file: "host/src/ledger/transition.rs",
            from: "let came_paid = call.payment.credential.is_some();",
            to: "let came_paid = false;",
        }],
        suite: Suite::Stores,
        tests: &["sqlite::a_payment_that_came_with_its_call_is_one_call"],
    },
    Mutation {
        name: "credential-binding",
        why: "whoever reads a payment's number on a public chain is given what it bought",
        edits: &[Edit {
            file: "host/src/gate/credential.rs",
            from: "call.payment.credential == Some(digest) &&",
            to: "(call.payment.credential.is_some() || digest == digest) &&",
        }],
        suite: Suite::Host,
        tests: &[
            "gate::tests::credentials::a_payment_buys_nothing_else_and_is_not_spent_by_trying",
        ],
    },
    Mutation {
        name: "no-second-challenge",
        why: "a payment that cannot be checked just now is answered with a request for another",
        edits: &[Edit {
            file: "host/src/gate/credential.rs",
            from: "                cannot_be_checked()
            }",
            to: "                let _ = cannot_be_checked;
                self.rejected(Rejected::Unavailable(reason)).await
            }",
        }],
        suite: Suite::Host,
        tests: &[
            "gate::tests::credentials::a_payment_that_cannot_be_checked_is_never_answered_with_another_challenge",
        ],
    },
    Mutation {
        name: "settled-once-at-a-time",
        why: "everybody who waits for a payment asks for its money at once",
        edits: &[Edit {
            file: "host/src/gate/money.rs",
            from: "            Purpose::Finish => None,
            _ =>",
            to: "            Purpose::Finish | Purpose::Redeem => None,
            _ =>",
        }],
        suite: Suite::Host,
        tests: &["gate::tests::credentials::of_several_who_come_while_nobody_knows_one_asks"],
    },
    Mutation {
        name: "settled-by-one-host",
        why: "two hosts ask for the same money at once, and the one that is refused lets the call go",
        edits: &[Edit {
            file: "host/src/gate/drive.rs",
            from: "matches!(self.purpose, Purpose::Redeem | Purpose::Finish)
            && self.call.payment.credential.is_some()
            && committed",
            to: "matches!(self.purpose, Purpose::Look)
            && self.call.payment.credential.is_some()
            && committed",
        }],
        suite: Suite::Host,
        tests: &[
            "gate::tests::credentials::while_one_host_asks_for_the_money_another_does_not",
            "gate::tests::credentials::a_run_that_ends_while_another_host_asks_for_its_money_does_not_ask_too",
        ],
    },
    Mutation {
        name: "expiry-without-cancel",
        why: "a call ends as unpaid while its link still takes money",
        edits: &[Edit {
            file: "host/src/gate/money.rs",
            from: "    pub(super) async fn call_off(&mut self, end: PaymentEvent) -> Result<(), Trouble> {
        let provider = self.provider()?;
        let payment = self.payment()?;
        let canceled = self
            .effect(
                provider.as_ref(),
                \"cancel\",
                self.call.id.as_str(),
                provider.cancel(&payment),",
            to: "    pub(super) async fn call_off(&mut self, end: PaymentEvent) -> Result<(), Trouble> {
        let provider = self.provider()?;
        let canceled = self
            .effect(
                provider.as_ref(),
                \"cancel\",
                self.call.id.as_str(),
                async { Ok(Standing::Expired) },",
        }],
        suite: Suite::Host,
        tests: &["gate::tests::recovery::a_payment_that_was_not_called_off_is_not_expired"],
    },
    Mutation {
        name: "webhook-signature",
        why: "anybody who knows the address says what was paid",
        edits: &[Edit {
            file: "host/src/provider/sandbox/signature.rs",
            from: "is_fresh && signed.by_any_of(secrets, webhook.body)",
            to: "is_fresh || signed.by_any_of(secrets, webhook.body)",
        }],
        suite: Suite::Host,
        tests: &[
            "provider::sandbox::signature::tests::a_signature_holds_for_its_body_its_time_and_a_secret_that_counts",
        ],
    },
    Mutation {
        name: "webhook-noted-last",
        why: "a webhook that came to nothing is noted as dealt with, and is not sent again",
        edits: &[Edit {
            file: "host/src/gate/webhook.rs",
            from: "drive.rest().await.map_err(not_now)?;",
            to: "let _ = drive.rest().await;",
        }],
        suite: Suite::Host,
        tests: &["gate::tests::webhooks::what_the_provider_does_not_confirm_is_sent_again"],
    },
    Mutation {
        name: "credit-check",
        why: "calls at one time spend the same balance",
        edits: &[Edit {
            file: "host/migrations/sqlite/0002_nothing_lost.sql",
            from: "amount    INTEGER NOT NULL CHECK (amount >= 0),",
            to: "amount    INTEGER NOT NULL,",
        }],
        suite: Suite::Host,
        tests: &["gate::tests::credit::twenty_calls_at_once_spend_a_balance_once"],
    },
    Mutation {
        name: "receipt-chain",
        why: "a receipt can be taken out of the ledger and nobody sees it",
        edits: &[Edit {
            file: "host/core/src/receipt.rs",
            from: "previous: self.head,",
            to: "previous: None,",
        }],
        suite: Suite::Core,
        tests: &["receipt::tests::a_receipt_says_what_was_bought_and_names_the_one_before"],
    },
    Mutation {
        name: "one-open-call",
        why: "a caller that asks twice at a time gets two links, and pays twice",
        edits: &[Edit {
            file: "host/migrations/postgres/0001_ledger.sql",
            from: "CONSTRAINT call_open UNIQUE,",
            to: ",",
        }],
        suite: Suite::Stores,
        tests: &["postgres::opened_at_once_it_is_one_call"],
    },
    Mutation {
        name: "one-call-a-reference",
        why: "one payment of the provider's pays for two calls",
        edits: &[
            Edit {
                file: "host/migrations/postgres/0001_ledger.sql",
                from: "CREATE UNIQUE INDEX call_reference",
                to: "CREATE INDEX call_reference",
            },
            Edit {
                file: "host/migrations/sqlite/0002_nothing_lost.sql",
                from: "CREATE UNIQUE INDEX call_reference",
                to: "CREATE INDEX call_reference",
            },
        ],
        suite: Suite::Stores,
        tests: &[
            "postgres::a_reference_means_one_payment",
            "sqlite::a_reference_means_one_payment",
        ],
    },
    Mutation {
        name: "claim-compare-and-set",
        why: "two hosts read a call as ready, and both claim it",
        edits: &[
            Edit {
                file: "host/src/ledger/postgres/calls.rs",
                from: "FROM call WHERE id = $1 FOR UPDATE OF call\"",
                to: "FROM call WHERE id = $1\"",
            },
            Edit {
                file: "host/src/ledger/postgres/records.rs",
                from: "WHERE id = $9 AND version = $10::bigint - 1\",",
                to: "WHERE id = $9\",",
            },
        ],
        suite: Suite::Stores,
        tests: &["postgres::of_fifty_claims_one_wins"],
    },
    Mutation {
        name: "sweepers-apart",
        why: "two hosts finish the same call at the same time",
        edits: &[Edit {
            file: "host/src/ledger/postgres/lists.rs",
            from: "ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED),",
            to: "ORDER BY due_at LIMIT $2),",
        }],
        suite: Suite::Stores,
        tests: &["postgres::two_hosts_never_take_the_same_call"],
    },
    Mutation {
        name: "credit-check-postgres",
        why: "calls at one time spend the same balance",
        edits: &[Edit {
            file: "host/migrations/postgres/0001_ledger.sql",
            from: "CONSTRAINT credit_amount CHECK (amount >= 0),",
            to: ",",
        }],
        suite: Suite::Stores,
        tests: &["postgres::a_balance_is_never_spent_twice_at_once"],
    },
    Mutation {
        name: "outcome-before-reply",
        why: "a caller is told a result that a dying host then loses",
        edits: &[Edit {
            file: "host/src/gate/runs.rs",
            from: "                let Some(stored) = gate.store(&claimed.record, &result).await else {",
            to: r#"                if let Ok(outcome) = &result {
                    let mut record = claimed.record.clone();
                    record.call.state = CallState::Deliverable;
                    let outcome = Arc::clone(outcome);
                    let delivery = Some(Delivery { outcome, receipt: None });
                    let told = Progress::Finished(Arc::new(Finished { record, delivery }));
                    slot.progress.send_replace(told);
                    gate.parts.clock.sleep(Duration::from_millis(1)).await;
                }
                let Some(stored) = gate.store(&claimed.record, &result).await else {"#,
        }],
        suite: Suite::Simulation,
        tests: &["no_seed_breaks_a_promise"],
    },
    Mutation {
        name: "refund-looks-again",
        why: "a host that was stopped sends money back for a call that was credited meanwhile",
        edits: &[Edit {
            file: "host/src/gate/remedy.rs",
            from: "if self.is_stale() {",
            to: "if false {",
        }],
        suite: Suite::Host,
        tests: &[
            "gate::tests::operate::a_host_that_was_stopped_before_its_refund_looks_again_before_it_sends_it",
        ],
    },
    Mutation {
        name: "refund-intent",
        why: "a refund is asked for before it is on record that it will be",
        edits: &[Edit {
            file: "host/src/gate/remedy.rs",
            from: "        if !self.is_current().await? {
            return Ok(None);
        }
        let CallState::Compensating {",
            to: "        let CallState::Compensating {",
        }],
        suite: Suite::Simulation,
        tests: &["no_seed_breaks_a_promise"],
    },
    Mutation {
        name: "refund-on-its-way",
        why: "a refund is asked for again under a forgotten key while the first request may still arrive",
        edits: &[Edit {
            file: "host/src/gate/remedy.rs",
            from: "Ok(_) if asked.key_holds || asked.unfound == Unfound::Again => {}",
            to: "Ok(_) if asked.key_holds || asked.unfound != Unfound::Never => {}",
        }],
        suite: Suite::Host,
        tests: &[
            "gate::tests::operate::an_ordered_refund_is_never_asked_for_again_under_a_forgotten_key",
            "gate::tests::recovery::a_host_that_carries_a_refund_on_does_not_ask_for_it_under_a_forgotten_key",
        ],
    },
    Mutation {
        name: "viewer-key",
        why: "strangers of two sessions share a payment",
        edits: &[Edit {
            file: "host/src/ledger/transition.rs",
            from: "Some(viewer) => serde_json::to_vec(&(parts, viewer)),",
            to: "Some(_) => serde_json::to_vec(&parts),",
        }],
        suite: Suite::Host,
        tests: &[
            "gate::tests::lists::the_hidden_tool_is_the_same_call_to_strangers_of_one_session_only",
        ],
    },
    Mutation {
        name: "token-audience",
        why: "a token that its issuer made for another server is taken",
        edits: &[Edit {
            file: "host/src/server/http/oauth/token.rs",
            from: "if !self.aud.texts().iter().any(is_ours) {",
            to: "if self.aud.texts().is_empty() && !self.aud.texts().iter().any(is_ours) {",
        }],
        suite: Suite::Host,
        tests: &["server::http::oauth::tests::what_is_claimed_must_be_right"],
    },
    Mutation {
        name: "token-algorithm",
        why: "a token is taken that is signed by an algorithm nobody configured",
        edits: &[Edit {
            file: "host/src/server/http/oauth/mod.rs",
            from: "if !self.rules.algorithms.contains(&algorithm) {",
            to: "if false {",
        }],
        suite: Suite::Host,
        tests: &["server::http::oauth::tests::nobody_but_the_issuer_makes_tokens"],
    },
    Mutation {
        name: "task-principal",
        why: "whoever learns a task's id sees and calls off somebody else's call",
        edits: &[Edit {
            file: "host/src/gate/task.rs",
            from: "quote.admits(&presented).is_ok()",
            to: "quote.admits(&presented).is_ok() || record.version >= 0",
        }],
        suite: Suite::Host,
        tests: &["gate::tests::task::a_task_is_nobody_elses"],
    },
    Mutation {
        name: "x402-signature",
        why: "anybody pays with somebody else's wallet",
        edits: &[Edit {
            file: "host/src/provider/x402/check.rs",
            from: "if signature_by == SignatureBy::Us && signed() != Some(transfer.from) {",
            to: "if signature_by == SignatureBy::Us && signed().is_none() {",
        }],
        suite: Suite::Host,
        tests: &[
            "provider::x402::tests::vectors::every_vector_is_judged_as_by_the_official_facilitators",
        ],
    },
    Mutation {
        name: "x402-challenge",
        why: "a payment for one call buys another of the same price",
        edits: &[Edit {
            file: "host/src/provider/x402/challenge.rs",
            from: "offer.arguments.as_bytes(),",
            to: "offer.component.as_bytes(),",
        }],
        suite: Suite::Host,
        tests: &[
            "provider::x402::tests::challenges::a_payment_buys_the_call_it_was_made_for_and_no_other",
        ],
    },
    Mutation {
        name: "x402-unproven",
        why: "a facilitator's failure ends a payment that was made",
        edits: &[Edit {
            file: "host/src/provider/x402/settle.rs",
            from: "_ => Outcome::Unknown(reason),",
            to: "_ => Outcome::NeverPaid,",
        }],
        suite: Suite::Host,
        tests: &["provider::x402::tests::settling::no_failure_proves_that_nothing_moved"],
    },
    Mutation {
        name: "x402-one-transfer",
        why: "one transfer on the chain counts for two payments",
        edits: &[Edit {
            file: "host/src/provider/x402/chain/evidence.rs",
            from: "let next = after.nth(1);",
            to: "let next = after.find(|log| is_transfer(log, to, transfer.from, transfer.value));",
        }],
        suite: Suite::Host,
        tests: &["provider::x402::chain::evidence::tests::one_transfer_pays_for_one_nonce"],
    },
    Mutation {
        name: "locked-digest",
        why: "a file that was replaced is loaded although the lock names another",
        edits: &[Edit {
            file: "host/src/trust/admission.rs",
            from: "Some(locked) if locked == found => Ok(()),",
            to: "Some(locked) if locked == found || !plugin.is_empty() => Ok(()),",
        }],
        suite: Suite::Host,
        tests: &[
            "reload::tests::trust::nothing_of_a_replaced_file_is_loaded_until_it_is_accepted",
        ],
    },
    Mutation {
        name: "locked-grants",
        why: "a grant that was not accepted comes with one that was",
        edits: &[Edit {
            file: "host/src/trust/admission.rs",
            from: "Some(pinned) if lines.iter().all(|line| pinned.grants.contains(line)) => {",
            to: "Some(pinned) if lines.iter().any(|line| pinned.grants.contains(line)) => {",
        }],
        suite: Suite::Host,
        tests: &["trust::admission::tests::one_grant_that_was_not_accepted_withholds_them_all"],
    },
    Mutation {
        name: "pinned-grants",
        why: "another version of a plugin runs with the grants of the accepted one",
        edits: &[Edit {
            file: "host/src/catalog/granted.rs",
            from: ".is_some_and(|pinned| *pinned != component)",
            to: ".is_some_and(|pinned| *pinned != component && plugin.is_empty())",
        }],
        suite: Suite::Host,
        tests: &["catalog::granted::tests::pinned_grants_are_not_for_another_version"],
    },
    Mutation {
        name: "file-signature",
        why: "a signature over something else admits a file",
        edits: &[Edit {
            file: "host/src/trust/minisign.rs",
            from: "key.key.verify(bytes, &self.signature, true).is_ok();",
            to: "key.key.verify(bytes, &self.signature, true).is_ok() || !bytes.is_empty();",
        }],
        suite: Suite::Host,
        tests: &["reload::tests::trust::what_stays_unsigned_or_is_signed_wrongly_is_told_and_never_loaded"],
    },
    Mutation {
        name: "cosign-about",
        why: "a signature of one artifact admits another",
        edits: &[Edit {
            file: "host/src/trust/cosign.rs",
            from: "Some(about) if about == manifest && kind == PAYLOAD_KIND => Ok(key),",
            to: "Some(about) if about == manifest || kind == PAYLOAD_KIND => Ok(key),",
        }],
        suite: Suite::Host,
        tests: &["trust::cosign::tests::only_what_is_about_this_manifest_counts"],
    },
    Mutation {
        name: "component-silence",
        why: "a component that crashed while it sent money back counts as one that did nothing",
        edits: &[Edit {
            file: "host/src/provider/component/ask.rs",
            from: "(Self::Money, Silence::Asked(why)) => ProviderError::Unreachable(why),",
            to: "(Self::Money, Silence::Asked(why)) => ProviderError::Refused(why),",
        }],
        suite: Suite::Host,
        tests: &["provider::component::ask::tests::no_answer_is_unknown_where_money_may_have_moved"],
    },
    Mutation {
        name: "component-currency",
        why: "what arrived in one currency goes back in another",
        edits: &[Edit {
            file: "host/src/provider/component/mod.rs",
            from: "amount: refund.money(),",
            to: "amount: Money { amount: refund.amount, ..refund.payment.price },",
        }],
        suite: Suite::Host,
        tests: &["provider::component::tests::what_goes_back_is_counted_in_the_currency_that_arrived"],
    },
    Mutation {
        name: "component-mask",
        why: "the begin of a secret is logged where a component's message is cut",
        edits: &[Edit {
            file: "host/src/provider/component/ask.rs",
            from: "let masked = without_secrets(theirs, secrets.iter().map(String::as_str));",
            to: "let theirs = tame(&theirs, MESSAGE_CHARS_MAX);
    let masked = without_secrets(theirs, secrets.iter().map(String::as_str));",
        }],
        suite: Suite::Host,
        tests: &[
            "provider::component::ask::tests::no_part_of_a_secret_is_shown_where_words_are_cut_or_tamed",
        ],
    },
    Mutation {
        name: "component-pin",
        why: "another file than the one that was pinned moves the money",
        edits: &[Edit {
            file: "host/src/provider/component/settings.rs",
            from: "(Some(pinned), _) if pinned != found => Err(format!(",
            to: "(Some(pinned), _) if pinned > found && pinned < found => Err(format!(",
        }],
        suite: Suite::Host,
        tests: &["provider::component::settings::tests::a_file_is_what_was_pinned_or_is_not_loaded"],
    },
];
