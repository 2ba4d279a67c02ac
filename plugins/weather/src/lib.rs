//! The weather of cities as a coinop plugin: the tools `get_weather` and `get_forecast`.
//!
//! Live numbers come from Open-Meteo, where the operator lets the plugin reach it. Without that there are climate normals,
//! which are part of the component. Every answer says which of the two it is.

mod answer;
mod calendar;
mod city;
mod climate;
mod forecast;
mod open_meteo;
mod source;
mod units;
mod weather;

use coinop_plugin::Tool;

coinop_plugin::export!(tools);

fn tools() -> Vec<Tool> {
    vec![
        Tool::new("get_weather", weather::get_weather)
            .title("Weather of a city")
            .description(weather::description())
            .free()
            .pure()
            .open_world(),
        Tool::new("get_forecast", forecast::get_forecast)
            .title("Day-by-day outlook for a city")
            .description(forecast::description())
            .price("0.003", "USD")
            .pure()
            .open_world(),
    ]
}
