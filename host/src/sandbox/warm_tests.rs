//! The policy, on letters for instances and minutes for times.

use coinop_core::digest::Digest;

use super::*;

fn share(name: &str) -> ShareKey {
    ShareKey::new(Digest::of(name.as_bytes()))
}

fn claim(owner: Owner, name: &str) -> Claim {
    Claim {
        owner,
        share: share(name),
        terms: Terms {
            grants: Grants::default(),
            limits: Limits::default(),
            settings: BTreeMap::new(),
            caller: None,
        },
    }
}

fn none() -> Vec<char> {
    Vec::new()
}

const WARM: Warm = Warm {
    instances_max: 2,
    calls_max: 3,
    idle: Duration::from_secs(60),
    undeclared: false,
};

/// A pool at one moment after another.
struct Shelf {
    pool: Pool<char>,
    now: Instant,
}

impl Shelf {
    fn new() -> Self {
        Self {
            pool: Pool::default(),
            now: Instant::now(),
        }
    }

    /// Keeps an instance after its first call; what goes for it.
    fn keep(&mut self, claim: &Claim, instance: char) -> Vec<char> {
        self.keep_after(claim, instance, 1)
    }

    fn keep_after(&mut self, claim: &Claim, instance: char, served: u32) -> Vec<char> {
        let found = Found { instance, served };
        self.pool.keep(claim.clone(), &WARM, self.now, found)
    }

    /// What a call finds, and what goes at that.
    fn take(&mut self, claim: &Claim) -> (Option<char>, Vec<char>) {
        let taken = self.pool.take(claim, &WARM, self.now);
        (taken.found.map(|found| found.instance), taken.retired)
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

#[test]
fn an_instance_serves_its_own_caller_only() {
    let mut shelf = Shelf::new();
    let ada = claim(1, "ada");
    shelf.keep(&ada, 'a');
    for other in [claim(1, "eve"), claim(2, "ada")] {
        assert_eq!(shelf.take(&other), (None, none()));
    }
    assert_eq!(shelf.take(&ada), (Some('a'), none()));
    // It is in a call now, so a second one at the same time finds nothing.
    assert_eq!(shelf.take(&ada), (None, none()));
}

#[test]
fn the_last_used_serves_first() {
    let mut shelf = Shelf::new();
    let ada = claim(1, "ada");
    shelf.keep(&ada, 'a');
    shelf.keep(&ada, 'b');
    assert_eq!(shelf.take(&ada).0, Some('b'));
    assert_eq!(shelf.take(&ada).0, Some('a'));
}

#[test]
fn so_many_calls_and_no_more() {
    let mut shelf = Shelf::new();
    let ada = claim(1, "ada");
    assert_eq!(shelf.keep_after(&ada, 'a', 2), none());
    assert_eq!(shelf.take(&ada).0, Some('a'));
    assert_eq!(shelf.keep_after(&ada, 'a', 3), vec!['a']);
    assert_eq!(shelf.pool.len(), 0);
    // The operator has lowered the number since.
    shelf.keep_after(&ada, 'b', 2);
    let fewer = Warm {
        calls_max: 2,
        ..WARM
    };
    let taken = shelf.pool.take(&ada, &fewer, shelf.now);
    assert!(taken.found.is_none() && taken.retired == ['b']);
}

#[test]
fn other_terms_retire_what_was_started_with_the_old_ones() {
    let old = claim(1, "ada");
    let changes: [fn(&mut Terms); 4] = [
        |terms| terms.grants.http.push("https://a.example".parse().unwrap()),
        |terms| terms.limits.cpu_ms_max += 1,
        |terms| drop(terms.settings.insert("units".into(), "metric".into())),
        |terms| terms.caller = Some("somebody".into()),
    ];
    for change in changes {
        let mut shelf = Shelf::new();
        let eve = claim(1, "eve");
        shelf.keep(&old, 'a');
        shelf.keep(&eve, 'e');
        let mut new = old.clone();
        change(&mut new.terms);
        assert_eq!(shelf.take(&new), (None, vec!['a']));
        assert_eq!(shelf.take(&old), (None, none()));
        assert_eq!(shelf.take(&eve).0, Some('e'));
    }
}

#[test]
fn beyond_so_many_of_a_component_the_least_recently_used_goes() {
    let mut shelf = Shelf::new();
    shelf.keep(&claim(2, "ada"), 'x');
    assert_eq!(shelf.keep(&claim(1, "ada"), 'a'), none());
    assert_eq!(shelf.keep(&claim(1, "eve"), 'b'), none());
    assert_eq!(shelf.keep(&claim(1, "kim"), 'c'), vec!['a']);
    assert_eq!(shelf.pool.len(), 3);
    let none = Warm {
        instances_max: 0,
        ..WARM
    };
    let found = Found {
        instance: 'd',
        served: 1,
    };
    let back = shelf.pool.keep(claim(3, "ada"), &none, shelf.now, found);
    assert_eq!(back, vec!['d']);
}

#[test]
fn an_idle_instance_goes_and_serves_nobody_before() {
    let mut shelf = Shelf::new();
    let (ada, eve) = (claim(1, "ada"), claim(1, "eve"));
    shelf.keep(&ada, 'a');
    shelf.wait(59);
    shelf.keep(&eve, 'e');
    assert_eq!(shelf.pool.retire_idle(shelf.now), none());
    shelf.wait(1);
    assert_eq!(shelf.take(&ada), (None, vec!['a']));
    assert_eq!(shelf.pool.retire_idle(shelf.now), none());
    shelf.wait(59);
    assert_eq!(shelf.pool.retire_idle(shelf.now), vec!['e']);
}

#[test]
fn the_least_recently_used_of_all_makes_room() {
    let mut shelf = Shelf::new();
    let (first, second) = (claim(1, "ada"), claim(2, "ada"));
    shelf.keep(&first, 'a');
    shelf.keep(&second, 'b');
    // Used again: now it is the other's turn.
    assert_eq!(shelf.take(&first).0, Some('a'));
    shelf.keep(&first, 'a');
    assert_eq!(shelf.pool.evict(), Some('b'));
    assert_eq!(shelf.pool.evict(), Some('a'));
    assert_eq!(shelf.pool.evict(), None);
}

#[test]
fn a_component_goes_with_all_of_its_own() {
    let mut shelf = Shelf::new();
    shelf.keep(&claim(1, "ada"), 'a');
    shelf.keep(&claim(2, "ada"), 'b');
    shelf.keep(&claim(1, "eve"), 'c');
    assert_eq!(shelf.pool.retire_of(1), vec!['a', 'c']);
    assert_eq!(shelf.take(&claim(2, "ada")).0, Some('b'));
}
