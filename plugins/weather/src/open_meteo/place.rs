//! Which place a caller means.

use coinop_plugin::Failure;
use serde::Deserialize;

use super::{odd, possible};
use crate::answer::Place;
use crate::city::{fold, is_country};

/// Places of a name that are looked at: the service has the likeliest first.
pub(super) const CANDIDATES_MAX: usize = 20;
/// The longest name that is repeated, characters.
const NAME_CHARS_MAX: usize = 80;

/// A place as a caller names it: `Paris`, `Paris, Texas`, `Paris, Texas, USA`.
pub(super) struct Wanted<'a> {
    name: &'a str,
    within: Vec<&'a str>,
}

#[derive(Default, Deserialize)]
pub(super) struct Answer {
    /// Missing where there are none.
    #[serde(default)]
    results: Vec<Candidate>,
}

#[derive(Deserialize)]
struct Candidate {
    name: String,
    latitude: f64,
    longitude: f64,
    #[serde(default)]
    country: Option<String>,
    #[serde(default)]
    country_code: Option<String>,
    #[serde(default)]
    admin1: Option<String>,
}

impl<'a> Wanted<'a> {
    pub(super) fn of(city: &'a str) -> Self {
        let mut parts = city.split(',').map(str::trim);
        Self {
            name: parts.next().unwrap_or_default(),
            within: parts.filter(|part| !part.is_empty()).collect(),
        }
    }

    /// What the service is asked for: it does not know what a comma means.
    pub(super) fn name(&self) -> &str {
        self.name
    }

    /// The first that lies where it should.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn chosen(&self, answer: Answer) -> Result<Place, Failure> {
        let fits = |candidate: &&Candidate| self.within.iter().all(|part| candidate.lies_in(part));
        match answer.results.iter().find(fits) {
            Some(candidate) => candidate.place(),
            None => Err(Failure::InvalidArguments(self.unknown(&answer.results))),
        }
    }

    fn unknown(&self, others: &[Candidate]) -> String {
        let name = short(self.name);
        let mut elsewhere: Vec<String> = Vec::new();
        for place in others.iter().filter_map(|other| other.place().ok()) {
            if elsewhere.len() < 5 && !elsewhere.contains(&place.name()) {
                elsewhere.push(place.name());
            }
        }
        match elsewhere.is_empty() {
            true => format!(
                "Open-Meteo knows no place called {name:?}. Check the spelling, or name a larger place nearby."
            ),
            false => format!(
                "{name:?} is not there. Did you mean {}?",
                elsewhere.join("; ")
            ),
        }
    }
}

impl Candidate {
    /// Whether it is in the country, or the part of one, that is called `part`.
    fn lies_in(&self, part: &str) -> bool {
        let code = self
            .country_code
            .as_deref()
            .is_some_and(|code| code.eq_ignore_ascii_case(part));
        let country = self
            .country
            .as_deref()
            .is_some_and(|country| is_country(country, part));
        let region = self
            .admin1
            .as_deref()
            .is_some_and(|region| fold(region) == fold(part));
        code || country || region
    }

    fn place(&self) -> Result<Place, Failure> {
        let country = self.country.as_deref().or(self.country_code.as_deref());
        let place = Place {
            city: short(&self.name),
            region: self.admin1.as_deref().map(short),
            country: country.map(short).unwrap_or_default(),
            latitude: possible("latitude", Some(self.latitude), -90.0..=90.0)?,
            longitude: possible("longitude", Some(self.longitude), -180.0..=180.0)?,
        };
        match place.city.is_empty() {
            true => Err(odd("a place has no name")),
            false => Ok(place),
        }
    }
}

/// A name as it may be repeated: one line, and not an essay.
fn short(name: &str) -> String {
    let shown = name.chars().filter(|letter| !letter.is_control());
    shown.take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the form that the service answers in.
    const PARIS: &str = r#"{"results":[
        {"id":2988507,"name":"Paris","latitude":48.85341,"longitude":2.3488,"elevation":42.0,"feature_code":"PPLC",
         "country_code":"FR","admin1_id":3012874,"timezone":"Europe/Paris","population":2138551,"country_id":3017382,
         "country":"France","admin1":"Île-de-France","admin2":"Paris"},
        {"id":4717560,"name":"Paris","latitude":33.66094,"longitude":-95.55551,"elevation":183.0,"feature_code":"PPLA2",
         "country_code":"US","timezone":"America/Chicago","population":24782,"country":"United States","admin1":"Texas"},
        {"id":1,"name":"Paris","latitude":1.0,"longitude":2.0}],"generationtime_ms":0.7}"#;

    fn find(city: &str, answer: &str) -> Result<String, String> {
        let chosen = Wanted::of(city).chosen(serde_json::from_str(answer).unwrap());
        chosen
            .map(|place| place.name())
            .map_err(|failure| match failure {
                Failure::InvalidArguments(why) => why,
                other => format!("{other:?}"),
            })
    }

    #[test]
    fn the_likeliest_place_that_fits_is_meant() {
        for (city, name) in [
            ("Paris", "Paris, Île-de-France, France"),
            (" paris , FRANCE", "Paris, Île-de-France, France"),
            ("Paris, ile-de-france", "Paris, Île-de-France, France"),
            ("Paris, Texas", "Paris, Texas, United States"),
            ("Paris, TX, us", "\"Paris\" is not there."),
            ("Paris, Texas, USA", "Paris, Texas, United States"),
            ("Paris, us", "Paris, Texas, United States"),
        ] {
            let found = find(city, PARIS).unwrap_or_else(|why| why);
            assert!(found.starts_with(name), "{city}: {found}");
        }
        assert_eq!(Wanted::of("Paris, Texas").name(), "Paris");
    }

    #[test]
    fn the_services_own_name_for_a_country_is_one_of_its_names() {
        let prague = r#"{"results":[{"name":"Prague","latitude":50.08804,"longitude":14.42076,"country_code":"CZ",
            "country":"Czechia","admin1":"Prague"}]}"#;
        for country in ["Czechia", "Czech Republic", "CZ"] {
            let found = find(&format!("Prague, {country}"), prague);
            assert_eq!(found, Ok("Prague, Czechia".to_owned()), "{country}");
        }
    }

    #[test]
    fn places_that_do_not_exist_are_told_with_what_there_is() {
        assert_eq!(
            find("Paris, Chile", PARIS),
            Err("\"Paris\" is not there. Did you mean Paris, Île-de-France, France; Paris, Texas, United States; Paris?"
                .to_owned())
        );
        for nothing in [r#"{"generationtime_ms":0.4}"#, r#"{"results":[]}"#] {
            let why = find("Xyzzy\n", nothing).unwrap_err();
            assert!(
                why.starts_with("Open-Meteo knows no place called \"Xyzzy\"."),
                "{why}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_place_is_refused() {
        for odd in [
            PARIS.replace("48.85341", "148.85341"),
            PARIS.replacen("\"Paris\"", "\"\"", 1),
        ] {
            assert!(
                find("Paris", &odd).unwrap_err().contains("Unavailable"),
                "{odd}"
            );
        }
        let long = PARIS.replacen(
            "\"Paris\"",
            &format!("\"Pa\\u001bris{}\"", "s".repeat(500)),
            1,
        );
        let name = find("Paris", &long).unwrap();
        assert!(
            name.starts_with("Pariss") && name.chars().count() < 120,
            "{name}"
        );
    }
}
