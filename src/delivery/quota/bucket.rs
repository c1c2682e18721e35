//! One ceiling: `governor` under tokio's clock, so that paused time holds for it as well.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore as _};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// A ceiling that was not touched for so long is full again: none of those that are
/// forgotten holds more than a minute's worth.
const FULL_AGAIN: Duration = Duration::from_secs(60);

/// One ceiling, and what was taken of it and not spent yet.
pub(super) struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    quota: Quota,
    is_reserved: bool,
    /// Since it was asked in vain.
    empty_until: Option<Instant>,
    asked: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(quota: Quota, clock: &TokioClock) -> Self {
        Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            quota,
            is_reserved: false,
            empty_until: None,
            asked: Instant::now(),
        }
    }

    /// Takes on another ceiling. What may go out at once is no more than it was a moment
    /// before: a reload is no burst.
    pub(super) fn change(&mut self, quota: Quota) {
        if quota == self.quota {
            return;
        }
        let clock = self.limiter.clock().clone();
        let is_reserved = self.is_reserved;
        let old = std::mem::replace(self, Self::new(quota, &clock));
        let left = old.left(clock.now());
        self.is_reserved = is_reserved;
        if let Some(excess) = excess(quota, left) {
            // It fits, since no more is taken than a full bucket holds.
            let _ = self.limiter.check_n(excess);
        }
    }

    /// How many messages it would let out at once.
    fn left(self, now: Duration) -> u128 {
        // Looks only: an error leaves the state as it is.
        let store = self.limiter.into_state_store();
        let full_at = store
            .measure_and_replace(&NotKeyed::NonKey, Err::<((), Nanos), _>)
            .err()
            .flatten();
        let until_full = full_at.map_or(Duration::ZERO, |full_at| {
            Duration::from_nanos(full_at.as_u64()).saturating_sub(now)
        });
        let one = self.quota.replenish_interval().as_nanos().max(1);
        let missing = until_full.as_nanos().div_ceil(one);
        u128::from(self.quota.burst_size().get()).saturating_sub(missing)
    }

    /// Reserves a share, unless one is reserved already. Else says how long there is none.
    pub(super) fn reserve(&mut self, now: Instant) -> Result<(), Duration> {
        self.asked = now;
        if self.is_reserved {
            return Ok(());
        }
        if let Some(until) = self.empty_until.filter(|until| now < *until) {
            return Err(until - now);
        }
        let taken = self.limiter.check();
        let wait = taken
            .err()
            .map(|not_yet| not_yet.wait_time_from(self.limiter.clock().now()));
        self.is_reserved = wait.is_none();
        self.empty_until = wait.map(|wait| now + wait);
        wait.map_or(Ok(()), Err)
    }

    /// Spends the share that is reserved.
    pub(super) fn spend(&mut self) {
        self.is_reserved = false;
    }

    /// Whether it was asked in vain, and would be again.
    pub(super) fn is_empty(&self, now: Instant) -> bool {
        self.empty_until.is_some_and(|until| now < until)
    }

    /// Whether it is not as good as new.
    pub(super) fn is_in_use(&self, now: Instant) -> bool {
        now < self.asked + FULL_AGAIN
    }
}

/// By how much a full bucket holds more than that.
fn excess(quota: Quota, left: u128) -> Option<NonZeroU32> {
    let full = quota.burst_size().get();
    let left = u32::try_from(left).unwrap_or(u32::MAX);
    NonZeroU32::new(full.saturating_sub(left))
}

/// Tokio's clock for governor.
#[derive(Debug, Clone)]
pub(crate) struct TokioClock {
    start: Instant,
}

impl TokioClock {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}
