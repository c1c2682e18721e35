//! The configured ceilings of a bot, and of its rooms: `governor` under tokio's clock, so
//! that paused time holds for them as well.

use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::config;

type BotQuota = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;
type RoomQuota =
    RateLimiter<Arc<str>, HashMapStateStore<Arc<str>>, TokioClock, NoOpMiddleware<Duration>>;

/// The ceilings of one bot.
pub(super) struct Quotas {
    bot: BotQuota,
    room: Option<RoomQuota>,
    /// Messages a second that the bot's ceiling allows.
    pub(super) per_second: f64,
}

impl Quotas {
    pub(super) fn new(bot: &config::Bot) -> Self {
        let clock = TokioClock::new();
        let per_minute = Quota::per_minute(bot.messages_per_minute);
        Self {
            room: bot.room_messages_per_minute.map(|per_minute| {
                RateLimiter::hashmap_with_clock(Quota::per_minute(per_minute), clock.clone())
            }),
            bot: RateLimiter::direct_with_clock(per_minute.allow_burst(bot.burst), clock),
            per_second: f64::from(bot.messages_per_minute.get()) / 60.0,
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

/// Tokio's clock for governor, so that paused time holds for the quota as well.
#[derive(Debug, Clone)]
struct TokioClock {
    start: Instant,
}

impl TokioClock {
    fn new() -> Self {
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
