//! Normals as they are worked out here; what is live is tested against a service, end to end.

use super::*;

fn ask(arguments: &str) -> Result<Forecast, String> {
    let arguments: Arguments = serde_json::from_str(arguments).unwrap();
    let span = arguments.span()?;
    usual(&arguments, span, None).map_err(|failure| format!("{failure:?}"))
}

#[test]
fn days_follow_each_other_and_add_up() {
    let forecast = ask(r#"{"city":"London","start_date":"2026-12-30","days":4}"#).unwrap();
    let dates: Vec<&str> = forecast.days.iter().map(|day| day.date.as_str()).collect();
    assert_eq!(
        dates,
        ["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]
    );
    assert_eq!(forecast.summary.end_date, "2027-01-02");
    let mean: f64 = forecast.days.iter().map(|day| day.high).sum::<f64>() / 4.0;
    assert!((forecast.summary.mean_high - mean).abs() < 0.1);
}

#[test]
fn a_week_is_the_default_and_the_bounds_hold() {
    let days = |count: &str| {
        ask(&format!(
            r#"{{"city":"Oslo","start_date":"2026-05-01"{count}}}"#
        ))
    };
    assert_eq!(days("").unwrap().days.len(), 7);
    assert_eq!(days(r#","days":16"#).unwrap().days.len(), 16);
    assert!(days(r#","days":17"#).unwrap_err().contains("1 to 16"));
    assert!(days(r#","days":0"#).unwrap_err().contains("1 to 16"));
}

#[test]
fn the_same_arguments_give_the_same_answer() {
    let arguments = r#"{"city":"Lima","start_date":"2026-05-01"}"#;
    assert_eq!(ask(arguments), ask(arguments));
}

#[test]
fn every_bundled_city_can_be_asked_for() {
    for name in city::names() {
        let arguments = serde_json::json!({"city": name, "start_date": "2026-01-01"});
        assert!(ask(&arguments.to_string()).is_ok(), "{name}");
    }
}

#[test]
fn normals_never_pass_for_a_forecast() {
    let text = ask(r#"{"city":"Lima","start_date":"2026-05-01","days":1}"#)
        .unwrap()
        .text();
    assert!(
        text.starts_with("Climatological expectation for Lima, Peru, 2026-05-01 to 2026-05-01: "),
        "{text}"
    );
    assert!(text.ends_with(NORMALS_NOTE));
}

#[test]
fn normals_in_place_of_a_forecast_say_why() {
    let arguments: Arguments =
        serde_json::from_str(r#"{"city":"Lima","start_date":"2026-05-01"}"#).unwrap();
    let span = arguments.span().unwrap();
    let text = usual(&arguments, span, Some("of rain".to_owned()))
        .unwrap()
        .text();
    assert!(
        text.contains("\nNot a forecast, because of rain.\n"),
        "{text}"
    );
}

#[test]
fn days_that_no_forecast_covers_are_known_before_anybody_is_asked() {
    let today: Date = "2026-11-20".parse().unwrap();
    for (start, days, asked) in [
        ("2026-11-18", 1, false),
        ("2026-11-19", 1, true),
        ("2026-11-20", 16, true),
        ("2026-11-21", 16, false),
        ("2027-07-01", 7, false),
    ] {
        let arguments = format!(r#"{{"city":"Lima","start_date":"{start}","days":{days}}}"#);
        let arguments: Arguments = serde_json::from_str(&arguments).unwrap();
        // Here no service can be reached: whoever asks it fails.
        match live(&arguments, arguments.span().unwrap(), today) {
            Err(NotLive::Failed(Failure::Unavailable { .. })) => assert!(asked, "{start} {days}"),
            Err(NotLive::Never(Failure::InvalidArguments(why))) => {
                assert!(!asked, "{start} {days}");
                assert_eq!(why, "forecasts cover 2026-11-19 to about 2026-12-05 today");
            }
            other => panic!("{other:?}"),
        }
    }
}
