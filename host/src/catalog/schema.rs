//! A tool's schemas as they are published, and the check of its arguments.

use coinop_core::mode::Surface;
use coinop_core::price::Price;
use serde_json::{Map, Value, json};

use super::widened::{Asks, widened};
use super::{arguments, payment_id};
use crate::plugin::ToolDecl;
use crate::sandbox::schema::Schema;

/// A tool's schemas as published, and the check of its arguments.
pub(super) struct Schemas {
    pub(super) payment_id_argument: String,
    pub(super) input: Map<String, Value>,
    pub(super) output: Option<Map<String, Value>>,
    pub(super) validator: Schema,
}

impl Schemas {
    /// `accepts`: accounts that callers may pay with the call itself.
    pub(super) fn of(
        tool: &ToolDecl,
        price: Price,
        surface: Surface,
        accepts: &[String],
    ) -> Result<Self, String> {
        let input_is = |reason: String| format!("its input schema {reason}");
        let output_is = |reason: String| format!("its output schema {reason}");
        let paid = matches!(price, Price::PerCall(_));
        let own = object_schema(&tool.input_schema).map_err(input_is)?;
        let validator = arguments::compile(&Value::Object(own.clone()))
            .map_err(|reason| input_is(format!("is not usable: {reason}")))?;
        let argument = payment_id::argument(&own);
        let input = match paid && surface == Surface::PaymentIdArgument {
            true => payment_id::added(&own, argument).map_err(input_is)?,
            false => own,
        };
        let own = tool
            .output_schema
            .as_deref()
            .map(object_schema)
            .transpose()
            .map_err(output_is)?;
        let asks = match accepts.is_empty() && surface != Surface::Credential {
            true => Asks::ByLink,
            false => Asks::AlsoByChallenge,
        };
        let output = match paid {
            true => {
                let widened = own.map(|own| widened(own, asks)).transpose();
                widened.map_err(output_is)?
            }
            false => own,
        };
        if let Some(output) = &output {
            arguments::compile(&Value::Object(output.clone()))
                .map_err(|reason| output_is(format!("is not usable: {reason}")))?;
        }
        Ok(Self {
            payment_id_argument: argument.to_owned(),
            input,
            output,
            validator,
        })
    }
}

/// Reads a schema's text as an object whose root has `"type": "object"`, as MCP clients demand.
///
/// # Errors
/// It is not the schema of an object.
pub(super) fn object_schema(text: &str) -> Result<Map<String, Value>, String> {
    let not_object = || "does not describe an object: write \"type\": \"object\"".to_owned();
    let mut schema = match serde_json::from_str(text) {
        Ok(Value::Object(schema)) => schema,
        Ok(_) => return Err(not_object()),
        Err(error) => return Err(format!("is not JSON: {error}")),
    };
    let object = json!("object");
    let fits = match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.contains(&object),
        Some(kind) => *kind == object,
    };
    if !fits {
        return Err(not_object());
    }
    schema.insert("type".to_owned(), object);
    Ok(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::schema::Schema;
    use crate::server::testing::{ask, listing};
    use crate::server::testing_rails::challenged;
    use crate::wire::challenge::payment_required;

    /// Clients check structured content against what was published, errors too.
    #[test]
    fn what_is_answered_fits_what_is_published() {
        let own = json!({
            "type": "object", "required": ["sum"], "additionalProperties": false,
            "properties": { "sum": { "type": "integer" } },
        });
        let sold = listing("sum", Some("0.50"));
        let tool = ToolDecl {
            output_schema: Some(own.to_string()),
            ..sold.tool
        };
        let printed = coinop_core::mode::Printed {
            payment_url: "http://127.0.0.1/pay/x",
            expires_at: "2026-11-20T10:00:00Z",
            test: true,
        };
        let by_link = Value::Object(ask("sum", "0.50").object(&printed));
        let by_challenge = payment_required(&challenged("x402_and_mpp", None)).unwrap();
        let accounts = ["wallets".to_owned()];
        for (mode, accepts, wallets) in [
            ("two_step", &accounts[..], true),
            ("x402", &[], true),
            ("two_step", &[], false),
        ] {
            let mode = coinop_core::mode::by_name(mode).unwrap();
            let schemas = Schemas::of(&tool, sold.price, mode.surface(), accepts).unwrap();
            let published = Value::Object(schemas.output.unwrap()).to_string();
            let published = Schema::compile(&published).unwrap();
            assert!(published.check(&json!({ "sum": 3 })).is_ok());
            assert!(published.check(&by_link).is_ok());
            assert_eq!(published.check(&by_challenge).is_ok(), wallets);
            assert!(published.check(&json!({ "sum": "3" })).is_err());
            assert!(published.check(&json!({})).is_err());
        }
    }
}
