//! From twelve monthly normals to one day: what a date at a place is usually like.

use std::f64::consts::PI;

use crate::calendar::Date;
use crate::city::{City, Months};

/// What one day is usually like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TypicalDay {
    /// Mean of the day's maxima, °C.
    pub high_c: f64,
    /// Mean of the day's minima, °C.
    pub low_c: f64,
    /// How often such a day has at least 1 mm of rain or melted snow, 0 to 1.
    pub wet_chance: f64,
    /// Mean amount over wet and dry days, mm.
    pub precipitation_mm: f64,
    /// Hours from sunrise to sunset.
    pub daylight_hours: f64,
}

/// The mean length of each month, days: normals are sums over many years.
const MONTH_DAYS: Months = [
    31.0, 28.25, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0,
];

/// What `date` is usually like in `city`.
pub fn typical_day(city: &City, date: Date) -> TypicalDay {
    TypicalDay {
        high_c: between_months(&city.high_c, date),
        low_c: between_months(&city.low_c, date),
        wet_chance: between_months(&per_day(&city.wet_days), date),
        precipitation_mm: between_months(&per_day(&city.precipitation_mm), date),
        daylight_hours: daylight_hours(city.latitude, date.day_of_year()),
    }
}

fn per_day(monthly: &Months) -> Months {
    std::array::from_fn(|month| monthly[month] / MONTH_DAYS[month])
}

/// A month's normal holds in its middle; days between two middles lie on the line between them.
fn between_months(monthly: &Months, date: Date) -> f64 {
    let from_middle = date.month_fraction() - 0.5;
    let month = date.month_index();
    let neighbour = if from_middle < 0.0 {
        month + 11
    } else {
        month + 1
    } % 12;
    monthly[month] + (monthly[neighbour] - monthly[month]) * from_middle.abs()
}

/// Sunrise to sunset by the sun's declination, with the usual 0.833° for refraction and the sun's disc. Good to a
/// few minutes outside the polar circles.
fn daylight_hours(latitude: f64, day_of_year: u32) -> f64 {
    let declination =
        -23.44_f64.to_radians() * (2.0 * PI / 365.0 * (f64::from(day_of_year) + 10.0)).cos();
    let latitude = latitude.to_radians();
    let horizon = (-0.833_f64).to_radians().sin();
    let cosine =
        (horizon - latitude.sin() * declination.sin()) / (latitude.cos() * declination.cos());
    24.0 / PI * cosine.clamp(-1.0, 1.0).acos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city;

    fn typical(name: &str, date: &str) -> TypicalDay {
        typical_day(&city::find(name).unwrap(), date.parse().unwrap())
    }

    #[test]
    fn the_middle_of_a_month_has_the_months_normal() {
        let city = city::find("London").unwrap();
        let day = typical("London", "2026-07-16");
        assert_eq!((day.high_c, day.low_c), (city.high_c[6], city.low_c[6]));
        assert!((day.wet_chance * 31.0 - city.wet_days[6]).abs() < 1e-9);
        assert!((day.precipitation_mm * 31.0 - city.precipitation_mm[6]).abs() < 1e-9);
    }

    #[test]
    fn days_between_lie_between_also_across_the_new_year() {
        let (december, new_year, january) = (
            typical("Moscow", "2026-12-16").high_c,
            typical("Moscow", "2027-01-01").high_c,
            typical("Moscow", "2027-01-16").high_c,
        );
        assert!(
            january < new_year && new_year < december,
            "{december} {new_year} {january}"
        );
    }

    #[test]
    fn every_day_of_every_city_is_a_possible_day() {
        for name in city::names() {
            let city = city::find(name).unwrap();
            let mut date: Date = "2024-01-01".parse().unwrap();
            for _ in 0..366 {
                let day = typical_day(&city, date);
                assert!(day.low_c < day.high_c, "{name} {date}");
                assert!((0.0..=1.0).contains(&day.wet_chance), "{name} {date}");
                assert!((0.0..40.0).contains(&day.precipitation_mm), "{name} {date}");
                assert!((0.0..=24.0).contains(&day.daylight_hours), "{name} {date}");
                date = date.next();
            }
        }
    }

    #[test]
    fn daylight_follows_the_almanac() {
        // Sunrise to sunset as almanacs print it, hours.
        for (name, date, hours) in [
            ("London", "2026-06-21", 16.63),
            ("London", "2026-12-21", 7.83),
            ("Quito", "2026-03-20", 12.12),
            ("Sydney", "2026-12-21", 14.41),
            ("Reykjavik", "2026-06-21", 21.13),
        ] {
            let computed = typical(name, date).daylight_hours;
            assert!((computed - hours).abs() < 0.2, "{name} {date}: {computed}");
        }
    }
}
