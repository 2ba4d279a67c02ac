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
