//! `weather`: live where it is granted, normals where not, and never one for the other.

use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use serde_json::{Value, json};

use super::open_meteo::{Mood, OpenMeteo, today};
use super::{balanced, bought, made_good, shop};

const PRICE: &str = "0.003 USD";
/// In billionths of a dollar.
const TAKING: i64 = 3_000_000;

/// A host that may ask `service`, with one more setting.
async fn granted(service: &OpenMeteo, setting: &str) -> (Home, Client) {
    let mut home = shop("weather", &service.config(setting));
    home.env("TEST_KEY", "s3cret+key");
    let client = home.stdio(Era::Legacy).await;
    (home, client)
}

/// Two days from today on.
fn two_days(source: &str) -> Value {
    json!({ "city": "Oslo, Norway", "start_date": today(), "days": 2, "source": source })
}

#[tokio::test]
async fn a_forecast_is_sold_as_the_service_gives_it() {
    let service = OpenMeteo::start().await;
    let (home, client) = granted(&service, "").await;
    let arguments =
        json!({ "city": "oslo, us", "start_date": today(), "days": 2, "units": "imperial" });
    let answer = bought(&client, "get_forecast", PRICE, arguments).await;
    let text = answer.text();
    for part in [
        "Forecast for Oslo, Minnesota, United States",
        "snow, high 29.3 °F, low 17.6 °F, 95% chance of rain or snow, 0.25 in, wind up to 13 mph, 6.5 h of daylight",
        "Open-Meteo.com (CC BY 4.0)",
    ] {
        assert!(text.contains(part), "lacks {part:?}: {text}");
    }
    let structured = &answer.result()["structuredContent"];
    assert_eq!(structured["kind"], "forecast");
    assert_eq!(structured["days"][1]["conditions"], "clear");
    assert_eq!(structured["summary"]["wet_days_expected"], 1.0);
    assert!(structured.get("not_live_because").is_none(), "{structured}");

    let asked = service.asked();
    let [place, days] = &asked[..] else {
        panic!("asked {asked:?}");
    };
    assert!(
        place.starts_with("/v1/search?name=oslo&count=20&language=en"),
        "{place}"
    );
    for part in [
        "/v1/forecast?latitude=48.19526&longitude=-97.13148&timezone=auto",
        "&end_date=",
        "&apikey=s3cret%2Bkey",
    ] {
        assert!(days.contains(part), "lacks {part:?}: {days}");
    }
    balanced(&home, TAKING);
}

#[tokio::test]
async fn the_weather_now_is_free() {
    let service = OpenMeteo::start().await;
    let (_home, client) = granted(&service, "").await;
    let now = client.call("get_weather", json!({ "city": "Oslo" })).await;
    assert!(
        now.text()
            .starts_with("Now in Oslo, Norway: overcast, -3.4 °C, feels like -8.1 °C"),
        "{}",
        now.0
    );
    assert_eq!(
        now.result()["structuredContent"]["kind"],
        "current_conditions"
    );
    service.asked();
    let usual = client
        .call(
            "get_weather",
            json!({ "city": "Oslo", "date": "2026-07-14" }),
        )
        .await;
    assert!(
        usual
            .text()
            .starts_with("Typical for Oslo, Norway on 2026-07-14"),
        "{}",
        usual.0
    );
    assert!(service.asked().is_empty(), "normals need nobody");
}

#[tokio::test]
async fn a_service_in_trouble_costs_its_caller_nothing() {
    let service = OpenMeteo::start().await;
    let (home, client) = granted(&service, "").await;
    for (mood, words) in [
        (Mood::Down, "Open-Meteo answered with status 503"),
        (Mood::Busy, "asked too often"),
        (Mood::Page, "in a form that this tool does not know"),
        (Mood::OtherJson, "in a form that this tool does not know"),
        (Mood::Impossible, "in a form that this tool does not know"),
        (Mood::Long, "answered with more than"),
        (Mood::Moved, "Open-Meteo answered with status 302"),
        (Mood::Nowhere, "knows no place called \"Oslo\""),
    ] {
        service.be(mood);
        let answer = bought(&client, "get_forecast", PRICE, two_days("auto")).await;
        made_good(&answer, words);
        assert!(!answer.text().contains("s3cret"), "{mood:?}: {}", answer.0);
    }
    service.be(Mood::Well);
    let answer = bought(&client, "get_forecast", PRICE, two_days("auto")).await;
    assert!(
        answer.text().contains("Forecast for Oslo, Norway"),
        "{}",
        answer.0
    );
    balanced(&home, TAKING);
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let service = OpenMeteo::start().await;
    let (home, client) = granted(&service, ", timeout_ms = \"300\"").await;
    for mood in [Mood::Silent, Mood::Stalled] {
        service.be(mood);
        let answer = bought(&client, "get_forecast", PRICE, two_days("live")).await;
        made_good(&answer, "did not answer in time");
    }
    balanced(&home, 0);
}

#[tokio::test]
async fn days_that_no_forecast_covers_are_told_as_what_is_usual() {
    let service = OpenMeteo::start().await;
    let (home, client) = granted(&service, "").await;
    let far = json!({ "city": "Oslo", "start_date": "2190-07-14", "days": 2 });
    let answer = bought(&client, "get_forecast", PRICE, far).await;
    assert!(service.asked().is_empty(), "nobody need be asked");
    assert!(
        answer
            .text()
            .contains("Not a forecast, because forecasts cover"),
        "{}",
        answer.0
    );
    service.be(Mood::Beyond);
    let answer = bought(&client, "get_forecast", PRICE, two_days("auto")).await;
    assert!(
        answer
            .text()
            .contains("Not a forecast, because forecasts cover"),
        "{}",
        answer.0
    );
    let answer = bought(&client, "get_forecast", PRICE, two_days("live")).await;
    made_good(&answer, "forecasts cover");
    balanced(&home, 2 * TAKING);
}

#[tokio::test]
async fn without_the_grant_it_is_normals_and_says_so() {
    let home = shop("weather", "");
    let client = home.stdio(Era::Modern).await;
    let answer = bought(&client, "get_forecast", PRICE, two_days("auto")).await;
    let text = answer.text();
    for part in [
        "Climatological expectation for Oslo, Norway",
        "Not a forecast, because the operator of this tool has not let it reach Open-Meteo.",
        "not observations and not a weather forecast",
    ] {
        assert!(text.contains(part), "lacks {part:?}: {text}");
    }
    let structured = &answer.result()["structuredContent"];
    assert_eq!(structured["kind"], "climatological_expectation");
    let answer = bought(&client, "get_forecast", PRICE, two_days("live")).await;
    made_good(&answer, "has not let it reach Open-Meteo");
    let elsewhere = json!({ "city": "Bakewell", "start_date": "2026-12-01" });
    let answer = bought(&client, "get_forecast", PRICE, elsewhere).await;
    made_good(&answer, "is not among those with bundled normals");
    balanced(&home, TAKING);
}
