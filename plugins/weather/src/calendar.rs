//! Dates of the Gregorian calendar, without time zones.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// Month names, January first.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// A day that exists, in the years 1900 to 2199.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u32,
    /// 1 to 12.
    month: u32,
    /// 1 to the length of the month.
    day: u32,
}

impl Date {
    /// Today in UTC, by the host's clock.
    pub fn today() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self::of_unix_days(since.as_secs() / 86_400)
    }

    /// The day so many days after 1970-01-01, by Hinnant's rule (`civil_from_days`).
    fn of_unix_days(days: u64) -> Self {
        const ERA_DAYS: u64 = 146_097;
        let days = days + 719_468;
        let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // Months counted from March.
        let month = (5 * day + 2) / 153;
        let (after, month_number) = (u64::from(month >= 10), month as u32);
        Self {
            year: (year + era * 400 + after) as u32,
            month: if month < 10 {
                month_number + 3
            } else {
                month_number - 9
            },
            day: (day - (153 * month + 2) / 5 + 1) as u32,
        }
    }

    /// The day so many days later.
    pub fn after(self, days: u32) -> Self {
        (0..days).fold(self, |date, _| date.next())
    }

    /// The day before.
    pub fn before(self) -> Self {
        let Self { year, month, day } = self;
        match (day > 1, month > 1) {
            (true, _) => Self {
                day: day - 1,
                ..self
            },
            (false, true) => Self {
                year,
                month: month - 1,
                day: days_in_month(year, month - 1),
            },
            (false, false) => Self {
                year: year.saturating_sub(1),
                month: 12,
                day: 31,
            },
        }
    }

    /// The month's index, 0 for January.
    pub fn month_index(self) -> usize {
        self.month as usize - 1
    }

    /// How much of the month is over at noon of this day, 0 to 1.
    pub fn month_fraction(self) -> f64 {
        (f64::from(self.day) - 0.5) / f64::from(days_in_month(self.year, self.month))
    }

    /// The day's number in its year, 1 to 366.
    pub fn day_of_year(self) -> u32 {
        (1..self.month)
            .map(|month| days_in_month(self.year, month))
            .sum::<u32>()
            + self.day
    }

    /// The day after. The range of years bounds what is parsed, not what is counted.
    pub fn next(self) -> Self {
        let Self { year, month, day } = self;
        match (day < days_in_month(year, month), month < 12) {
            (true, _) => Self {
                day: day + 1,
                ..self
            },
            (false, true) => Self {
                year,
                month: month + 1,
                day: 1,
            },
            (false, false) => Self {
                year: year + 1,
                month: 1,
                day: 1,
            },
        }
    }

    /// `Mon` to `Sun`, by Sakamoto's rule.
    pub fn weekday(self) -> &'static str {
        const OFFSET: [u32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = if self.month < 3 {
            self.year - 1
        } else {
            self.year
        };
        let days =
            year + year / 4 - year / 100 + year / 400 + OFFSET[self.month_index()] + self.day;
        WEEKDAYS[days as usize % 7]
    }
}

impl FromStr for Date {
    type Err = String;

    /// Reads `YYYY-MM-DD` and nothing else.
    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("date {text:?} is not written YYYY-MM-DD, such as \"2026-07-14\"");
        if text.len() != 10 || !text.is_ascii() {
            return Err(shape());
        }
        let number = |range: std::ops::Range<usize>| {
            let digits = &text[range];
            let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
            all_digits
                .then(|| digits.parse().ok())
                .flatten()
                .ok_or_else(shape)
        };
        let date = Self {
            year: number(0..4)?,
            month: number(5..7)?,
            day: number(8..10)?,
        };
        if &text[4..5] != "-" || &text[7..8] != "-" {
            return Err(shape());
        }
        if !(1900..2200).contains(&date.year) {
            return Err(format!("date {text:?} is outside the years 1900 to 2199"));
        }
        let exists = (1..=12).contains(&date.month)
            && (1..=days_in_month(date.year, date.month)).contains(&date.day);
        exists
            .then_some(date)
            .ok_or_else(|| format!("date {text:?} does not exist"))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn days_that_exist_are_read_and_written_alike() {
        for text in [
            "1900-01-01",
            "2000-02-29",
            "2024-02-29",
            "2026-12-31",
            "2199-12-31",
        ] {
            assert_eq!(date(text).to_string(), text);
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2026-02-29",
            "2100-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
        ] {
            assert!(
                text.parse::<Date>().unwrap_err().contains("does not exist"),
                "{text}"
            );
        }
        for text in [
            "",
            "2026-7-14",
            "14.07.2026",
            "2026/07/14",
            "2026-07-14T00",
            "+026-07-14",
            "２０２６-07",
        ] {
            assert!(
                text.parse::<Date>().unwrap_err().contains("YYYY-MM-DD"),
                "{text}"
            );
        }
        assert!("1899-12-31".parse::<Date>().unwrap_err().contains("1900"));
    }

    #[test]
    fn the_day_after_crosses_months_and_years() {
        assert_eq!(date("2024-02-28").next(), date("2024-02-29"));
        assert_eq!(date("2026-02-28").next(), date("2026-03-01"));
        assert_eq!(date("2026-12-31").next(), date("2027-01-01"));
    }

    #[test]
    fn days_since_1970_are_dates() {
        for (days, text) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_777, "2026-11-20"),
        ] {
            assert_eq!(Date::of_unix_days(days), date(text));
        }
        let mut day = date("1970-01-01");
        for days in 0..80_000 {
            assert_eq!(Date::of_unix_days(days), day);
            assert_eq!(day.next().before(), day);
            assert!(day < day.next());
            day = day.next();
        }
        assert_eq!(date("2026-12-20").after(15), date("2027-01-04"));
    }

    #[test]
    fn weekdays_and_days_of_the_year_agree_with_the_calendar() {
        assert_eq!(date("2000-01-01").weekday(), "Sat");
        assert_eq!(date("2024-02-29").weekday(), "Thu");
        assert_eq!(date("2026-07-14").weekday(), "Tue");
        assert_eq!(date("2026-12-31").day_of_year(), 365);
        assert_eq!(date("2024-12-31").day_of_year(), 366);
    }
}
