//! `WWW-Authenticate` of registries: who gives out tokens. Pure.

/// How a registry wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// With a name and a password.
    Basic,
    /// With a token that `realm` gives out.
    Bearer {
        realm: String,
        service: Option<String>,
    },
}

/// The best of what is offered: a token, which is for one repository only.
pub(super) fn best<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut found: Vec<Challenge> = headers.filter_map(parse).collect();
    let bearer = |challenge: &Challenge| matches!(challenge, Challenge::Bearer { .. });
    let at = found.iter().position(bearer).unwrap_or(0);
    (!found.is_empty()).then(|| found.swap_remove(at))
}

fn parse(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => {
            let parameters = parameters(rest);
            let get = |name: &str| {
                let found = parameters.iter().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone())
            };
            Some(Challenge::Bearer {
                realm: get("realm")?,
                service: get("service"),
            })
        }
        _ => None,
    }
}

/// `name="value",…`; values may have commas.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        rest = left.trim_start_matches([',', ' ']);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_for_where_one_is_given_out() {
        let bearer = r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a:pull,push""#;
        let expected = Challenge::Bearer {
            realm: "https://auth.example/token".to_owned(),
            service: Some("r.example".to_owned()),
        };
        assert_eq!(best([bearer].into_iter()), Some(expected.clone()));
        assert_eq!(
            best(["Basic realm=\"x\"", bearer].into_iter()),
            Some(expected)
        );
        assert_eq!(
            best(["basic realm=\"x\""].into_iter()),
            Some(Challenge::Basic)
        );
        for none in [
            "",
            "Negotiate",
            "Bearer",
            "Bearer service=\"x\"",
            "Bearer =,=,\"",
            "Bearer realm",
        ] {
            assert_eq!(best([none].into_iter()), None, "{none}");
        }
    }
}
