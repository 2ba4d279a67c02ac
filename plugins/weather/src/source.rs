//! Which of the two sources an answer comes from: asked for by the caller, and decided here.

use coinop_plugin::Failure;
use schemars::JsonSchema;
use serde::Deserialize;

// Variants have no doc comments: a schema with them is a choice of schemas, which clients show worse than a list.
/// What the caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Source {
    // Live numbers where there can be any, climate normals otherwise.
    #[default]
    Auto,
    // Live numbers or none.
    Live,
    // Climate normals.
    Normals,
}

/// Why there are no live numbers.
#[derive(Debug, PartialEq)]
pub enum NotLive {
    /// There can be none, whoever asks however often: no grant, or a date too far away. Why, for the caller.
    Never(Failure),
    /// The attempt failed. Normals in place of it would pass for what was wanted.
    Failed(Failure),
}

impl From<Failure> for NotLive {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Denied(_) => Self::Never(Failure::Denied(
                "the operator of this tool has not let it reach Open-Meteo".to_owned(),
            )),
            failure => Self::Failed(failure),
        }
    }
}

/// The answer from the source that `wanted` means. Normals in place of live numbers are told the reason.
///
/// # Errors
/// The source that counts has no answer.
pub fn answer<T>(
    wanted: Source,
    live: impl FnOnce() -> Result<T, NotLive>,
    normals: impl FnOnce(Option<String>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if wanted == Source::Normals {
        return normals(None);
    }
    match live() {
        Ok(answer) => Ok(answer),
        Err(NotLive::Never(why)) if wanted == Source::Auto => normals(Some(said(why))),
        Err(NotLive::Never(why)) => Err(why),
        Err(NotLive::Failed(why)) => Err(why),
    }
}

fn said(failure: Failure) -> String {
    match failure {
        Failure::Denied(why) | Failure::InvalidArguments(why) => why,
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = Result<String, Failure>;

    fn check(wanted: Source, live: Result<&str, NotLive>, expected: Answer) {
        let normals = |why: Option<String>| Ok(format!("normals, {}", why.unwrap_or_default()));
        let found = answer(wanted, || live.map(str::to_owned), normals);
        assert_eq!(found, expected);
    }

    fn denied() -> NotLive {
        Failure::Denied("api.open-meteo.com".to_owned()).into()
    }

    fn down() -> NotLive {
        Failure::unavailable("down").into()
    }

    #[test]
    fn normals_stand_in_only_where_there_can_be_nothing_live() {
        let told = "the operator of this tool has not let it reach Open-Meteo";
        check(Source::Auto, Ok("live"), Ok("live".to_owned()));
        check(Source::Auto, Err(denied()), Ok(format!("normals, {told}")));
        check(Source::Auto, Err(down()), Err(Failure::unavailable("down")));
        check(
            Source::Live,
            Err(denied()),
            Err(Failure::Denied(told.to_owned())),
        );
        check(Source::Live, Err(down()), Err(Failure::unavailable("down")));
        check(Source::Normals, Ok("live"), Ok("normals, ".to_owned()));
    }
}
