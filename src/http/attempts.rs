//! Failed attempts: how many an address may make.
//!
//! What is counted are failures of one address at one receiver. All projects of a cluster
//! share Alertmanager's address, so a project with a wrong password must not lock out the
//! others; and where several callers share an address, as behind a proxy, a stranger must not
//! lock out who was let in before. What is remembered is bounded, whoever knocks.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::delivery::TokioClock;

/// Failures at once, and so many a minute after that.
const FAILURES: NonZeroU32 = NonZeroU32::new(30).expect("it is not zero");
/// For so long nothing is looked at where there are too many to be counted.
const PENALTY: Duration = Duration::from_secs(2);
/// Whoever was let in so lately is not locked out for the failures of who shares its address.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Addresses and receivers that are told apart; some 100 bytes each, in each of the tables.
const MOST: usize = 4096;

type Buckets<K> = RateLimiter<K, HashMapStateStore<K>, TokioClock, NoOpMiddleware<Duration>>;

/// An address at a receiver. The receiver's name is a hash, since it may be any text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Caller {
    address: IpAddr,
    receiver: u64,
}

impl Caller {
    /// Who knocks at the receiver of that name, whether there is one or not.
    pub(super) fn new(address: Option<IpAddr>, receiver: &str) -> Self {
        use std::hash::{DefaultHasher, Hasher as _};
        let mut hasher = DefaultHasher::new();
        receiver.hash(&mut hasher);
        Self {
            address: network(address),
            receiver: hasher.finish(),
        }
    }
}

impl Caller {
    /// The address at all receivers.
    fn everywhere(self) -> Self {
        Self {
            receiver: 0,
            ..self
        }
    }
}

/// What counts as one address: of IPv6 the network, since a host has any number in it.
fn network(address: Option<IpAddr>) -> IpAddr {
    match address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |ip| ip.to_canonical()) {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

/// What is known of the callers.
pub(super) struct Attempts {
    failures: Buckets<Caller>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// Nothing of theirs is looked at until then.
    locked: HashMap<Caller, Instant>,
    /// When they were let in last.
    known: HashMap<Caller, Instant>,
}

impl Default for Attempts {
    fn default() -> Self {
        let clock = TokioClock::new();
        let per_minute = Quota::per_minute;
        Self {
            failures: RateLimiter::hashmap_with_clock(per_minute(FAILURES), clock),
            memory: Mutex::default(),
        }
    }
}

impl Attempts {
    /// Whether this caller has failed so often that its credentials are not looked at now.
    pub(super) fn is_locked_out(&self, caller: Caller) -> bool {
        let now = Instant::now();
        let memory = self.memory();
        let locked = |caller| memory.locked.get(&caller).is_some_and(|until| now < *until);
        let is_known = || {
            memory
                .known
                .get(&caller)
                .is_some_and(|then| now <= *then + KNOWN_FOR)
        };
        (locked(caller) || locked(caller.everywhere())) && !is_known()
    }

    /// The caller was let in.
    pub(super) fn succeeded(&self, caller: Caller) {
        let now = Instant::now();
        let mut memory = self.memory();
        make_room(&mut memory.known, |then| now > *then + KNOWN_FOR);
        memory.known.insert(caller, now);
    }

    /// The caller's credentials were wrong.
    pub(super) fn failed(&self, caller: Caller) {
        if self.failures.len() >= MOST {
            self.failures.retain_recent();
        }
        let now = Instant::now();
        if self.failures.len() >= MOST {
            // One address fails at many receivers, or many addresses do. There is no room to
            // tell them apart, so one failure is enough for the whole address.
            self.lock_out(caller.everywhere(), now + PENALTY);
        } else if let Err(not_yet) = self.failures.check_key(&caller) {
            use governor::clock::Clock as _;
            let wait = not_yet.wait_time_from(self.failures.clock().now());
            self.lock_out(caller, now + wait);
        }
    }

    fn lock_out(&self, caller: Caller, until: Instant) {
        let now = Instant::now();
        let mut memory = self.memory();
        make_room(&mut memory.locked, |until| now > *until);
        memory.locked.insert(caller, until);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets what is over where there is too much, and all where none is over.
fn make_room(table: &mut HashMap<Caller, Instant>, is_over: impl Fn(&Instant) -> bool) {
    if table.len() >= MOST {
        table.retain(|_, time| !is_over(time));
    }
    if table.len() >= MOST {
        table.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    fn fail(attempts: &Attempts, caller: Caller, times: u32) {
        for _ in 0..times {
            attempts.failed(caller);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_fails_too_often_is_not_looked_at_for_a_while() {
        let attempts = Attempts::default();
        let stranger = Caller::new(Some(address(1)), "team-a");
        fail(&attempts, stranger, 30);
        assert!(!attempts.is_locked_out(stranger), "so much is forgiven");
        fail(&attempts, stranger, 1);
        assert!(attempts.is_locked_out(stranger));
        let others = [
            Caller::new(Some(address(1)), "team-b"),
            Caller::new(Some(address(2)), "team-a"),
        ];
        for other in others {
            assert!(!attempts.is_locked_out(other));
        }
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!attempts.is_locked_out(stranger), "one try every 2 s");
        fail(&attempts, stranger, 2);
        assert!(attempts.is_locked_out(stranger));
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_let_in_is_not_locked_out_by_who_shares_its_address() {
        let attempts = Attempts::default();
        let caller = Caller::new(Some(address(1)), "team-a");
        attempts.succeeded(caller);
        fail(&attempts, caller, 40);
        assert!(!attempts.is_locked_out(caller));
        tokio::time::advance(KNOWN_FOR).await;
        fail(&attempts, caller, 40);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(attempts.is_locked_out(caller), "it is a stranger again");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        let most = u32::try_from(MOST).unwrap();
        for number in 0..3 * most {
            fail(&attempts, Caller::new(Some(address(number)), "team-a"), 1);
            attempts.succeeded(Caller::new(Some(address(number)), "team-a"));
        }
        assert!(attempts.failures.len() <= MOST);
        let last = Caller::new(Some(address(3 * most - 1)), "team-b");
        assert!(attempts.is_locked_out(last), "failing is enough now");
        let new = Caller::new(Some(address(3 * most)), "team-b");
        assert!(
            !attempts.is_locked_out(new),
            "who has not failed is looked at"
        );
        let memory = attempts.memory();
        assert!(memory.known.len() <= MOST && memory.locked.len() <= MOST);
    }

    #[test]
    fn of_ipv6_the_network_counts() {
        let caller = |text: &str| Caller::new(Some(text.parse().unwrap()), "a");
        assert_eq!(caller("2001:db8::1"), caller("2001:db8::2:3"));
        assert_ne!(caller("2001:db8::1"), caller("2001:db8:0:1::1"));
        assert_eq!(caller("::ffff:10.0.0.1"), caller("10.0.0.1"));
        assert_ne!(caller("10.0.0.1"), caller("10.0.0.2"));
    }
}
