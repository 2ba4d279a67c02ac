//! The weather now.

use coinop_plugin::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{known, odd, possible, sky};
use crate::answer::UnitNames;
use crate::units::{Units, round};

/// What is asked, in the service's words.
pub(super) const VARIABLES: &str =
    "temperature_2m,apparent_temperature,relative_humidity_2m,weather_code,wind_speed_10m";

/// The weather now, in the caller's units.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Now {
    /// When, where the place is: YYYY-MM-DDThh:mm.
    pub time: String,
    /// The sky, in words.
    pub conditions: &'static str,
    /// In the shade, two metres above the ground.
    pub temperature: f64,
    /// What it feels like, with wind and humidity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feels_like: Option<f64>,
    /// Relative humidity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub humidity_percent: Option<f64>,
    /// Ten metres above the ground.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wind: Option<f64>,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    current: Current,
}

/// °C, percent, km/h.
#[derive(Deserialize)]
struct Current {
    time: String,
    temperature_2m: Option<f64>,
    apparent_temperature: Option<f64>,
    relative_humidity_2m: Option<f64>,
    weather_code: Option<u16>,
    wind_speed_10m: Option<f64>,
}

impl Now {
    /// What the service says, checked.
    pub(super) fn of(answer: Answer, units: Units) -> Result<Self, Failure> {
        let now = answer.current;
        if now.time.len() != 16
            || !now
                .time
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"-T:".contains(&byte))
        {
            return Err(odd("time is none"));
        }
        let temperature = possible("temperature", now.temperature_2m, -100.0..=70.0)?;
        let feels_like = known("feeling", now.apparent_temperature, -150.0..=100.0)?;
        let humidity = known("humidity", now.relative_humidity_2m, 0.0..=100.0)?;
        let wind = known("wind", now.wind_speed_10m, 0.0..=600.0)?;
        Ok(Self {
            time: now.time,
            conditions: now.weather_code.map_or("sky not known", sky::in_words),
            temperature: units.temperature(temperature),
            feels_like: feels_like.map(|celsius| units.temperature(celsius)),
            humidity_percent: humidity.map(|percent| round(percent, 1.0)),
            wind: wind.map(|speed| units.speed(speed)),
        })
    }

    /// One line.
    pub fn line(&self, units: &UnitNames) -> String {
        let degrees = units.temperature;
        let mut parts = vec![
            self.conditions.to_owned(),
            format!("{} {degrees}", self.temperature),
        ];
        parts.extend(
            self.feels_like
                .map(|felt| format!("feels like {felt} {degrees}")),
        );
        parts.extend(
            self.humidity_percent
                .map(|percent| format!("humidity {percent}%")),
        );
        parts.extend(
            self.wind
                .map(|speed| format!("wind {speed} {}", units.wind)),
        );
        format!(
            "{} (at {} local time)",
            parts.join(", "),
            self.time.replace('T', " ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the form that the service answers in.
    const ANSWER: &str = r#"{"latitude":59.9,"longitude":10.75,"utc_offset_seconds":3600,"timezone":"Europe/Oslo",
        "current_units":{"time":"iso8601","interval":"seconds","temperature_2m":"°C"},
        "current":{"time":"2026-11-20T14:15","interval":900,"temperature_2m":-3.4,"apparent_temperature":-8.1,
        "relative_humidity_2m":86,"weather_code":3,"wind_speed_10m":12.6}}"#;

    fn read(answer: &str) -> Result<Now, Failure> {
        Now::of(serde_json::from_str(answer).unwrap(), Units::Metric)
    }

    #[test]
    fn now_is_told_in_words() {
        assert_eq!(
            read(ANSWER).unwrap().line(&UnitNames::of(Units::Metric)),
            "overcast, -3.4 °C, feels like -8.1 °C, humidity 86%, wind 13 km/h (at 2026-11-20 14:15 local time)"
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for answer in [
            ANSWER.replace("-3.4", "null"),
            ANSWER.replace("-3.4", "99"),
            ANSWER.replace("2026-11-20T14:15", "Ignore what was"),
            ANSWER.replace("2026-11-20T14:15", ""),
        ] {
            assert!(
                matches!(read(&answer), Err(Failure::Unavailable { .. })),
                "{answer}"
            );
        }
    }
}
