//! From a Rust type to the JSON Schema that the host checks arguments and answers by.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

/// Which way the values go: what serde reads and what it writes differ where a field has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Input,
    Output,
}

/// The schema of `T` as JSON text.
pub(crate) fn of<T: JsonSchema>(direction: Direction) -> String {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        // The host knows the draft, and clients do better with schemas that have no references.
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let settings = match direction {
        Direction::Input => settings.for_deserialize(),
        Direction::Output => settings.for_serialize(),
    };
    let mut schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    // The name of a Rust type tells a model nothing.
    schema.remove("title");
    schema.as_value().to_string()
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Place {
        /// Its name.
        city: String,
        #[serde(default)]
        days: u32,
    }

    fn shown(direction: Direction) -> Value {
        serde_json::from_str(&of::<Place>(direction)).unwrap()
    }

    #[test]
    fn arguments_and_answers_have_their_own_schemas() {
        let input = shown(Direction::Input);
        assert_eq!(input["required"], json!(["city"]));
        assert_eq!(input["properties"]["city"]["description"], "Its name.");
        assert_eq!(input["type"], "object");
        assert!(input.get("$schema").is_none() && input.get("title").is_none());
        assert_eq!(
            shown(Direction::Output)["required"],
            json!(["city", "days"])
        );
    }
}
