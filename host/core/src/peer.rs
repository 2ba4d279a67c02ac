//! What the client of a call can do, as it declares itself. Never who calls: nothing here is verified.

/// Which of MCP's two protocol families a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Era {
    /// Up to 2025-11-25: sessions, and requests from the server to the client.
    #[default]
    Legacy,
    /// From 2026-07-28: no sessions; a server asks by an answer that the client takes up in its next request.
    Modern,
}

/// What a client declares. The default declares nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its protocol family.
    pub era: Era,
    /// It shows forms to its user (`elicitation.form`, or a bare `elicitation`).
    pub form: bool,
    /// It opens links for its user (`elicitation.url`).
    pub url: bool,
    /// This request asks for progress. Nobody may be looking all the same.
    pub progress: bool,
    /// It pays by x402 itself.
    pub x402: bool,
    /// It pays by the Machine Payments Protocol itself.
    pub mpp: bool,
    /// It takes up tasks (extension `io.modelcontextprotocol/tasks`).
    pub tasks: bool,
}

/// What a user answered when the client showed a request for payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Consent, or "I have paid". Not a payment.
    Accepted,
    /// "No".
    Declined,
    /// Closed without an answer.
    Cancelled,
    /// The client could not ask: it said so, or said nothing in time.
    Unasked,
    /// The client came back without an answer (modern): the question is still open.
    Missing,
}

/// How far the conversation about one call has come with one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialog {
    /// Who is there.
    pub peer: Peer,
    /// What the user answered last.
    pub answer: Option<Answer>,
    /// How often the user was asked.
    pub asked: u32,
    /// For how long this request has waited for the payment since that answer, milliseconds.
    pub waited_ms: i64,
    /// How the operator wants it.
    pub manners: Manners,
}

/// The operator's settings of conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// How long one request waits for its payment before it is told to come back, milliseconds. Below the minute after
    /// which many clients give a request up.
    pub wait_ms: i64,
    /// Whether AUTO waits with progress where a client asks for progress and shows neither links nor forms.
    pub auto_progress: bool,
    /// Whether legacy clients that open links are told to by the error -32042 and call again, rather than by a request.
    pub url_error: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            wait_ms: 50_000,
            auto_progress: false,
            url_error: false,
        }
    }
}
