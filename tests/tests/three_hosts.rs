//! Three hosts on one database under load, while one is killed, one is frozen past its leases and thawed, and the
//! database is restarted: what clients were told, what the ledger says and what was really run agree.

use std::sync::Arc;
use std::time::Duration;

use coinop::ledger::Ledger;
use coinop::ledger::postgres::PostgresLedger;
use coinop_tests::fleet::Fleet;
use coinop_tests::fleet::buyer::Market;
use coinop_tests::fleet::verdict::Verdict;
use coinop_tests::home::Home;
use coinop_tests::postgres::{Cluster, Stop};
use coinop_tests::wait::PATIENCE;
use futures::future::join_all;
use tokio::time::sleep;

/// Clients at a time.
const BUYERS: usize = 12;
/// Short runs, so that leases are short: they outlast a run by ten seconds.
const CONFIG: &str = "[limits]\nwall_ms = 1000\n";
/// Beyond the longest lease, and the sweeper's round after it.
const FROZEN: Duration = Duration::from_secs(14);
/// A moment in which business goes on.
const BUSINESS: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hosts_lose_nothing_and_run_nothing_twice() {
    let cluster = Cluster::own().await;
    let url = cluster.database().await;
    let home = Home::new().plugin("sales").mode("two_step").config(CONFIG);
    let fleet = Arc::new(Fleet::start(home.database(&url), 3).await);
    let market = Market::open(&fleet);
    let buyers = join_all((0..BUYERS).map(|_| {
        let market = Arc::clone(&market);
        tokio::spawn(async move { market.buy().await })
    }));
    let (bought, ()) = tokio::join!(settled(&market, buyers), async {
        trouble(&fleet, &cluster).await;
        market.close();
    });
    bought.into_iter().for_each(|buyer| buyer.unwrap());
    settled(&market, market.ask_all_again()).await;

    let ledger = PostgresLedger::open(&url).await.unwrap();
    let trace = std::fs::read_to_string(fleet.trace()).unwrap();
    let verdict = Verdict::of(&ledger as &dyn Ledger, &market.sales(), &trace).await;
    println!("{verdict:?}");
    assert!(verdict.violations.is_empty(), "{:#?}", verdict.violations);
    // Otherwise nothing was tried: business was done, and runs were interrupted.
    assert!(verdict.delivered > 50, "{verdict:?}");
    assert!(verdict.runs > verdict.delivered, "{verdict:?}");
}

/// While one host is frozen, another is killed and replaced, and the database ends twice: in order, and at once.
async fn trouble(fleet: &Fleet, cluster: &Cluster) {
    sleep(BUSINESS).await;
    fleet.freeze_host(0).await;
    let thawed = async {
        sleep(FROZEN).await;
        fleet.thaw_host(0).await;
    };
    let others = async {
        sleep(BUSINESS).await;
        fleet.kill_host_in_a_run(1).await;
        fleet.start_host(1).await;
        sleep(BUSINESS).await;
        cluster.restart(Stop::Fast).await;
        sleep(BUSINESS).await;
        cluster.restart(Stop::Immediate).await;
        sleep(BUSINESS).await;
        fleet.kill_host_in_a_run(2).await;
        fleet.start_host(2).await;
    };
    tokio::join!(thawed, others);
    sleep(BUSINESS).await;
}

/// Awaits what ends once everything paid has come to its end; otherwise says what somebody was told last instead.
async fn settled<T>(market: &Market, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("not everything came to an end: {}", market.puzzling()),
    }
}
