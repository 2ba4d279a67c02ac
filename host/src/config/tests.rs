use std::time::Duration;

use coinop_core::call::Remedy;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("coinop.toml"), text).unwrap();
        Self(folder)
    }

    fn places(&self) -> Places {
        let at = self.0.path();
        Places {
            config_file: at.join("coinop.toml"),
            plugins_dir: at.join("data/plugins"),
            state: at.join("data/ledger.sqlite3"),
            cache_dir: at.join("cache"),
        }
    }

    fn load(&self, overrides: Overrides) -> Result<Config, ConfigErrors> {
        Config::load(overrides, self.places())
    }
}

fn errors(text: &str) -> Vec<String> {
    let found = Folder::with(text)
        .load(Overrides::default())
        .err()
        .expect("refused");
    found
        .0
        .into_iter()
        .map(|e| format!("{}: {}: {}", e.line.unwrap_or(0), e.key, e.message))
        .collect()
}

#[test]
fn nothing_said_is_a_whole_configuration() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let config = folder.load(Overrides::default()).unwrap();
    assert_eq!(config.plugins_dir, folder.places().plugins_dir);
    assert_eq!(config.state, State::Sqlite(folder.places().state));
    assert_eq!(config.provider, "sandbox");
    assert_eq!(config.accounts["sandbox"].kind, AccountKind::Sandbox);
    assert_eq!(config.quote_lifetime, Duration::from_secs(900));
    assert_eq!(config.outcome_retention, Duration::from_secs(7 * 86_400));
    assert_eq!(config.limits, Limits::default());
    assert!(config.http.anonymous && config.http.addr.is_none());
}

#[test]
fn the_ledger_may_be_a_database_whose_url_is_kept_elsewhere() {
    let folder = Folder::with("state = { file = \"url\" }\n");
    let url = "postgres://me:hunter2@db.example/coinop";
    std::fs::write(folder.0.path().join("url"), format!("{url}\n")).unwrap();
    let config = folder.load(Overrides::default()).unwrap();
    assert_eq!(config.state, State::Postgres(url.into()));
    assert_eq!(config.state.to_string(), "db.example/coinop");
    assert!(!format!("{:?}", config.state).contains("hunter2"));
    let said = Overrides {
        state: Some("postgresql://me@other/x".into()),
        ..Overrides::default()
    };
    let config = folder.load(said).unwrap();
    assert_eq!(config.state.to_string(), "other/x");
    let said = Overrides {
        state: Some("sqlite:here".into()),
        ..Overrides::default()
    };
    let config = folder.load(said).unwrap();
    let here = std::env::current_dir().unwrap().join("here");
    assert_eq!(config.state, State::Sqlite(here));
}

#[test]
fn a_wrong_ledger_is_named_without_its_url() {
    for (toml, says) in [
        ("state = \"mysql://me:hunter2@h/x\"", "postgres://"),
        (
            "state = \"postgres://me:hunter2@h/x?sslmode=maybe\"",
            "sslmode",
        ),
        (
            "state = { env = \"COINOP_TEST_UNSET\" }",
            "COINOP_TEST_UNSET",
        ),
        ("state = 7", "{ env = "),
    ] {
        let errors = errors(toml);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            errors[0].contains("state") && errors[0].contains(says),
            "{errors:?}"
        );
        assert!(!errors[0].contains("hunter2"), "{errors:?}");
    }
}

#[test]
fn the_command_line_beats_the_file_and_the_file_the_defaults() {
    let folder = Folder::with(
        "plugins_dir = \"p\"\nstate = \"sqlite:s.db\"\nmode = \"resubmit\"\npublic_url = \"https://a.example/\"\n[http]\naddr = \"127.0.0.1:1\"\n",
    );
    let config = folder.load(Overrides::default()).unwrap();
    assert_eq!(config.plugins_dir, folder.0.path().join("p"));
    assert_eq!(config.state, State::Sqlite(folder.0.path().join("s.db")));
    assert_eq!(config.mode_of_server.unwrap().name(), "resubmit");
    assert_eq!(config.public_url.as_deref(), Some("https://a.example"));

    let overrides = Overrides {
        plugins_dir: Some("/elsewhere".into()),
        mode: Some("TWO_STEP".into()),
        provider: Some("sandbox-hold".into()),
        http: Some(DEFAULT_ADDR),
        ..Overrides::default()
    };
    let config = folder.load(overrides).unwrap();
    assert_eq!(config.plugins_dir, Path::new("/elsewhere"));
    assert_eq!(config.mode_of_command_line.unwrap().name(), "two_step");
    assert_eq!(config.provider, "sandbox-hold");
    assert_eq!(config.http.addr, Some(DEFAULT_ADDR));
}

#[test]
fn every_mistake_names_line_key_and_remedy() {
    let cases = [
        (
            "modes = \"two_step\"",
            "1: modes: unknown key; did you mean \"mode\"?",
        ),
        (
            "\n[http]\nadress = \"x\"",
            "3: http.adress: unknown key; did you mean \"addr\"?",
        ),
        (
            "[plugins.w.tools.\"a.b\"]\nprise = 1",
            "2: plugins.w.tools.\"a.b\".prise: unknown key; did you mean \"price\"?",
        ),
        (
            "zzzzzz = 1",
            "1: zzzzzz: unknown key. Known here: plugins_dir",
        ),
        (
            "plugins = \"dir\"",
            "1: plugins: must be a table, not the text \"dir\"",
        ),
        (
            "mode = \"barter\"",
            "1: mode: \"barter\" is not a mode of this version: choose two_step, resubmit,",
        ),
        (
            "mode = 3",
            "1: mode: must be a text in quotes, not an integer",
        ),
        ("state = \"redis://h/d\"", "1: state: redis:// is no ledger"),
        (
            "state = \"postgres:/me:hunter2@h/d\"",
            "1: state: is no PostgreSQL URL: it starts with postgres://",
        ),
        (
            "[limits]\ncpu_ms = 0",
            "2: limits.cpu_ms: 0 is out of bounds: write a number from 1 to 600000",
        ),
        (
            "[limits]\ncpu_ms = -5",
            "2: limits.cpu_ms: -5 is out of bounds",
        ),
        (
            "[limits]\nmemory_mib = 99999999999999999999",
            "2: limits.memory_mib: 99999999999999999999 is out of bounds",
        ),
        (
            "[limits]\ncpu_ms = 1.5",
            "2: limits.cpu_ms: must be a whole number, not a float",
        ),
        (
            "on_failure = \"refnd\"",
            "1: on_failure: \"refnd\" is not known; did you mean \"refund\"? Choose one of: refund, credit.",
        ),
        ("retries = 11", "1: retries: 11 is out of bounds"),
        (
            "[callers]\nopen_payments = \"none\"",
            "2: callers.open_payments: \"none\" is not known. Choose one of: unlimited.",
        ),
        (
            "[callers]\nopen_payments = 0",
            "2: callers.open_payments: 0 is out of bounds",
        ),
        (
            "[callers]\nper_call = 5",
            "2: callers.per_call: must be an amount of money",
        ),
        (
            "[callers]\nper_call = \"5\"",
            "2: callers.per_call: \"5\" is not an amount of money: write",
        ),
        (
            "[callers]\nper_call = \"0 USD\"",
            "2: callers.per_call: a cap of nothing",
        ),
        (
            "[callers]\nper_day = [\"1 USD\", \"2 USD\"]",
            "2: callers.per_day: has two caps in USD",
        ),
        (
            "[callers.anonymous]\nper_day = \"1 USD\"",
            "2: callers.anonymous.per_day: does not belong here: anonymous callers have no day",
        ),
        (
            "[callers.keys.bott]\nopen_payments = 1\n[http.keys.bot]\nsha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
            "1: callers.keys.bott: there is no API key of that name in [http.keys]; did you mean \"bot\"?",
        ),
        (
            "[accounts.a]\nkind = \"sandbox\"\nfee = \"1%\"",
            "3: accounts.a.fee: ",
        ),
        (
            "[plugins.w]\nprice = 0.5",
            "2: plugins.w.price: must be a price",
        ),
        (
            "[plugins.w]\nprice = \"0.5 usd\"",
            "2: plugins.w.price: \"usd\" is not a currency code",
        ),
        (
            "[plugins.w]\nprice = { amount = \"1\" }",
            "2: plugins.w.price: is not a price: write",
        ),
        (
            "[plugins.w]\nprice = \"0 USD\"",
            "2: plugins.w.price: a price per call must be more than zero",
        ),
        (
            "[accounts.a]\nkind = \"sandbax\"",
            "2: accounts.a.kind: \"sandbax\" is not known; did you mean \"sandbox\"?",
        ),
        (
            "[accounts.a]\npays = \"at-once\"",
            "1: accounts.a: has no kind",
        ),
        (
            "[plugins.w]\naccount = \"sandbx\"",
            "2: plugins.w.account: there is no account \"sandbx\"; did you mean \"sandbox\"?",
        ),
        (
            "provider = \"shop\"",
            "1: provider: there is no account \"shop\"",
        ),
        (
            "[accounts.a]\nkind = \"sandbox\"\n[accounts.b]\nkind = \"sandbox\"",
            "0: provider: is missing: there are several accounts, choose one of a, b",
        ),
        (
            "[http.keys.ci]\nsha256 = \"abc\"",
            "2: http.keys.ci.sha256: is not a SHA-256",
        ),
        (
            "[http.keys.ci]\nkey = \"plain\"",
            "2: http.keys.ci.key: must be { env",
        ),
        (
            "[http.keys.ci]\nkey = { env = \"COINOP_TEST_UNSET\" }",
            "1: http.keys.ci: the environment variable COINOP_TEST_UNSET",
        ),
        ("[http.keys.ci]", "1: http.keys.ci: has no key"),
        (
            "[http]\naddr = \"localhost:80\"",
            "2: http.addr: \"localhost:80\" is not an address",
        ),
        (
            "mode = \"two_step\"\nmode = \"resubmit\"",
            "2: : duplicate key",
        ),
        ("mode = ", "1: : "),
        (
            "[plugins]\nw = 1",
            "2: plugins.w: must be a table, not an integer",
        ),
        (
            "[plugins.w.settings]\nx = 1",
            "2: plugins.w.settings.x: must be a text",
        ),
    ];
    for (text, expected) in cases {
        let found = errors(text);
        assert!(
            found[0].starts_with(expected),
            "{text}\n  expected {expected}\n  found    {found:?}"
        );
    }
}

#[test]
fn a_secret_written_into_the_file_is_not_repeated() {
    for text in [
        "[http.keys.ci]\nkey = \"hunter2\"",
        "[http.keys.ci]\nkey = { env = \"sk-hunter2\" }",
        "state = \"postgres:/me:hunter2@h/d\"",
        "state = { env = \"postgres://me:hunter2@h/d\" }",
        "state = { file = \"postgres://me:hunter2@h/d\" }",
    ] {
        let found = errors(text);
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_lines() {
    let found = errors("zeta = 1\nmode = \"x\"\n[http]\nanonymous = 3\n");
    let lines: Vec<&str> = found.iter().map(|e| e.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["1", "2", "4"]);
}

#[test]
fn a_named_file_must_be_there_and_flags_are_checked_too() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let missing = Overrides {
        config: Some(folder.0.path().join("no.toml")),
        ..Overrides::default()
    };
    let error = folder.load(missing).err().unwrap().to_string();
    assert!(error.contains("no.toml: there is no such file"), "{error}");

    let wrong = Overrides {
        mode: Some("x".into()),
        provider: Some("y".into()),
        ..Overrides::default()
    };
    let error = folder.load(wrong).err().unwrap().to_string();
    assert!(
        error.contains("command line: --mode") && error.contains("command line: --provider"),
        "{error}"
    );
}

#[test]
fn keys_close_the_door_to_callers_without_one() {
    let folder = Folder::with(&format!(
        "[http.keys.ci]\nsha256 = \"{}\"\n",
        hash_api_key("k")
    ));
    let config = folder.load(Overrides::default()).unwrap();
    assert!(!config.http.anonymous);
    let names: Vec<&str> = config.http.keys.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ci"]);
}

#[test]
fn one_configured_account_is_the_default_one() {
    let folder = Folder::with("[accounts.shop]\nkind = \"sandbox\"\npays = \"at-once\"\n");
    let config = folder.load(Overrides::default()).unwrap();
    assert_eq!(config.provider, "shop");
    assert_eq!(
        config.accounts["shop"].settings["pays"].as_str(),
        Some("at-once")
    );
}

#[test]
fn what_needs_a_restart_is_named() {
    let folder = Folder::with("[http]\naddr = \"127.0.0.1:1\"\n");
    let before = folder.load(Overrides::default()).unwrap();
    std::fs::write(
        &before.file,
        "mode = \"resubmit\"\n[http]\naddr = \"127.0.0.1:2\"\n",
    )
    .unwrap();
    let after = before.reload().unwrap();
    assert_eq!(before.needs_restart(&after), ["http"]);
    assert_eq!(after.mode_of_server.unwrap().name(), "resubmit");

    std::fs::write(&before.file, "on_failure = \"credit\"\nretries = 1\n[http]\naddr = \"127.0.0.1:1\"\n[callers]\nopen_payments = 1\n").unwrap();
    let after = before.reload().unwrap();
    assert_eq!(before.needs_restart(&after), ["callers"]);
    assert_eq!(after.on_failure, Some(Remedy::Credit));
}

#[test]
fn oauth_closes_the_door_and_asks_the_issuer_for_its_keys() {
    let folder = Folder::with("[http.oauth]\nissuer = \"https://auth.example/\"\n");
    let http = folder.load(Overrides::default()).unwrap().http;
    let oauth = http.oauth.unwrap();
    assert!(!http.anonymous);
    assert_eq!(oauth.issuers[0].0, "https://auth.example/");
    assert!(oauth.keys.is_none() && oauth.audiences.is_empty());
    assert_eq!(oauth.clock_skew_s, 60);

    let open = "[http]\nanonymous = true\n[http.oauth]\nissuer = [\"https://a.example\", \"https://b.example\"]\n";
    let http = Folder::with(open).load(Overrides::default()).unwrap().http;
    assert!(http.anonymous);
    assert_eq!(http.oauth.unwrap().issuers.len(), 2);
}

#[test]
fn mistakes_about_tokens_are_refused_by_name() {
    let issuer = "issuer = \"https://auth.example\"\n";
    let cases = [
        ("", "http.oauth: has no issuer"),
        ("issuer = \"http://auth.example\"", "this machine only"),
        (
            "isuer = \"https://auth.example\"",
            "did you mean \"issuer\"?",
        ),
        ("client_secret = \"x\"", "is no client of the issuer"),
        ("algorithms = [\"HS256\"]", "can forge it"),
        ("algorithms = [\"none\"]", "can forge it"),
        ("algorithms = []", "takes no token at all"),
        ("scopes = [\"two words\"]", "is not a scope"),
        (
            "jwks = \"{}\"",
            "http.oauth.jwks: it is no JSON Web Key Set",
        ),
        ("jwks = \"{\\\"keys\\\": []}\"", "no key in it verifies"),
        ("jwks = { file = \"none.json\" }", "cannot be read"),
        ("jwks_url = \"http://keys.example\"", "https://"),
        (
            "jwks_url = \"https://keys.example\"\njwks = \"{}\"",
            "keep one",
        ),
        ("clock_skew_s = 3600", "out of bounds"),
    ];
    for (text, expected) in cases {
        let issuer = if text.is_empty() || text.contains("suer") {
            ""
        } else {
            issuer
        };
        let found = errors(&format!("[http.oauth]\n{issuer}{text}\n")).join("\n");
        assert!(found.contains(expected), "{text:?}: {found}");
    }
    let several = "issuer = [\"https://a.example\", \"https://b.example\"]\njwks_url = \"https://a.example/k\"";
    let found = errors(&format!("[http.oauth]\n{several}\n")).join("\n");
    assert!(
        found.contains("http.oauth.jwks_url: says whose keys"),
        "{found}"
    );
}

#[test]
fn a_key_of_before_means_the_same_and_is_told() {
    let folder =
        Folder::with("paymentFlow = \"resubmit\"\n[plugins.w]\npayment_flow = \"two_step\"\n");
    let config = folder.load(Overrides::default()).unwrap();
    assert_eq!(config.mode_of_server.unwrap().name(), "resubmit");
    assert_eq!(config.plugins["w"].mode.unwrap().name(), "two_step");
    let notes: Vec<_> = config.notes.iter().map(ConfigError::in_file).collect();
    assert_eq!(
        notes,
        [
            "line 1: paymentFlow: is now called mode; it still works",
            "line 3: plugins.w.payment_flow: is now called mode; it still works",
        ]
    );
    let both = errors("mode = \"auto\"\npayment_flow = \"resubmit\"");
    assert_eq!(
        both,
        ["2: payment_flow: is the former name of mode, and mode says it too: keep only mode"]
    );
    let former = errors("payment_flow = \"auto\"\npaymentFlow = \"auto\"");
    assert_eq!(former.len(), 2, "{former:?}");
    let wrong = errors("payment_flow = \"barter\"");
    assert!(
        wrong[0].starts_with("1: payment_flow: \"barter\" is not a mode"),
        "{wrong:?}"
    );
    // A slip of the pen leads to the name of today.
    let slip = errors("payment_flw = \"auto\"");
    assert!(!slip[0].contains("payment_flow"), "{slip:?}");
}

#[test]
fn conversations_and_clients_are_settings() {
    let said = "confirm_tool = \"one\"\n[conversation]\nwait_s = 7\nprogress = true\nurl_error = true\n\
                [clients.\"claude-code\"]\nmode = \"two_step\"\n";
    let folder = Folder::with(said);
    let config = folder.load(Overrides::default()).unwrap();
    assert_eq!(config.confirm_tool, ConfirmTool::One);
    let manners = Manners {
        wait_ms: 7_000,
        auto_progress: true,
        url_error: true,
    };
    assert_eq!(config.manners, manners);
    assert_eq!(
        config.clients.mode("Claude-Code").unwrap().name(),
        "two_step"
    );
    std::fs::write(folder.0.path().join("coinop.toml"), "").unwrap();
    let usual = folder.load(Overrides::default()).unwrap();
    assert_eq!(
        (usual.manners, usual.confirm_tool),
        (Manners::default(), ConfirmTool::Each)
    );
    assert!(usual.clients.mode("claude-code").is_none());
    assert_eq!(usual.needs_restart(&config), ["conversation", "clients"]);
    for (toml, expected) in [
        (
            "[conversation]\nwait_s = 0",
            "2: conversation.wait_s: 0 is out of bounds: write a number from 1 to 3600",
        ),
        (
            "[conversation]\nwait = 3",
            "2: conversation.wait: unknown key; did you mean \"wait_s\"?",
        ),
        (
            "confirm_tool = \"all\"",
            "1: confirm_tool: \"all\" is not known. Choose one of: each, one.",
        ),
        (
            "[clients.c]\nmode = \"resubmit\"",
            "2: clients.c.mode: resubmit is no choice for one client",
        ),
        (
            "[clients.c]\nmodes = \"auto\"",
            "2: clients.c.modes: unknown key; did you mean \"mode\"?",
        ),
        (
            "[clients.c]\nmode = \"two_step\"\n[clients.C]\nmode = \"progress\"",
            "is the same client as",
        ),
    ] {
        let told = errors(toml);
        assert!(
            told.len() == 1 && told[0].contains(expected),
            "{toml}: {told:?}"
        );
    }
}
