//! The cities and their normals, and how a name typed by somebody finds one.

use coinop_plugin::Failure;

/// One number a month, January first.
pub type Months = [f64; 12];

/// The bundled table. Kept as text and read a line at a time: a run needs one city of it.
const TABLE: &str = include_str!("../data/normals.csv");

/// A city with its climate normals.
#[derive(Clone, Debug, PartialEq)]
pub struct City {
    /// The English name, unique in the table.
    pub name: &'static str,
    /// The country's English name.
    pub country: &'static str,
    /// Degrees, north positive.
    pub latitude: f64,
    /// Degrees, east positive.
    pub longitude: f64,
    /// Mean daily maximum, °C.
    pub high_c: Months,
    /// Mean daily minimum, °C.
    pub low_c: Months,
    /// Rain and melted snow, mm a month.
    pub precipitation_mm: Months,
    /// Days a month with at least 1 mm.
    pub wet_days: Months,
}

/// One line of the table, its numbers not yet read.
#[derive(Clone, Copy)]
struct Line<'a> {
    name: &'a str,
    country: &'a str,
    other_names: &'a str,
    numbers: [&'a str; 6],
}

/// Every city's name, in the table's order.
pub fn names() -> impl Iterator<Item = &'static str> {
    lines().map(|line| line.name)
}

/// The city called `wanted`, whatever its case and accents, with or without its country behind a comma.
///
/// `Paris, Texas` is not Paris: what follows the comma must be the country. The error names what is near.
pub fn find(wanted: &str) -> Result<City, String> {
    match exact(wanted).or_else(|| folded(wanted)) {
        Some(line) => line.city(),
        None => Err(unknown(wanted)),
    }
}

/// As [`find`], where normals stand in for live numbers because of `why`: an unknown city is told that too.
///
/// # Errors
/// There are no normals of such a city.
pub fn with_normals(wanted: &str, why: Option<&str>) -> Result<City, Failure> {
    find(wanted).map_err(|unknown| {
        let because = why.map(|why| format!(" Only those can be asked for, because {why}."));
        Failure::InvalidArguments(unknown + &because.unwrap_or_default())
    })
}

/// The line whose name is `wanted` to the letter: the usual case, and it folds no names.
fn exact(wanted: &str) -> Option<Line<'static>> {
    let begins = |line: &&str| {
        line.strip_prefix(wanted)
            .is_some_and(|rest| rest.starts_with(';'))
    };
    TABLE.lines().find(begins).and_then(Line::split)
}

fn folded(wanted: &str) -> Option<Line<'static>> {
    let whole = fold(wanted);
    let parts = wanted
        .split_once(',')
        .map(|(place, country)| (fold(place), fold(country)));
    lines().find(|line| {
        let in_parts =
            |(place, country): &(String, String)| line.called(place) && line.lies_in(country);
        line.called(&whole) || parts.as_ref().is_some_and(in_parts)
    })
}

fn lines() -> impl Iterator<Item = Line<'static>> {
    TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(Line::split)
}

impl<'a> Line<'a> {
    fn split(line: &'a str) -> Option<Self> {
        let fields: Vec<&str> = line.split(';').collect();
        let [name, country, other_names, numbers @ ..] = fields.as_slice() else {
            return None;
        };
        let numbers = numbers.try_into().ok()?;
        Some(Self {
            name,
            country,
            other_names,
            numbers,
        })
    }

    /// Whether `folded` is the name or one of the other names.
    fn called(&self, folded: &str) -> bool {
        self.all_names().any(|name| fold(name) == folded)
    }

    fn all_names(&self) -> impl Iterator<Item = &'a str> {
        let others = self.other_names.split(',').map(str::trim);
        std::iter::once(self.name).chain(others.filter(|name| !name.is_empty()))
    }

    fn lies_in(&self, folded: &str) -> bool {
        usual_name(&fold(self.country)) == usual_name(folded)
    }
}

impl Line<'static> {
    fn city(&self) -> Result<City, String> {
        let [latitude, longitude, high, low, precipitation, wet_days] = self.numbers;
        Ok(City {
            name: self.name,
            country: self.country,
            latitude: number(latitude)?,
            longitude: number(longitude)?,
            high_c: months(high)?,
            low_c: months(low)?,
            precipitation_mm: months(precipitation)?,
            wet_days: months(wet_days)?,
        })
    }
}

fn number(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| format!("the bundled table has {text:?} for a number"))
}

fn months(text: &str) -> Result<Months, String> {
    let values = text
        .split(' ')
        .map(number)
        .collect::<Result<Vec<f64>, String>>()?;
    values
        .try_into()
        .map_err(|_| format!("the bundled table has {text:?} for twelve months"))
}

/// Whether a country is called `wanted`, whatever the case, the accents, and which of its names is meant.
pub fn is_country(country: &str, wanted: &str) -> bool {
    usual_name(&fold(country)) == usual_name(&fold(wanted))
}

/// The one name that stands for all of a country's: neither the table nor Open-Meteo keeps to it.
fn usual_name(folded: &str) -> &str {
    match folded {
        "usa" | "us" | "united states of america" | "america" => "united states",
        "uk" | "great britain" | "england" | "scotland" => "united kingdom",
        "uae" | "emirates" => "united arab emirates",
        "czechia" => "czech republic",
        "korea" => "south korea",
        "turkiye" => "turkey",
        "holland" | "the netherlands" => "netherlands",
        other => other,
    }
}

/// Names are compared without case, accents, dots and repeated blanks.
pub fn fold(name: &str) -> String {
    let plain: String = name
        .chars()
        .flat_map(char::to_lowercase)
        .filter_map(plain)
        .collect();
    plain.split_whitespace().collect::<Vec<&str>>().join(" ")
}

fn plain(letter: char) -> Option<char> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' => 'a',
        'ç' | 'č' | 'ć' => 'c',
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ě' => 'e',
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => 'i',
        'ñ' | 'ń' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' => 'o',
        'ù' | 'ú' | 'û' | 'ü' | 'ū' => 'u',
        'š' | 'ś' | 'ș' | 'ş' => 's',
        'ț' | 'ţ' => 't',
        'ž' | 'ź' | 'ż' => 'z',
        'ý' => 'y',
        '-' | '_' | ',' => ' ',
        '.' | '\'' | '’' | '\u{307}' => return None,
        other => other,
    })
}

/// What a caller with an unknown name can do next: the nearest names, the country's cities, or all there are.
fn unknown(wanted: &str) -> String {
    let shown: String = wanted.chars().take(80).collect();
    let place = wanted.split_once(',').map_or(wanted, |(place, _)| place);
    let near = nearest(&fold(place));
    let advice = if near.is_empty() {
        format!(
            "Known cities: {}.",
            names().collect::<Vec<&str>>().join(", ")
        )
    } else {
        format!("Did you mean {}?", near.join(", "))
    };
    format!("city {shown:?} is not among those with bundled normals. {advice}")
}

/// Up to eight names, nearest first: of the country when one was given, else those a few letters away.
fn nearest(place: &str) -> Vec<String> {
    const SHOWN_MAX: usize = 8;
    let distance_max = (place.chars().count() / 3).clamp(1, 3);
    let mut near: Vec<(usize, Line<'_>)> = lines()
        .filter_map(|line| {
            let distance = if line.lies_in(place) {
                Some(0)
            } else {
                line.distance(place, distance_max)
            };
            distance.map(|distance| (distance, line))
        })
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.truncate(SHOWN_MAX);
    near.iter()
        .map(|(_, line)| format!("{} ({})", line.name, line.country))
        .collect()
}

impl Line<'_> {
    /// Letters to change, at most `distance_max`; 1 when one name begins with the other.
    fn distance(&self, place: &str, distance_max: usize) -> Option<usize> {
        let begins = |name: &str| {
            place.chars().count() >= 3
                && (name.starts_with(place) || place.starts_with(&format!("{name} ")))
        };
        self.all_names()
            .map(fold)
            .map(|name| {
                if begins(&name) {
                    1
                } else {
                    letters_apart(&name, place)
                }
            })
            .min()
            .filter(|distance| *distance <= distance_max)
    }
}

/// Levenshtein's distance. Names are short, and what a caller sends is cut first.
fn letters_apart(one: &str, other: &str) -> usize {
    const LETTERS_MAX: usize = 64;
    let one: Vec<char> = one.chars().take(LETTERS_MAX).collect();
    let other: Vec<char> = other.chars().take(LETTERS_MAX).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, opposite) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != opposite);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_plausible_city() {
        let written = TABLE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .count();
        assert_eq!(lines().count(), written, "a line does not have nine fields");
        assert!(written >= 120);
        for line in lines() {
            let city = line.city().unwrap();
            let name = city.name;
            assert!(
                city.latitude.abs() < 72.0 && city.longitude.abs() <= 180.0,
                "{name}"
            );
            for month in 0..12 {
                let (high, low) = (city.high_c[month], city.low_c[month]);
                assert!(
                    low < high && low > -40.0 && high < 50.0 && high - low < 22.0,
                    "{name} {month}"
                );
                let (rain, wet) = (city.precipitation_mm[month], city.wet_days[month]);
                assert!(
                    (0.0..1000.0).contains(&rain) && (0.0..=28.0).contains(&wet),
                    "{name} {month}"
                );
                assert!(
                    wet <= rain || rain <= 1.0,
                    "{name} {month}: each wet day has at least 1 mm"
                );
            }
        }
    }

    #[test]
    fn seasons_lie_on_the_right_side_of_the_equator() {
        for line in lines() {
            let city = line.city().unwrap();
            let summer = city.high_c[6] - city.high_c[0];
            if city.latitude > 30.0 {
                assert!(summer >= 5.0, "{}", city.name);
            } else if city.latitude < -30.0 {
                assert!(summer <= -5.0, "{}", city.name);
            }
        }
    }

    #[test]
    fn no_name_means_two_cities() {
        let mut owners: HashMap<String, &str> = HashMap::new();
        for line in lines() {
            for name in line.all_names() {
                let owner = owners.entry(fold(name)).or_insert(line.name);
                assert_eq!(*owner, line.name, "{name}");
            }
        }
    }

    #[test]
    fn names_are_found_as_people_write_them() {
        for (wanted, name) in [
            ("Paris", "Paris"),
            ("  paris ", "Paris"),
            ("Paris, France", "Paris"),
            ("SAO PAULO", "São Paulo"),
            ("Zuerich", "Zurich"),
            ("İstanbul", "Istanbul"),
            ("NYC", "New York"),
            ("Boston, USA", "Boston"),
            ("Washington, D.C.", "Washington"),
            ("tel aviv", "Tel Aviv"),
            ("東京", "Tokyo"),
            ("Bombay", "Mumbai"),
        ] {
            assert_eq!(find(wanted).unwrap().name, name, "{wanted}");
        }
    }

    #[test]
    fn a_country_is_known_by_each_of_its_names() {
        for (one, other) in [
            ("Czechia", "Czech Republic"),
            ("Türkiye", "Turkey"),
            ("The Netherlands", "Holland"),
            ("United States", "U.S.A."),
        ] {
            for (country, wanted) in [(one, one), (one, other), (other, one), (other, other)] {
                assert!(is_country(country, wanted), "{country}, {wanted}");
            }
        }
        assert!(!is_country("Czechia", "Turkey"));
        assert_eq!(find("Prague, Czechia").unwrap().name, "Prague");
    }

    #[test]
    fn another_place_of_the_same_name_is_not_the_city() {
        let message = find("Paris, Texas").unwrap_err();
        assert!(
            message.contains("\"Paris, Texas\"") && message.contains("Paris (France)"),
            "{message}"
        );
    }

    #[test]
    fn an_unknown_name_brings_the_nearest_ones_or_all() {
        assert!(
            find("Lodnon")
                .unwrap_err()
                .contains("London (United Kingdom)")
        );
        assert!(find("Japan").unwrap_err().contains("Tokyo (Japan)"));
        assert!(
            find("Frankfurt am Mein")
                .unwrap_err()
                .contains("Frankfurt (Germany)")
        );
        let all = find("Gotham").unwrap_err();
        assert!(
            all.contains("Amsterdam") && all.contains("Wellington"),
            "{all}"
        );
        assert!(find(&"x".repeat(100_000)).unwrap_err().len() < 4096);
    }
}
