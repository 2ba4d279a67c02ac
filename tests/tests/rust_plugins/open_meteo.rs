//! A service in Open-Meteo's place, on loopback: its form of answers, and its bad days.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How it is that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It answers.
    Well,
    /// It is out of order.
    Down,
    /// It has been asked too often.
    Busy,
    /// It answers with a page.
    Page,
    /// It answers with other JSON.
    OtherJson,
    /// It answers with what cannot be.
    Impossible,
    /// It answers with more than anybody reads.
    Long,
    /// It sends people elsewhere.
    Moved,
    /// It has no forecast for these days.
    Beyond,
    /// It knows no places.
    Nowhere,
    /// It never begins to answer.
    Silent,
    /// It never ends.
    Stalled,
}

struct Desk {
    mood: Mutex<Mood>,
    asked: Mutex<Vec<String>>,
}

/// Serves until it is dropped.
pub(crate) struct OpenMeteo {
    /// Where both of its services are.
    pub(crate) url: String,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

impl OpenMeteo {
    /// Starts one in good health, on a port of its own.
    pub(crate) async fn start() -> Self {
        let desk = Arc::new(Desk {
            mood: Mutex::new(Mood::Well),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .route("/v1/search", get(search))
            .route("/v1/forecast", get(forecast))
            .with_state(desk.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, desk, serving }
    }

    /// Changes its mood.
    pub(crate) fn be(&self, mood: Mood) {
        *self.desk.mood.lock().unwrap() = mood;
    }

    /// What it was asked, in order, and forgets it.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.desk.asked.lock().unwrap())
    }

    /// Settings and grants with which the plugin asks it.
    pub(crate) fn config(&self, setting: &str) -> String {
        let url = &self.url;
        format!(
            "[plugins.weather]\nsettings = {{ forecast_url = \"{url}/\", geocoding_url = \"{url}\"{setting} }}\n\
             [plugins.weather.grants]\nhttp = [\"GET {url}\"]\n\
             env = {{ OPEN_METEO_API_KEY = {{ env = \"TEST_KEY\" }} }}\n"
        )
    }
}

impl Drop for OpenMeteo {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Today in UTC, as the plugin knows it.
pub(crate) fn today() -> String {
    let sqlite = rusqlite::Connection::open_in_memory().unwrap();
    sqlite
        .query_row("SELECT date('now')", [], |row| row.get(0))
        .unwrap()
}

impl Desk {
    fn note(&self, uri: &Uri) -> Mood {
        self.asked.lock().unwrap().push(uri.to_string());
        *self.mood.lock().unwrap()
    }
}

async fn search(State(desk): State<Arc<Desk>>, uri: Uri) -> Response {
    let places = json!([
        { "id": 3143244, "name": "Oslo", "latitude": 59.91273, "longitude": 10.74609, "elevation": 26.0,
          "feature_code": "PPLC", "country_code": "NO", "timezone": "Europe/Oslo", "population": 580000,
          "country": "Norway", "admin1": "Oslo" },
        { "id": 5040116, "name": "Oslo", "latitude": 48.19526, "longitude": -97.13148, "elevation": 248.0,
          "country_code": "US", "timezone": "America/Chicago", "country": "United States", "admin1": "Minnesota" },
    ]);
    match desk.note(&uri) {
        Mood::Nowhere => json_answer(&json!({ "generationtime_ms": 0.3 })),
        _ => json_answer(&json!({ "results": places, "generationtime_ms": 0.7 })),
    }
}

async fn forecast(State(desk): State<Arc<Desk>>, Query(query): Query<Value>, uri: Uri) -> Response {
    let mood = desk.note(&uri);
    let refused = |status, reason| {
        (
            status,
            json!({ "error": true, "reason": reason }).to_string(),
        )
            .into_response()
    };
    let mut well = match query["daily"].is_string() {
        true => days(&query),
        false => now(),
    };
    match mood {
        Mood::Well | Mood::Nowhere => json_answer(&well),
        Mood::Down => (StatusCode::SERVICE_UNAVAILABLE, "upstream s3cret").into_response(),
        Mood::Busy => refused(
            StatusCode::TOO_MANY_REQUESTS,
            "Minutely API request limit exceeded.",
        ),
        Mood::Page => "<html>Welcome</html>".into_response(),
        Mood::OtherJson => json_answer(&json!({ "daily": { "time": "tomorrow" } })),
        Mood::Impossible => {
            well["daily"]["temperature_2m_max"][0] = json!(4000);
            json_answer(&well)
        }
        Mood::Long => "[".repeat(1 << 20).into_response(),
        Mood::Moved => (StatusCode::FOUND, [("location", "http://127.0.0.1:1/")]).into_response(),
        Mood::Beyond => refused(
            StatusCode::BAD_REQUEST,
            "Parameter 'end_date' is out of allowed range from 2016-01-01 to 2016-01-02",
        ),
        Mood::Silent => std::future::pending().await,
        Mood::Stalled => {
            let begun = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{\"daily\":"))]);
            Body::from_stream(begun.chain(stream::pending())).into_response()
        }
    }
}

/// The two days that are asked for: snow, then sun.
fn days(query: &Value) -> Value {
    json!({
        "latitude": 59.9, "longitude": 10.75, "generationtime_ms": 0.2, "utc_offset_seconds": 3600,
        "timezone": "Europe/Oslo", "timezone_abbreviation": "GMT+1", "elevation": 26.0,
        "daily_units": { "time": "iso8601", "temperature_2m_max": "°C" },
        "daily": {
            "time": [query["start_date"], query["end_date"]],
            "weather_code": [73, 0],
            "temperature_2m_max": [-1.5, 2.25],
            "temperature_2m_min": [-8.0, -3.0],
            "precipitation_sum": [6.4, 0.0],
            "precipitation_probability_max": [95, 5],
            "wind_speed_10m_max": [21.6, 7.2],
            "daylight_duration": [23_400.0, 23_220.0],
        },
    })
}

fn now() -> Value {
    json!({
        "latitude": 59.9, "longitude": 10.75, "utc_offset_seconds": 3600, "timezone": "Europe/Oslo",
        "current_units": { "temperature_2m": "°C" },
        "current": { "time": "2026-11-20T14:15", "interval": 900, "temperature_2m": -3.4,
                     "apparent_temperature": -8.1, "relative_humidity_2m": 86, "weather_code": 3,
                     "wind_speed_10m": 12.6 },
    })
}

fn json_answer(value: &Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}
