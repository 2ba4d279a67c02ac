//! Text that somebody else chose, before a person sees it: no invisible characters, no escapes, no end to length.

/// `theirs` cut to `chars_max` characters, with control, invisible and direction-turning characters made visible. It is
/// not escaped for any markup.
pub(crate) fn tame(theirs: &str, chars_max: usize) -> String {
    let shown = |c: char| if is_unruly(c) { '\u{fffd}' } else { c };
    let mut tamed: String = theirs.chars().take(chars_max).map(shown).collect();
    if theirs.chars().nth(chars_max).is_some() {
        tamed.push('…');
    }
    tamed
}

/// As [`tame`], for texts of several lines: their ends and tabs stay.
pub(crate) fn tame_lines(theirs: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => c,
        c if is_unruly(c) => '\u{fffd}',
        c => c,
    };
    theirs.chars().map(shown).collect()
}

/// The first character that shows a reader something else than what is there: an escape of a terminal, a direction
/// override, text in characters that nobody sees. Joiners and direction marks, which languages need, are let through.
pub(crate) fn deceiving(theirs: &str) -> Option<char> {
    theirs.chars().find(|c| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(c, '\u{e0000}'..='\u{e01ef}')
    })
}

fn is_unruly(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_found_and_what_languages_need_is_not() {
        let cases = [
            ("a\tb\r\n", None),
            ("می\u{200c}خواهم 👩\u{200d}💻 \u{200f}א", None),
            ("\u{1b}[2J", Some('\u{1b}')),
            ("\u{9b}2J", Some('\u{9b}')),
            ("a\u{202e}b", Some('\u{202e}')),
            ("a\u{2066}b", Some('\u{2066}')),
            ("a\u{e006f}b", Some('\u{e006f}')),
        ];
        for (theirs, found) in cases {
            assert_eq!(deceiving(theirs), found, "{theirs:?}");
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(
            tame_lines("a\n\tb\u{1b}[2J\u{202e}"),
            "a\n\tb\u{fffd}[2J\u{fffd}"
        );
    }

    #[test]
    fn text_cannot_hide_turn_or_run_on() {
        let cases = [
            ("get_forecast", "get_forecast"),
            ("pay\u{202e}evil", "pay\u{fffd}evil"),
            ("a\nb\u{200b}c", "a\u{fffd}b\u{fffd}c"),
            ("\u{1b}[2J", "\u{fffd}[2J"),
            ("météo 天気", "météo 天気"),
            ("0123456789abcdefg", "0123456789abcde…"),
        ];
        for (theirs, shown) in cases {
            assert_eq!(tame(theirs, 15), shown, "{theirs:?}");
        }
    }
}
