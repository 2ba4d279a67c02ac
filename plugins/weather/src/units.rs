//! Metric and imperial, and the rounding of what is shown.

use schemars::JsonSchema;
use serde::Deserialize;

/// The units of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Units {
    // °C, mm and km/h.
    #[default]
    Metric,
    // °F, inches and mph.
    Imperial,
}

impl Units {
    /// A temperature in these units, to a tenth of a degree.
    pub fn temperature(self, celsius: f64) -> f64 {
        match self {
            Self::Metric => round(celsius, 10.0),
            Self::Imperial => round(celsius * 1.8 + 32.0, 10.0),
        }
    }

    /// An amount of precipitation in these units, to a tenth of a millimetre or a hundredth of an inch.
    pub fn precipitation(self, millimetres: f64) -> f64 {
        match self {
            Self::Metric => round(millimetres, self.precipitation_steps()),
            Self::Imperial => round(millimetres / 25.4, self.precipitation_steps()),
        }
    }

    /// Into how many steps a unit of precipitation is divided.
    pub fn precipitation_steps(self) -> f64 {
        match self {
            Self::Metric => 10.0,
            Self::Imperial => 100.0,
        }
    }

    /// A speed in these units, whole.
    pub fn speed(self, kilometres_per_hour: f64) -> f64 {
        match self {
            Self::Metric => round(kilometres_per_hour, 1.0),
            Self::Imperial => round(kilometres_per_hour / 1.609_344, 1.0),
        }
    }

    /// `km/h` or `mph`.
    pub fn speed_unit(self) -> &'static str {
        match self {
            Self::Metric => "km/h",
            Self::Imperial => "mph",
        }
    }

    /// `°C` or `°F`.
    pub fn temperature_unit(self) -> &'static str {
        match self {
            Self::Metric => "°C",
            Self::Imperial => "°F",
        }
    }

    /// `mm` or `in`.
    pub fn precipitation_unit(self) -> &'static str {
        match self {
            Self::Metric => "mm",
            Self::Imperial => "in",
        }
    }
}

/// To the nearest `1 / steps`, without a negative zero.
pub fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_convert_and_round() {
        assert_eq!(Units::Metric.temperature(21.04), 21.0);
        assert_eq!(Units::Imperial.temperature(100.0), 212.0);
        assert_eq!(Units::Imperial.temperature(-40.0), -40.0);
        assert_eq!(Units::Imperial.precipitation(25.4), 1.0);
        assert_eq!(Units::Imperial.speed(100.0), 62.0);
        assert!(Units::Metric.temperature(-0.01).is_sign_positive());
    }
}
