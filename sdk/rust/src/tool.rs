//! A tool: its listing and its function, and what the host's two questions are answered with.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bindings::coinop::plugin::tool_types as wit;
use crate::schema::{self, Direction};
use crate::{Answer, Context, Failure, Output};

/// The arguments of a tool that takes none.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
pub struct NoArguments {}

/// A function that can be a tool: `Fn(Arguments) -> Result<Answer, Failure>`, with a `&Context` after the arguments
/// where it wants one, or without any arguments. `Marker` tells the three apart and is never named.
pub trait Handler<Marker>: 'static {
    /// What callers send; its schema is the tool's input schema.
    type Arguments: DeserializeOwned + JsonSchema;
    /// What it gives back.
    type Answer: Answer;

    /// Runs it.
    ///
    /// # Errors
    /// There is no answer.
    fn run(&self, arguments: Self::Arguments, context: &Context) -> Result<Self::Answer, Failure>;
}

impl<F, R> Handler<()> for F
where
    F: Fn() -> Result<R, Failure> + 'static,
    R: Answer,
{
    type Arguments = NoArguments;
    type Answer = R;

    fn run(&self, _: NoArguments, _: &Context) -> Result<R, Failure> {
        self()
    }
}

impl<F, A, R> Handler<(A,)> for F
where
    F: Fn(A) -> Result<R, Failure> + 'static,
    A: DeserializeOwned + JsonSchema,
    R: Answer,
{
    type Arguments = A;
    type Answer = R;

    fn run(&self, arguments: A, _: &Context) -> Result<R, Failure> {
        self(arguments)
    }
}

impl<F, A, R> Handler<(A, Context)> for F
where
    F: Fn(A, &Context) -> Result<R, Failure> + 'static,
    A: DeserializeOwned + JsonSchema,
    R: Answer,
{
    type Arguments = A;
    type Answer = R;

    fn run(&self, arguments: A, context: &Context) -> Result<R, Failure> {
        self(arguments, context)
    }
}

type Run = Box<dyn Fn(&str, &Context) -> Result<Output, Failure>>;

/// One tool.
pub struct Tool {
    listing: wit::Tool,
    /// Made when the host asks for the list, and not for every call.
    input_schema: fn() -> String,
    output_schema: fn() -> Option<String>,
    run: Run,
}

impl Tool {
    /// A tool that callers know as `name`: 1 to 64 of `A-Z a-z 0-9 _ - .`.
    pub fn new<M, H: Handler<M>>(name: &str, function: H) -> Self {
        Self {
            listing: wit::Tool {
                name: name.to_owned(),
                title: None,
                description: String::new(),
                input_schema: String::new(),
                output_schema: None,
                annotations: wit::Annotations {
                    read_only: None,
                    destructive: None,
                    idempotent: None,
                    open_world: None,
                },
                effects: wit::Effects::Unspecified,
                price: None,
                meta: None,
            },
            input_schema: || schema::of::<H::Arguments>(Direction::Input),
            output_schema: H::Answer::output_schema,
            run: Box::new(move |arguments, context| {
                let arguments = serde_json::from_str(arguments)
                    .map_err(|error| Failure::InvalidArguments(error.to_string()))?;
                function.run(arguments, context)?.into_output()
            }),
        }
    }

    /// What it does, for a model that decides whether to call it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.listing.description = text.into();
        self
    }

    /// A title for people.
    pub fn title(mut self, text: impl Into<String>) -> Self {
        self.listing.title = Some(text.into());
        self
    }

    /// What a call costs, such as `("0.05", "USD")`. Without this or [`Tool::free`] the operator says, and until then
    /// the tool is not listed.
    pub fn price(mut self, amount: &str, currency: &str) -> Self {
        self.listing.price = Some(wit::Price::PerCall(wit::Money {
            amount: amount.to_owned(),
            currency: currency.to_owned(),
        }));
        self
    }

    /// A call costs nothing.
    pub fn free(mut self) -> Self {
        self.listing.price = Some(wit::Price::Free);
        self
    }

    /// It changes nothing outside the plugin: a run that was cut short is started again.
    pub fn pure(mut self) -> Self {
        self.listing.effects = wit::Effects::Pure;
        self.listing.annotations.read_only = Some(true);
        self
    }

    /// A second run with the same call id changes nothing more: a run that was cut short is started again.
    pub fn idempotent(mut self) -> Self {
        self.listing.effects = wit::Effects::Idempotent;
        self.listing.annotations.idempotent = Some(true);
        self
    }

    /// A second run does it twice: it is never started again.
    pub fn effectful(mut self) -> Self {
        self.listing.effects = wit::Effects::Effectful;
        self.listing.annotations.read_only = Some(false);
        self
    }

    /// It reaches things beyond the plugin, such as the web.
    pub fn open_world(mut self) -> Self {
        self.listing.annotations.open_world = Some(true);
        self
    }

    fn into_listing(self) -> wit::Tool {
        wit::Tool {
            input_schema: (self.input_schema)(),
            output_schema: (self.output_schema)(),
            ..self.listing
        }
    }
}

/// Answers the host's question for the list.
#[doc(hidden)]
pub fn list(tools: Vec<Tool>) -> Vec<wit::Tool> {
    tools.into_iter().map(Tool::into_listing).collect()
}

/// Runs one tool for the host.
#[doc(hidden)]
pub fn call(
    tools: Vec<Tool>,
    name: &str,
    arguments: &str,
    context: wit::Context,
) -> Result<wit::Output, wit::Failure> {
    let tool = tools.iter().find(|tool| tool.listing.name == name);
    let tool =
        tool.ok_or_else(|| wit::Failure::Unsupported(format!("this plugin has no tool {name:?}")))?;
    (tool.run)(arguments, &context.into())
        .map(Output::into_wit)
        .map_err(Failure::into_wit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Json;
    use serde::Serialize;

    #[derive(Deserialize, JsonSchema)]
    struct Numbers {
        numbers: Vec<f64>,
    }

    #[derive(Serialize, JsonSchema)]
    struct Mean {
        mean: f64,
    }

    fn mean(arguments: Numbers) -> Result<(String, Json<Mean>), Failure> {
        let count = arguments.numbers.len();
        if count == 0 {
            return Err(Failure::invalid("`numbers` is empty"));
        }
        let mean = arguments.numbers.iter().sum::<f64>() / count as f64;
        Ok((format!("{mean}"), Json(Mean { mean })))
    }

    fn tools() -> Vec<Tool> {
        vec![
            Tool::new("mean", mean).price("0.01", "USD").pure(),
            Tool::new("hello", || Ok("hello")).free(),
            Tool::new("id", |_: NoArguments, context: &Context| {
                Ok(context.call_id.clone())
            }),
        ]
    }

    fn called(name: &str, arguments: &str) -> Result<wit::Output, wit::Failure> {
        let context = wit::Context {
            call_id: "call_1".to_owned(),
            remaining_ms: 1000,
            caller: None,
            meta: None,
        };
        call(tools(), name, arguments, context)
    }

    fn text(output: &wit::Output) -> &str {
        match &output.content[..] {
            [wit::Content::Text(text)] => text,
            other => panic!("not one text: {other:?}"),
        }
    }

    #[test]
    fn the_list_says_what_the_types_say() {
        let list = list(tools());
        assert!(list[0].input_schema.contains("numbers"));
        assert!(list[0].output_schema.as_ref().unwrap().contains("mean"));
        assert!(list[1].input_schema.contains(r#""type":"object""#));
        assert!(list[1].output_schema.is_none() && list[2].price.is_none());
    }

    #[test]
    fn each_kind_of_function_is_called() {
        let output = called("mean", r#"{"numbers":[1,2]}"#).unwrap();
        assert_eq!(text(&output), "1.5");
        assert_eq!(output.structured.as_deref(), Some(r#"{"mean":1.5}"#));
        assert_eq!(text(&called("hello", "{}").unwrap()), "hello");
        assert_eq!(text(&called("id", "{}").unwrap()), "call_1");
    }

    #[test]
    fn what_cannot_be_answered_is_a_failure() {
        let empty = called("mean", r#"{"numbers":[]}"#).unwrap_err();
        assert!(matches!(empty, wit::Failure::InvalidArguments(why) if why.contains("empty")));
        let wrong = called("mean", r#"{"numbers":"x"}"#).unwrap_err();
        assert!(matches!(wrong, wit::Failure::InvalidArguments(_)));
        assert!(matches!(
            called("none", "{}"),
            Err(wit::Failure::Unsupported(_))
        ));
    }
}
