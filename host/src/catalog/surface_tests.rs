//! What modes add to the list: confirm tools of their own, the one of all, and what an account must be able to do.

use coinop_core::mode::Surface;

use super::*;

fn paid(names: &[&str]) -> Plugin {
    let tools = names.iter().map(|name| tool(name, Some("5 USD")));
    plugin("w", tools.collect())
}

fn listed_in(mode: &str, more: &str, names: &[&str]) -> Snapshot {
    listed(&format!("mode = \"{mode}\"\n{more}"), &[paid(names)])
}

#[test]
fn the_one_confirm_tool_is_there_once_for_every_tool_that_has_it() {
    for (mode, expected) in [
        ("auto", vec!["confirm_payment", "t", "u"]),
        ("elicitation", vec!["confirm_payment", "t", "u"]),
        ("two_step", vec!["confirm_t", "confirm_u", "t", "u"]),
        ("dynamic_tools", vec!["confirm_t", "confirm_u", "t", "u"]),
        ("resubmit", vec!["t", "u"]),
    ] {
        assert_eq!(names(&listed_in(mode, "", &["t", "u"])), expected, "{mode}");
    }
    let mixed = "[plugins.w.tools.u]\nmode = \"two_step\"";
    let snapshot = listed_in("auto", mixed, &["t", "u"]);
    assert_eq!(names(&snapshot), ["confirm_payment", "confirm_u", "t", "u"]);
    let free = listed("", &[plugin("w", vec![tool("t", Some("free"))])]);
    assert_eq!(names(&free), ["t"]);
}

#[test]
fn two_step_uses_the_one_confirm_tool_where_the_operator_wants_it() {
    let one = listed_in("two_step", "confirm_tool = \"one\"", &["t"]);
    assert_eq!(names(&one), ["confirm_payment", "t"]);
    let listing = one.tools["t"].listing().unwrap();
    assert_eq!(listing.mode.name(), "two_step");
    assert_eq!(listing.confirm_tool().as_deref(), Some("confirm_payment"));
    assert!(
        listing
            .description
            .ends_with("call confirm_payment with the payment_id to get the result."),
        "{}",
        listing.description
    );
    let each = listed_in("two_step", "confirm_tool = \"each\"", &["t"]);
    assert!(!each.same_listing(&one));
    assert_eq!(each.tools["t"].listing().unwrap().confirm_tool(), None);
    // Tools that take turns keep the name that is put in their place.
    let turns = listed_in("dynamic_tools", "confirm_tool = \"one\"", &["t"]);
    assert_eq!(names(&turns), ["confirm_t", "t"]);
    assert_eq!(
        turns.tools["t"].listing().unwrap().surface,
        Surface::TakesTurns
    );
}

#[test]
fn nobody_takes_the_name_of_the_one_confirm_tool() {
    for own in ["payment", "confirm_payment"] {
        let snapshot = listed_in("two_step", "", &[own]);
        assert_eq!(names(&snapshot), Vec::<&str>::new());
        let told = problems(&snapshot);
        assert!(told.contains("prefix = \"x_\""), "{told}");
    }
    // It has no confirm tool of its own there.
    let snapshot = listed_in("auto", "", &["payment"]);
    assert_eq!(names(&snapshot), ["confirm_payment", "payment"]);
}

#[test]
fn the_money_behind_the_one_confirm_tool_is_known() {
    let charging = |account: &str, _: &Money| {
        Ok(Charging {
            test: account == "sandbox",
            ..charging()
        })
    };
    let money = |config: &str| {
        let config = format!("mode = \"auto\"\n[accounts.real]\nkind = \"sandbox\"\n{config}");
        let config = format!("provider = \"sandbox\"\n{config}");
        let plugins = [paid(&["t"]), plugin("v", vec![tool("u", Some("1 USD"))])];
        let config = config_with(&config, Overrides::default());
        resolved(&config, &plugins, &charging)
            .snapshot
            .shared_money()
    };
    use crate::catalog::SharedMoney;
    assert_eq!(money(""), SharedMoney::Test);
    assert_eq!(money("[plugins.v]\naccount = \"real\""), SharedMoney::Mixed);
    let both = "[plugins.v]\naccount = \"real\"\n[plugins.w]\naccount = \"real\"";
    assert_eq!(money(both), SharedMoney::Real);
}

#[test]
fn a_mode_is_refused_where_its_account_cannot_be_paid_that_way() {
    let told = |mode: &str, links: bool, rail: bool| {
        let charging = move |_: &str, _: &Money| {
            Ok(Charging {
                test: true,
                links,
                rail,
            })
        };
        let config = config_with(&format!("mode = \"{mode}\""), Overrides::default());
        problems(&resolved(&config, &[paid(&["t"])], &charging).snapshot)
    };
    let no_rail = told("x402", true, false);
    assert!(
        no_rail.contains("mode x402 needs an account with a rail, and sandbox has none")
            && no_rail.contains("mode = \"auto\""),
        "{no_rail}"
    );
    let no_links = told("two_step", false, true);
    assert!(
        no_links.contains("makes payment links") && no_links.contains("mode = \"x402\""),
        "{no_links}"
    );
    assert!(told("auto", false, false).contains("nobody could pay it"));
    for (mode, links, rail) in [
        ("x402", false, true),
        ("auto", false, true),
        ("auto", true, false),
        ("two_step", true, true),
    ] {
        assert_eq!(told(mode, links, rail), "", "{mode}");
    }
}

#[test]
fn a_sidecars_key_of_before_still_works_and_is_told() {
    let plugin = with_sidecar(paid(&["t"]), "[tools.t]\npayment_flow = \"resubmit\"");
    let config = config_with("", Overrides::default());
    let resolved = resolved(&config, &[plugin], &anything);
    assert_eq!(
        resolved.snapshot.tools["t"].listing().unwrap().mode.name(),
        "resubmit"
    );
    let notes: Vec<_> = resolved.notes.iter().map(|n| n.message.as_str()).collect();
    assert_eq!(
        notes,
        ["w.toml: line 2: tools.t.payment_flow: is now called mode; it still works"]
    );
}
