//! Payments that callers bring with the call: in `_meta`, or in HTTP headers.

use rmcp::ErrorData;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RequestContext, RoleServer};

use crate::provider::rail::Credential;

/// The payment that comes with a call, if any.
///
/// # Errors
/// One that cannot be read, or more than one.
pub(super) fn presented(
    _request: &CallToolRequestParams,
    _context: &RequestContext<RoleServer>,
) -> Result<Option<Credential>, ErrorData> {
    Ok(None)
}
