//! Whose list of tools it is: where the list depends on its reader, a handle of the session or the principal.

use coinop_core::principal::Principal;
use rmcp::service::{RequestContext, RoleServer};

/// The handle of whoever reads the list, `None` where every reader sees the same.
pub(super) fn viewer(
    _principal: &Principal,
    _context: &RequestContext<RoleServer>,
) -> Option<String> {
    None
}
