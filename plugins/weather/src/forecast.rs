//! `get_forecast`: what to expect day by day, forecast or usual.

use std::fmt::Write;
use std::ops::RangeInclusive;

use coinop_plugin::{Failure, Json, progress};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Day, LIVE_NOTE, NORMALS_NOTE, Place, UnitNames};
use crate::calendar::Date;
use crate::city;
use crate::climate::{TypicalDay, typical_day};
use crate::open_meteo::{DailyError, Service, Span};
use crate::source::{self, NotLive, Source};
use crate::units::{Units, round};

/// The most days one call covers.
pub const DAYS_MAX: u32 = 16;
/// Days covered when the caller does not say.
const DAYS_DEFAULT: u32 = 7;
/// How far a forecast reaches beyond today.
const AHEAD_DAYS: u32 = 15;

/// What the caller asks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// The city, with its country or region behind a comma where several have the name: "Paris", "Paris, Texas".
    #[schemars(length(min = 1, max = 100))]
    city: String,
    /// The first day, YYYY-MM-DD.
    #[schemars(
        extend("format" = "date"),
        regex(pattern = "^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")
    )]
    start_date: String,
    /// How many days, the first one included.
    #[serde(default = "days_default")]
    #[schemars(range(min = 1, max = DAYS_MAX))]
    days: u32,
    /// metric: °C, mm, km/h; imperial: °F, inches, mph.
    #[serde(default)]
    units: Units,
    /// auto: a forecast where there can be one, climate normals otherwise; live: a forecast or no charge; normals: what is
    /// usual.
    #[serde(default)]
    source: Source,
}

/// The answer, as it is published.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Forecast {
    /// forecast: Open-Meteo's; climatological_expectation: climate normals.
    kind: Kind,
    place: Place,
    units: UnitNames,
    summary: Summary,
    /// In order.
    #[schemars(length(min = 1, max = DAYS_MAX))]
    days: Vec<Day>,
    /// Why there are normals and no forecast, where that was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_live_because: Option<String>,
    /// Where the numbers come from.
    note: &'static str,
}

/// What days are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Kind {
    // Open-Meteo's forecast.
    Forecast,
    // Climate normals.
    ClimatologicalExpectation,
}

/// The whole period.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Summary {
    start_date: String,
    end_date: String,
    mean_high: f64,
    mean_low: f64,
    /// The days' chances together.
    #[serde(skip_serializing_if = "Option::is_none")]
    wet_days_expected: Option<f64>,
    precipitation_total: f64,
}

/// The tool for a model.
pub fn description() -> String {
    format!(
        "Day-by-day outlook for a city, for 1 to {DAYS_MAX} days: high, low, chance of rain or snow, precipitation and \
         daylight of each day, with totals. Days up to {AHEAD_DAYS} days ahead come from Open-Meteo's weather forecast, \
         with sky and wind. Other days, and all days where the operator has not let this tool reach Open-Meteo, are \
         computed from climate normals of {} large cities: a climatological expectation for planning, NOT a forecast. \
         `kind` and `note` say which it is: say so when you use it. With source \"live\" there is a forecast or no \
         charge; with \"normals\" the same arguments always give the same answer. A service that does not answer and \
         a city that is not found are not charged.",
        city::names().count()
    )
}

/// Answers `get_forecast`.
///
/// # Errors
/// An argument is wrong, or the source that counts has no answer. Nobody is charged.
pub fn get_forecast(arguments: Arguments) -> Result<(String, Json<Forecast>), Failure> {
    let span = arguments.span().map_err(Failure::InvalidArguments)?;
    let forecast = source::answer(
        arguments.source,
        || live(&arguments, span, Date::today()),
        |why| usual(&arguments, span, why),
    )?;
    Ok((forecast.text(), Json(forecast)))
}

fn live(arguments: &Arguments, span: Span, today: Date) -> Result<Forecast, NotLive> {
    let covered = covered(today);
    if !covered.contains(&span.first) || !covered.contains(&span.last()) {
        return Err(NotLive::Never(Failure::InvalidArguments(beyond(&covered))));
    }
    let service = Service::new()?;
    progress(0.0, 2.0, "looking for the place");
    let place = service.place(&arguments.city)?;
    progress(1.0, 2.0, "asking for its forecast");
    let days = service.daily(&place, span, arguments.units);
    let days = days.map_err(|error| match error {
        DailyError::Beyond => NotLive::Never(Failure::InvalidArguments(beyond(&covered))),
        DailyError::Failed(failure) => failure.into(),
    })?;
    Ok(Forecast {
        kind: Kind::Forecast,
        place,
        units: UnitNames::of(arguments.units),
        summary: Summary::of_days(&days, arguments.units),
        days,
        not_live_because: None,
        note: LIVE_NOTE,
    })
}

/// The days there are forecasts for, give or take one: what day it is depends on the place, and the service knows.
fn covered(today: Date) -> RangeInclusive<Date> {
    today.before()..=today.after(AHEAD_DAYS)
}

fn beyond(covered: &RangeInclusive<Date>) -> String {
    format!(
        "forecasts cover {} to about {} today",
        covered.start(),
        covered.end()
    )
}

fn usual(arguments: &Arguments, span: Span, why: Option<String>) -> Result<Forecast, Failure> {
    let city = city::with_normals(&arguments.city, why.as_deref())?;
    let units = arguments.units;
    let expected: Vec<(Date, TypicalDay)> = span
        .dates()
        .map(|date| (date, typical_day(&city, date)))
        .collect();
    let day = |(date, day): &(Date, TypicalDay)| Day::usual(*date, *day, units);
    Ok(Forecast {
        kind: Kind::ClimatologicalExpectation,
        place: Place::from(&city),
        units: UnitNames::of(units),
        summary: Summary::of_normals(&expected, span, units),
        days: expected.iter().map(day).collect(),
        not_live_because: why,
        note: NORMALS_NOTE,
    })
}

fn days_default() -> u32 {
    DAYS_DEFAULT
}

impl Arguments {
    fn span(&self) -> Result<Span, String> {
        let days = self.days;
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(format!("days is {days}, and must be 1 to {DAYS_MAX}"));
        }
        Ok(Span {
            first: self.start_date.parse()?,
            days,
        })
    }
}

impl Forecast {
    /// The answer for reading.
    fn text(&self) -> String {
        let UnitNames {
            temperature,
            precipitation,
            ..
        } = self.units;
        let Summary {
            start_date,
            end_date,
            mean_high,
            mean_low,
            wet_days_expected,
            precipitation_total,
        } = &self.summary;
        let kind = match self.kind {
            Kind::Forecast => "Forecast",
            Kind::ClimatologicalExpectation => "Climatological expectation",
        };
        let wet = wet_days_expected.map_or_else(String::new, |wet| {
            format!(
                "about {wet} of {} days with rain or snow, ",
                self.days.len()
            )
        });
        let mut text = format!(
            "{kind} for {}, {start_date} to {end_date}: highs around {mean_high} {temperature}, lows around {mean_low} \
             {temperature}, {wet}{precipitation_total} {precipitation} in total.\n",
            self.place.name(),
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
        if let Some(why) = &self.not_live_because {
            let _ = writeln!(text, "Not a forecast, because {why}.");
        }
        text + self.note
    }
}

impl Summary {
    fn of_normals(expected: &[(Date, TypicalDay)], span: Span, units: Units) -> Self {
        let count = expected.len() as f64;
        let total =
            |part: fn(&TypicalDay) -> f64| expected.iter().map(|(_, day)| part(day)).sum::<f64>();
        Self {
            start_date: span.first.to_string(),
            end_date: span.last().to_string(),
            mean_high: units.temperature(total(|day| day.high_c) / count),
            mean_low: units.temperature(total(|day| day.low_c) / count),
            wet_days_expected: Some(round(total(|day| day.wet_chance), 10.0)),
            precipitation_total: units.precipitation(total(|day| day.precipitation_mm)),
        }
    }

    /// Of days that are in the caller's units already; none of them is empty.
    fn of_days(days: &[Day], units: Units) -> Self {
        let count = days.len() as f64;
        let total = |part: fn(&Day) -> f64| days.iter().map(part).sum::<f64>();
        let chances: Option<Vec<f64>> = days.iter().map(|day| day.wet_chance_percent).collect();
        let date = |day: Option<&Day>| day.map(|day| day.date.clone()).unwrap_or_default();
        Self {
            start_date: date(days.first()),
            end_date: date(days.last()),
            mean_high: round(total(|day| day.high) / count, 10.0),
            mean_low: round(total(|day| day.low) / count, 10.0),
            wet_days_expected: chances
                .map(|chances| round(chances.iter().sum::<f64>() / 100.0, 10.0)),
            precipitation_total: round(total(|day| day.precipitation), units.precipitation_steps()),
        }
    }
}

#[cfg(test)]
mod tests;
