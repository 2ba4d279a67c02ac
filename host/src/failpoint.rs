//! Places where a test may kill the host. In release builds they are nothing.

/// Ends the process as `kill -9` would when `COINOP_FAILPOINT` names this place. The name may end in `:N` to survive
/// the first N-1 visits.
#[cfg(debug_assertions)]
pub fn failpoint(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static CHOSEN: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static VISITS: AtomicU32 = AtomicU32::new(0);
    let chosen = CHOSEN.get_or_init(|| {
        let value = std::env::var("COINOP_FAILPOINT").ok()?;
        let (name, visit) = value.split_once(':').unwrap_or((&value, "1"));
        Some((name.to_owned(), visit.parse().unwrap_or(1)))
    });
    let Some((wanted, visit)) = chosen else {
        return;
    };
    if wanted == name && VISITS.fetch_add(1, Ordering::Relaxed) + 1 == *visit {
        #[cfg(unix)]
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort();
    }
}

/// Nothing, in release builds.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn failpoint(_name: &str) {}
