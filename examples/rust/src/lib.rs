//! Converts money at the day's rate, which it asks a service for: outgoing HTTP, a setting, progress, a structured
//! answer with its schema, and every way to fail.

use coinop_plugin::http::Request;
use coinop_plugin::{Failure, Json, Tool, progress, required_setting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

coinop_plugin::export!(tools);

fn tools() -> Vec<Tool> {
    vec![
        Tool::new("convert", convert)
            .description("Converts an amount of money into another currency at the day's rate.")
            .idempotent()
            .open_world(),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Conversion {
    /// How much.
    #[schemars(range(min = 0))]
    amount: f64,
    /// The currency it is in, such as EUR.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    from: String,
    /// The currency wanted, such as USD.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    to: String,
}

#[derive(Serialize, JsonSchema)]
struct Converted {
    /// In the currency wanted, to the hundredth.
    amount: f64,
    /// What one unit is worth.
    rate: f64,
    /// The day of the rate, such as 2026-11-20.
    date: String,
}

/// What the service answers.
#[derive(Deserialize)]
struct Rates {
    date: String,
    rates: HashMap<String, f64>,
}

fn convert(wanted: Conversion) -> Result<(String, Json<Converted>), Failure> {
    let Conversion { amount, from, to } = wanted;
    if from == to {
        return Err(Failure::invalid("`from` and `to` are the same currency"));
    }
    let base_url = required_setting("base_url")?;
    progress(0.0, 1.0, "asking for the rate");
    let rates: Rates = Request::get(&format!("{base_url}/latest"))
        .query("base", &from)
        .query("symbols", &to)
        .send()?
        .success()?
        .json()?;
    let rate = *rates
        .rates
        .get(&to)
        .ok_or_else(|| Failure::invalid(format!("there is no rate from {from} to {to}")))?;
    let converted = Converted {
        amount: (amount * rate * 100.0).round() / 100.0,
        rate,
        date: rates.date,
    };
    let words = format!("{amount} {from} are {} {to}.", converted.amount);
    Ok((words, Json(converted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversion(to: &str) -> Conversion {
        Conversion {
            amount: 1.0,
            from: "EUR".to_owned(),
            to: to.to_owned(),
        }
    }

    #[test]
    fn what_can_be_known_without_the_service_is_told_first() {
        let same = convert(conversion("EUR")).err();
        assert!(matches!(same, Some(Failure::InvalidArguments(_))));
        let unset = convert(conversion("USD")).err();
        assert!(matches!(unset, Some(Failure::Failed(why)) if why.contains("base_url")));
    }
}
