//! What a plugin asked for and was refused, as the operator is told.

/// A grant that a run lacked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denial {
    /// What it wanted to do, as a phrase: `send GET https://api.example.com/v1`. Without secrets and control characters.
    pub wanted: String,
    /// The key under `[plugins.NAME.grants]` and the value to add to it, such as `http = ["https://api.example.com"]`.
    /// `None` when no grant would allow it.
    pub line: Option<String>,
}
