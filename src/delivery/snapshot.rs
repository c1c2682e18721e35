//! The engine's state to look at: the one source for metrics, the status page and the
//! sandbox's panel. Cheap: a few locks, no message text. What is remembered of receivers is in
//! `standing`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use tokio::time::Instant;

use super::Engine;
use super::bot::Bot;
use super::outcome::Trouble;
use crate::routing::Receiver;
use crate::telemetry::catalogue;

/// What the engine is doing.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// By name.
    pub bots: BTreeMap<Arc<str>, BotState>,
    /// Notifications that have not ended.
    pub waiting: usize,
    /// Whether the process is about to end.
    pub draining: bool,
}

/// What a bot is doing.
#[derive(Debug, Clone)]
pub struct BotState {
    /// Messages that wait.
    pub waiting: usize,
    /// Requests that are under way.
    pub in_flight: usize,
    /// How long the gate stays closed; zero when it is open.
    pub gate_closed_for: Duration,
    /// Messages a second that it may hope for.
    pub pace: f64,
    /// How long its access token may still be used, where that expires.
    pub token_valid_for: Option<Duration>,
    /// What keeps it from sending.
    pub trouble: Option<Trouble>,
    /// Whether it was removed from the configuration, and only sends what waits.
    pub leaving: bool,
}

impl Engine {
    /// What the engine is doing now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let bots = self.all_bots().into_iter().map(|bot| {
            let trouble = bot.trouble();
            let queue = bot.queue();
            let (waiting, in_flight) = queue.counts();
            let state = BotState {
                waiting,
                in_flight,
                gate_closed_for: queue.closed_for(now),
                pace: queue.rate(now),
                token_valid_for: bot.token.valid_for(now),
                trouble,
                leaving: queue.leaving,
            };
            (Arc::clone(&bot.name), state)
        });
        Snapshot {
            bots: bots.collect(),
            waiting: *self.waiting.borrow(),
            draining: self.is_draining(),
        }
    }

    /// How many notifications of a receiver have not ended.
    #[must_use]
    pub fn waiting_of(&self, receiver: &Arc<str>) -> u64 {
        u64::try_from(self.metrics.waiting(receiver).get()).unwrap_or(0)
    }

    /// What keeps the bots of a receiver from sending what it has to say: the first of its bots
    /// that has trouble, else the receiver's own ceiling.
    #[must_use]
    pub fn trouble_of(&self, receiver: &Receiver) -> Option<Trouble> {
        let bots = self.all_bots();
        let is_its = |bot: &&Arc<Bot>| {
            let mut destinations = receiver.destinations.iter();
            let by_need = receiver.room_from.as_ref();
            destinations.any(|one| one.bot == bot.name)
                || by_need.is_some_and(|from| from.bot == bot.name)
        };
        let its: Vec<_> = bots.iter().filter(is_its).collect();
        let of_bots = its.iter().find_map(|bot| bot.trouble());
        of_bots.or_else(|| its.iter().find_map(|bot| bot.holds_back(&receiver.name)))
    }
}

/// Metrics that are computed when somebody looks.
pub struct Gauges(pub Arc<Engine>);

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauges")
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let bots = self.0.snapshot().bots;
        catalogue::GATE_CLOSED.encode_each(
            &mut encoder,
            bots.iter()
                .map(|(bot, state)| (bot, state.gate_closed_for.as_secs_f64())),
        )?;
        catalogue::PACE.encode_each(
            &mut encoder,
            bots.iter().map(|(bot, state)| (bot, state.pace)),
        )?;
        catalogue::TOKEN_VALID.encode_each(
            &mut encoder,
            bots.iter().filter_map(|(bot, state)| {
                let valid_for = state.token_valid_for?;
                Some((bot, valid_for.as_secs_f64()))
            }),
        )?;
        let loaded = self.0.loaded();
        let mut oldest = self.0.waits.oldest();
        let now = Instant::now();
        let age = |since: Option<Instant>| {
            since.map_or(0.0, |since| {
                now.saturating_duration_since(since).as_secs_f64()
            })
        };
        let configured = loaded.routes().iter().map(|receiver| &receiver.name);
        let configured: Vec<_> = configured
            .map(|name| (name, age(oldest.remove(name))))
            .collect();
        // Those that a reload removed while something waited for them.
        let removed = oldest.iter().map(|(name, since)| (name, age(Some(*since))));
        catalogue::OLDEST_WAITING.encode_each(&mut encoder, configured.into_iter().chain(removed))
    }
}
