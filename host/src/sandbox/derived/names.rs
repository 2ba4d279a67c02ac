//! Names of tools from names of exports: short, valid for every client, unique in the component, and the same at every
//! load. Pure.
//!
//! `get-current` of `acme:weather/forecast@1.0.0` is `forecast_get_current`, a function at the world's top level just
//! its own name. Where two would be called alike, all of them get the package before, then its namespace, then the
//! version; what still collides, or is too long, ends in a hash of its full name.

use std::collections::{BTreeMap, HashSet};

use coinop_core::digest::Digest;

/// Longest name, bytes: clients take 64, and the operator's prefix and the host's own need some of them.
const NAME_BYTES_MAX: usize = 48;
/// Hexadecimal digits of a hash.
const HASH_DIGITS: usize = 8;

/// Where a function is exported.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    /// The instance it is in, such as `acme:weather/forecast@1.0.0`; `None` at the top level.
    pub(super) interface: Option<String>,
    pub(super) function: String,
}

impl Origin {
    /// The full name, for messages.
    pub(super) fn full(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}#{}", self.function),
            None => self.function.clone(),
        }
    }

    /// The parts of the name at a level: each takes in one more.
    fn parts(&self, level: usize) -> Vec<&str> {
        let mut parts = vec![self.function.as_str()];
        if let Some(interface) = &self.interface {
            let (path, version) = interface.split_once('@').unwrap_or((interface, ""));
            let (package, name) = path.rsplit_once('/').unwrap_or(("", path));
            let (namespace, package) = package.rsplit_once(':').unwrap_or(("", package));
            let outer = [name, package, namespace, version];
            parts.extend(&outer[..=level.min(3)]);
        }
        // The version reads better between the interface and the function than in front of all.
        match parts.as_slice() {
            [function, name, package, namespace, version] => {
                vec![namespace, package, name, version, function]
            }
            _ => parts.into_iter().rev().collect(),
        }
    }

    fn name(&self, level: usize) -> String {
        let parts = self.parts(level).into_iter().map(snake);
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        parts.join("_")
    }

    /// The name that nothing else has.
    fn hashed(&self) -> String {
        let mut name = self.name(0);
        name.truncate(NAME_BYTES_MAX - HASH_DIGITS - 1);
        let hash = Digest::of(self.full().as_bytes()).to_string();
        let digits = hash.len() - HASH_DIGITS;
        format!("{name}_{}", &hash[digits..])
    }
}

/// The names of the tools, in the order of their functions.
pub(super) fn of(origins: &[Origin]) -> Vec<String> {
    const LEVELS: usize = 4;
    let mut levels = vec![0; origins.len()];
    for _ in 1..LEVELS {
        for group in alike(origins, &levels) {
            for index in group {
                levels[index] += 1;
            }
        }
    }
    let colliding: HashSet<usize> = alike(origins, &levels).into_iter().flatten().collect();
    let named = origins.iter().zip(&levels).enumerate();
    named
        .map(|(index, (origin, level))| match origin.name(*level) {
            name if colliding.contains(&index) || !(1..=NAME_BYTES_MAX).contains(&name.len()) => {
                origin.hashed()
            }
            name => name,
        })
        .collect()
}

/// The functions that would be called alike, a group a name.
fn alike(origins: &[Origin], levels: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, (origin, level)) in origins.iter().zip(levels).enumerate() {
        groups.entry(origin.name(*level)).or_default().push(index);
    }
    groups
        .into_values()
        .filter(|group| group.len() > 1)
        .collect()
}

/// Lower case with `_` between words; `[static]point.of` is `point_of`.
fn snake(text: &str) -> String {
    let text = match text.split_once(']') {
        Some((kind, rest)) if kind.starts_with('[') => rest,
        _ => text,
    };
    let valid = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
        _ => '_',
    };
    text.chars().map(valid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(full: &[&str], expected: &[&str]) {
        let origins: Vec<Origin> = full.iter().map(|full| origin(full)).collect();
        assert_eq!(of(&origins), expected);
    }

    fn origin(full: &str) -> Origin {
        let (interface, function) = match full.split_once('#') {
            Some((interface, function)) => (Some(interface.to_owned()), function),
            None => (None, full),
        };
        Origin {
            interface,
            function: function.to_owned(),
        }
    }

    #[test]
    fn short_and_without_packages() {
        check(&["get-weather"], &["get_weather"]);
        check(&["parse-URL"], &["parse_url"]);
        check(
            &["acme:weather/forecast@1.0.0#get-current", "time#now"],
            &["forecast_get_current", "time_now"],
        );
        check(&["a:b/c#[static]point.of-two"], &["c_point_of_two"]);
    }

    #[test]
    fn what_is_alike_gets_more_of_its_name() {
        check(
            &["a:x/tools#run", "a:y/tools#run", "a:x/tools#stop"],
            &["x_tools_run", "y_tools_run", "tools_stop"],
        );
        check(
            &["a:x/tools#run", "b:x/tools#run"],
            &["a_x_tools_run", "b_x_tools_run"],
        );
        check(
            &["a:x/tools@1.0.0#run", "a:x/tools@2.0.0#run"],
            &["a_x_tools_1_0_0_run", "a_x_tools_2_0_0_run"],
        );
        check(&["time-now", "a:b/time#now"], &["time_now", "b_time_now"]);
    }

    #[test]
    fn what_still_collides_or_is_too_long_ends_in_a_hash() {
        let names = of(&[origin("a-b#c"), origin("a#b-c")]);
        assert_ne!(names[0], names[1]);
        assert!(
            names
                .iter()
                .all(|n| n.starts_with("a_b_c_") && n.len() == 14),
            "{names:?}"
        );
        let long = of(&[origin(&"long-".repeat(30))]);
        assert_eq!(long[0].len(), NAME_BYTES_MAX);
        assert_eq!(long, of(&[origin(&"long-".repeat(30))]));
    }

    #[test]
    fn the_order_does_not_matter() {
        let mut origins = ["a:x/t#r", "a:y/t#r", "t-r", "r"].map(origin);
        let names = of(&origins);
        origins.reverse();
        let mut reversed = of(&origins);
        reversed.reverse();
        assert_eq!(names, reversed);
    }
}
