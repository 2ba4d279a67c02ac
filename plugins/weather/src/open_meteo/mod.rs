//! Open-Meteo: what it is asked, over the grants that the operator gives, and what its answers mean.
//!
//! Its numbers are checked before they are believed: whatever the service sends, an answer of ours is a possible weather
//! or a failure that nobody is charged for.

mod current;
mod daily;
mod place;
mod sky;

use std::fmt::Display;
use std::time::Duration;

use coinop_plugin::http::{Request, Response};
use coinop_plugin::{Failure, setting};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::answer::{Day, Place};
use crate::units::Units;

pub use current::Now;
pub use daily::Span;

/// Where forecasts are asked for unless the setting `forecast_url` says otherwise.
const FORECAST_URL: &str = "https://api.open-meteo.com";
/// Where places are looked up unless the setting `geocoding_url` says otherwise.
const GEOCODING_URL: &str = "https://geocoding-api.open-meteo.com";
/// The variable with the key of a paid plan.
const KEY_VARIABLE: &str = "OPEN_METEO_API_KEY";
/// How long one request may take unless the setting `timeout_ms` says otherwise. A call makes two, and has 30 s from its
/// host.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read, bytes; usual ones have some thousand.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// What the service says when its limit for a minute is reached, ms.
const BUSY_RETRY_MS: u32 = 60_000;

/// Where to ask, with which key, and for how long.
pub struct Service {
    forecast_url: String,
    geocoding_url: String,
    key: Option<String>,
    timeout: Duration,
}

/// Why there are no days.
#[derive(Debug)]
pub enum DailyError {
    /// The service has no forecasts for some of them.
    Beyond,
    /// It did not answer, or not with a forecast.
    Failed(Failure),
}

impl From<Failure> for DailyError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What the service says of a request it refuses.
#[derive(Deserialize)]
struct Refusal {
    reason: String,
}

impl Service {
    /// As the operator has it set.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn new() -> Result<Self, Failure> {
        let url = |key: &str, usual: &str| {
            let url = setting(key).unwrap_or_else(|| usual.to_owned());
            url.trim_end_matches('/').to_owned()
        };
        Ok(Self {
            forecast_url: url("forecast_url", FORECAST_URL),
            geocoding_url: url("geocoding_url", GEOCODING_URL),
            key: std::env::var(KEY_VARIABLE)
                .ok()
                .filter(|key| !key.is_empty()),
            timeout: timeout(setting("timeout_ms").as_deref())?,
        })
    }

    /// The place that `city` names.
    ///
    /// # Errors
    /// There is none, or the service did not say.
    pub fn place(&self, city: &str) -> Result<Place, Failure> {
        let wanted = place::Wanted::of(city);
        let request = Request::get(&format!("{}/v1/search", self.geocoding_url))
            .query("name", wanted.name())
            .query("count", &place::CANDIDATES_MAX.to_string())
            .query("language", "en")
            .query("format", "json");
        wanted.chosen(read(&self.send(request)?)?)
    }

    /// Its days, in the caller's units.
    ///
    /// # Errors
    /// There is no forecast for them, or the service did not give it.
    pub fn daily(&self, place: &Place, span: Span, units: Units) -> Result<Vec<Day>, DailyError> {
        let request = self
            .forecast(place)
            .query("daily", daily::VARIABLES)
            .query("start_date", &span.first.to_string())
            .query("end_date", &span.last().to_string());
        let response = self.answer(request)?;
        if refusal(&response).is_some_and(|reason| reason.contains("out of allowed range")) {
            return Err(DailyError::Beyond);
        }
        let answer = checked(response).and_then(|response| read(&response));
        daily::days(answer?, span, units)
    }

    /// The weather there now, in the caller's units.
    ///
    /// # Errors
    /// The service did not give it.
    pub fn now(&self, place: &Place, units: Units) -> Result<Now, Failure> {
        let request = self.forecast(place).query("current", current::VARIABLES);
        Now::of(read(&self.send(request)?)?, units)
    }

    fn forecast(&self, place: &Place) -> Request {
        Request::get(&format!("{}/v1/forecast", self.forecast_url))
            .query("latitude", &place.latitude.to_string())
            .query("longitude", &place.longitude.to_string())
            .query("timezone", "auto")
    }

    fn send(&self, request: Request) -> Result<Response, Failure> {
        checked(self.answer(request)?)
    }

    fn answer(&self, request: Request) -> Result<Response, Failure> {
        let request = match &self.key {
            Some(key) => request.query("apikey", key),
            None => request,
        };
        request
            .timeout(self.timeout)
            .answer_bytes_max(ANSWER_BYTES_MAX)
            .send()
    }
}

fn timeout(ms: Option<&str>) -> Result<Duration, Failure> {
    let Some(ms) = ms else {
        return Ok(TIMEOUT);
    };
    match ms.parse() {
        Ok(ms @ 1..=600_000) => Ok(Duration::from_millis(ms)),
        _ => Err(Failure::failed(
            "the operator's setting timeout_ms is not a whole number from 1 to 600000",
        )),
    }
}

/// The answer if it is one. What the service says of a refusal is for our eyes: it may repeat the key.
fn checked(response: Response) -> Result<Response, Failure> {
    match response.status {
        200 => Ok(response),
        429 => Err(Failure::Unavailable {
            message: "Open-Meteo has been asked too often; try again in a minute".to_owned(),
            retry_after_ms: Some(BUSY_RETRY_MS),
        }),
        status => {
            let reason = refusal(&response).unwrap_or_default();
            eprintln!("Open-Meteo answered with status {status}: {reason}");
            Err(Failure::unavailable(format!(
                "Open-Meteo answered with status {status}"
            )))
        }
    }
}

fn refusal(response: &Response) -> Option<String> {
    let refusal: Option<Refusal> = serde_json::from_slice(&response.body).ok();
    refusal
        .filter(|_| response.status == 400)
        .map(|refusal| refusal.reason.chars().take(200).collect())
}

fn read<T: DeserializeOwned>(response: &Response) -> Result<T, Failure> {
    serde_json::from_slice(&response.body).map_err(odd)
}

/// The service's answer is none. Why is for the operator: its words may be anybody's.
fn odd(why: impl Display) -> Failure {
    eprintln!("Open-Meteo answered in an unknown form: {why}");
    Failure::unavailable("Open-Meteo answered in a form that this tool does not know")
}

/// A number that is there and possible.
fn possible(
    name: &str,
    number: Option<f64>,
    range: std::ops::RangeInclusive<f64>,
) -> Result<f64, Failure> {
    match number {
        Some(number) if range.contains(&number) => Ok(number),
        other => Err(odd(format!("{name} is {other:?}"))),
    }
}

/// A number that may be missing, but not impossible.
fn known(
    name: &str,
    number: Option<f64>,
    range: std::ops::RangeInclusive<f64>,
) -> Result<Option<f64>, Failure> {
    number
        .map(|number| possible(name, Some(number), range))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    #[test]
    fn refusals_are_told_by_their_kind_and_never_in_the_services_words() {
        let busy = r#"{"error":true,"reason":"Minutely API request limit exceeded. Please try again in one minute."}"#;
        match checked(response(429, busy)) {
            Err(Failure::Unavailable { retry_after_ms, .. }) => {
                assert_eq!(retry_after_ms, Some(60_000))
            }
            other => panic!("{other:?}"),
        }
        match checked(response(
            400,
            r#"{"error":true,"reason":"the key s3cret is wrong"}"#,
        )) {
            Err(Failure::Unavailable { message, .. }) => {
                assert_eq!(message, "Open-Meteo answered with status 400");
            }
            other => panic!("{other:?}"),
        }
        assert!(checked(response(302, "")).is_err() && checked(response(204, "")).is_err());
    }

    #[test]
    fn dates_beyond_are_known_by_the_services_words() {
        // In the service's words.
        let body = r#"{"error":true,"reason":"Parameter 'end_date' is out of allowed range from 2026-08-19 to 2026-12-05"}"#;
        assert!(
            refusal(&response(400, body))
                .unwrap()
                .contains("out of allowed range")
        );
        assert_eq!(refusal(&response(500, body)), None);
        assert_eq!(refusal(&response(400, "<html>")), None);
    }

    #[test]
    fn the_time_to_wait_is_a_number_of_milliseconds() {
        assert_eq!(timeout(None), Ok(TIMEOUT));
        assert_eq!(timeout(Some("250")), Ok(Duration::from_millis(250)));
        for wrong in ["", "0", "10s", "600001", "-1"] {
            assert!(timeout(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_possible_or_refused() {
        assert_eq!(possible("t", Some(1.0), -90.0..=60.0), Ok(1.0));
        for number in [None, Some(1e9), Some(f64::NAN)] {
            assert!(possible("t", number, -90.0..=60.0).is_err());
        }
        assert_eq!(known("t", None, 0.0..=1.0), Ok(None));
        assert!(known("t", Some(2.0), 0.0..=1.0).is_err());
    }
}
