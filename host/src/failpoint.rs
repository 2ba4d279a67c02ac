//! Places where a test may kill the host, and what they tell a test of what was really started outside. In release
//! builds they are nothing.
//!
//! `COINOP_FAILPOINT` says where the process ends as by `kill -9`: `NAME` or `NAME:N` at the (Nth) visit of one place,
//! `#N` at the Nth visit of any. `COINOP_FAILPOINT_TRACE` names a file to which every visit is appended, before
//! anything else happens there, as `PID NAME` or `PID NAME SUBJECT`: processes may share it, and its order is theirs.

use std::fmt::Display;

/// Visits a place: it is traced, and the process may end there.
#[inline(always)]
pub fn failpoint(name: impl Display) {
    #[cfg(debug_assertions)]
    armed::visit(&name, None);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// As [`failpoint`], with what it is about: a call's id, a refund's key. The subject goes to the trace alone.
#[inline(always)]
pub fn failpoint_of(name: impl Display, subject: impl Display) {
    #[cfg(debug_assertions)]
    armed::visit(&name, Some(&subject));
    #[cfg(not(debug_assertions))]
    let _ = (name, subject);
}

#[cfg(debug_assertions)]
mod armed {
    use std::fmt::Display;
    use std::fs::{File, OpenOptions};
    use std::io::Write as _;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Which visit ends the process.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Aim {
        /// Of one place, or of any.
        pub(super) name: Option<String>,
        /// Which visit, from 1.
        pub(super) visit: u32,
    }

    impl Aim {
        /// Reads `NAME`, `NAME:N` or `#N`; whatever is no number is the first visit.
        pub(super) fn parse(text: &str) -> Self {
            let number = |digits: &str| digits.parse().unwrap_or(1);
            if let Some(digits) = text.strip_prefix('#') {
                return Self {
                    name: None,
                    visit: number(digits),
                };
            }
            let (name, digits) = text.rsplit_once(':').unwrap_or((text, "1"));
            Self {
                name: Some(name.to_owned()),
                visit: number(digits),
            }
        }

        fn means(&self, name: &str) -> bool {
            self.name.as_deref().is_none_or(|wanted| wanted == name)
        }
    }

    struct Armed {
        aim: Option<Aim>,
        /// Visits so far of what the aim means.
        visits: AtomicU32,
        trace: Option<File>,
    }

    impl Armed {
        /// What the environment says, `None` when it says nothing.
        fn from_environment() -> Option<Self> {
            let aim = std::env::var("COINOP_FAILPOINT").ok();
            let trace = std::env::var_os("COINOP_FAILPOINT_TRACE");
            if aim.is_none() && trace.is_none() {
                return None;
            }
            let open = |path| OpenOptions::new().create(true).append(true).open(path);
            Some(Self {
                aim: aim.as_deref().map(Aim::parse),
                visits: AtomicU32::new(0),
                trace: trace.map(|path| open(path).expect("the trace can be written")),
            })
        }
    }

    pub(super) fn visit(name: &dyn Display, subject: Option<&dyn Display>) {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        let Some(armed) = ARMED.get_or_init(Armed::from_environment) else {
            return;
        };
        let name = name.to_string();
        if let Some(mut trace) = armed.trace.as_ref() {
            let subject = subject.map(|s| format!(" {s}")).unwrap_or_default();
            let line = format!("{} {name}{subject}\n", std::process::id());
            // One write, so that lines of several threads and processes stay whole.
            trace
                .write_all(line.as_bytes())
                .expect("the trace can be written");
        }
        let Some(aim) = armed.aim.as_ref().filter(|aim| aim.means(&name)) else {
            return;
        };
        if armed.visits.fetch_add(1, Ordering::Relaxed) + 1 == aim.visit {
            end();
        }
    }

    fn end() -> ! {
        #[cfg(unix)]
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::armed::Aim;

    #[test]
    fn an_aim_is_a_place_or_any() {
        let aim = |name: Option<&str>, visit| Aim {
            name: name.map(str::to_owned),
            visit,
        };
        assert_eq!(Aim::parse("before-run"), aim(Some("before-run"), 1));
        assert_eq!(Aim::parse("before-run:3"), aim(Some("before-run"), 3));
        assert_eq!(Aim::parse("#17"), aim(None, 17));
    }
}
