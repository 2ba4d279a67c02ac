//! The component's face: what `coinop:plugin` asks for, translated to and from the plain functions of this crate.

use exports::coinop::plugin::tools::{Context, Failure, Guest, Output, Tool};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::coinop::plugin::tool_types::{Annotations, Content, Effects, Money, Price};
use crate::{forecast, schema, weather};

wit_bindgen::generate!({ path: "../../wit", world: "coinop:plugin/plugin" });

struct Weather;

export!(Weather);

impl Guest for Weather {
    fn list_tools() -> Vec<Tool> {
        vec![
            Tool {
                name: "get_weather".to_owned(),
                title: Some("Typical weather of a city".to_owned()),
                description: schema::weather_description(),
                input_schema: schema::weather_input().to_string(),
                output_schema: Some(schema::weather_output().to_string()),
                annotations: pure_reader(),
                effects: Effects::Pure,
                price: Some(Price::Free),
                meta: None,
            },
            Tool {
                name: "get_forecast".to_owned(),
                title: Some("Day-by-day climatological outlook".to_owned()),
                description: schema::forecast_description(),
                input_schema: schema::forecast_input().to_string(),
                output_schema: Some(schema::forecast_output().to_string()),
                annotations: pure_reader(),
                effects: Effects::Pure,
                price: Some(Price::PerCall(Money {
                    amount: "0.003".to_owned(),
                    currency: "USD".to_owned(),
                })),
                meta: None,
            },
        ]
    }

    fn call_tool(name: String, arguments: String, _context: Context) -> Result<Output, Failure> {
        match name.as_str() {
            "get_weather" => answer(
                weather::describe(&parse(&arguments)?),
                weather::Weather::text,
            ),
            "get_forecast" => answer(
                forecast::expect(&parse(&arguments)?),
                forecast::Forecast::text,
            ),
            _ => Err(Failure::Unsupported(format!(
                "this plugin has no tool {name:?}"
            ))),
        }
    }
}

/// The hints both tools share: they read what they carry and change nothing.
fn pure_reader() -> Annotations {
    Annotations {
        read_only: Some(true),
        destructive: Some(false),
        idempotent: Some(true),
        open_world: Some(false),
    }
}

fn parse<T: DeserializeOwned>(arguments: &str) -> Result<T, Failure> {
    serde_json::from_str(arguments).map_err(|error| Failure::InvalidArguments(error.to_string()))
}

/// Text for the model, structure for programs, out of one value. What the arguments got wrong is a failure and not
/// an answer, so that nobody pays for it.
fn answer<T: Serialize>(
    result: Result<T, String>,
    text: impl FnOnce(&T) -> String,
) -> Result<Output, Failure> {
    let value = result.map_err(Failure::InvalidArguments)?;
    let structured =
        serde_json::to_string(&value).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(Output {
        content: vec![Content::Text(text(&value))],
        structured: Some(structured),
        is_error: false,
        meta: None,
    })
}
