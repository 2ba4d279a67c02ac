//! Locks beyond rows: what hosts must not do at the same time although no row stands for it. They end with their
//! transaction.

use coinop_core::digest::Digest;

/// The class of the locks on principals; PostgreSQL keeps locks of two numbers apart from those of one.
const PRINCIPALS: i32 = 0x636f_6901;

/// Taken by whoever relies on a component being kept and not blocked, until it has committed.
pub(super) const COMPONENTS_SHARED: &str =
    "SELECT pg_advisory_xact_lock_shared(7165065866852016642)";
/// Taken by whoever blocks or forgets a component: then nobody relies on what it was.
pub(super) const COMPONENTS: &str = "SELECT pg_advisory_xact_lock(7165065866852016642)";
/// Taken by whoever makes the first secret of a name.
pub(super) const SECRETS: &str = "SELECT pg_advisory_xact_lock(7165065866852016643)";

/// Lets the hosts take turns with one principal's caps. Two principals may share a lock: then they take turns as well.
pub(super) fn principal(key: &str) -> String {
    let digest = Digest::of(key.as_bytes());
    let [a, b, c, d, ..] = *digest.as_bytes();
    let number = i32::from_be_bytes([a, b, c, d]);
    format!("SELECT pg_advisory_xact_lock({PRINCIPALS}, {number})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_have_locks_of_their_own() {
        assert_eq!(principal("a"), principal("a"));
        assert_ne!(principal("a"), principal("b"));
    }
}
