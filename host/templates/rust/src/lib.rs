//! The tools of {{name}}.

use coinop_plugin::{Failure, Tool, setting};
use schemars::JsonSchema;
use serde::Deserialize;

coinop_plugin::export!(tools);

fn tools() -> Vec<Tool> {
    vec![
        Tool::new("{{identifier}}", greet)
            .description("Greets somebody by name.")
            .price("0.01", "USD")
            .pure(),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Greeting {
    /// Who is greeted.
    name: String,
}

fn greet(arguments: Greeting) -> Result<String, Failure> {
    let name = arguments.name.trim();
    if name.is_empty() {
        return Err(Failure::invalid("`name` is empty: say who is greeted"));
    }
    let greeting = setting("greeting").unwrap_or_else(|| "Hello".to_owned());
    Ok(format!("{greeting}, {name}!"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeted(name: &str) -> Result<String, Failure> {
        greet(Greeting {
            name: name.to_owned(),
        })
    }

    #[test]
    fn somebody_is_greeted() {
        assert_eq!(greeted(" Ada ").unwrap(), "Hello, Ada!");
    }

    #[test]
    fn nobody_is_told_so_and_not_charged() {
        assert!(matches!(greeted(" "), Err(Failure::InvalidArguments(_))));
    }
}
