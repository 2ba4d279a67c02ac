//! A plugin that keeps failing, through the host: refused before anybody pays, and told to the operator.

use coinop_tests::era::Era;
use coinop_tests::home::Home;
use serde_json::json;

const CONFIG: &str = "[quarantine]\nfailures = 3\npause_s = 600\n\
                      [plugins.misbehave.tools.count]\nprice = \"0.50 USD\"\n";

#[tokio::test]
async fn it_is_set_aside_before_anybody_pays_and_the_others_are_not() {
    let home = Home::new()
        .plugin("misbehave")
        .plugin("echo")
        .config(CONFIG);
    let client = home.stdio(Era::Legacy).await;
    // A link is open when it begins.
    let open = client.call("count", json!({ "n": 1 })).await;
    assert!(open.text().contains("0.50 USD"), "{}", open.0);
    for _ in 0..3 {
        let crashed = client.call("trap", json!({})).await;
        assert!(crashed.text().contains("crashed"), "{}", crashed.0);
    }
    for (tool, arguments) in [
        ("trap", json!({})),
        ("count", json!({ "n": 1 })),
        ("count", json!({ "n": 2 })),
    ] {
        let refused = client.call(tool, arguments).await;
        let text = refused.text();
        assert!(refused.is_refused(), "{}", refused.0);
        assert!(
            text.contains("The plugin misbehave keeps failing")
                && text.contains("Nothing was lost"),
            "{text}"
        );
        assert!(!text.contains("/pay/"), "{text}");
    }
    let answered = client.call("echo", json!({ "text": "still here" })).await;
    assert_eq!(answered.text(), "still here");
}
