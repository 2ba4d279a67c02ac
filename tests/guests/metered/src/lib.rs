//! Asks a price this version of the host does not honour.

wit_bindgen::generate!({ path: "../../../wit", world: "coinop:plugin/plugin" });

use coinop::plugin::tool_types::{Annotations, Effects, MeteredPrice, Money, Price};
use exports::coinop::plugin::tools::{Context, Failure, Guest, Output, Tool};

struct Metered;
export!(Metered);

impl Guest for Metered {
    fn list_tools() -> Vec<Tool> {
        vec![Tool {
            name: "translate".into(),
            title: None,
            description: "Translates pages.".into(),
            input_schema: r#"{"type":"object"}"#.into(),
            output_schema: None,
            annotations: Annotations {
                read_only: None,
                destructive: None,
                idempotent: None,
                open_world: None,
            },
            effects: Effects::Unspecified,
            price: Some(Price::Metered(MeteredPrice {
                unit: "page".into(),
                per_unit: usd("0.02"),
                base: None,
                units_included: 0,
                maximum: usd("2"),
            })),
            meta: None,
        }]
    }

    fn call_tool(_: String, _: String, _: Context) -> Result<Output, Failure> {
        Err(Failure::Unsupported("nothing to call".into()))
    }
}

fn usd(amount: &str) -> Money {
    Money {
        amount: amount.into(),
        currency: "USD".into(),
    }
}
