#[path = "surface_tests.rs"]
mod surfaces;

use coinop_core::call::Remedy;
use coinop_core::digest::Digest;
use coinop_core::price::Price;
use serde_json::json;

use super::*;
use crate::config::{Overrides, Places};
use crate::limits::Limits;
use crate::plugin::{Annotations, Contract, Effects, LeftOut, ToolDecl};

/// A tool by name with the price its plugin gives it.
fn tool(name: &str, price: Option<&str>) -> ToolDecl {
    let price = price.map(|text| match text.split_once(' ') {
        Some((amount, currency)) => Price::PerCall(Money::parse(amount, currency).unwrap()),
        None => Price::Free,
    });
    ToolDecl {
        name: name.to_owned(),
        title: None,
        description: "Does it.".to_owned(),
        input_schema: json!({ "type": "object", "properties": { "city": { "type": "string" } } })
            .to_string(),
        output_schema: None,
        annotations: Annotations::default(),
        price,
        effects: Effects::Pure,
        meta: None,
    }
}

fn plugin(name: &str, tools: Vec<ToolDecl>) -> Plugin {
    let manifest = Manifest {
        digest: Digest::of(name.as_bytes()),
        contract: Contract::Plugin {
            version: "0.1.0".to_owned(),
        },
        imports: Vec::new(),
        tools,
    };
    Plugin {
        name: name.to_owned(),
        file: format!("{name}.wasm"),
        manifest: Arc::new(manifest),
        sidecar: Arc::default(),
    }
}

fn with_sidecar(mut plugin: Plugin, text: &str) -> Plugin {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sidecar.toml");
    std::fs::write(&path, text).unwrap();
    plugin.sidecar = Arc::new(PluginRules::read_sidecar(&path).unwrap().unwrap());
    plugin
}

fn config_with(text: &str, overrides: Overrides) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("coinop.toml"), text).unwrap();
    let places = Places {
        config_file: at.join("coinop.toml"),
        plugins_dir: at.join("plugins"),
        state: at.join("ledger"),
        cache_dir: at.join("cache"),
    };
    Config::load(overrides, places).unwrap()
}

/// An account of pretended money that people pay by links.
fn charging() -> Charging {
    Charging {
        test: true,
        links: true,
        rail: false,
    }
}

/// Charges whole cents in USD only.
fn cents(_account: &str, price: &Money) -> Result<Charging, String> {
    price
        .in_units_of(2)
        .map(|_| charging())
        .map_err(|e| e.to_string())
}

fn anything(_account: &str, _price: &Money) -> Result<Charging, String> {
    Ok(charging())
}

fn listed(config: &str, plugins: &[Plugin]) -> Snapshot {
    resolved(
        &config_with(config, Overrides::default()),
        plugins,
        &anything,
    )
    .snapshot
}

fn resolved(config: &Config, plugins: &[Plugin], chargeable: &Chargeable) -> Resolved {
    let present = plugins.iter().map(|p| p.name.clone()).collect();
    resolve(config, plugins, &present, chargeable)
}

fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.tools.keys().map(String::as_str).collect()
}

fn problems(snapshot: &Snapshot) -> String {
    let lines = snapshot
        .problems
        .iter()
        .map(|p| format!("{}: {}", p.file, p.message));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn prices_come_from_the_strongest_source_that_has_one() {
    let tool_p = "[plugins.w.tools.t]\nprice = \"1 USD\"\n";
    let plugin_p = "[plugins.w]\nprice = \"2 USD\"\n";
    let cases = [
        (
            format!("{plugin_p}{tool_p}"),
            "price = \"4 USD\"\n[tools.t]\nprice = \"3 USD\"",
            "1.00 USD per call",
        ),
        (
            plugin_p.to_owned(),
            "[tools.t]\nprice = \"3 USD\"",
            "2.00 USD per call",
        ),
        (
            String::new(),
            "price = \"4 USD\"\n[tools.t]\nprice = \"3 USD\"",
            "3.00 USD per call",
        ),
        (String::new(), "price = \"4 USD\"", "4.00 USD per call"),
        (String::new(), "", "5.00 USD per call"),
        ("[plugins.w]\nprice = \"free\"".to_owned(), "", "free"),
    ];
    for (config, sidecar, expected) in cases {
        let plugin = with_sidecar(plugin("w", vec![tool("t", Some("5 USD"))]), sidecar);
        let snapshot = listed(&config, &[plugin]);
        assert_eq!(
            snapshot.tools["t"].listing().unwrap().price.to_string(),
            expected,
            "{config}\n{sidecar}"
        );
    }
}

#[test]
fn modes_come_from_the_strongest_source_too() {
    let cases = [
        (
            Some("two_step"),
            "mode = \"resubmit\"\n[plugins.w]\nmode = \"resubmit\"",
            "mode = \"resubmit\"",
            "two_step",
        ),
        (
            None,
            "[plugins.w]\nmode = \"two_step\"\n[plugins.w.tools.t]\nmode = \"resubmit\"",
            "",
            "resubmit",
        ),
        (
            None,
            "mode = \"resubmit\"\n[plugins.w]\nmode = \"two_step\"",
            "",
            "two_step",
        ),
        (
            None,
            "mode = \"two_step\"",
            "mode = \"resubmit\"",
            "two_step",
        ),
        (
            None,
            "",
            "mode = \"two_step\"\n[tools.t]\nmode = \"resubmit\"",
            "resubmit",
        ),
        (None, "", "", "auto"),
    ];
    for (flag, config, sidecar, expected) in cases {
        let plugin = with_sidecar(plugin("w", vec![tool("t", Some("5 USD"))]), sidecar);
        let overrides = Overrides {
            mode: flag.map(str::to_owned),
            ..Overrides::default()
        };
        let snapshot = resolved(&config_with(config, overrides), &[plugin], &anything).snapshot;
        assert_eq!(
            snapshot.tools["t"].listing().unwrap().mode.name(),
            expected,
            "{flag:?}\n{config}\n{sidecar}"
        );
        assert_eq!(
            snapshot.tools.contains_key("confirm_t"),
            expected == "two_step"
        );
    }
}

#[test]
fn remedies_and_retries_come_from_the_strongest_source_that_has_one() {
    let cases = [
        ("", "", "refund 0"),
        ("", "on_failure = \"credit\"\nretries = 1", "credit 1"),
        (
            "",
            "on_failure = \"credit\"\nretries = 1\n[tools.t]\non_failure = \"refund\"\nretries = 2",
            "refund 2",
        ),
        (
            "on_failure = \"refund\"\nretries = 3",
            "[tools.t]\non_failure = \"credit\"\nretries = 2",
            "refund 3",
        ),
        (
            "on_failure = \"refund\"\n[plugins.w]\non_failure = \"credit\"\nretries = 4",
            "",
            "credit 4",
        ),
        (
            "[plugins.w]\non_failure = \"credit\"\nretries = 4\n[plugins.w.tools.t]\non_failure = \"refund\"\nretries = 0",
            "retries = 9",
            "refund 0",
        ),
    ];
    for (config, sidecar, expected) in cases {
        let plugin = with_sidecar(plugin("w", vec![tool("t", Some("5 USD"))]), sidecar);
        let snapshot = listed(config, &[plugin]);
        let listing = snapshot.tools["t"].listing().unwrap();
        let remedy = match listing.on_failure {
            Remedy::Refund => "refund",
            Remedy::Credit => "credit",
        };
        let found = format!("{remedy} {}", listing.retries);
        assert_eq!(found, expected, "{config}\n{sidecar}");
    }
}

#[test]
fn retries_of_an_effectful_tool_are_not_made_and_that_is_said() {
    let mut once = tool("t", Some("5 USD"));
    once.effects = Effects::Effectful;
    let config = config_with("retries = 2", Overrides::default());
    let plugins = [plugin("w", vec![once, tool("u", Some("5 USD"))])];
    let resolved = resolved(&config, &plugins, &anything);
    assert_eq!(resolved.snapshot.tools["t"].listing().unwrap().retries, 0);
    assert_eq!(resolved.snapshot.tools["u"].listing().unwrap().retries, 2);
    let notes: Vec<&str> = resolved.notes.iter().map(|n| n.message.as_str()).collect();
    assert_eq!(
        notes,
        [
            "w.wasm: tool \"t\" declares itself effectful, so retries = 2 does not apply: a failed run is made good at once"
        ]
    );
}

#[test]
fn what_a_plugin_may_reach_decides_whether_its_runs_are_repeated() {
    let effects = [
        Effects::Unspecified,
        Effects::Pure,
        Effects::Idempotent,
        Effects::Effectful,
    ];
    for (grants, expected) in [
        ("", [true, true, true, false]),
        (
            "http = [\"GET https://a.example\"]",
            [false, true, true, false],
        ),
        (
            "http = [\"https://a.example\"]",
            [false, false, true, false],
        ),
    ] {
        let text = format!("retries = 2\n[plugins.w.grants]\n{grants}");
        let config = config_with(&text, Overrides::default());
        for (effects, repeatable) in effects.iter().zip(expected) {
            let mut declared = tool("t", Some("5 USD"));
            declared.effects = *effects;
            let resolved = resolved(&config, &[plugin("w", vec![declared])], &anything);
            let listing = resolved.snapshot.tools["t"].listing().unwrap();
            let found = (listing.repeatable, listing.retries > 0);
            assert_eq!(found, (repeatable, repeatable), "{grants} {effects:?}");
            assert_eq!(resolved.notes.is_empty(), repeatable);
        }
    }
}

#[test]
fn caps_that_leave_a_tool_out_are_told() {
    let config = config_with(
        "[callers]\nper_call = \"5 USD\"\nper_day = [\"100 USD\", \"9 EUR\"]",
        Overrides::default(),
    );
    let tools = vec![
        tool("cheap", Some("5 USD")),
        tool("dear", Some("6 USD")),
        tool("euro", Some("1 EUR")),
        tool("free", Some("free")),
    ];
    let resolved = resolved(&config, &[plugin("w", tools)], &anything);
    let notes: Vec<&str> = resolved.notes.iter().map(|n| n.message.as_str()).collect();
    assert_eq!(
        notes,
        [
            "w.wasm: tool \"dear\" costs 6.00 USD, more than callers.per_call = \"5.00 USD\": a caller with a name needs a \
             higher cap of its own to call it",
            "w.wasm: tool \"euro\" costs 1.00 EUR, and callers.per_call says nothing of EUR: nothing caps what is spent in it",
        ]
    );
    assert!(resolved.snapshot.problems.is_empty());
}

#[test]
fn a_tool_without_a_price_is_not_free_and_the_line_to_add_is_told() {
    let snapshot = listed(
        "",
        &[plugin(
            "weather",
            vec![
                tool("get_x", None),
                tool("a.b", None),
                tool("ok", Some("free")),
            ],
        )],
    );
    assert_eq!(names(&snapshot), ["ok"]);
    let told = problems(&snapshot);
    assert!(
        told.contains("Add to coinop.toml: [plugins.weather.tools.get_x] price = \"0.10 USD\""),
        "{told}"
    );
    assert!(told.contains("[plugins.weather.tools.\"a.b\"]"), "{told}");
}

#[test]
fn a_price_that_the_account_cannot_charge_is_not_listed_and_the_reason_told() {
    let plugins = [plugin(
        "w",
        vec![
            tool("fine", Some("0.003 USD")),
            tool("round", Some("0.01 USD")),
        ],
    )];
    let snapshot = resolved(&config_with("", Overrides::default()), &plugins, &cents).snapshot;
    assert_eq!(names(&snapshot), ["confirm_payment", "round"]);
    let told = problems(&snapshot);
    assert!(
        told.contains("account sandbox: 0.003 USD cannot be charged exactly with 2 decimals"),
        "{told}"
    );
}

#[test]
fn of_colliding_names_none_is_listed_and_the_prefix_is_named() {
    let plugins = [
        plugin("aa", vec![tool("t", Some("1 USD"))]),
        plugin(
            "b-b",
            vec![tool("t", Some("free")), tool("u", Some("free"))],
        ),
    ];
    let snapshot = listed("", &plugins);
    assert_eq!(names(&snapshot), ["u"]);
    let told = problems(&snapshot);
    assert!(
        told.contains("aa.wasm: t is the name of a tool of aa and b-b")
            && told.contains("[plugins.b-b] prefix = \"b_b_\""),
        "{told}"
    );

    let snapshot = listed("[plugins.b-b]\nprefix = \"b_\"", &plugins);
    assert_eq!(names(&snapshot), ["b_t", "b_u", "confirm_payment", "t"]);
    assert!(snapshot.problems.is_empty());
    assert_eq!(snapshot.tools["b_t"].listing().unwrap().tool.name, "t");
}

#[test]
fn reserved_and_long_names_are_refused_and_can_be_changed() {
    let long = "n".repeat(60);
    let plugins = [plugin(
        "w",
        vec![tool("confirm_x", Some("free")), tool(&long, Some("1 USD"))],
    )];
    let two_step = "mode = \"two_step\"\n";
    let snapshot = listed(two_step, &plugins);
    assert_eq!(names(&snapshot), Vec::<&str>::new());
    let told = problems(&snapshot);
    assert_eq!(told.matches("prefix").count(), 2, "{told}");

    let config = format!(
        "[plugins.w.tools.confirm_x]\nname = \"x\"\n[plugins.w.tools.{long}]\nmode = \"resubmit\"\n"
    );
    assert_eq!(names(&listed(&config, &plugins)), [&long, "x"]);
    assert_eq!(
        names(&listed(
            &format!("{two_step}[plugins.w]\nprefix = \"a_\""),
            &plugins
        )),
        ["a_confirm_x"]
    );
}

#[test]
fn what_is_switched_off_is_no_problem() {
    let plugins = [plugin("w", vec![tool("t", None), tool("u", Some("free"))])];
    let snapshot = listed("[plugins.w.tools.t]\nenabled = false", &plugins);
    assert_eq!((names(&snapshot), snapshot.problems.len()), (vec!["u"], 0));
    let snapshot = listed("[plugins.w]\nenabled = false", &plugins);
    assert_eq!((names(&snapshot).len(), snapshot.problems.len()), (0, 0));
}

#[test]
fn rules_for_what_is_not_there_are_told_with_the_nearest_name() {
    let plugins = [with_sidecar(
        plugin("weather", vec![tool("get_x", Some("free"))]),
        "[tools.getx]\nprice = \"free\"",
    )];
    let snapshot = listed(
        "[plugins.wether]\nprice = \"free\"\n[plugins.weather.tools.get_y]\nprice = \"free\"",
        &plugins,
    );
    let told = problems(&snapshot);
    assert!(
        told.contains("plugins.wether: there is no wether.wasm in"),
        "{told}"
    );
    assert!(told.contains("plugins.weather.tools.get_y: weather.wasm has no tool of that name; did you mean \"get_x\"?"), "{told}");
    assert!(
        told.contains("weather.toml: tools.getx: weather.wasm has no tool of that name"),
        "{told}"
    );
    assert_eq!(names(&snapshot), ["get_x"]);
}

#[test]
fn settings_limits_and_accounts_are_the_operators_first() {
    let sidecar =
        "settings = { a = \"side\", b = \"side\" }\nlimits = { wall_ms = 99000, cpu_ms = 5 }";
    let plugins = [with_sidecar(
        plugin("w", vec![tool("t", Some("1 USD"))]),
        sidecar,
    )];
    let config = config_with(
        "[plugins.w]\naccount = \"sandbox-hold\"\nsettings = { b = \"operator\" }\nlimits = { wall_ms = 40000 }",
        Overrides::default(),
    );
    let resolved = resolved(&config, &plugins, &anything);
    let listing = resolved.snapshot.tools["t"].listing().unwrap();
    assert_eq!(listing.account, "sandbox-hold");
    assert_eq!(
        listing
            .settings
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect::<Vec<_>>(),
        ["a=side", "b=operator"]
    );
    assert_eq!(
        listing.limits,
        Limits {
            wall_ms_max: 40_000,
            cpu_ms_max: 5,
            ..Limits::default()
        }
    );
    assert!(
        resolved.notes[0]
            .message
            .contains("w.toml: asks for higher limits"),
        "{:?}",
        resolved.notes
    );
}

#[test]
fn the_published_schemas_say_how_to_pay() {
    let mut paid = tool("t", Some("1 USD"));
    paid.output_schema = Some(json!({ "properties": { "a": { "$ref": "#/$defs/x" } }, "$defs": { "x": { "type": "string" } } }).to_string());
    let snapshot = listed("mode = \"resubmit\"", &[plugin("w", vec![paid.clone()])]);
    let listing = snapshot.tools["t"].listing().unwrap();
    assert_eq!(
        listing.input_schema["properties"]["payment_id"]["type"],
        "string"
    );
    let output = listing.output_schema.as_ref().unwrap();
    assert_eq!(
        output["anyOf"][0]["properties"]["a"]["$ref"],
        "#/anyOf/0/$defs/x"
    );
    assert!(listing.validator.check(&json!({ "city": 3 })).is_err());
    assert!(
        listing
            .description
            .contains("Costs 1.00 USD per call. TEST")
    );

    let free = listed("[plugins.w]\nprice = \"free\"", &[plugin("w", vec![paid])]);
    let listing = free.tools["t"].listing().unwrap();
    assert!(
        listing.input_schema["properties"]
            .get("payment_id")
            .is_none()
    );
    assert_eq!(listing.output_schema.as_ref().unwrap()["type"], "object");
    assert!(!free.same_listing(&snapshot) && free.same_listing(&free));
}

#[test]
fn a_schema_that_cannot_be_used_takes_only_its_tool_off() {
    let mut remote = tool("remote", Some("free"));
    remote.input_schema =
        json!({ "type": "object", "$ref": "https://elsewhere.example/s" }).to_string();
    let mut closed = tool("closed", Some("1 USD"));
    closed.input_schema =
        json!({ "type": "object", "allOf": [{ "additionalProperties": false }] }).to_string();
    let snapshot = listed(
        "mode = \"resubmit\"",
        &[plugin("w", vec![remote, closed, tool("ok", Some("free"))])],
    );
    assert_eq!(names(&snapshot), ["ok"]);
    let told = problems(&snapshot);
    assert!(
        told.contains("\"remote\" is not listed: its input schema is not usable"),
        "{told}"
    );
    assert!(
        told.contains("\"closed\" is not listed: its input schema leaves no room"),
        "{told}"
    );
}

#[test]
fn callers_may_pay_accounts_with_a_rail_themselves_as_the_operator_says() {
    let bank = |account: &str, _: &Money| {
        let rail = account == "sandbox-hold";
        Ok(Charging {
            test: true,
            links: true,
            rail,
        })
    };
    let config = "accept = [\"sandbox-hold\"]\nsettle = \"upfront\"\n[plugins.a.tools.two]\nsettle = \"after\"\n\
                  [plugins.b]\naccept = [\"sandbox\"]\n[plugins.c]\naccept = []\nmode = \"x402\"\n[plugins.c.tools.five]\nprice = \"free\"\n";
    let plugins = [
        plugin(
            "a",
            vec![tool("one", Some("1 USD")), tool("two", Some("1 USD"))],
        ),
        plugin("b", vec![tool("three", Some("1 USD"))]),
        plugin("c", vec![tool("four", Some("1 USD")), tool("five", None)]),
    ];
    let config = config_with(config, Overrides::default());
    let resolved = resolved(&config, &plugins, &bank);
    let of = |name: &str| {
        let listing = resolved.snapshot.tools[name].listing().unwrap().clone();
        (listing.accepts.clone(), listing.upfront)
    };
    let rail = vec!["sandbox-hold".to_owned()];
    assert_eq!(of("one"), (rail.clone(), true));
    assert_eq!(of("two"), (rail, false));
    assert_eq!(of("three"), (vec![], true));
    assert_eq!(of("five"), (vec![], true), "nobody pays for it");
    let unpayable = problems(&resolved.snapshot);
    assert!(
        unpayable.contains("\"four\"") && unpayable.contains("[plugins.c] accept"),
        "{unpayable}"
    );
    let told: Vec<_> = resolved.notes.iter().map(|n| n.message.as_str()).collect();
    assert!(
        told.len() == 1 && told[0].contains("\"sandbox\""),
        "{told:?}"
    );
}

#[test]
fn the_operators_words_beat_the_sidecars_and_those_the_plugins() {
    let sidecar = "[tools.t]\nname = \"better\"\ntitle = \"Sidecar\"\ndescription = \"Said beside it.\"\n\
                   annotations = { read_only = true, open_world = true }\n";
    let plugin = || with_sidecar(plugin("w", vec![tool("t", Some("free"))]), sidecar);
    let operator = "[plugins.w]\nprefix = \"w_\"\n[plugins.w.tools.t]\ntitle = \"Operator\"\nannotations.read_only = false";
    let snapshot = listed(operator, &[plugin()]);
    let listing = snapshot.tools["w_better"].listing().unwrap();
    assert_eq!(listing.tool.name, "t");
    assert_eq!(listing.tool.title.as_deref(), Some("Operator"));
    assert_eq!(listing.description, "Said beside it.");
    let hints = listing.tool.annotations;
    assert_eq!(
        (hints.read_only, hints.open_world),
        (Some(false), Some(true))
    );
    let named = "[plugins.w.tools.t]\nname = \"mine\"";
    assert_eq!(names(&listed(named, &[plugin()])), ["mine"]);
}

#[test]
fn functions_that_are_no_tools_are_noted() {
    let mut derived = plugin("w", vec![tool("t", Some("free"))]);
    derived.manifest = Arc::new(Manifest {
        contract: Contract::Derived {
            left_out: vec![LeftOut {
                function: "a:b/c#open\u{202e}".to_owned(),
                why: "its answer contains a resource".to_owned(),
            }],
        },
        ..Manifest::clone(&derived.manifest)
    });
    let config = config_with("", Overrides::default());
    let notes = resolved(&config, &[derived], &anything).notes;
    assert_eq!(notes.len(), 1);
    assert_eq!(
        notes[0].message,
        "w.wasm: the function a:b/c#open\u{fffd} is no tool: its answer contains a resource"
    );
}

#[test]
fn tools_whose_instances_do_not_stay_are_noted_where_they_were_to() {
    let declared = |name: &str| ToolDecl {
        meta: Some(r#"{"coinop/warm":true}"#.to_owned()),
        ..tool(name, Some("free"))
    };
    let noted = |operator: &str, tools: Vec<ToolDecl>| {
        let config = config_with(operator, Overrides::default());
        let notes = resolved(&config, &[plugin("w", tools)], &anything).notes;
        notes
            .into_iter()
            .map(|note| note.message)
            .collect::<String>()
    };
    let (silent, spoken) = (tool("s", Some("free")), declared("d"));
    let both = || vec![silent.clone(), spoken.clone()];
    assert_eq!(noted("", both()), "");
    let warm = "[plugins.w]\nwarm = {}\n";
    assert_eq!(noted(warm, vec![spoken.clone()]), "");
    assert!(noted(warm, both()).starts_with(
        "w.wasm: each call of \"s\" has a fresh instance, since it says nothing of whether its instance"
    ));
    let none = noted(warm, vec![silent.clone()]);
    assert!(none.starts_with("w.wasm: warm has no effect") && none.contains("coinop/warm"));
    assert_eq!(noted("[plugins.w]\nwarm.undeclared = true\n", both()), "");
    let dirs = "[plugins.w]\nwarm = {}\ngrants.dirs = [{ path = \"/\", as = \"/data\" }]\n";
    assert!(noted(dirs, vec![spoken.clone()]).contains("directories"));
}
