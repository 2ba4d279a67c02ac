//! `get_forecast`: what to expect day by day, from climate normals.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::city;
use crate::climate::{TypicalDay, typical_day};
use crate::units::{Units, round};
use crate::weather::{Day, NOTE, Place, UnitNames};

/// The most days one call covers.
pub const DAYS_MAX: u32 = 16;

/// Days covered when the caller does not say.
pub const DAYS_DEFAULT: u32 = 7;

/// What the caller asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    city: String,
    start_date: String,
    days: Option<u32>,
    #[serde(default)]
    units: Units,
}

/// The answer, as it is published.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    kind: &'static str,
    place: Place,
    units: UnitNames,
    summary: Summary,
    days: Vec<Day>,
    note: &'static str,
}

/// The whole period.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Summary {
    start_date: String,
    end_date: String,
    mean_high: f64,
    mean_low: f64,
    wet_days_expected: f64,
    precipitation_total: f64,
}

/// Answers `get_forecast`. The error says which argument is wrong and what would be right.
pub fn expect(arguments: &Arguments) -> Result<Forecast, String> {
    let city = city::find(&arguments.city)?;
    let start: Date = arguments.start_date.parse()?;
    let days = arguments.days.unwrap_or(DAYS_DEFAULT);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(format!("days is {days}, and must be 1 to {DAYS_MAX}"));
    }
    let units = arguments.units;
    let dates = std::iter::successors(Some(start), |date| Some(date.next())).take(days as usize);
    let expected: Vec<(Date, TypicalDay)> =
        dates.map(|date| (date, typical_day(&city, date))).collect();
    Ok(Forecast {
        kind: "climatological_expectation",
        place: Place::of(&city),
        units: UnitNames::of(units),
        summary: Summary::of(&expected, start, units),
        days: expected
            .iter()
            .map(|(date, day)| Day::of(*date, *day, units))
            .collect(),
        note: NOTE,
    })
}

impl Forecast {
    /// The answer for reading.
    pub fn text(&self) -> String {
        let Place { city, country, .. } = self.place;
        let UnitNames {
            temperature,
            precipitation,
        } = self.units;
        let Summary {
            start_date,
            end_date,
            mean_high,
            mean_low,
            wet_days_expected,
            precipitation_total,
        } = &self.summary;
        let mut text = format!(
            "Climatological expectation for {city}, {country}, {start_date} to {end_date}: highs around \
             {mean_high} {temperature}, lows around {mean_low} {temperature}, about {wet_days_expected} of {} days \
             with rain or snow, {precipitation_total} {precipitation} in total.\n",
            self.days.len(),
        );
        for day in &self.days {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{} {}: {}",
                day.weekday,
                day.date,
                day.line(&self.units)
            );
        }
        text + self.note
    }
}

impl Summary {
    fn of(expected: &[(Date, TypicalDay)], start: Date, units: Units) -> Self {
        let count = expected.len() as f64;
        let total =
            |part: fn(&TypicalDay) -> f64| expected.iter().map(|(_, day)| part(day)).sum::<f64>();
        Self {
            start_date: start.to_string(),
            end_date: expected.last().map_or(start, |(date, _)| *date).to_string(),
            mean_high: units.temperature(total(|day| day.high_c) / count),
            mean_low: units.temperature(total(|day| day.low_c) / count),
            wet_days_expected: round(total(|day| day.wet_chance), 10.0),
            precipitation_total: units.precipitation(total(|day| day.precipitation_mm)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(arguments: &str) -> Result<Forecast, String> {
        expect(&serde_json::from_str(arguments).unwrap())
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
    fn the_text_never_passes_for_a_forecast() {
        let text = ask(r#"{"city":"Lima","start_date":"2026-05-01","days":1}"#)
            .unwrap()
            .text();
        assert!(
            text.starts_with(
                "Climatological expectation for Lima, Peru, 2026-05-01 to 2026-05-01: "
            ),
            "{text}"
        );
        assert!(text.ends_with(NOTE));
    }
}
