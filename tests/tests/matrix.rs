//! Every mode with every published client, in both eras, on both transports; the documentation's table says the same.

use coinop_tests::matrix;

#[tokio::test]
async fn every_client_pays_in_every_mode_as_the_documentation_says() {
    let table = matrix::run(&[]).await;
    let failures = table.failures();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    let found = table.markdown();
    println!("{found}");
    assert_eq!(
        found.trim(),
        matrix::docs::committed(),
        "docs/clients.md is out of date: cargo xtask matrix -- --write"
    );
}
