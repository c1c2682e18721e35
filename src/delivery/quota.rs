//! The configured ceilings of a bot, of its rooms and of receivers.
//!
//! A message needs a share of each ceiling that is above it. What was taken while another
//! one had none left is kept for the next message: else whoever is over its own ceiling
//! would spend the bot's by asking.

mod bucket;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;
use tokio::time::Instant;

use self::bucket::Bucket;
pub(crate) use self::bucket::TokioClock;
use super::job::LaneId;
use crate::config;
use crate::routing::Receiver;

/// The ceilings of one bot.
pub(super) struct Quotas {
    bot: Bucket,
    per_room: Option<Quota>,
    rooms: HashMap<Arc<str>, Bucket>,
    receivers: HashMap<Arc<str>, (NonZeroU32, Bucket)>,
    clock: TokioClock,
    /// Messages a second that the bot's ceiling allows.
    pub(super) per_second: f64,
}

impl Quotas {
    pub(super) fn new(bot: &config::Bot) -> Self {
        let clock = TokioClock::new();
        Self {
            bot: Bucket::new(of_bot(bot), &clock),
            per_room: bot.room_messages_per_minute.map(Quota::per_minute),
            rooms: HashMap::new(),
            receivers: HashMap::new(),
            clock,
            per_second: per_second(bot.messages_per_minute),
        }
    }

    /// Takes on other ceilings; see [`Bucket::change`].
    pub(super) fn change(&mut self, bot: &config::Bot) {
        self.bot.change(of_bot(bot));
        self.per_second = per_second(bot.messages_per_minute);
        self.per_room = bot.room_messages_per_minute.map(Quota::per_minute);
        match self.per_room {
            None => self.rooms.clear(),
            Some(quota) => {
                for bucket in self.rooms.values_mut() {
                    bucket.change(quota);
                }
            }
        }
    }

    /// From now on a receiver's ceiling is this.
    pub(super) fn limit(&mut self, receiver: &Receiver) {
        let Some(per_minute) = receiver.max_messages_per_minute else {
            return;
        };
        let quota = Quota::per_minute(per_minute);
        let clock = &self.clock;
        let name = Arc::clone(&receiver.name);
        let (known, bucket) = self
            .receivers
            .entry(name)
            .or_insert_with(|| (per_minute, Bucket::new(quota, clock)));
        *known = per_minute;
        bucket.change(quota);
    }

    /// Reserves a share of the ceilings of a lane's receiver and room. Else says how long
    /// there is none.
    pub(super) fn reserve(&mut self, lane: &LaneId, now: Instant) -> Result<(), Duration> {
        if let Some(receiver) = &lane.receiver
            && let Some((_, bucket)) = self.receivers.get_mut(receiver)
        {
            bucket.reserve(now)?;
        }
        let Some(quota) = self.per_room else {
            return Ok(());
        };
        let clock = &self.clock;
        self.rooms
            .entry(Arc::clone(&lane.room))
            .or_insert_with(|| Bucket::new(quota, clock))
            .reserve(now)
    }

    /// Reserves a share of the bot's own ceiling. Else says how long there is none.
    pub(super) fn reserve_of_bot(&mut self, now: Instant) -> Result<(), Duration> {
        self.bot.reserve(now)
    }

    /// A message leaves by this lane: what was reserved for it is spent.
    pub(super) fn spend(&mut self, lane: &LaneId) {
        self.bot.spend();
        if let Some(bucket) = self.rooms.get_mut(&lane.room) {
            bucket.spend();
        }
        let receiver = lane.receiver.as_ref();
        if let Some((_, bucket)) = receiver.and_then(|name| self.receivers.get_mut(name)) {
            bucket.spend();
        }
    }

    /// The ceiling that holds a receiver back now, in messages a minute.
    pub(super) fn holds_back(&self, receiver: &Arc<str>, now: Instant) -> Option<NonZeroU32> {
        let (per_minute, bucket) = self.receivers.get(receiver)?;
        bucket.is_empty(now).then_some(*per_minute)
    }

    /// Messages a second that a receiver's own ceiling allows, where it has one.
    pub(super) fn per_second_of(&self, receiver: &Arc<str>) -> Option<f64> {
        let (per_minute, _) = self.receivers.get(receiver)?;
        Some(per_second(*per_minute))
    }

    /// Forgets ceilings that are full again, but those of receivers for which something
    /// waits.
    pub(super) fn forget_idle(&mut self, now: Instant, waits: impl Fn(&Arc<str>) -> bool) {
        self.rooms.retain(|_, bucket| bucket.is_in_use(now));
        self.receivers
            .retain(|receiver, (_, bucket)| bucket.is_in_use(now) || waits(receiver));
    }
}

fn of_bot(bot: &config::Bot) -> Quota {
    Quota::per_minute(bot.messages_per_minute).allow_burst(bot.burst)
}

fn per_second(per_minute: NonZeroU32) -> f64 {
    f64::from(per_minute.get()) / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Identity;
    use crate::secrets::SecretSource;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn bot(per_minute: u32, burst: u32, room: Option<u32>) -> config::Bot {
        config::Bot {
            identity: Identity::Token(SecretSource::Variable(
                "TOKEN".to_owned(),
                "t".to_owned().into(),
            )),
            messages_per_minute: number(per_minute),
            burst: number(burst),
            room_messages_per_minute: room.map(number),
        }
    }

    fn lane(room: &str) -> LaneId {
        LaneId {
            room: room.into(),
            receiver: None,
        }
    }

    /// How many leave at once by this lane.
    fn leave(quotas: &mut Quotas, room: &str) -> usize {
        let (lane, now) = (lane(room), Instant::now());
        (0..1000)
            .take_while(|_| {
                let may = quotas.reserve(&lane, now).is_ok() && quotas.reserve_of_bot(now).is_ok();
                if may {
                    quotas.spend(&lane);
                }
                may
            })
            .count()
    }

    #[tokio::test(start_paused = true)]
    async fn other_ceilings_let_out_no_more_at_once_than_the_old_ones_would_have() {
        let mut quotas = Quotas::new(&bot(60, 30, Some(20)));
        assert_eq!(leave(&mut quotas, "room"), 20);
        assert_eq!(leave(&mut quotas, "other"), 10);
        tokio::time::advance(Duration::from_secs(6)).await;
        quotas.change(&bot(600, 100, Some(40)));
        assert_eq!(leave(&mut quotas, "room"), 2, "of the room's");
        // A share of the other room was reserved when the bot's were spent.
        assert_eq!(
            leave(&mut quotas, "other"),
            4,
            "a message a second came back"
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(leave(&mut quotas, "third"), 10, "at the new rate");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lower_ceiling_counts_at_once_and_the_same_one_changes_nothing() {
        let mut quotas = Quotas::new(&bot(60, 30, None));
        quotas.change(&bot(60, 3, None));
        assert_eq!(leave(&mut quotas, "room"), 3);
        quotas.change(&bot(60, 3, None));
        assert_eq!(leave(&mut quotas, "room"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_of_one_ceiling_is_not_lost_while_another_has_none() {
        let mut quotas = Quotas::new(&bot(60, 2, Some(1)));
        assert_eq!(leave(&mut quotas, "room"), 1);
        for _ in 0..100 {
            assert_eq!(leave(&mut quotas, "room"), 0);
        }
        assert_eq!(leave(&mut quotas, "other"), 1, "the bot has one left");
    }
}
