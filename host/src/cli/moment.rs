//! A time on the command line.

use coinop_core::Millis;
use jiff::tz::TimeZone;

/// Reads an RFC 3339 time, or a date, which is its first moment in UTC. Milliseconds since the Unix epoch.
///
/// # Errors
/// What a time looks like.
pub(super) fn moment(text: &str) -> Result<Millis, String> {
    let time = || text.parse::<jiff::Timestamp>().ok();
    let date = || {
        let date = text.parse::<jiff::civil::Date>().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    // A civil time without its offset reads as a date otherwise.
    let is_date = text.len() == "2026-11-20".len();
    let moment = if is_date { date() } else { time() };
    moment.map(jiff::Timestamp::as_millisecond).ok_or_else(|| {
        "write a date such as 2026-11-20 or a time such as 2026-11-20T10:00:00Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read() {
        for (text, millis) in [
            ("1970-01-02", 86_400_000),
            ("1970-01-01T00:00:01Z", 1_000),
            ("1970-01-01T01:00:00.5+01:00", 500),
            ("1969-12-31", -86_400_000),
        ] {
            assert_eq!(moment(text), Ok(millis), "{text}");
        }
        for wrong in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-11-20T10:00:00",
            "1795170725",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
