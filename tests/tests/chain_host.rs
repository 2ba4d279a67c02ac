//! The whole host while everything between it and the chain goes wrong. After each scene its word, to whoever brought the
//! payment and in the ledger, is held against the chain: paid and delivered, or unpaid and withheld; never a second charge,
//! and never a second request for payment while nobody knows.
//!
//! The scenes of one test share a chain; each has a payer of its own. What a scene leaves open the sweeper ends, of the next
//! host on the same ledger.

use std::process::Stdio;

use coinop_tests::answer::Answer;
use coinop_tests::books::Books;
use coinop_tests::chain::{FINAL_BLOCKS, Facilitator, Fault, Kind, PRICE, Said, Sale, Shop, story};
use coinop_tests::era::Era;
use coinop_tests::wait::{until, within};
use futures::future::{join, join_all};

/// The facilitator is not asked before the run, so that a scene can be set beforehand.
const UNASKED: &str = "verify = \"local\"\n";
/// Longer than hosts try before a person must look, milliseconds.
const DAYS_MS: i64 = 8 * 24 * 60 * 60 * 1_000;

/// Presents a payment whose end nobody can know yet.
async fn present_unknown(shop: &Shop, sale: &Sale) {
    assert_eq!(shop.present(sale).await, Said::Running);
    shop.check_open(sale).await;
}

/// Presents a payment that may be made at once or be under way.
async fn present_promising(shop: &Shop, sale: &Sale) {
    let said = shop.present(sale).await;
    assert!(
        matches!(said, Said::Delivered { .. } | Said::Running),
        "{said:?}"
    );
}

/// Somebody else has the very same payment settled, while the host does not know what became of it.
async fn settled_by_a_stranger(shop: &Shop) {
    let sale = hangs_before(shop).await;
    let settled = shop.facilitator.settle(&sale.payment).await;
    assert_eq!(settled["success"], true, "{settled}");
    let said = shop.present(&sale).await;
    assert_eq!(said.delivered().1, settled["transaction"]);
    shop.check_sold(&sale).await;
}

/// The answer to `/settle` is lost, and the payment made.
async fn lost_answers(shop: &Shop) {
    for fault in [Fault::HangAfter, Fault::CutAfter, Fault::BadGatewayAfter] {
        let sale = shop.sale().await;
        shop.facilitator.fault(fault).await;
        let said = shop.present(&sale).await;
        assert!(
            matches!(said, Said::Delivered { .. }),
            "{fault:?}: {said:?}"
        );
        shop.check_sold(&sale).await;
    }
}

/// The answer to `/settle` is lost, the payment made, and the host's own node is dead.
async fn lost_answer_and_dead_node(shop: &Shop) {
    let sale = shop.sale().await;
    shop.facilitator.fault(Fault::HangAfter).await;
    let cut = async {
        until_moved(shop, &sale).await;
        shop.chain.cut_hosts_off(true);
    };
    let (said, ()) = join(shop.present(&sale), cut).await;
    assert_eq!(said, Said::Running);
    shop.check_stays_open(&sale).await;
    shop.chain.cut_hosts_off(false);
    shop.check_sold(&sale).await;
}

async fn until_moved(shop: &Shop, sale: &Sale) {
    let moved = async || (shop.moved(sale).await == 1).then_some(());
    until("the money to move", moved).await;
}

/// The tool fails: nothing is taken.
async fn failing_tool(shop: &Shop) {
    let payer = shop.payer(PRICE).await;
    let sale = shop.signed_for("fail", payer, 1).await;
    shop.check_withheld(&sale, 0).await;
    assert!(!shop.chain.nonce_ended(&sale.payer(), sale.nonce).await);
    assert_eq!(shop.chain.balance(&sale.payer()).await, PRICE);
}

/// The facilitator hangs before it does anything.
async fn hangs_before(shop: &Shop) -> Sale {
    let sale = shop.sale().await;
    shop.facilitator.fault(Fault::HangBefore).await;
    present_unknown(shop, &sale).await;
    assert_eq!(shop.moved(&sale).await, 0);
    sale
}

/// The node takes the transaction, the facilitator never hears of it, and says that it failed.
async fn fails_after_sending(shop: &Shop) -> Sale {
    let sale = shop.sale().await;
    shop.chain.lose_next_answer();
    present_promising(shop, &sale).await;
    sale
}

/// The facilitator's node is dead.
async fn dead_node(shop: &Shop) -> Sale {
    let sale = shop.sale().await;
    shop.chain.cut_facilitators_off(true);
    present_unknown(shop, &sale).await;
    shop.check_stays_open(&sale).await;
    shop.chain.cut_facilitators_off(false);
    assert_eq!(shop.moved(&sale).await, 0);
    sale
}

/// The payer's account is frozen.
async fn frozen(shop: &Shop) -> Sale {
    let sale = shop.sale().await;
    shop.chain.freeze(&sale.payer(), true).await;
    present_unknown(shop, &sale).await;
    shop.check_stays_open(&sale).await;
    sale
}

/// The payer has not the money.
async fn too_poor(shop: &Shop) -> Sale {
    let sale = shop.signed(shop.payer(PRICE - 1).await, 1).await;
    present_unknown(shop, &sale).await;
    shop.check_stays_open(&sale).await;
    sale
}

/// The payer cancels its authorization, when the run is over and nobody knows yet what became of the payment.
async fn cancelled(shop: &Shop) -> Sale {
    let sale = hangs_before(shop).await;
    shop.chain.send(&sale.wallet.cancel(sale.nonce)).await;
    shop.check_stays_open(&sale).await;
    sale
}

/// A payment that was made or cancelled before it is brought buys nothing: nothing runs on it.
async fn used_before(shop: &Shop) {
    let cancelled = shop.sale().await;
    shop.chain
        .send(&cancelled.wallet.cancel(cancelled.nonce))
        .await;
    let said = shop.present(&cancelled).await;
    assert!(matches!(said, Said::Challenged(_)), "{said:?}");
    assert_eq!(story(&shop.home, &cancelled.name()).await, None);
    assert_eq!(shop.chain.balance(&cancelled.payer()).await, PRICE);
}

/// Two payments of one payer, and money for one. The other one.
async fn money_for_one(shop: &Shop) -> Sale {
    let first = shop.sale().await;
    let second = shop.signed(first.wallet.clone(), 2).await;
    present_promising(shop, &first).await;
    shop.check_sold(&first).await;
    present_unknown(shop, &second).await;
    second
}

/// The same payment is presented many times at once, to two hosts.
async fn many_times_at_once(shop: &Shop) {
    let sale = shop.sale().await;
    let other = shop.home.stdio(Era::Modern).await;
    let there = join_all((0..4).map(|_| other.request("tools/call", sale.call())));
    let here = join_all((0..4).map(|_| shop.present(&sale)));
    let (here, there) = join(here, there).await;
    let there = there.into_iter().map(|answer| Said::of(&Answer(answer)));
    for said in here.into_iter().chain(there) {
        assert!(
            matches!(said, Said::Delivered { .. } | Said::Running),
            "{said:?}"
        );
    }
    shop.check_sold(&sale).await;
}

/// Ten payers at once.
async fn ten_at_once(shop: &Shop) -> Vec<Sale> {
    let sales = join_all((0..10).map(|_| shop.sale())).await;
    join_all(sales.iter().map(|sale| present_promising(shop, sale))).await;
    sales
}

async fn everything_goes_wrong(kind: Kind) {
    let mut shop = Shop::open(kind, UNASKED).await;
    used_before(&shop).await;
    settled_by_a_stranger(&shop).await;
    failing_tool(&shop).await;
    lost_answers(&shop).await;
    lost_answer_and_dead_node(&shop).await;
    many_times_at_once(&shop).await;
    let hung = hangs_before(&shop).await;
    let unheard = fails_after_sending(&shop).await;
    let dead = dead_node(&shop).await;
    let ten = ten_at_once(&shop).await;
    shop.later().await;
    for sale in [&hung, &unheard, &dead].into_iter().chain(&ten) {
        shop.swept(sale, "deliverable").await;
        shop.check_sold(sale).await;
    }

    // Apart from those above: when the npm facilitator fails to send one transaction, it numbers those that it sends at the
    // same moment wrongly, and they wait for ever.
    let cancelled = cancelled(&shop).await;
    let frozen = frozen(&shop).await;
    let poor = too_poor(&shop).await;
    let second = money_for_one(&shop).await;
    shop.chain.mine(FINAL_BLOCKS).await;
    shop.later().await;
    shop.swept(&cancelled, "withheld").await;
    shop.check_withheld(&cancelled, 0).await;
    for sale in [&frozen, &poor, &second] {
        shop.left_open(sale).await;
    }
    shop.chain.freeze(&frozen.payer(), false).await;
    shop.check_sold(&frozen).await;

    // From here on the chain's clock is ahead of everybody's.
    let late = shop.sale().await;
    shop.chain.pass_time(shop.payments_hold_s().await).await;
    present_unknown(&shop, &late).await;
    shop.check_stays_open(&late).await;
    shop.chain.mine(FINAL_BLOCKS).await;
    shop.later().await;
    for (sale, moved_before) in [(&late, 0), (&poor, 0), (&second, 1)] {
        shop.swept(sale, "withheld").await;
        shop.check_withheld(sale, moved_before).await;
    }
    assert_eq!(shop.chain.balance(&late.payer()).await, PRICE);
    // A stranger's, four lost answers, one presented to two hosts, three that were open, ten, the first of two, and one
    // that was thawed.
    shop.check_till(1 + 4 + 1 + 3 + 10 + 1 + 1).await;
}

#[tokio::test]
async fn everything_goes_wrong_with_the_npm_facilitator() {
    everything_goes_wrong(Kind::Ts).await;
}

#[tokio::test]
async fn everything_goes_wrong_with_the_python_facilitator() {
    everything_goes_wrong(Kind::Py).await;
}

/// Another facilitator settles the very same payment at the moment when the host has it settled.
async fn settled_twice_at_once(shop: &Shop, other: &Facilitator) {
    let sale = shop.sale().await;
    let stranger = async {
        let known = async || {
            let calls = Books::of(&shop.home).brought(&sale.name());
            (!calls.is_empty()).then_some(())
        };
        until("the payment to be on record", known).await;
        other.settle(&sale.payment).await
    };
    join(present_promising(shop, &sale), stranger).await;
    shop.check_sold(&sale).await;
}

/// Mining stalls; another facilitator is asked meanwhile; a transaction is dropped.
async fn mining_stalls(kind: Kind) {
    let mut shop = Shop::open(kind, UNASKED).await;
    let slow = shop.sale().await;
    let elsewhere = shop.sale().await;

    shop.chain.stall().await;
    present_unknown(&shop, &slow).await;
    shop.check_stays_open(&slow).await;
    present_unknown(&shop, &elsewhere).await;
    let other = shop.chain.facilitator(kind).await;
    shop.configure(&other);
    shop.later().await;
    shop.left_open(&elsewhere).await;
    assert_eq!(shop.moved(&slow).await, 0);
    shop.chain.resume().await;
    shop.check_sold(&elsewhere).await;
    shop.configure(&shop.facilitator);
    shop.later().await;
    shop.swept(&slow, "deliverable").await;
    shop.check_sold(&slow).await;

    settled_twice_at_once(&shop, &other).await;
    let dropped = shop.sale().await;
    shop.chain.stall().await;
    present_unknown(&shop, &dropped).await;
    shop.chain.drop_transactions().await;
    shop.chain.resume().await;
    shop.check_open(&dropped).await;
    assert_eq!(shop.moved(&dropped).await, 0);
    shop.chain.pass_time(shop.payments_hold_s().await).await;
    shop.chain.mine(FINAL_BLOCKS).await;
    shop.later().await;
    shop.swept(&dropped, "withheld").await;
    shop.check_withheld(&dropped, 0).await;
    assert_eq!(shop.chain.balance(&dropped.payer()).await, PRICE);
    shop.check_till(3).await;
}

#[tokio::test]
async fn mining_stalls_with_the_npm_facilitator() {
    mining_stalls(Kind::Ts).await;
}

#[tokio::test]
async fn mining_stalls_with_the_python_facilitator() {
    mining_stalls(Kind::Py).await;
}

/// A block is reorganised away after the facilitator said success; the host waits for confirmations. (The Python
/// facilitator counts its own transactions and has to be started anew after a reorganisation.)
#[tokio::test]
async fn a_block_is_reorganised_away() {
    let mut shop = Shop::open(Kind::Ts, "confirmations = 3\n").await;
    let sale = shop.sale().await;
    let before = shop.chain.snapshot().await;
    present_unknown(&shop, &sale).await;
    assert_eq!(shop.moved(&sale).await, 1);
    shop.chain.revert(before).await;
    assert_eq!(shop.moved(&sale).await, 0);
    shop.check_stays_open(&sale).await;
    assert_eq!(shop.moved(&sale).await, 1);
    shop.chain.mine(3).await;
    shop.later().await;
    shop.swept(&sale, "deliverable").await;
    shop.check_sold(&sale).await;
    shop.check_till(1).await;
}

/// The facilitator has no money for gas, and then cannot reach its node when it is to check a payment.
#[tokio::test]
async fn the_facilitator_cannot_work() {
    let mut shop = Shop::open(Kind::Ts, "").await;
    let without_gas = shop.sale().await;
    shop.chain.set_gas_money(shop.facilitator.address, 0).await;
    present_unknown(&shop, &without_gas).await;
    shop.check_stays_open(&without_gas).await;
    let much = 1_000_000_000_000_000_000;
    shop.chain
        .set_gas_money(shop.facilitator.address, much)
        .await;
    shop.later().await;
    shop.swept(&without_gas, "deliverable").await;
    shop.check_sold(&without_gas).await;

    let unchecked = shop.sale().await;
    shop.chain.cut_facilitators_off(true);
    let said = shop.present(&unchecked).await;
    // Its facilitator said `invalid_exact_evm_signature` of a good one; nobody is told to sign another.
    assert!(matches!(said, Said::Refused(_)), "{said:?}");
    assert_eq!(
        story(&shop.home, &unchecked.name()).await,
        None,
        "nothing ran"
    );
    shop.chain.cut_facilitators_off(false);
    let said = shop.present(&unchecked).await;
    assert!(matches!(said, Said::Delivered { .. }), "{said:?}");
    shop.check_sold(&unchecked).await;
    shop.check_till(2).await;
}

/// The host is killed before, during and after the facilitator's work, and started again.
async fn killed_while_settling(kind: Kind) {
    let mut shop = Shop::open(kind, "").await;
    let during = shop.sale().await;
    shop.facilitator.fault(Fault::HangAfter).await;
    let client = shop.client().await;
    let host = shop.take_host();
    let killed = async {
        until_moved(&shop, &during).await;
        host.kill().await;
    };
    join(Shop::present_in_vain(&client, &during), killed).await;
    shop.check_open(&during).await;
    shop.later().await;
    shop.swept(&during, "deliverable").await;
    shop.check_sold(&during).await;

    for (failpoint, moved) in [("before-settle", 0), ("after-settle", 1)] {
        shop.later_killed_at(failpoint).await;
        let sale = shop.sale().await;
        let client = shop.client().await;
        Shop::present_in_vain(&client, &sale).await;
        assert_eq!(shop.moved(&sale).await, moved, "{failpoint}");
        shop.check_open(&sale).await;
        shop.later().await;
        shop.swept(&sale, "deliverable").await;
        shop.check_sold(&sale).await;
    }
    shop.check_till(3).await;
}

#[tokio::test]
async fn a_host_is_killed_while_the_npm_facilitator_settles() {
    killed_while_settling(Kind::Ts).await;
}

#[tokio::test]
async fn a_host_is_killed_while_the_python_facilitator_settles() {
    killed_while_settling(Kind::Py).await;
}

/// Money that is taken before the run: nothing runs until it is there, and a run that fails is owed.
#[tokio::test]
async fn money_is_taken_before_the_run() {
    let upfront = "[plugins.sales]\nsettle = \"upfront\"\n";
    let mut shop = Shop::open(Kind::Ts, upfront).await;
    let lost = shop.sale().await;
    shop.facilitator.fault(Fault::CutAfter).await;
    shop.check_sold(&lost).await;

    let hung = shop.sale().await;
    shop.facilitator.fault(Fault::HangBefore).await;
    assert_eq!(shop.present(&hung).await, Said::Running);
    shop.check_open_after(&hung, 0).await;
    assert_eq!(shop.moved(&hung).await, 0);
    shop.later().await;
    until_moved(&shop, &hung).await;
    shop.check_sold(&hung).await;

    let failing = shop.signed_for("fail", shop.payer(PRICE).await, 1).await;
    let said = shop.present(&failing).await;
    assert!(matches!(said, Said::Refused(_)), "{said:?}");
    assert_eq!(shop.present(&failing).await, said);
    assert_eq!(shop.moved(&failing).await, 1);
    let owed = story(&shop.home, &failing.name()).await.unwrap();
    assert_eq!(owed["state"], "credited", "{owed}");
    shop.check_till(3).await;
}

/// Without a node to ask, nothing but a success is believed: it waits for a person, and for nobody's second payment.
#[tokio::test]
async fn without_a_node_a_lost_answer_waits_for_a_person() {
    let mut shop = Shop::open_blind(Kind::Ts).await;
    let sale = shop.sale().await;
    shop.facilitator.fault(Fault::CutAfter).await;
    present_unknown(&shop, &sale).await;
    assert_eq!(shop.moved(&sale).await, 1);
    shop.check_stays_open(&sale).await;
    shop.later().await;
    shop.left_open(&sale).await;
    shop.later_by(DAYS_MS, None).await;
    shop.swept(&sale, "attention").await;
    let said = shop.present(&sale).await;
    assert!(matches!(said, Said::Refused(_)), "{said:?}");
    let posted = shop.present_by_http(&sale).await;
    assert_ne!(posted.status, 402, "{}", posted.text());
    assert_eq!(shop.moved(&sale).await, 1);

    let mut command = shop.home.coinop(&["payments", "attention"]);
    command.arg("--state").arg(shop.home.ledger());
    let listed = within("the list", command.stdin(Stdio::null()).output()).await;
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    assert!(listed.contains("call_"), "{listed}");
}
