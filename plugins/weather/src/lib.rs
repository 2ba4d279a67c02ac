//! What the weather of a city is usually like, as a coinop plugin: the tools `get_weather` and `get_forecast`.
//!
//! Everything is computed from climate normals that are part of the component. Nothing here observes or predicts,
//! reads a clock or reaches the network, so the same arguments always give the same answer.

mod calendar;
mod city;
mod climate;
mod forecast;
mod plugin;
mod schema;
mod units;
mod weather;
