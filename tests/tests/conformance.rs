//! The protocol's own test suites against the real host: whatever applies to it passes.
//!
//! The tools are those of `tests/guests/conformance`. Where a suite has the server ask its user for something, the tool
//! is sold: the host asks for the payment, a patron pays it, and the suite gets its answer.

use coinop_tests::conformance::baseline::Baseline;
use coinop_tests::conformance::{Patron, Status, Suite};
use coinop_tests::home::Home;

async fn holds(suite: Suite) {
    let home = Home::new().plugin("conformance").mode("elicitation");
    let host = home.http().await;
    let patron = Patron::of(&home, &host);
    let results = home.path("results");
    std::fs::create_dir(&results).unwrap();

    let report = suite.run(&host, &results).await;
    drop(patron);
    println!(
        "conformance {}: {} checks passed, {} do not apply",
        suite.name(),
        report.count(Status::Passed),
        report.count(Status::Failed) + report.count(Status::Warned),
    );
    let differences = Baseline::of(suite).differences(&report);
    assert!(
        differences.is_empty() && report.as_expected,
        "{} is not as its baseline says:\n{}\n\nthe suite told:\n{}",
        suite.name(),
        differences.join("\n"),
        report.told
    );
    host.kill().await;
}

#[tokio::test]
async fn revision_2026_07_28() {
    holds(Suite::Modern).await;
}

#[tokio::test]
async fn revision_2025_11_25() {
    holds(Suite::Legacy).await;
}

#[tokio::test]
async fn releases_0_1() {
    holds(Suite::Older).await;
}
