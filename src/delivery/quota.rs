//! The configured ceilings of a bot, and of its rooms: `governor` under tokio's clock, so
//! that paused time holds for them as well.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::config;

type BotQuota = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;
type RoomQuota =
    RateLimiter<Arc<str>, HashMapStateStore<Arc<str>>, TokioClock, NoOpMiddleware<Duration>>;

/// The ceilings of one bot.
pub(super) struct Quotas {
    ceilings: Ceilings,
    bot: BotQuota,
    room: Option<RoomQuota>,
    /// Messages a second that the bot's ceiling allows.
    pub(super) per_second: f64,
}

/// What is configured.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ceilings {
    bot: Quota,
    room: Option<Quota>,
}

impl Ceilings {
    fn of(bot: &config::Bot) -> Self {
        Self {
            bot: Quota::per_minute(bot.messages_per_minute).allow_burst(bot.burst),
            room: bot.room_messages_per_minute.map(Quota::per_minute),
        }
    }
}

impl Quotas {
    pub(super) fn new(bot: &config::Bot) -> Self {
        let ceilings = Ceilings::of(bot);
        let clock = TokioClock::new();
        let room = |quota| RateLimiter::hashmap_with_clock(quota, clock.clone());
        Self {
            ceilings,
            room: ceilings.room.map(room),
            bot: RateLimiter::direct_with_clock(ceilings.bot, clock),
            per_second: f64::from(bot.messages_per_minute.get()) / 60.0,
        }
    }

    /// Takes on other ceilings. What may go out at once is no more than it was a moment
    /// before: a reload is no burst.
    pub(super) fn change(&mut self, bot: &config::Bot) {
        let ceilings = Ceilings::of(bot);
        if ceilings == self.ceilings {
            return;
        }
        let old = std::mem::replace(self, Self::new(bot));
        let now = old.bot.clock().now();
        let left = left(
            &old.bot.into_state_store(),
            &NotKeyed::NonKey,
            old.ceilings.bot,
            now,
        );
        if let Some(excess) = excess(ceilings.bot, left) {
            // It fits, since no more is taken than a full bucket holds.
            let _ = self.bot.check_n(excess);
        }
        let (Some(new), Some(quota)) = (&self.room, ceilings.room) else {
            return;
        };
        let (Some(old), Some(old_quota)) = (old.room, old.ceilings.room) else {
            return;
        };
        let now = old.clock().now();
        let store = old.into_state_store();
        let rooms: Vec<_> = store.lock().keys().cloned().collect();
        for room in rooms {
            if let Some(excess) = excess(quota, self::left(&store, &room, old_quota, now)) {
                let _ = new.check_key_n(&room, excess);
            }
        }
    }

    /// Takes one message's share of the bot's quota. Else says how long there is none.
    pub(super) fn take(&self) -> Result<(), Duration> {
        self.bot
            .check()
            .map_err(|not_yet| not_yet.wait_time_from(self.bot.clock().now()))
    }

    /// Whether rooms have ceilings of their own.
    pub(super) fn has_rooms(&self) -> bool {
        self.room.is_some()
    }

    /// Takes one message's share of a room's quota. Else says how long there is none.
    pub(super) fn take_of_room(&self, room: &Arc<str>) -> Result<(), Duration> {
        let Some(quota) = &self.room else {
            return Ok(());
        };
        quota
            .check_key(room)
            .map_err(|not_yet| not_yet.wait_time_from(quota.clock().now()))
    }

    /// Forgets the quotas of rooms that nothing was sent to lately.
    pub(super) fn forget_idle_rooms(&self) {
        if let Some(quota) = &self.room {
            quota.retain_recent();
        }
    }
}

/// How many messages a bucket would let out at once.
fn left<S: StateStore>(store: &S, key: &S::Key, quota: Quota, now: Duration) -> u128 {
    // Looks only: an error leaves the state as it is.
    let full_at = store
        .measure_and_replace(key, Err::<((), Nanos), _>)
        .err()
        .flatten();
    let until_full = full_at.map_or(Duration::ZERO, |full_at| {
        Duration::from_nanos(full_at.as_u64()).saturating_sub(now)
    });
    let one = quota.replenish_interval().as_nanos().max(1);
    let missing = until_full.as_nanos().div_ceil(one);
    u128::from(quota.burst_size().get()).saturating_sub(missing)
}

/// By how much a full bucket holds more than that.
fn excess(quota: Quota, left: u128) -> Option<NonZeroU32> {
    let full = quota.burst_size().get();
    let left = u32::try_from(left).unwrap_or(u32::MAX);
    NonZeroU32::new(full.saturating_sub(left))
}

/// Tokio's clock for governor, so that paused time holds for the quota as well.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretSource;

    fn bot(per_minute: u32, burst: u32, room: Option<u32>) -> config::Bot {
        let number = |number| NonZeroU32::new(number).unwrap();
        config::Bot {
            token: SecretSource::Variable("TOKEN".to_owned(), "t".to_owned().into()),
            messages_per_minute: number(per_minute),
            burst: number(burst),
            room_messages_per_minute: room.map(number),
        }
    }

    fn taken(mut take: impl FnMut() -> bool) -> usize {
        (0..1000).take_while(|_| take()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn other_ceilings_let_out_no_more_at_once_than_the_old_ones_would_have() {
        let room: Arc<str> = "room".into();
        let mut quotas = Quotas::new(&bot(60, 30, Some(20)));
        assert_eq!(taken(|| quotas.take().is_ok()), 30);
        assert_eq!(taken(|| quotas.take_of_room(&room).is_ok()), 20);
        tokio::time::advance(Duration::from_secs(6)).await;
        quotas.change(&bot(600, 100, Some(40)));
        assert_eq!(
            taken(|| quotas.take().is_ok()),
            6,
            "a message a second came back"
        );
        assert_eq!(taken(|| quotas.take_of_room(&room).is_ok()), 2);
        assert_eq!(taken(|| quotas.take_of_room(&"other".into()).is_ok()), 40);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(taken(|| quotas.take().is_ok()), 10, "at the new rate");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lower_ceiling_counts_at_once_and_the_same_one_changes_nothing() {
        let mut quotas = Quotas::new(&bot(60, 30, None));
        quotas.change(&bot(60, 3, None));
        assert_eq!(taken(|| quotas.take().is_ok()), 3);
        quotas.change(&bot(60, 3, None));
        assert_eq!(taken(|| quotas.take().is_ok()), 0);
    }
}
