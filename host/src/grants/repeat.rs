//! Whether a run that was cut short may be started again: what the tool says, as far as its grants bear it out.

use super::Grants;
use crate::plugin::Effects;

impl Grants {
    /// Whether a run of a tool with these effects may be started again, by the rules of `effects` in `plugin.wit`.
    ///
    /// That a tool is idempotent is its own word and believed: it is told the same call id again. That it is pure is
    /// believed only where the grants leave it nothing to change.
    pub fn repeatable(&self, effects: Effects) -> bool {
        match effects {
            Effects::Effectful => false,
            Effects::Idempotent => true,
            Effects::Pure => self.only_reads(),
            Effects::Unspecified => !self.reaches_out(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tools_word_is_believed_as_far_as_its_grants_bear_it_out() {
        use Effects::{Effectful, Idempotent, Pure, Unspecified};
        let all = [Unspecified, Pure, Idempotent, Effectful];
        for (http, expected) in [
            (&[][..], [true, true, true, false]),
            (&["GET https://a.example"], [false, true, true, false]),
            (&["https://a.example"], [false, false, true, false]),
            (
                &["GET https://a.example", "POST https://b.example"],
                [false, false, true, false],
            ),
        ] {
            let grants = Grants {
                http: http.iter().map(|text| text.parse().unwrap()).collect(),
                ..Grants::default()
            };
            assert_eq!(all.map(|e| grants.repeatable(e)), expected, "{http:?}");
        }
    }
}
