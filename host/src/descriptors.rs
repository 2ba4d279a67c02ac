//! File descriptors: connections, plugins' sockets and the files they open each need one, and a process may open only so
//! many. Raises our own limit as far as the system lets us; what is short then is told, since whatever comes next would
//! otherwise fail without a reason.

/// Descriptors of the ledger, the plugins' code and the like.
const OWN: u64 = 256;
/// Connections of what plugins send, all together.
const OUTGOING: u64 = 640;
/// Sockets and files that plugins open, beyond which runs come into each other's way.
const OF_PLUGINS: u64 = 2048;

/// Makes room for so many connections at a time, and warns where the system leaves less.
pub(crate) fn make_room(connections_max: usize) {
    let wanted = (connections_max as u64).saturating_add(OWN + OUTGOING + OF_PLUGINS);
    let allowed = allow(wanted);
    if allowed < wanted {
        tracing::warn!(
            allowed,
            wanted,
            "this process may open too few files for the connections of [http] connections_max and for plugins: raise its \
             hard limit (`ulimit -Hn`), or lower the key"
        );
    }
}

/// Raises the soft limit to `wanted`, or to the hard limit where that is less; what is allowed then.
#[cfg(unix)]
fn allow(wanted: u64) -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current.unwrap_or(u64::MAX);
    let Some(raised) = raised(before, limit.maximum, wanted) else {
        return before;
    };
    limit.current = Some(raised);
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => raised,
        Err(_) => before,
    }
}

#[cfg(not(unix))]
fn allow(wanted: u64) -> u64 {
    wanted
}

/// The soft limit to ask for; `None` where the present one is enough, or is as high as it may be.
#[cfg(unix)]
fn raised(soft: u64, hard: Option<u64>, wanted: u64) -> Option<u64> {
    let reachable = hard.map_or(wanted, |hard| hard.min(wanted));
    (reachable > soft).then_some(reachable)
}

#[cfg(all(test, unix))]
mod tests {
    use super::raised;

    #[test]
    fn the_limit_is_raised_where_it_must_be_and_may_be() {
        for (soft, hard, wanted, expected) in [
            (1_024, Some(20_000), 1_280, Some(1_280)),
            (1_024, Some(1_100), 1_280, Some(1_100)),
            (1_024, Some(1_024), 1_280, None),
            (20_000, Some(20_000), 1_280, None),
            (1_024, None, 10_256, Some(10_256)),
        ] {
            assert_eq!(
                raised(soft, hard, wanted),
                expected,
                "{soft} {hard:?} {wanted}"
            );
        }
    }
}
