//! Grants as lines that are kept, compared and read by people: one for each, always written the same way.

use std::fmt::Display;

use super::Grants;

impl Grants {
    /// One line a grant, sorted, such as `http = "GET https://api.example.com"`. A secret is named by where it is kept,
    /// never by its value.
    pub fn lines(&self) -> Vec<String> {
        // Every kind is named here: one that was forgotten could be widened without anybody's consent.
        let Self {
            http,
            env,
            dirs,
            sockets,
            keyvalue_bytes_max,
            caller,
        } = self;
        let mut lines: Vec<String> = texts("http", http)
            .chain(texts("sockets", sockets))
            .collect();
        lines.extend(
            env.iter()
                .map(|(name, source)| format!("env.{name} = {}", json(source))),
        );
        lines.extend(dirs.iter().map(|dir| format!("dirs = {}", json(dir))));
        lines.extend(keyvalue_bytes_max.map(|bytes| format!("keyvalue_bytes = {bytes}")));
        lines.extend(caller.then(|| "caller = true".to_owned()));
        lines.sort();
        lines.dedup();
        lines
    }
}

fn texts<'a, T: Display>(key: &'a str, grants: &'a [T]) -> impl Iterator<Item = String> + 'a {
    grants
        .iter()
        .map(move |grant| format!("{key} = \"{grant}\""))
}

/// As it is pinned: names and sources, no values.
fn json(grant: &impl serde::Serialize) -> String {
    // Texts, paths and words: only a path that is no text could fail, and then no pin would ever hold.
    serde_json::to_string(grant).unwrap_or_else(|error| format!("# {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::{Access, DirGrant, EnvGrant, HttpGrant};

    #[test]
    fn the_same_grants_have_the_same_lines() {
        let lines = |texts: &[&str]| {
            let mut grants = Grants::default();
            let parsed = texts.iter().map(|text| text.parse::<HttpGrant>().unwrap());
            grants.http.extend(parsed);
            grants.lines()
        };
        assert_eq!(
            lines(&["post,get https://A.example:443", "http://b.example:8080"]),
            [
                r#"http = "GET,POST https://a.example""#,
                r#"http = "http://b.example:8080""#
            ]
        );
        assert_eq!(
            lines(&["https://a.example", "https://a.example:443"]).len(),
            1
        );
    }

    #[test]
    fn every_kind_of_grant_has_a_line_and_no_secret_is_in_it() {
        let key = EnvGrant::Env {
            variable: "WEATHER_KEY".into(),
            value: "hunter2".into(),
        };
        let grants = Grants {
            env: [("KEY".to_owned(), key)].into(),
            dirs: vec![DirGrant {
                path: "/srv".into(),
                guest_path: "/data".into(),
                access: Access::Write,
            }],
            sockets: vec!["tcp://db.example.com:5432".parse().unwrap()],
            keyvalue_bytes_max: Some(1024),
            caller: true,
            ..Grants::default()
        };
        assert_eq!(
            grants.lines(),
            [
                "caller = true",
                r#"dirs = {"path":"/srv","guest_path":"/data","access":"write"}"#,
                r#"env.KEY = {"env":"WEATHER_KEY"}"#,
                "keyvalue_bytes = 1024",
                r#"sockets = "tcp://db.example.com:5432""#,
            ]
        );
    }
}
