//! Days of a forecast.

use serde::Deserialize;

use super::{DailyError, known, odd, possible, sky};
use crate::answer::Day;
use crate::calendar::Date;
use crate::units::{Units, round};

/// What is asked of each day, in the service's words.
pub(super) const VARIABLES: &str = "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,\
    precipitation_probability_max,wind_speed_10m_max,daylight_duration";

/// Days that follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The first.
    pub first: Date,
    /// How many, at least one.
    pub days: u32,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    daily: Daily,
}

/// One list a variable, all as long as the first. °C, mm, percent, km/h, seconds.
#[derive(Deserialize)]
struct Daily {
    time: Vec<String>,
    weather_code: Vec<Option<u16>>,
    temperature_2m_max: Vec<Option<f64>>,
    temperature_2m_min: Vec<Option<f64>>,
    precipitation_sum: Vec<Option<f64>>,
    precipitation_probability_max: Vec<Option<f64>>,
    wind_speed_10m_max: Vec<Option<f64>>,
    daylight_duration: Vec<Option<f64>>,
}

impl Span {
    /// Each of them.
    pub fn dates(self) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(self.first), |date| Some(date.next())).take(self.days as usize)
    }

    /// The last.
    pub fn last(self) -> Date {
        self.first.after(self.days.saturating_sub(1))
    }
}

/// The days of `span`, checked.
///
/// # Errors
/// Some have no numbers yet, or the answer is none.
pub(super) fn days(answer: Answer, span: Span, units: Units) -> Result<Vec<Day>, DailyError> {
    let daily = answer.daily;
    let dates: Vec<String> = span.dates().map(|date| date.to_string()).collect();
    if daily.time != dates {
        let count = daily.time.len();
        return Err(odd(format!("{count} days, and not those asked for")).into());
    }
    let days = span.dates().enumerate();
    days.map(|(index, date)| daily.day(index, date, units))
        .collect()
}

impl Daily {
    fn day(&self, index: usize, date: Date, units: Units) -> Result<Day, DailyError> {
        let of = |list: &[Option<f64>]| list.get(index).copied().flatten();
        let missing = |list: &[Option<f64>]| list.get(index) == Some(&None);
        if missing(&self.temperature_2m_max) || missing(&self.temperature_2m_min) {
            return Err(DailyError::Beyond);
        }
        let high = possible("high", of(&self.temperature_2m_max), -100.0..=70.0)?;
        let low = possible("low", of(&self.temperature_2m_min), -100.0..=high)?;
        let wet = possible("precipitation", of(&self.precipitation_sum), 0.0..=3000.0)?;
        let chance = known(
            "chance",
            of(&self.precipitation_probability_max),
            0.0..=100.0,
        )?;
        let wind = known("wind", of(&self.wind_speed_10m_max), 0.0..=600.0)?;
        let daylight = known("daylight", of(&self.daylight_duration), 0.0..=86_400.0)?;
        let code = self.weather_code.get(index).copied().flatten();
        Ok(Day {
            date: date.to_string(),
            weekday: date.weekday(),
            high: units.temperature(high),
            low: units.temperature(low),
            mean: units.temperature(f64::midpoint(high, low)),
            wet_chance_percent: chance.map(|percent| round(percent, 1.0)),
            precipitation: units.precipitation(wet),
            daylight_hours: daylight.map(|seconds| round(seconds / 3600.0, 10.0)),
            conditions: Some(code.map_or("sky not known", sky::in_words)),
            wind_max: wind.map(|speed| units.speed(speed)),
        })
    }
}

#[cfg(test)]
mod tests {
    use coinop_plugin::Failure;

    use super::*;
    use crate::answer::UnitNames;

    /// In the form that the service answers in.
    const ANSWER: &str = r#"{"latitude":59.9,"longitude":10.75,"generationtime_ms":0.2,"utc_offset_seconds":3600,
        "timezone":"Europe/Oslo","timezone_abbreviation":"GMT+1","elevation":26.0,
        "daily_units":{"time":"iso8601","weather_code":"wmo code","temperature_2m_max":"°C","temperature_2m_min":"°C",
        "precipitation_sum":"mm","precipitation_probability_max":"%","wind_speed_10m_max":"km/h","daylight_duration":"s"},
        "daily":{"time":["2026-11-30","2026-12-01"],"weather_code":[71,null],"temperature_2m_max":[-1.2,0.4],
        "temperature_2m_min":[-6.3,-2.0],"precipitation_sum":[2.30,0.00],"precipitation_probability_max":[85,null],
        "wind_speed_10m_max":[14.8,9.1],"daylight_duration":[23400.12,23212.50]}}"#;

    fn span(first: &str, days: u32) -> Span {
        Span {
            first: first.parse().unwrap(),
            days,
        }
    }

    fn read(answer: &str, span: Span, units: Units) -> Result<Vec<Day>, DailyError> {
        days(serde_json::from_str(answer).unwrap(), span, units)
    }

    #[test]
    fn days_are_read_in_the_units_of_the_caller() {
        let days = read(ANSWER, span("2026-11-30", 2), Units::Metric).unwrap();
        let units = UnitNames::of(Units::Metric);
        assert_eq!(
            days[0].line(&units),
            "light snow, high -1.2 °C, low -6.3 °C, 85% chance of rain or snow, 2.3 mm, wind up to 15 km/h, 6.5 h of daylight"
        );
        assert_eq!(
            days[1].line(&units),
            "sky not known, high 0.4 °C, low -2 °C, 0 mm, wind up to 9 km/h, 6.4 h of daylight"
        );
        let days = read(ANSWER, span("2026-11-30", 2), Units::Imperial).unwrap();
        assert_eq!(
            (days[0].high, days[0].precipitation, days[0].wind_max),
            (29.8, 0.09, Some(9.0))
        );
    }

    #[test]
    fn what_was_not_asked_for_or_cannot_be_is_refused() {
        let asked = span("2026-11-30", 2);
        for answer in [
            ANSWER.replace("2026-11-30", "2026-11-29"),
            ANSWER.replace("[-1.2,0.4]", "[-1.2]"),
            ANSWER.replace("[-1.2,0.4]", "[-1.2,400]"),
            ANSWER.replace("[-6.3,-2.0]", "[5,-2.0]"),
            ANSWER.replace("[85,null]", "[850,null]"),
        ] {
            let refused = read(&answer, asked, Units::Metric);
            assert!(
                matches!(
                    refused,
                    Err(DailyError::Failed(Failure::Unavailable { .. }))
                ),
                "{answer}"
            );
        }
        assert!(read(ANSWER, span("2026-11-30", 1), Units::Metric).is_err());
        // The last days may have no numbers yet.
        let open = ANSWER.replace("[-1.2,0.4]", "[-1.2,null]");
        let refused = read(&open, asked, Units::Metric);
        assert!(matches!(refused, Err(DailyError::Beyond)));
    }
}
