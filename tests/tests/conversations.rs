//! Conversations about payment, by clients that know the wire and nothing else: forms, links and waits, in both eras and
//! over both transports.

use std::sync::Arc;

use coinop_tests::answer::Answer;
use coinop_tests::books::Books;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::host::HttpHost;
use coinop_tests::pay::{decline, pay};
use coinop_tests::talker::{Call, Talker};
use coinop_tests::wait::{until, within};
use futures::future::join_all;
use serde_json::{Value, json};

/// The key that the HTTP hosts know.
const KEY: &str = "a-key-of-the-tests-0123456789abcdef";

/// A host of the sales plugin in a mode, and a client of it. Each over stdio and over HTTP, with a key.
struct Stage {
    home: Home,
    host: Option<HttpHost>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Transport {
    Stdio,
    Http,
}

const TRANSPORTS: [Transport; 2] = [Transport::Stdio, Transport::Http];

impl Stage {
    async fn new(mode: &str, transport: Transport) -> Self {
        let home = Home::new().plugin("sales").plugin("echo").mode(mode);
        let mut home = home.config("[http.keys.ada]\nkey = { env = \"ADA\" }\n");
        home.env("ADA", KEY);
        let host = match transport {
            Transport::Stdio => None,
            Transport::Http => Some(home.http().await),
        };
        Self { home, host }
    }

    async fn talker(&self, era: Era, capabilities: Value) -> Talker {
        match &self.host {
            None => Talker::stdio(&self.home, era, capabilities).await,
            Some(host) => Talker::http(host.address, era, capabilities, Some(KEY)).await,
        }
    }

    fn runs(&self, payment: &str) -> u64 {
        Books::of(&self.home).runs(payment)
    }
}

fn forms() -> Value {
    json!({"elicitation": {}})
}

fn links() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}})
}

fn none() -> Value {
    json!({})
}

/// The link in a message to people.
fn link(message: &Value) -> String {
    let text = message
        .as_str()
        .unwrap_or_else(|| panic!("no text: {message}"));
    let from = text
        .find("http://")
        .unwrap_or_else(|| panic!("no link: {text}"));
    let until = text[from..]
        .find(char::is_whitespace)
        .unwrap_or(text.len() - from);
    text[from..from + until].to_owned()
}

/// The payment's id in a message to people.
fn payment_id(message: &Value) -> String {
    let text = message
        .as_str()
        .unwrap_or_else(|| panic!("no text: {message}"));
    let from = text.find("pay_").unwrap_or_else(|| panic!("no id: {text}"));
    text[from..from + 30].to_owned()
}

fn ran(answer: &Answer) {
    assert!(answer.text().starts_with("ran at "), "{}", answer.0);
}

fn accept() -> Value {
    json!({"action": "accept", "content": {"paid": true}})
}

#[tokio::test]
async fn a_legacy_form_is_answered_and_paid() {
    for transport in TRANSPORTS {
        let stage = Stage::new("elicitation", transport).await;
        let talker = stage.talker(Era::Legacy, forms()).await;
        let call = talker.call("tell", json!({}), none()).await;
        let form = talker.heard("elicitation/create").await;
        assert_eq!(form["params"]["mode"], "form", "{form}");
        let schema = &form["params"]["requestedSchema"];
        assert_eq!(schema["properties"]["paid"]["type"], "boolean", "{form}");
        let message = &form["params"]["message"];
        for part in ["0.01 USD", "tell", "TEST"] {
            assert!(message.as_str().unwrap().contains(part), "{message}");
        }
        // "Yes" before it is true is looked up, and the form comes again.
        talker.respond(&form, accept()).await;
        let again = talker.heard("elicitation/create").await;
        let again_message = &again["params"]["message"];
        assert!(again_message.as_str().unwrap().contains("Not paid yet"));
        assert_eq!(link(again_message), link(message));
        pay(&link(message)).await;
        // The payment is answer enough, whatever becomes of the form.
        let answer = talker.answer(&call).await;
        ran(&answer);
        let withdrawn = talker.heard("notifications/cancelled").await;
        assert_eq!(withdrawn["params"]["requestId"], again["id"]);
        assert_eq!(stage.runs(&payment_id(message)), 1, "{transport:?}");
    }
}

#[tokio::test]
async fn an_accepted_legacy_form_needs_no_content() {
    let stage = Stage::new("elicitation", Transport::Stdio).await;
    let talker = stage.talker(Era::Legacy, forms()).await;
    for answer in [
        json!({"action": "accept"}),
        json!({"action": "accept", "content": {"paid": false}}),
    ] {
        let call = talker.call("tell", json!({"for": answer}), none()).await;
        let form = talker.heard("elicitation/create").await;
        talker.respond(&form, answer).await;
        pay(&link(&form["params"]["message"])).await;
        ran(&talker.answer(&call).await);
    }
}

#[tokio::test]
async fn a_declined_legacy_form_calls_the_payment_off_unless_it_was_paid() {
    for transport in TRANSPORTS {
        let stage = Stage::new("elicitation", transport).await;
        let talker = stage.talker(Era::Legacy, forms()).await;
        let call = talker.call("tell", json!({}), none()).await;
        let form = talker.heard("elicitation/create").await;
        talker.respond(&form, json!({"action": "decline"})).await;
        let answer = talker.answer(&call).await;
        assert!(answer.is_refused(), "{}", answer.0);
        let page = coinop_tests::pay::page(&link(&form["params"]["message"])).await;
        assert!(page.text().contains("Declined"), "{}", page.text());
        assert_eq!(stage.runs(&payment_id(&form["params"]["message"])), 0);
    }
}

#[tokio::test]
async fn a_cancelled_legacy_form_leaves_the_payment_open() {
    for transport in TRANSPORTS {
        let stage = Stage::new("elicitation", transport).await;
        let talker = stage.talker(Era::Legacy, forms()).await;
        for refuses in [false, true] {
            let call = talker.call("tell", json!({"n": refuses}), none()).await;
            let form = talker.heard("elicitation/create").await;
            match refuses {
                // A client that cannot show it, after all.
                true => talker.refuse(&form).await,
                false => talker.respond(&form, json!({"action": "cancel"})).await,
            }
            let asked = talker.answer(&call).await.payment();
            assert_eq!(asked.status, "pending");
            assert_eq!(asked.url, link(&form["params"]["message"]));
            pay(&asked.url).await;
            let confirm = json!({"payment_id": asked.id});
            ran(&talker.ask("confirm_payment", confirm, none()).await);
        }
    }
}

#[tokio::test]
async fn a_caller_that_cancels_takes_the_question_along_and_leaves_the_payment_open() {
    for transport in TRANSPORTS {
        let stage = Stage::new("elicitation", transport).await;
        let talker = stage.talker(Era::Legacy, forms()).await;
        let call = talker.call("tell", json!({}), none()).await;
        let form = talker.heard("elicitation/create").await;
        talker.cancel(&call).await;
        let withdrawn = talker.heard("notifications/cancelled").await;
        assert_eq!(
            withdrawn["params"]["requestId"], form["id"],
            "{transport:?}"
        );
        // The same call again finds the same payment.
        let call = talker.call("tell", json!({}), none()).await;
        let again = talker.heard("elicitation/create").await;
        assert_eq!(
            link(&again["params"]["message"]),
            link(&form["params"]["message"])
        );
        pay(&link(&form["params"]["message"])).await;
        ran(&talker.answer(&call).await);
    }
}

#[tokio::test]
async fn nothing_is_sent_to_clients_that_did_not_declare_it() {
    for transport in TRANSPORTS {
        for (mode, capabilities) in [
            ("elicitation", none()),
            ("url_elicitation", none()),
            ("elicitation", json!({"elicitation": {"url": {}}})),
            ("progress", links()),
        ] {
            let stage = Stage::new(mode, transport).await;
            for era in [Era::Legacy, Era::Modern] {
                let talker = stage.talker(era, capabilities.clone()).await;
                let answer = talker
                    .ask("tell", json!({"era": era.version()}), none())
                    .await;
                let asked = answer.payment();
                assert_eq!(
                    asked.status, "payment_required",
                    "{mode} {capabilities} {}",
                    answer.0
                );
                assert!(answer.text().contains(&asked.url), "{}", answer.0);
                assert_eq!(talker.take("elicitation/create"), None);
            }
        }
    }
}

#[tokio::test]
async fn a_link_is_a_form_for_clients_that_only_show_forms() {
    let stage = Stage::new("url_elicitation", Transport::Stdio).await;
    let talker = stage.talker(Era::Legacy, forms()).await;
    let _call = talker.call("tell", json!({}), none()).await;
    let asked = talker.heard("elicitation/create").await;
    assert_eq!(asked["params"]["mode"], "form", "{asked}");
}

#[tokio::test]
async fn a_legacy_client_opens_the_link_and_hears_that_it_is_done() {
    for transport in TRANSPORTS {
        for answers in [true, false] {
            let stage = Stage::new("url_elicitation", transport).await;
            let talker = stage.talker(Era::Legacy, links()).await;
            let more = json!({"_meta": {"progressToken": "t"}});
            let call = talker.call("tell", json!({}), more).await;
            let asked = talker.heard("elicitation/create").await;
            let params = &asked["params"];
            assert_eq!(params["mode"], "url", "{asked}");
            // A client may keep its answer until it hears that the link is done.
            if answers {
                talker.respond(&asked, json!({"action": "accept"})).await;
            }
            pay(params["url"].as_str().unwrap()).await;
            let done = talker.heard("notifications/elicitation/complete").await;
            assert_eq!(done["params"]["elicitationId"], params["elicitationId"]);
            let answer = talker.answer(&call).await;
            ran(&answer);
            assert_eq!(stage.runs(&payment_id(&params["message"])), 1);
            assert_eq!(talker.take("notifications/elicitation/complete"), None);
            assert!(
                talker.take("notifications/progress").is_some(),
                "{transport:?}"
            );
        }
    }
}

/// A modern answer that asks: its input request and its state.
fn input(answer: &Answer) -> (Value, Value) {
    let result = answer.result();
    assert_eq!(result["resultType"], "input_required", "{}", answer.0);
    let request = &result["inputRequests"]["pay"];
    assert_eq!(request["method"], "elicitation/create", "{}", answer.0);
    (request["params"].clone(), result["requestState"].clone())
}

fn retry(answer: Value, state: &Value) -> Value {
    json!({"inputResponses": {"pay": answer}, "requestState": state})
}

#[tokio::test]
async fn a_modern_form_goes_its_rounds() {
    for transport in TRANSPORTS {
        let stage = Stage::new("elicitation", transport).await;
        let talker = stage.talker(Era::Modern, forms()).await;
        let tell = async |more: Value| talker.ask("tell", json!({"a": 1}), more).await;
        let (form, state) = input(&tell(none()).await);
        assert_eq!(form["mode"], "form");
        let (again, second) = input(&tell(retry(accept(), &state)).await);
        assert!(
            again["message"].as_str().unwrap().contains("Not paid yet"),
            "{again}"
        );
        assert_eq!(link(&again["message"]), link(&form["message"]));
        assert_ne!(second, state);
        // An answer that is missing is asked for again; a state that does not hold is refused.
        let (missing, third) = input(&tell(json!({"requestState": second})).await);
        assert_eq!(link(&missing["message"]), link(&form["message"]));
        let forged = tell(retry(accept(), &json!("pay_x.1.2.AAAA"))).await;
        assert_eq!(forged.error_code(), Some(-32602), "{}", forged.0);
        pay(&link(&form["message"])).await;
        let answer = tell(retry(accept(), &third)).await;
        ran(&answer);
        // A state that is sent again leads to the same outcome.
        for state in [&state, &second, &third] {
            let replayed = tell(retry(accept(), state)).await;
            assert_eq!(replayed.text(), answer.text(), "{}", replayed.0);
            let no = tell(retry(json!({"action": "decline"}), state)).await;
            assert_eq!(no.text(), answer.text(), "{}", no.0);
        }
        assert_eq!(stage.runs(&payment_id(&form["message"])), 1);
        // With other arguments, and for another tool, it is worth nothing.
        for (tool, arguments) in [("tell", json!({"a": 2})), ("send", json!({"a": 1}))] {
            let other = talker.ask(tool, arguments, retry(accept(), &state)).await;
            assert_eq!(other.error_code(), Some(-32602), "{}", other.0);
        }
    }
}

#[tokio::test]
async fn rounds_end_and_leave_the_link() {
    let stage = Stage::new("elicitation", Transport::Http).await;
    let talker = stage.talker(Era::Modern, forms()).await;
    let mut more = none();
    let mut asked = 0;
    let pending = loop {
        let answer = talker.ask("tell", json!({}), more).await;
        if answer.result()["resultType"] != "input_required" {
            break answer;
        }
        let (_, state) = input(&answer);
        asked += 1;
        // Answers stay away: no round waits for a payment.
        more = json!({"requestState": state});
    };
    assert_eq!(asked, 3);
    let payment = pending.payment();
    assert_eq!(payment.status, "pending");
    assert!(pending.text().contains(&payment.url), "{}", pending.0);
    pay(&payment.url).await;
    let confirm = json!({"payment_id": payment.id});
    ran(&talker.ask("confirm_payment", confirm, none()).await);
}

#[tokio::test]
async fn an_anonymous_modern_caller_keeps_its_payment_by_its_state() {
    let home = Home::new().plugin("sales").mode("elicitation");
    let host = home.http().await;
    let talker = Talker::http(host.address, Era::Modern, forms(), None).await;
    let (form, state) = input(&talker.ask("tell", json!({}), none()).await);
    let (missing, state) = input(
        &talker
            .ask("tell", json!({}), json!({"requestState": state}))
            .await,
    );
    assert_eq!(link(&missing["message"]), link(&form["message"]));
    pay(&link(&form["message"])).await;
    ran(&talker.ask("tell", json!({}), retry(accept(), &state)).await);
    // Without a state nobody knows whose it is.
    let (stranger, _) = input(&talker.ask("tell", json!({}), none()).await);
    assert_ne!(link(&stranger["message"]), link(&form["message"]));
}

#[tokio::test]
async fn another_host_of_the_ledger_takes_the_conversation_up() {
    let home = Home::new().plugin("sales").mode("url_elicitation");
    let one = Talker::stdio(&home, Era::Modern, links()).await;
    let (asked, state) = input(&one.ask("tell", json!({}), none()).await);
    let two = Talker::stdio(&home, Era::Modern, links()).await;
    let call = two
        .call(
            "tell",
            json!({}),
            retry(json!({"action": "accept"}), &state),
        )
        .await;
    pay(asked["url"].as_str().unwrap()).await;
    ran(&two.answer(&call).await);
}

#[tokio::test]
async fn a_tool_that_is_gone_is_still_owed_to_whoever_carries_its_state() {
    let stage = Stage::new("elicitation", Transport::Http).await;
    let talker = stage.talker(Era::Modern, forms()).await;
    let (form, state) = input(&talker.ask("tell", json!({}), none()).await);
    pay(&link(&form["message"])).await;
    std::fs::remove_file(stage.home.plugin_path("sales")).unwrap();
    until("the tool to be gone", async || {
        let unknown = talker.ask("fail", json!({}), none()).await;
        (unknown.error_code() == Some(-32602)).then_some(())
    })
    .await;
    let forged = retry(accept(), &json!("forged"));
    let unknown = talker.ask("tell", json!({}), forged).await;
    assert_eq!(unknown.error_code(), Some(-32602), "{}", unknown.0);
    let answer = talker.ask("tell", json!({}), retry(accept(), &state)).await;
    ran(&answer);
    assert_eq!(stage.runs(&payment_id(&form["message"])), 1);
}

#[tokio::test]
async fn a_modern_link_waits_for_its_payment() {
    for transport in TRANSPORTS {
        let stage = Stage::new("url_elicitation", transport).await;
        let talker = stage.talker(Era::Modern, links()).await;
        let (asked, state) = input(&talker.ask("tell", json!({}), none()).await);
        assert_eq!(asked["mode"], "url");
        let mut more = retry(json!({"action": "accept"}), &state);
        more["_meta"] = json!({"progressToken": 7});
        let call = talker.call("tell", json!({}), more).await;
        let told = talker.heard("notifications/progress").await;
        assert!(
            told["params"]["message"]
                .as_str()
                .unwrap()
                .contains(asked["url"].as_str().unwrap())
        );
        pay(asked["url"].as_str().unwrap()).await;
        ran(&talker.answer(&call).await);
        let (no, state) = input(&talker.ask("tell", json!({"b": 1}), none()).await);
        let declined = talker
            .ask(
                "tell",
                json!({"b": 1}),
                retry(json!({"action": "decline"}), &state),
            )
            .await;
        assert!(declined.is_refused(), "{}", declined.0);
        assert_eq!(stage.runs(&payment_id(&no["message"])), 0);
    }
}

/// Calls in PROGRESS mode and awaits the first word: the call and the link.
async fn waiting(talker: &Talker, tool: &str, arguments: Value) -> (Call, Value) {
    let more = json!({"_meta": {"progressToken": "t"}});
    let call = talker.call(tool, arguments, more).await;
    let told = talker.heard("notifications/progress").await;
    let message = told["params"]["message"].clone();
    assert_eq!(told["params"]["progressToken"], "t");
    for part in ["0.01 USD", "pay_", "http://", "TEST"] {
        assert!(message.as_str().unwrap().contains(part), "{message}");
    }
    (call, message)
}

#[tokio::test]
async fn a_wait_with_progress_ends_with_the_payment() {
    for transport in TRANSPORTS {
        let stage = Stage::new("progress", transport).await;
        for era in [Era::Legacy, Era::Modern] {
            let talker = stage.talker(era, none()).await;
            let slow = json!({"ms": 1_000 + era as u64});
            let (call, message) = waiting(&talker, "slow_paid", slow).await;
            pay(&link(&message)).await;
            let answer = talker.answer(&call).await;
            assert!(answer.text().starts_with("waited"), "{}", answer.0);
            let mut told = Vec::new();
            while let Some(word) = talker.take("notifications/progress") {
                told.push(word["params"].clone());
            }
            assert!(
                told[0]["message"].as_str().unwrap().starts_with("Paid"),
                "{told:?}"
            );
            let steps: Vec<_> = told.iter().filter(|word| word["total"] == 10.0).collect();
            // The host passes at most ten reports a second on.
            assert!(steps.len() >= 4, "the run's own words: {told:?}");
            let values = told.iter().map(|word| word["progress"].as_f64().unwrap());
            assert!(
                values.clone().zip(values.skip(1)).all(|(a, b)| a < b),
                "{told:?}"
            );
            assert_eq!(stage.runs(&payment_id(&message)), 1);
        }
    }
}

#[tokio::test]
async fn a_wait_sees_what_another_host_was_paid() {
    let home = Home::new().plugin("sales").mode("progress");
    let waiter = Talker::stdio(&home, Era::Legacy, none()).await;
    let (call, message) = waiting(&waiter, "tell", json!({})).await;
    // The command line is another process on the same ledger.
    coinop_tests::pay::pay_by_command(&home, &payment_id(&message)).await;
    ran(&waiter.answer(&call).await);
}

#[tokio::test]
async fn a_wait_ends_when_the_payer_says_no() {
    let stage = Stage::new("progress", Transport::Http).await;
    let talker = stage.talker(Era::Modern, none()).await;
    let (call, message) = waiting(&talker, "tell", json!({})).await;
    decline(&link(&message)).await;
    let answer = talker.answer(&call).await;
    assert!(answer.is_refused(), "{}", answer.0);
}

#[tokio::test]
async fn a_client_that_goes_away_loses_nothing() {
    let stage = Stage::new("progress", Transport::Http).await;
    for (n, era) in [Era::Legacy, Era::Modern].into_iter().enumerate() {
        // While it waits.
        let talker = stage.talker(era, none()).await;
        let (call, message) = waiting(&talker, "tell", json!({"n": n})).await;
        call.hang_up();
        pay(&link(&message)).await;
        let back = stage.talker(era, none()).await;
        let confirm = json!({"payment_id": payment_id(&message)});
        let first = back.ask("confirm_payment", confirm.clone(), none()).await;
        ran(&first);
        // After the run.
        let again = back.ask("confirm_payment", confirm, none()).await;
        assert_eq!(again.text(), first.text());
        assert_eq!(stage.runs(&payment_id(&message)), 1);

        // In the run.
        let slow = json!({"ms": 2_000 + n});
        let (call, message) = waiting(&talker, "slow_paid", slow.clone()).await;
        pay(&link(&message)).await;
        within("a step of the run", async {
            while !talker.heard("notifications/progress").await["params"]["total"].is_number() {}
        })
        .await;
        call.hang_up();
        let same = back
            .ask("slow_paid", slow, json!({"_meta": {"progressToken": "t"}}))
            .await;
        assert!(same.text().starts_with("waited"), "{}", same.0);
        assert_eq!(
            stage.runs(&payment_id(&message)),
            1,
            "one run, by one call or the other"
        );
    }
}

#[tokio::test]
async fn eight_calls_on_one_payment_run_once() {
    for (mode, era, capabilities) in [
        ("elicitation", Era::Legacy, forms()),
        ("url_elicitation", Era::Legacy, links()),
        ("progress", Era::Legacy, none()),
        ("progress", Era::Modern, none()),
    ] {
        for transport in TRANSPORTS {
            let stage = Stage::new(mode, transport).await;
            let talker = Arc::new(stage.talker(era, capabilities.clone()).await);
            let arguments = json!({"ms": 200});
            let mut calls = Vec::new();
            let mut message = Value::Null;
            for n in 0..8 {
                let more = json!({"_meta": {"progressToken": n}});
                calls.push(talker.call("send", arguments.clone(), more).await);
                message = match mode {
                    "progress" => talker.heard("notifications/progress").await,
                    _ => talker.heard("elicitation/create").await,
                }["params"]["message"]
                    .clone();
            }
            pay(&link(&message)).await;
            let answers = join_all(calls.iter().map(|call| talker.answer(call))).await;
            for answer in &answers {
                ran(answer);
                assert_eq!(answer.text(), answers[0].text());
            }
            assert_eq!(stage.runs(&payment_id(&message)), 1, "{mode} {transport:?}");
        }
    }
}

#[tokio::test]
async fn eight_modern_rounds_on_one_payment_run_once() {
    for mode in ["elicitation", "url_elicitation"] {
        let stage = Stage::new(mode, Transport::Http).await;
        let talker = Arc::new(stage.talker(Era::Modern, links()).await);
        let (asked, state) = input(&talker.ask("send", json!({}), none()).await);
        pay(&link(&asked["message"])).await;
        let rounds = (0..8).map(|_| talker.ask("send", json!({}), retry(accept(), &state)));
        let answers = join_all(rounds).await;
        for answer in &answers {
            ran(answer);
            assert_eq!(answer.text(), answers[0].text());
        }
        assert_eq!(stage.runs(&payment_id(&asked["message"])), 1, "{mode}");
    }
}

#[tokio::test]
async fn a_tool_that_fails_is_made_good_in_each_mode() {
    for (mode, capabilities) in [
        ("elicitation", forms()),
        ("url_elicitation", links()),
        ("progress", none()),
    ] {
        let stage = Stage::new(mode, Transport::Stdio).await;
        let talker = stage.talker(Era::Legacy, capabilities).await;
        for tool in ["fail", "trap"] {
            let more = json!({"_meta": {"progressToken": tool}});
            let call = talker.call(tool, json!({}), more).await;
            let told = match mode {
                "progress" => talker.heard("notifications/progress").await,
                _ => talker.heard("elicitation/create").await,
            };
            let message = &told["params"]["message"];
            pay(&link(message)).await;
            let answer = talker.answer(&call).await;
            assert!(answer.is_error(), "{mode}: {}", answer.0);
            until("the money's return", async || {
                let page = coinop_tests::pay::page(&link(message)).await;
                page.text().contains("Returned").then_some(())
            })
            .await;
            while talker.take("notifications/progress").is_some() {}
        }
        assert_eq!(Books::of(&stage.home).imbalances(), 0, "{mode}");
    }
}

#[tokio::test]
async fn a_host_that_stops_tells_who_waits_to_come_back() {
    let stage = Stage::new("progress", Transport::Http).await;
    let talker = stage.talker(Era::Modern, none()).await;
    let (call, message) = waiting(&talker, "tell", json!({})).await;
    let host = stage.host.as_ref().unwrap();
    let pid = host.pid().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(sent.unwrap().success());
    let asked = talker.answer(&call).await.payment();
    assert_eq!(
        (asked.status.as_str(), asked.url),
        ("pending", link(&message))
    );
}
