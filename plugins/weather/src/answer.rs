//! What both tools publish: places, days, units, and the words about where numbers come from.

use schemars::JsonSchema;
use serde::Serialize;

use crate::calendar::Date;
use crate::city::City;
use crate::climate::TypicalDay;
use crate::units::{Units, round};

/// Said with every normal, since a model repeats what it reads.
pub const NORMALS_NOTE: &str = "Climate normals: averages over many years, not observations and not a weather forecast. A single day can differ by many degrees.";
/// Said with every live number: the licence asks for it.
pub const LIVE_NOTE: &str = "Weather data by Open-Meteo.com (CC BY 4.0).";

/// Where.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Place {
    /// Its name.
    pub city: String,
    /// The part of the country, where the service says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The country's English name.
    pub country: String,
    /// Degrees, north positive.
    pub latitude: f64,
    /// Degrees, east positive.
    pub longitude: f64,
}

/// What the numbers are in.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct UnitNames {
    /// °C or °F.
    pub temperature: &'static str,
    /// mm or in.
    pub precipitation: &'static str,
    /// km/h or mph.
    pub wind: &'static str,
}

/// One day: as it is forecast, or as it usually is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Day {
    /// YYYY-MM-DD, where the place is.
    pub date: String,
    /// Mon to Sun.
    pub weekday: &'static str,
    /// The highest temperature; of normals, its mean.
    pub high: f64,
    /// The lowest temperature; of normals, its mean.
    pub low: f64,
    /// Halfway between high and low.
    pub mean: f64,
    /// How likely rain or melted snow is, in percent; of normals, how often such a day has at least 1 mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub wet_chance_percent: Option<f64>,
    /// The amount of rain and melted snow; of normals, the mean over wet and dry days.
    pub precipitation: f64,
    /// Sunrise to sunset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daylight_hours: Option<f64>,
    /// The sky, in words. Forecasts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<&'static str>,
    /// The strongest wind. Forecasts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wind_max: Option<f64>,
}

impl Place {
    /// The place in words, such as `Springfield, Illinois, United States`.
    pub fn name(&self) -> String {
        let parts = [Some(&self.city), self.region.as_ref(), Some(&self.country)];
        let mut name: Vec<&str> = Vec::new();
        for part in parts.into_iter().flatten() {
            if !part.is_empty() && !name.contains(&part.as_str()) {
                name.push(part);
            }
        }
        name.join(", ")
    }
}

impl From<&City> for Place {
    fn from(city: &City) -> Self {
        Self {
            city: city.name.to_owned(),
            region: None,
            country: city.country.to_owned(),
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
            wind: units.speed_unit(),
        }
    }
}

impl Day {
    /// `typical` in the caller's units, rounded for showing.
    pub fn usual(date: Date, typical: TypicalDay, units: Units) -> Self {
        Self {
            date: date.to_string(),
            weekday: date.weekday(),
            high: units.temperature(typical.high_c),
            low: units.temperature(typical.low_c),
            mean: units.temperature(f64::midpoint(typical.high_c, typical.low_c)),
            wet_chance_percent: Some(round(typical.wet_chance * 100.0, 1.0)),
            precipitation: units.precipitation(typical.precipitation_mm),
            daylight_hours: Some(round(typical.daylight_hours, 10.0)),
            conditions: None,
            wind_max: None,
        }
    }

    /// One line without the date.
    pub fn line(&self, units: &UnitNames) -> String {
        let UnitNames {
            temperature,
            precipitation,
            wind,
        } = units;
        let mut parts = Vec::new();
        parts.extend(self.conditions.map(str::to_owned));
        parts.push(format!("high {} {temperature}", self.high));
        parts.push(format!("low {} {temperature}", self.low));
        parts.extend(
            self.wet_chance_percent
                .map(|percent| format!("{percent}% chance of rain or snow")),
        );
        let average = if self.conditions.is_none() {
            " on average"
        } else {
            ""
        };
        parts.push(format!("{} {precipitation}{average}", self.precipitation));
        parts.extend(
            self.wind_max
                .map(|speed| format!("wind up to {speed} {wind}")),
        );
        parts.extend(
            self.daylight_hours
                .map(|hours| format!("{hours} h of daylight")),
        );
        parts.join(", ")
    }
}
