//! `get_weather`: the weather of a city now, or its usual weather on a date or over the year.

use std::fmt::Write;

use coinop_plugin::{Failure, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Day, LIVE_NOTE, NORMALS_NOTE, Place, UnitNames};
use crate::calendar::{Date, MONTHS};
use crate::city::{self, City};
use crate::climate::typical_day;
use crate::open_meteo::{Now, Service};
use crate::source::{self, NotLive, Source};
use crate::units::Units;

/// What the caller asks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// The city, with its country or region behind a comma where several have the name: "Paris", "Paris, Texas".
    #[schemars(length(min = 1, max = 100))]
    city: String,
    /// A day, YYYY-MM-DD, for what is usual on it. Without one it is the weather now, or the twelve months.
    #[serde(default)]
    #[schemars(
        with = "String",
        extend("format" = "date"),
        regex(pattern = "^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")
    )]
    date: Option<String>,
    /// metric: °C, mm, km/h; imperial: °F, inches, mph.
    #[serde(default)]
    units: Units,
    /// auto: the weather now where it can be had, climate normals otherwise; live: now; normals: what is usual.
    #[serde(default)]
    source: Source,
}

/// The answer, as it is published: with one of `now`, `day` and `months`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Weather {
    /// current_conditions: Open-Meteo's; climate_normals: averages over many years.
    kind: Kind,
    place: Place,
    units: UnitNames,
    /// The weather now.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Now>,
    /// What is usual on the date.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<Day>,
    /// What is usual over the year.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 12, max = 12))]
    months: Option<Vec<Month>>,
    /// Why there are normals and not the weather now, where that was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_live_because: Option<String>,
    /// Where the numbers come from.
    note: &'static str,
}

/// What the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Kind {
    // Open-Meteo's analysis of the present.
    CurrentConditions,
    // Averages over many years.
    ClimateNormals,
}

/// One month's normals.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Month {
    month: &'static str,
    /// Mean daily maximum.
    high: f64,
    /// Mean daily minimum.
    low: f64,
    /// Halfway between high and low.
    mean: f64,
    /// Total of the month.
    precipitation: f64,
    /// Days with at least 1 mm.
    wet_days: f64,
}

/// The tool for a model.
pub fn description() -> String {
    format!(
        "The weather in a city now, from Open-Meteo, where the operator lets this tool reach it. Where not, and with a \
         date, what the weather there is usually like, from bundled climate normals (averages over many years) of {} \
         large cities: with a date the typical high, low, chance of rain or snow, precipitation and daylight of that \
         day of the year, without one the twelve months. `kind` and `note` say which it is: say so when you use it. \
         For the next days use get_forecast. A city that is not found is an error that says what to do.",
        city::names().count()
    )
}

/// Answers `get_weather`.
///
/// # Errors
/// An argument is wrong, or the source that counts has no answer.
pub fn get_weather(arguments: Arguments) -> Result<(String, Json<Weather>), Failure> {
    let weather = match (&arguments.date, arguments.source) {
        (Some(_), Source::Live) => {
            return Err(Failure::invalid(
                "live weather is that of now: leave out date, or ask get_forecast about days to come",
            ));
        }
        (Some(_), _) => usual(&arguments, None)?,
        (None, wanted) => {
            source::answer(wanted, || live(&arguments), |why| usual(&arguments, why))?
        }
    };
    Ok((weather.text(), Json(weather)))
}

fn live(arguments: &Arguments) -> Result<Weather, NotLive> {
    let service = Service::new()?;
    let place = service.place(&arguments.city)?;
    let now = service.now(&place, arguments.units)?;
    Ok(Weather {
        kind: Kind::CurrentConditions,
        place,
        units: UnitNames::of(arguments.units),
        now: Some(now),
        day: None,
        months: None,
        not_live_because: None,
        note: LIVE_NOTE,
    })
}

fn usual(arguments: &Arguments, why: Option<String>) -> Result<Weather, Failure> {
    let city = city::with_normals(&arguments.city, why.as_deref())?;
    let units = arguments.units;
    let date = arguments
        .date
        .as_deref()
        .map(str::parse::<Date>)
        .transpose();
    let date = date.map_err(Failure::InvalidArguments)?;
    Ok(Weather {
        kind: Kind::ClimateNormals,
        place: Place::from(&city),
        units: UnitNames::of(units),
        now: None,
        day: date.map(|date| Day::usual(date, typical_day(&city, date), units)),
        months: date.is_none().then(|| months(&city, units)),
        not_live_because: why,
        note: NORMALS_NOTE,
    })
}

impl Weather {
    /// The answer for reading.
    fn text(&self) -> String {
        let place = self.place.name();
        let UnitNames {
            temperature,
            precipitation,
            ..
        } = self.units;
        let mut text = String::new();
        // Writing to a String cannot fail.
        if let Some(now) = &self.now {
            let _ = writeln!(text, "Now in {place}: {}.", now.line(&self.units));
        }
        if let Some(day) = &self.day {
            let _ = writeln!(
                text,
                "Typical for {place} on {}:\n{}",
                day.date,
                day.line(&self.units)
            );
        }
        if let Some(months) = &self.months {
            let _ = writeln!(
                text,
                "Typical year in {place} (daily high/low, precipitation, days with rain or snow):"
            );
            for month in months {
                let _ = writeln!(
                    text,
                    "{}: {}/{} {temperature}, {} {precipitation}, {} days",
                    month.month, month.high, month.low, month.precipitation, month.wet_days
                );
            }
        }
        if let Some(why) = &self.not_live_because {
            let _ = writeln!(text, "Not the weather now, because {why}.");
        }
        text + self.note
    }
}

fn months(city: &City, units: Units) -> Vec<Month> {
    let month = |index: usize| Month {
        month: MONTHS[index],
        high: units.temperature(city.high_c[index]),
        low: units.temperature(city.low_c[index]),
        mean: units.temperature(f64::midpoint(city.high_c[index], city.low_c[index])),
        precipitation: units.precipitation(city.precipitation_mm[index]),
        wet_days: city.wet_days[index],
    };
    (0..12).map(month).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(arguments: &str) -> Result<Weather, Failure> {
        usual(&serde_json::from_str(arguments).unwrap(), None)
    }

    fn refused(arguments: &str) -> String {
        match get_weather(serde_json::from_str(arguments).unwrap()) {
            Err(Failure::InvalidArguments(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_date_gives_that_day_alone() {
        let weather = ask(r#"{"city":"nyc","date":"2026-07-16"}"#).unwrap();
        assert_eq!(weather.place.city, "New York");
        assert!(weather.months.is_none());
        assert_eq!(
            weather.text(),
            format!(
                "Typical for New York, United States on 2026-07-16:\n\
                 high 30 °C, low 21 °C, 26% chance of rain or snow, 3.8 mm on average, 14.8 h of daylight\n{NORMALS_NOTE}"
            )
        );
    }

    #[test]
    fn without_a_date_it_is_the_year() {
        let weather = ask(r#"{"city":"Singapore","units":"imperial"}"#).unwrap();
        assert_eq!(weather.months.as_ref().unwrap().len(), 12);
        assert!(weather.day.is_none());
        assert!(
            weather
                .text()
                .contains("January: 87.8/75.2 °F, 8.74 in, 12 days\n"),
            "{}",
            weather.text()
        );
    }

    #[test]
    fn wrong_arguments_are_told() {
        for (arguments, part) in [
            (
                r#"{"city":"Pariss","source":"normals"}"#,
                "Did you mean Paris (France)",
            ),
            (r#"{"city":"Paris","date":"2026-02-30"}"#, "does not exist"),
            (
                r#"{"city":"Paris","date":"2026-02-20","source":"live"}"#,
                "get_forecast",
            ),
        ] {
            let why = refused(arguments);
            assert!(why.contains(part), "{why}");
        }
    }
}
