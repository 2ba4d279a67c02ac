//! Text for people: escaped, tamed, and told the time.

use std::borrow::Cow;

use coinop_core::Millis;

use crate::unruly::tame;

/// Longest name shown; a longer one is cut, so that a hostile name cannot push the price off the screen.
const NAME_CHARS_MAX: usize = 80;

/// `text` for HTML, in element content and in double-quoted attributes.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// A name that somebody else chose, for HTML: tamed, then escaped.
pub(super) fn name(theirs: &str) -> String {
    escape(&tame(theirs, NAME_CHARS_MAX)).into_owned()
}

/// A moment in UTC, such as `20 Nov 2026, 10:32 UTC`.
pub(super) fn moment(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(
        |_| at.to_string(),
        |time| time.strftime("%-d %b %Y, %H:%M UTC").to_string(),
    )
}

/// How far off a moment is, in the largest fitting unit, rounded down: a payer is never promised more than there is.
pub(super) fn until(now: Millis, then: Millis) -> String {
    let seconds = (then - now).max(0) / 1000;
    let (count, unit) = match seconds {
        0..=59 => (seconds, "second"),
        60..=3599 => (seconds / 60, "minute"),
        3600..=172_799 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("in {count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup_or_hide() {
        let cases = [
            ("get_forecast", "get_forecast"),
            ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;"),
            ("pay\u{202e}evil", "pay\u{fffd}evil"),
        ];
        for (theirs, shown) in cases {
            assert_eq!(name(theirs), shown, "{theirs:?}");
        }
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        assert_eq!(name(&long).chars().count(), NAME_CHARS_MAX + 1);
        assert!(name(&long).ends_with('…'));
        assert!(
            name(&"<".repeat(200)).ends_with("&lt;…"),
            "cut before escaping"
        );
    }

    #[test]
    fn times_are_told_in_utc_and_never_promise_more() {
        assert_eq!(moment(1_795_170_725_000), "20 Nov 2026, 10:32 UTC");
        let cases = [
            (0, "in 0 seconds"),
            (-5_000, "in 0 seconds"),
            (1_999, "in 1 second"),
            (59_999, "in 59 seconds"),
            (60_000, "in 1 minute"),
            (899_000, "in 14 minutes"),
            (3_600_000, "in 1 hour"),
            (86_400_000, "in 24 hours"),
            (172_800_000, "in 2 days"),
        ];
        for (left, text) in cases {
            assert_eq!(until(1_000, 1_000 + left), text);
        }
    }
}
