//! What is PostgreSQL's own: opening, clocks, connections that break, commits whose answer is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coinop::app::Store;
use coinop::clock::{Clock, SystemClock};
use coinop::ledger::postgres::PostgresLedger;
use coinop::ledger::{
    AdvanceError, BackupError, CallKey, Caps, Components, Ledger, LedgerError, TakeDue,
};
use coinop_core::Millis;
use coinop_core::call::CallState;
use coinop_core::payment::PaymentEvent;
use coinop_tests::contract::{ACCOUNT, Desk, Place, caller};
use coinop_tests::postgres::{Cluster, Stop, connect};
use coinop_tests::wait::until;
use coinop_tests::wire::Wire;
use futures::future::{BoxFuture, join_all};

/// Answers within this are "at once" on a busy machine; the ledger's own bounds are below it.
const AT_ONCE: Duration = Duration::from_secs(10);

async fn open(url: &str) -> PostgresLedger {
    PostgresLedger::open(url).await.unwrap()
}

async fn refusal(url: &str) -> String {
    match PostgresLedger::open(url).await {
        Ok(_) => panic!("it is opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn hosts_that_start_together_share_one_new_ledger() {
    let cluster = Cluster::shared().await;
    for _ in 0..3 {
        let url = cluster.database().await;
        let opened = join_all((0..8).map(|_| open(&url))).await;
        assert!(opened.iter().all(|ledger| ledger.id() == opened[0].id()));
        let keys = opened[0].receipt_keys().await.unwrap().to_jwks();
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_is_not_this_versions_ledger_is_refused_by_name_and_left_alone() {
    let cluster = Cluster::shared().await;
    let url = cluster.database().await;
    drop(open(&url).await);
    let admin = connect(&url).await;
    admin
        .batch_execute("UPDATE ledger SET schema = 99")
        .await
        .unwrap();
    let error = refusal(&url).await;
    assert!(
        error.contains("later version") && error.contains("upgrade"),
        "{error}"
    );

    for foreign in [
        "CREATE TABLE bookmarks (url TEXT)",
        "CREATE TABLE ledger (amount INTEGER)",
    ] {
        let url = cluster.database().await;
        let admin = connect(&url).await;
        admin.batch_execute(foreign).await.unwrap();
        let error = refusal(&url).await;
        let database = url.rsplit_once('/').unwrap().1;
        assert!(
            error.contains("another program") && error.contains(database),
            "{error}"
        );
        let tables = admin
            .query_one(
                "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
                &[],
            )
            .await;
        assert_eq!(tables.unwrap().get::<_, i64>(0), 1);
    }
}

#[tokio::test]
async fn a_command_that_looks_for_a_ledger_makes_none() {
    let url = Cluster::shared().await.database().await;
    let error = PostgresLedger::open_existing(&url).await.err().unwrap();
    assert!(error.to_string().contains("there is no ledger"), "{error}");
    let admin = connect(&url).await;
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    let tables: i64 = admin.query_one(tables, &[]).await.unwrap().get(0);
    assert_eq!(tables, 0);
    let made = open(&url).await;
    let found = PostgresLedger::open_existing(&url).await.unwrap();
    assert_eq!(found.id(), made.id());
}

#[tokio::test]
async fn a_ledger_stays_in_the_schema_where_it_was_made() {
    let url = Cluster::shared().await.database().await;
    let admin = connect(&url).await;
    admin
        .batch_execute("CREATE TABLE bookmarks (url TEXT); CREATE SCHEMA shop")
        .await
        .unwrap();
    let shop = format!("{url}?options=-csearch_path%3Dshop,public");
    let ledger = open(&shop).await;
    // A schema that comes first in the search path from now on does not hide it.
    admin.batch_execute("CREATE SCHEMA front").await.unwrap();
    let both = format!("{url}?options=-csearch_path%3Dfront,shop");
    assert_eq!(open(&both).await.id(), ledger.id());
    assert!(ledger.blocked().await.unwrap().is_empty());
    assert_ne!(
        open(&format!("{url}?options=-csearch_path%3Dfront"))
            .await
            .id(),
        ledger.id()
    );
}

#[tokio::test]
async fn messages_name_host_and_database_and_never_the_password() {
    let started = Instant::now();
    let error = refusal("postgres://me:hunter2@127.0.0.1:1/shop").await;
    assert!(
        error.contains("127.0.0.1:1/shop") && error.contains("--state"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
    assert!(started.elapsed() < AT_ONCE);
    let ledger = open(&Cluster::shared().await.database().await).await;
    let Err(BackupError::Elsewhere(instead)) = ledger.backup("/backups/a".into()).await else {
        panic!("PostgreSQL's own tools copy it");
    };
    assert!(
        instead.contains("pg_dump --format=custom --host=127.0.0.1"),
        "{instead}"
    );
    assert!(instead.contains("--file=/backups/a"), "{instead}");
}

/// A clock of a host that is wrong by so many milliseconds.
struct Wrong(Millis);

impl Clock for Wrong {
    fn now(&self) -> Millis {
        SystemClock.now() + self.0
    }
}

/// A place whose hosts' own clocks are minutes apart.
struct Apart {
    url: String,
    ledger: PostgresLedger,
    hosts: std::sync::atomic::AtomicI64,
}

impl Place for Apart {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        let host = self.hosts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let wrong = Arc::new(Wrong(if host % 2 == 0 { 300_000 } else { -300_000 }));
        Box::pin(async {
            let opened: Arc<dyn Store> =
                Arc::new(PostgresLedger::open_by(&self.url, wrong).await.unwrap());
            opened
        })
    }

    fn now(&self) -> Millis {
        self.ledger.clock().now()
    }

    fn pass(&self, _ms: Millis) -> BoxFuture<'_, ()> {
        panic!("time passes by itself")
    }
}

#[tokio::test]
async fn hosts_whose_clocks_are_minutes_apart_agree_on_the_time() {
    let url = Cluster::shared().await.database().await;
    let ledger = open(&url).await;
    let place = Apart {
        url,
        ledger,
        hosts: 0.into(),
    };
    let desk = Desk::at(&place).await;
    let near = |a: Millis, b: Millis| (a - b).abs() < 2_000;
    let (fast, slow) = (desk.here.clock(), desk.there.clock());
    assert!(near(fast.now(), slow.now()) && near(fast.now(), desk.now()));
    // Even a host that asks in its own wrong time writes the database's.
    let mut new = desk.draft(&caller("ann"));
    let lifetime = new.call.quote.expires_at - new.call.created_at;
    new.call.created_at += 300_000;
    new.call.quote.expires_at += 300_000;
    let opened = desk.here.open(new, Caps::default()).await.unwrap().record;
    assert!(near(opened.call.created_at, desk.now()));
    assert_eq!(
        opened.call.quote.expires_at - opened.call.created_at,
        lifetime
    );
    let paid = desk.paid(&opened).await;
    let mut claim = desk.claim(&paid, "slow host").at_time(desk.now() - 300_000);
    claim.at = desk.now() - 300_000;
    let claimed = desk.there.advance(claim).await.unwrap().record;
    let CallState::Running { lease_until, .. } = claimed.call.state else {
        panic!("{:?}", claimed.call.state);
    };
    assert!(
        near(lease_until, desk.now() + 60_000),
        "the lease is as long as it was to be"
    );
    assert!(near(claimed.updated_at, desk.now()));
    // A fast host does not find the lease over before it is.
    let fast = desk.now() + 300_000;
    let take = TakeDue {
        now: fast,
        until: fast + 120_000,
        accounts: vec![ACCOUNT.into()],
        limit: 10,
    };
    assert!(desk.here.take_due(take).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_operation_takes_two_round_trips_at_most() {
    let cluster = Cluster::shared().await;
    let url = cluster.database().await;
    let wire = Wire::to(cluster.port()).await;
    let wired = url.replace(
        &format!(":{}/", cluster.port()),
        &format!(":{}/", wire.port()),
    );
    let ledger = open(&url).await;
    let place = Apart {
        url: format!("{wired}?pool_max_conns=1&sslmode=disable"),
        ledger,
        hosts: 0.into(),
    };
    let desk = Desk::at(&place).await;
    let capped = Caps {
        open_max: Some(100),
        ..Caps::default()
    };
    let (drafted, again) = (desk.draft(&caller("ann")), desk.draft(&caller("ann")));
    let warm = async || {
        // Everything is prepared once on the one connection.
        let record = desk.opened(&caller("bob")).await;
        let other = desk.draft(&caller("bob"));
        desk.here.open(other, capped.clone()).await.unwrap();
        let paid = desk.paid(&record).await;
        let delivered = desk.delivered(&paid, "sun").await.record;
        desk.here
            .find(CallKey::Call(delivered.call.id.clone()))
            .await
            .unwrap();
        desk.here.outcome(delivered.call.id).await.unwrap();
        desk.here.take_due(due(&desk)).await.unwrap();
    };
    warm().await;
    let mut trips = Vec::new();
    let mut last = wire.trips();
    let mut count = |what: &'static str, most: u64| {
        let now = wire.trips();
        trips.push((what, now - last, most));
        last = now;
    };
    let opened = desk.open(drafted).await.unwrap().record;
    count("open", 2);
    desk.here.open(again, capped.clone()).await.unwrap();
    count("open with caps", 2);
    desk.here
        .find(CallKey::Call(opened.call.id.clone()))
        .await
        .unwrap();
    count("find", 1);
    let paid = desk.paid(&opened).await;
    count("advance: paid", 2);
    desk.delivered(&paid, "sun").await;
    count("advance: claim, and outcome with receipt", 4);
    desk.here.outcome(opened.call.id.clone()).await.unwrap();
    count("outcome", 1);
    desk.here.take_due(due(&desk)).await.unwrap();
    count("take_due", 1);
    println!("round trips: {trips:?}");
    for (what, taken, most) in &trips {
        assert!(*taken >= 1 && taken <= most, "{what}: {taken} round trips");
    }
}

fn due(desk: &Desk<'_>) -> TakeDue {
    TakeDue {
        now: desk.now(),
        until: desk.now() + 120_000,
        accounts: vec![ACCOUNT.into()],
        limit: 10,
    }
}

/// A desk whose hosts reach the database over a wire, and a handle that does not.
async fn wired(database: &str, port: u16) -> (Wire, Apart) {
    let wire = Wire::to(port).await;
    let wired = database.replace(&format!(":{port}/"), &format!(":{}/", wire.port()));
    let place = Apart {
        url: format!("{wired}?sslmode=disable"),
        ledger: open(database).await,
        hosts: 0.into(),
    };
    (wire, place)
}

/// The answer to a commit is lost and the database cannot be asked: the caller is told that nobody knows, and whoever
/// asks again is told how it stands.
#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_not_made_twice() {
    let cluster = Cluster::shared().await;
    let (wire, place) = wired(&cluster.database().await, cluster.port()).await;
    let desk = Desk::at(&place).await;
    let opened = desk.opened(&caller("ann")).await;
    let received = opened.call.due();
    let pay = desk.change(&opened, vec![PaymentEvent::Paid { received }.into()]);
    wire.cut_after_commit();
    wire.set_down(true);
    let unknown = desk.here.advance(pay.clone()).await.unwrap_err();
    let AdvanceError::Ledger(LedgerError::Unavailable(reason)) = &unknown else {
        panic!("{unknown:?}");
    };
    assert!(reason.contains("not known"), "{reason}");
    wire.set_down(false);
    let again = desk.here.advance(pay).await.unwrap_err();
    let AdvanceError::Illegal { record, .. } = again else {
        panic!("{again:?}");
    };
    assert_eq!((record.call.state, record.version), (CallState::Ready, 2));
    let audited = place.ledger.audit(None, 10).await.unwrap();
    assert_eq!(audited[0].entries.len(), 2, "paid once");
}

/// The answer to a commit is lost and the database can be asked: it says what became of it, and the caller hears of
/// nothing. Every chain of receipts stays whole.
#[tokio::test]
async fn a_lost_answer_is_looked_up() {
    let cluster = Cluster::shared().await;
    let (wire, place) = wired(&cluster.database().await, cluster.port()).await;
    let desk = Desk::at(&place).await;
    let opened = desk.opened(&caller("ann")).await;
    wire.cut_after_commit();
    let paid = desk.paid(&opened).await;
    wire.cut_after_commit();
    let claimed = desk
        .here
        .advance(desk.claim(&paid, "host"))
        .await
        .unwrap()
        .record;
    let epoch = claimed.call.epoch;
    let mut done = desk.change(
        &claimed,
        vec![
            coinop_core::call::Event::Executed { epoch },
            coinop_core::call::Event::Concluded,
        ],
    );
    done.outcome = Some(Arc::new(coinop_tests::contract::outcome("sun")));
    wire.cut_after_commit();
    let delivered = desk.here.advance(done).await.unwrap();
    assert!(delivered.receipt.is_some());
    let stored = place.ledger.outcome(opened.call.id).await.unwrap().unwrap();
    assert_eq!(stored.receipt, delivered.receipt);
    let audited = place.ledger.audit(None, 10).await.unwrap();
    assert_eq!(
        (audited[0].entries.len(), audited[0].record.version),
        (4, 4)
    );
    let next = desk.paid(&desk.opened(&caller("ann")).await).await;
    assert!(desk.delivered(&next, "rain").await.receipt.is_some());
    let chains = place.ledger.chains().await.unwrap();
    assert_eq!(chains.iter().map(|chain| chain.count).sum::<u64>(), 2);
    for chain in chains {
        let receipts = place
            .ledger
            .receipts(chain.id.clone(), 0, 10)
            .await
            .unwrap();
        assert_eq!(receipts.len() as u64, chain.count);
        let last = coinop_core::digest::Digest::of(receipts.last().unwrap().as_bytes());
        assert_eq!(chain.head, Some(last));
    }
}

/// A call that somebody holds is waited for, and not for ever.
#[tokio::test]
async fn a_lock_that_is_held_is_waited_for_within_bounds() {
    let url = Cluster::shared().await.database().await;
    let place = Apart {
        ledger: open(&url).await,
        url: url.clone(),
        hosts: 0.into(),
    };
    let desk = Desk::at(&place).await;
    let opened = desk.opened(&caller("ann")).await;
    let received = opened.call.due();
    let pay = desk.change(&opened, vec![PaymentEvent::Paid { received }.into()]);
    let holder = connect(&url).await;
    holder
        .batch_execute("BEGIN; SELECT FROM call FOR UPDATE")
        .await
        .unwrap();
    let started = Instant::now();
    let refused = desk.here.advance(pay.clone()).await.unwrap_err();
    assert!(
        matches!(refused, AdvanceError::Ledger(LedgerError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(started.elapsed() < AT_ONCE);
    assert!(
        desk.here.take_due(due(&desk)).await.unwrap().is_empty(),
        "passed over at once"
    );
    let waiting = desk.here.advance(pay);
    let (advanced, released) = futures::future::join(waiting, holder.batch_execute("COMMIT")).await;
    released.unwrap();
    assert_eq!(advanced.unwrap().record.version, 2);
}

/// Connections that the server closed while they were idle cost nobody an error.
#[tokio::test]
async fn stale_connections_are_replaced_unseen() {
    let url = Cluster::shared().await.database().await;
    let ledger = open(&url).await;
    let admin = connect(&url).await;
    for _ in 0..5 {
        let busy = join_all((0..8).map(|_| ledger.blocked())).await;
        assert!(busy.iter().all(Result::is_ok));
        let ended = admin.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        );
        assert!(!ended.await.unwrap().is_empty());
        ledger.blocked().await.unwrap();
    }
}

/// While the database is away every operation says so at once; when it is back the same handle works on.
#[tokio::test]
async fn a_database_that_was_away_is_used_again_without_a_restart() {
    let cluster = Cluster::own().await;
    let url = cluster.database().await;
    let ledger = open(&url).await;
    for how in [Stop::Fast, Stop::Immediate] {
        ledger.blocked().await.unwrap();
        cluster.stop(how).await;
        let started = Instant::now();
        let refused = join_all((0..20).map(|_| ledger.blocked())).await;
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
        for refused in refused {
            assert!(
                matches!(refused, Err(LedgerError::Unavailable(_))),
                "{refused:?}"
            );
        }
        cluster.start().await;
        until("the ledger", async || ledger.blocked().await.ok()).await;
    }
}

/// Has the server make a certificate for its address, and speak TLS with it. Returns the certificate.
async fn with_tls(url: &str) -> String {
    let admin = connect(url).await;
    let make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.crt -days 2 \
                -subj /CN=test -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";
    // The server's own user makes it, in its own folder.
    let made = format!("COPY (SELECT 1) TO PROGRAM '{make} 2>/dev/null && chmod 600 server.key'");
    admin.batch_execute(&made).await.unwrap();
    admin
        .batch_execute("ALTER SYSTEM SET ssl = on")
        .await
        .unwrap();
    admin
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .unwrap();
    until("TLS", async || {
        let client = connect(url).await;
        let on = client.query_one("SHOW ssl", &[]).await.ok()?;
        (on.get::<_, &str>(0) == "on").then_some(())
    })
    .await;
    let certificate = admin
        .query_one("SELECT pg_read_file('server.crt')", &[])
        .await;
    certificate.unwrap().get(0)
}

/// Whether the connections of this ledger are encrypted.
async fn is_encrypted(url: &str, ledger: &PostgresLedger) -> bool {
    ledger.blocked().await.unwrap();
    let admin = connect(url).await;
    let sessions = admin.query(
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE application_name = 'coinop' AND datname = current_database()",
        &[],
    );
    let sessions = sessions.await.unwrap();
    assert!(!sessions.is_empty());
    sessions.iter().all(|session| session.get(0))
}

#[tokio::test]
async fn tls_is_used_as_the_url_says_and_certificates_are_looked_at() {
    let cluster = Cluster::own().await;
    let plain = cluster.database().await;
    let error = refusal(&format!("{plain}?sslmode=require")).await;
    assert!(error.contains("TLS"), "{error}");
    let certificate = with_tls(&plain).await;
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("our ca.pem");
    std::fs::write(&trusted, certificate).unwrap();
    let trusted = trusted.to_str().unwrap().replace(' ', "%20");

    for (query, encrypted) in [
        ("sslmode=disable", false),
        ("sslmode=prefer", true),
        ("application_name=coinop", true),
        (&*format!("sslmode=verify-full&sslrootcert={trusted}"), true),
        (&*format!("sslrootcert={trusted}"), true),
    ] {
        // A database each: the sessions of one end a moment after it is dropped.
        let database = cluster.database().await;
        let ledger = open(&format!("{database}?{query}")).await;
        assert_eq!(is_encrypted(&database, &ledger).await, encrypted, "{query}");
    }
    for query in ["sslmode=require", "sslmode=verify-full"] {
        let error = refusal(&format!("{plain}?{query}")).await;
        assert!(error.contains("certificate"), "{query}: {error}");
    }
    let other_name = plain.replace("127.0.0.1", "localhost");
    let error = refusal(&format!("{other_name}?sslrootcert={trusted}")).await;
    assert!(error.contains("certificate"), "{error}");
    let error = refusal(&format!("{plain}?sslrootcert=/no/such/file")).await;
    assert!(error.contains("/no/such/file"), "{error}");
}
