//! A bot's quota: a token bucket of stated rate and burst.
//!
//! Webex publishes neither number ("dynamically adjusted", docs/facts/webex-api.md §4), so this is a
//! model: one bucket a bot, which every request that bears its token draws from. A request
//! that is refused draws nothing.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Error;

/// How much a bot may ask.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Requests a second in the long run; more than 0, at most a million.
    pub per_second: f64,
    /// Requests at once after a rest; at least 1.
    pub burst: u32,
}

impl Quota {
    /// A quota of `per_second` requests a second and `burst` at once.
    #[must_use]
    pub fn new(per_second: f64, burst: u32) -> Self {
        Self { per_second, burst }
    }

    pub(super) fn check(self) -> Result<Self, Error> {
        // The lower bound keeps the wait within what a Retry-After can sensibly say.
        if !(1e-6..=1e6).contains(&self.per_second) {
            return Err(Error::Invalid {
                what: "quota",
                why: "`per_second` must be from 0.000001 to 1000000".to_owned(),
            });
        }
        if self.burst == 0 {
            return Err(Error::Invalid {
                what: "quota",
                why: "`burst` must be at least 1".to_owned(),
            });
        }
        Ok(self)
    }
}

/// A quota and what is left of it.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    pub(super) quota: Quota,
    left: f64,
    filled: Instant,
}

impl Bucket {
    pub(super) fn full(quota: Quota, now: Instant) -> Self {
        Self {
            quota,
            left: f64::from(quota.burst),
            filled: now,
        }
    }

    /// Takes one request out, or says after how many seconds to come again: whole seconds, at
    /// least 1, as Webex's `Retry-After` is.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), u64> {
        let gained =
            now.saturating_duration_since(self.filled).as_secs_f64() * self.quota.per_second;
        self.left = (self.left + gained).min(f64::from(self.quota.burst));
        self.filled = now;
        // Sums of fractions fall short of 1 by a rounding error.
        if self.left >= 1.0 - 1e-9 {
            self.left = (self.left - 1.0).max(0.0);
            return Ok(());
        }
        let wait = ((1.0 - self.left) / self.quota.per_second).ceil().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the wait is a whole number from 1 to 1,000,000: `check` bounds the rate"
        )]
        Err(wait as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_then_the_rate_holds() {
        let mut bucket = Bucket::full(Quota::new(2.0, 3), Instant::now());
        for _ in 0..3 {
            assert_eq!(bucket.take(Instant::now()), Ok(()));
        }
        assert_eq!(bucket.take(Instant::now()), Err(1));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(bucket.take(Instant::now()), Ok(()));
        assert_eq!(bucket.take(Instant::now()), Err(1));
        tokio::time::advance(Duration::from_secs(60)).await;
        for _ in 0..3 {
            assert_eq!(
                bucket.take(Instant::now()),
                Ok(()),
                "a rest fills the burst, no more"
            );
        }
        assert!(bucket.take(Instant::now()).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_is_told_in_whole_seconds_and_suffices() {
        let mut bucket = Bucket::full(Quota::new(0.1, 1), Instant::now());
        assert_eq!(bucket.take(Instant::now()), Ok(()));
        assert_eq!(bucket.take(Instant::now()), Err(10));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(bucket.take(Instant::now()), Ok(()));
    }

    #[test]
    fn senseless_quotas_are_refused() {
        for quota in [
            Quota::new(0.0, 1),
            Quota::new(-1.0, 1),
            Quota::new(f64::NAN, 1),
            Quota::new(f64::INFINITY, 1),
            Quota::new(1.0, 0),
        ] {
            assert!(quota.check().is_err(), "{quota:?}");
        }
    }
}
