//! What a tool gives back: text, pictures, structured JSON, and what of it is published as the output schema.

use schemars::JsonSchema;
use serde::Serialize;

use crate::bindings::coinop::plugin::tool_types as wit;
use crate::{Failure, schema};

/// What a tool's function may return.
pub trait Answer {
    /// JSON Schema of the structured part, where there is always one.
    fn output_schema() -> Option<String> {
        None
    }

    /// The answer as the host takes it.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    fn into_output(self) -> Result<Output, Failure>;
}

/// An answer of content blocks, in order. It is delivered and charged.
#[derive(Clone, Debug, Default)]
pub struct Output {
    content: Vec<wit::Content>,
    structured: Option<String>,
    is_error: bool,
}

impl Output {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plain text.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.content.push(wit::Content::Text(text.into()));
        self
    }

    /// A picture: its bytes and their media type, such as `"image/png"`.
    pub fn image(mut self, data: Vec<u8>, mime_type: impl Into<String>) -> Self {
        let mime_type = mime_type.into();
        self.content
            .push(wit::Content::Image(wit::Media { data, mime_type }));
        self
    }

    /// A sound: its bytes and their media type, such as `"audio/wav"`.
    pub fn audio(mut self, data: Vec<u8>, mime_type: impl Into<String>) -> Self {
        let mime_type = mime_type.into();
        self.content
            .push(wit::Content::Audio(wit::Media { data, mime_type }));
        self
    }

    /// A pointer to a resource the client may read itself.
    pub fn link(mut self, uri: impl Into<String>, name: impl Into<String>) -> Self {
        self.content
            .push(wit::Content::ResourceLink(wit::ResourceLink {
                uri: uri.into(),
                name: name.into(),
                description: None,
                mime_type: None,
            }));
        self
    }

    /// Structured JSON, an object. Return [`Json`] instead where its schema is to be published.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn structured(mut self, value: &impl Serialize) -> Result<Self, Failure> {
        self.structured = Some(serde_json::to_string(value)?);
        Ok(self)
    }

    /// Says that something is wrong, such as a city that does not exist. **It is delivered and charged all the same**;
    /// for work that could not be done return a [`Failure`].
    pub fn error(mut self) -> Self {
        self.is_error = true;
        self
    }

    pub(crate) fn into_wit(self) -> wit::Output {
        wit::Output {
            content: self.content,
            structured: self.structured,
            is_error: self.is_error,
            meta: None,
        }
    }
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self::new().text(text)
    }
}

impl From<&str> for Output {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

/// A structured answer, an object whose schema is published. With something before it, `("in words", Json(value))`,
/// the model gets words too; alone, the host shows the JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl Answer for Output {
    fn into_output(self) -> Result<Output, Failure> {
        Ok(self)
    }
}

impl Answer for String {
    fn into_output(self) -> Result<Output, Failure> {
        Ok(self.into())
    }
}

impl Answer for &'static str {
    fn into_output(self) -> Result<Output, Failure> {
        Ok(self.into())
    }
}

impl<T: Serialize + JsonSchema> Answer for Json<T> {
    fn output_schema() -> Option<String> {
        Some(schema::of::<T>(schema::Direction::Output))
    }

    fn into_output(self) -> Result<Output, Failure> {
        Output::new().structured(&self.0)
    }
}

impl<O: Into<Output>, T: Serialize + JsonSchema> Answer for (O, Json<T>) {
    fn output_schema() -> Option<String> {
        Json::<T>::output_schema()
    }

    fn into_output(self) -> Result<Output, Failure> {
        let (words, Json(value)) = self;
        words.into().structured(&value)
    }
}
