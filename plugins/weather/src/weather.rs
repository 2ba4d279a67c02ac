//! `get_weather`: the typical weather of a city, on a date or over the year.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::calendar::{Date, MONTHS};
use crate::city::{self, City};
use crate::climate::{TypicalDay, typical_day};
use crate::units::{Units, round};

/// Said in every answer, since a model repeats what it reads.
pub const NOTE: &str = "Climate normals: averages over many years, not observations and not a weather forecast. A single day can differ by many degrees.";

/// What the caller asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    city: String,
    date: Option<String>,
    #[serde(default)]
    units: Units,
}

/// The answer, as it is published.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weather {
    kind: &'static str,
    place: Place,
    units: UnitNames,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    months: Option<Vec<Month>>,
    note: &'static str,
}

/// Where.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    pub city: &'static str,
    pub country: &'static str,
    latitude: f64,
    longitude: f64,
}

/// What the numbers are in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnitNames {
    pub temperature: &'static str,
    pub precipitation: &'static str,
}

/// One day's expectation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Day {
    pub date: String,
    pub weekday: &'static str,
    pub high: f64,
    pub low: f64,
    pub mean: f64,
    pub wet_chance_percent: f64,
    pub precipitation: f64,
    pub daylight_hours: f64,
}

/// One month's normals.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Month {
    month: &'static str,
    high: f64,
    low: f64,
    mean: f64,
    precipitation: f64,
    wet_days: f64,
}

/// Answers `get_weather`. The error says which argument is wrong and what would be right.
pub fn describe(arguments: &Arguments) -> Result<Weather, String> {
    let city = city::find(&arguments.city)?;
    let units = arguments.units;
    let date = arguments
        .date
        .as_deref()
        .map(str::parse::<Date>)
        .transpose()?;
    Ok(Weather {
        kind: "climate_normals",
        place: Place::of(&city),
        units: UnitNames::of(units),
        day: date.map(|date| Day::of(date, typical_day(&city, date), units)),
        months: date.is_none().then(|| months(&city, units)),
        note: NOTE,
    })
}

impl Weather {
    /// The answer for reading.
    pub fn text(&self) -> String {
        let Place { city, country, .. } = self.place;
        let UnitNames {
            temperature,
            precipitation,
        } = self.units;
        let mut text = String::new();
        if let Some(day) = &self.day {
            text = format!(
                "Typical for {city}, {country} on {}:\n{}\n",
                day.date,
                day.line(&self.units)
            );
        }
        if let Some(months) = &self.months {
            text = format!(
                "Typical year in {city}, {country} (daily high/low, precipitation, days with rain or snow):\n"
            );
            for month in months {
                let Month {
                    month,
                    high,
                    low,
                    precipitation: amount,
                    wet_days,
                    ..
                } = month;
                // Writing to a String cannot fail.
                let _ = writeln!(
                    text,
                    "{month}: {high}/{low} {temperature}, {amount} {precipitation}, {wet_days} days"
                );
            }
        }
        text + self.note
    }
}

impl Place {
    /// Where `city` is.
    pub fn of(city: &City) -> Self {
        Self {
            city: city.name,
            country: city.country,
            latitude: city.latitude,
            longitude: city.longitude,
        }
    }
}

impl UnitNames {
    /// The names of `units`.
    pub fn of(units: Units) -> Self {
        Self {
            temperature: units.temperature_unit(),
            precipitation: units.precipitation_unit(),
        }
    }
}

impl Day {
    /// `typical` in the caller's units, rounded for showing.
    pub fn of(date: Date, typical: TypicalDay, units: Units) -> Self {
        Self {
            date: date.to_string(),
            weekday: date.weekday(),
            high: units.temperature(typical.high_c),
            low: units.temperature(typical.low_c),
            mean: units.temperature(f64::midpoint(typical.high_c, typical.low_c)),
            wet_chance_percent: round(typical.wet_chance * 100.0, 1.0),
            precipitation: units.precipitation(typical.precipitation_mm),
            daylight_hours: round(typical.daylight_hours, 10.0),
        }
    }

    /// One line without the date.
    pub fn line(&self, units: &UnitNames) -> String {
        format!(
            "high {} {t}, low {} {t}, {}% chance of rain or snow, {} {} on average, {} h of daylight",
            self.high,
            self.low,
            self.wet_chance_percent,
            self.precipitation,
            units.precipitation,
            self.daylight_hours,
            t = units.temperature,
        )
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

    fn ask(arguments: &str) -> Result<Weather, String> {
        describe(&serde_json::from_str(arguments).unwrap())
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
                 high 30 °C, low 21 °C, 26% chance of rain or snow, 3.8 mm on average, 14.8 h of daylight\n{NOTE}"
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
        assert!(
            ask(r#"{"city":"Pariss"}"#)
                .unwrap_err()
                .contains("Did you mean Paris (France)")
        );
        assert!(
            ask(r#"{"city":"Paris","date":"2026-02-30"}"#)
                .unwrap_err()
                .contains("does not exist")
        );
    }
}
