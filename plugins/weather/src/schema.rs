//! What is published of the tools: descriptions for models, JSON Schemas (draft 2020-12) of arguments and answers.

use serde_json::{Value, json};

use crate::city;
use crate::forecast::{DAYS_DEFAULT, DAYS_MAX};

/// A date's form. Which days exist the tool checks itself.
const DATE_PATTERN: &str = "^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";

/// `get_weather` for a model.
pub fn weather_description() -> String {
    format!(
        "What the weather in a city is usually like, from bundled climate normals (averages over many years) of \
         {} large cities. NOT live: it knows neither today's weather nor a forecast; say so when you use it. With a \
         date: the typical high, low, mean, chance of rain or snow, precipitation and daylight of that day of the \
         year. Without: the twelve months. An unknown city is an error that names the nearest known ones.",
        city::names().count()
    )
}

/// `get_forecast` for a model.
pub fn forecast_description() -> String {
    format!(
        "Day-by-day outlook for a city, for 1 to {DAYS_MAX} days from any start date, near or far: the typical high, \
         low, chance of rain or snow, precipitation and daylight of each day, with totals for the period. Computed \
         from bundled climate normals: a climatological expectation for planning trips and events, NOT a forecast \
         from current observations; say so when you use it. The same arguments always give the same answer. The city \
         must be one of the listed names (use get_weather, which is free, to find the right one)."
    )
}

/// Arguments of `get_weather`. The city is free text: a miss costs nothing and brings suggestions.
pub fn weather_input() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "city": {
                "type": "string", "minLength": 1, "maxLength": 100,
                "description": "The city's name, in English or its own language, optionally with its country: \"Munich\", \"São Paulo\", \"Paris, France\"."
            },
            "date": {
                "type": "string", "format": "date", "pattern": DATE_PATTERN,
                "description": "The day of interest, YYYY-MM-DD. Without it the answer covers all twelve months."
            },
            "units": units_input(),
        },
        "required": ["city"],
        "additionalProperties": false,
    })
}

/// Arguments of `get_forecast`. The cities are listed, so that a host refuses an unknown one before anybody pays.
pub fn forecast_input() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "city": {
                "type": "string",
                "enum": city::names().collect::<Vec<&str>>(),
                "description": "The city, exactly as listed."
            },
            "start_date": {
                "type": "string", "format": "date", "pattern": DATE_PATTERN,
                "description": "The first day, YYYY-MM-DD."
            },
            "days": {
                "type": "integer", "minimum": 1, "maximum": DAYS_MAX, "default": DAYS_DEFAULT,
                "description": "How many days, the first one included."
            },
            "units": units_input(),
        },
        "required": ["city", "start_date"],
        "additionalProperties": false,
    })
}

/// The structured answer of `get_weather`: with a `day` or with `months`.
pub fn weather_output() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "kind": { "const": "climate_normals" },
            "place": place(),
            "units": units_output(),
            "day": day(),
            "months": {
                "type": "array", "minItems": 12, "maxItems": 12,
                "items": object(json!({
                    "month": { "type": "string" },
                    "high": { "type": "number", "description": "Mean daily maximum." },
                    "low": { "type": "number", "description": "Mean daily minimum." },
                    "mean": { "type": "number", "description": "Halfway between high and low." },
                    "precipitation": { "type": "number", "description": "Total of the month." },
                    "wet_days": { "type": "number", "description": "Days with at least 1 mm." },
                })),
            },
            "note": { "type": "string" },
        },
        "required": ["kind", "place", "units", "note"],
        "oneOf": [{ "required": ["day"] }, { "required": ["months"] }],
        "additionalProperties": false,
    })
}

/// The structured answer of `get_forecast`.
pub fn forecast_output() -> Value {
    let mut schema = object(json!({
        "kind": { "const": "climatological_expectation" },
        "place": place(),
        "units": units_output(),
        "summary": object(json!({
            "start_date": { "type": "string" },
            "end_date": { "type": "string" },
            "mean_high": { "type": "number" },
            "mean_low": { "type": "number" },
            "wet_days_expected": { "type": "number" },
            "precipitation_total": { "type": "number" },
        })),
        "days": { "type": "array", "minItems": 1, "maxItems": DAYS_MAX, "items": day() },
        "note": { "type": "string" },
    }));
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema
}

fn units_input() -> Value {
    json!({
        "type": "string", "enum": ["metric", "imperial"], "default": "metric",
        "description": "metric: °C and mm; imperial: °F and inches."
    })
}

fn units_output() -> Value {
    object(json!({
        "temperature": { "enum": ["°C", "°F"] },
        "precipitation": { "enum": ["mm", "in"] },
    }))
}

fn place() -> Value {
    object(json!({
        "city": { "type": "string" },
        "country": { "type": "string" },
        "latitude": { "type": "number" },
        "longitude": { "type": "number" },
    }))
}

fn day() -> Value {
    object(json!({
        "date": { "type": "string" },
        "weekday": { "type": "string" },
        "high": { "type": "number", "description": "Mean daily maximum." },
        "low": { "type": "number", "description": "Mean daily minimum." },
        "mean": { "type": "number", "description": "Halfway between high and low." },
        "wet_chance_percent": {
            "type": "number", "minimum": 0, "maximum": 100,
            "description": "How often such a day has at least 1 mm of rain or melted snow."
        },
        "precipitation": { "type": "number", "description": "Mean amount over wet and dry days." },
        "daylight_hours": { "type": "number", "description": "Sunrise to sunset." },
    }))
}

/// An object with exactly these properties.
fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .collect();
    json!({
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{forecast, weather};

    /// That every key of `value` is in `schema` and every required one in `value`, all the way down: enough of JSON
    /// Schema for the shapes used here. The host checks the answers in full.
    fn check(schema: &Value, value: &Value, at: &str) {
        match value {
            Value::Object(map) => {
                let properties = schema["properties"].as_object().unwrap();
                for (key, inner) in map {
                    assert!(
                        properties.contains_key(key),
                        "{at}.{key} is not in the schema"
                    );
                    check(&properties[key], inner, &format!("{at}.{key}"));
                }
                for key in schema["required"].as_array().unwrap() {
                    assert!(map.contains_key(key.as_str().unwrap()), "{at} lacks {key}");
                }
            }
            Value::Array(items) => items
                .iter()
                .for_each(|item| check(&schema["items"], item, at)),
            Value::Number(_) => assert_eq!(schema["type"], "number", "{at}"),
            Value::String(text) => {
                let listed = schema["enum"]
                    .as_array()
                    .is_some_and(|all| all.contains(value));
                assert!(
                    listed || schema["type"] == "string" || schema["const"] == *text,
                    "{at}"
                );
            }
            _ => panic!("{at} is {value}"),
        }
    }

    #[test]
    fn answers_match_what_is_published() {
        for arguments in [
            json!({"city": "Lima"}),
            json!({"city": "Lima", "date": "2026-01-01", "units": "imperial"}),
        ] {
            let weather = weather::describe(&serde_json::from_value(arguments).unwrap()).unwrap();
            check(
                &weather_output(),
                &serde_json::to_value(weather).unwrap(),
                "weather",
            );
        }
        let arguments = json!({"city": "Lima", "start_date": "2026-01-01", "days": 2});
        let forecast = forecast::expect(&serde_json::from_value(arguments).unwrap()).unwrap();
        check(
            &forecast_output(),
            &serde_json::to_value(forecast).unwrap(),
            "forecast",
        );
    }

    #[test]
    fn every_listed_city_can_be_asked_for() {
        for name in forecast_input()["properties"]["city"]["enum"]
            .as_array()
            .unwrap()
        {
            let arguments = json!({"city": name, "start_date": "2026-01-01"});
            assert!(
                forecast::expect(&serde_json::from_value(arguments).unwrap()).is_ok(),
                "{name}"
            );
        }
    }
}
