//! What a bot sends next. No I/O; time and randomness are passed in. What an answer means for
//! all that waits stands in `settle`.
//!
//! Before a message leaves, in this order: something is ready, the gate is open, no outage
//! is being probed, the learned pace and the configured ceiling allow it. Then the lane
//! whose turn it is gives its first message, or, where it is long, a digest.

mod settle;

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::content::GroupId;
use super::dead_rooms::DeadRooms;
use super::gate::{Gate, Way};
use super::job::{Item, Job, LaneId, Step, Through};
use super::lanes::Lanes;
use super::outage::Outage;
use super::outcome::RefusalCause;
use super::pace::Pace;
use super::quota::Quotas;
use super::ticket::Delivery;
use super::token::{Token, Use};
use super::window::Window;
use crate::config;
use crate::render::Renderer;

/// Once a room is sent digests, it is until the rest would wait for so small a part of
/// `digest_after`: one by one, the tail of a storm would take as long as the storm.
const DIGEST_UNTIL: f64 = 0.1;

/// All that waits for one bot.
pub(super) struct Queue {
    lanes: Lanes<LaneId, GroupId, Item>,
    gate: Gate,
    pub(super) pace: Pace,
    outage: Outage,
    dead: DeadRooms,
    quotas: Quotas,
    digest_after: Duration,
    /// Lanes that are sent digests.
    digesting: HashSet<LaneId>,
    window: Window,
    /// When what waits is looked through next for what nobody asks for any more.
    pub(super) next_sweep: Instant,
    /// Whether a task sends what waits.
    pub(super) tended: bool,
    /// Whether the bot was removed from the configuration, so that its task ends with the
    /// last that waits.
    pub(super) leaving: bool,
}

impl Queue {
    pub(super) fn new(bot: &config::Bot, digest_after: Duration) -> Self {
        Self {
            lanes: Lanes::new(),
            gate: Gate::Open,
            pace: Pace::new(),
            outage: Outage::default(),
            dead: DeadRooms::default(),
            quotas: Quotas::new(bot),
            digest_after,
            digesting: HashSet::new(),
            window: Window::new(),
            next_sweep: Instant::now(),
            tended: false,
            leaving: false,
        }
    }

    /// Takes on other ceilings. What waits, the gate and the pace stay as they are.
    pub(super) fn change(&mut self, bot: &config::Bot, digest_after: Duration) {
        self.digest_after = digest_after;
        self.quotas.change(bot);
    }

    /// Forgets which rooms refused last.
    pub(super) fn revive(&mut self) {
        self.dead = DeadRooms::default();
    }

    /// Takes a notification for all its rooms. Returns the rooms that are known to refuse.
    pub(super) fn push(&mut self, delivery: &Arc<Delivery>, now: Instant) -> Vec<Through> {
        let mut through = Vec::new();
        self.quotas.limit(&delivery.receiver);
        for (index, destination) in delivery.receiver.destinations.iter().enumerate() {
            match self.dead.refuses(destination.id(), now) {
                Some(detail) => through.push(Through::refused(
                    delivery,
                    destination,
                    RefusalCause::Room,
                    detail,
                )),
                None => self.lanes.push(
                    &LaneId::new(&delivery.receiver, destination),
                    &delivery.order,
                    Item::new(delivery, index),
                ),
            }
        }
        through
    }

    /// What to do now. A job that is returned counts as under way until [`Self::settle`].
    pub(super) fn next(&mut self, renderer: &Renderer, token: &Token, now: Instant) -> Step {
        self.lanes.unpark(now);
        if !self.turn_to_living() {
            if self.lanes.waiting() == 0 {
                self.pace.idle();
            }
            return Step::Wait(self.lanes.next_unpark());
        }
        if self.window.is_full(self.pace.rate(now).is_some()) {
            return Step::Wait(None);
        }
        match self.gate.way(now) {
            Way::Free => {}
            Way::Shut(until) => return Step::Wait(Some(until)),
            Way::Behind => return Step::Wait(None),
        }
        if self.outage.is_on() {
            if self.window.under_way() > 0 {
                return Step::Wait(None);
            }
            if let Some(probe_at) = self.outage.next_probe().filter(|probe_at| now < *probe_at) {
                return Step::Wait(Some(probe_at));
            }
        }
        if let Some(next) = self.pace.next().filter(|next| now < *next) {
            return Step::Wait(Some(next));
        }
        match token.look(now) {
            Use::Now(_) => {}
            Use::Later(when) => return Step::Wait(Some(when)),
            Use::Refused => return Step::RefuseAll,
        }
        if let Err(wait) = self.turn_to_quota(now) {
            let unparked = self.lanes.next_unpark();
            return Step::Wait(Some(unparked.map_or(now + wait, |at| at.min(now + wait))));
        }
        if let Err(wait) = self.quotas.reserve_of_bot(now) {
            return Step::Wait(Some(now + wait));
        }
        let Use::Now(token) = token.take(now) else {
            return Step::Wait(None);
        };
        let digest = self.is_long(now);
        let Some((lane, group, item)) = self.lanes.take() else {
            return Step::Wait(None);
        };
        let mut items = vec![(group, item)];
        if digest && items[0].1.may_join_digest(1) {
            self.fill_digest(renderer, &lane, &mut items);
        }
        self.quotas.spend(&lane);
        self.dead.asked(&lane.room);
        self.gate.passed();
        self.pace.sent(now);
        self.window.leaves();
        for (_, item) in &items {
            item.delivery.departs();
        }
        Step::Send(Job { lane, items }, token)
    }

    /// Turns to a lane that may send: one whose room is being asked whether it still
    /// refuses sends nothing else. Says whether there is one.
    fn turn_to_living(&mut self) -> bool {
        let dead = &self.dead;
        self.lanes.turn_to(|lane| !dead.is_being_asked(&lane.room))
    }

    /// Turns to a lane whose room and receiver have quota left. Else says how long none has.
    fn turn_to_quota(&mut self, now: Instant) -> Result<(), Duration> {
        let (dead, quotas) = (&self.dead, &mut self.quotas);
        let mut shortest: Option<Duration> = None;
        let found = self.lanes.turn_to(|lane| {
            if dead.is_being_asked(&lane.room) {
                return false;
            }
            let Err(wait) = quotas.reserve(lane, now) else {
                return true;
            };
            shortest = Some(shortest.map_or(wait, |shortest| shortest.min(wait)));
            false
        });
        match shortest {
            Some(shortest) if !found => Err(shortest),
            _ => Ok(()),
        }
    }

    /// Forgets the quotas of rooms and receivers that nothing was sent for lately.
    pub(super) fn forget_idle_quotas(&mut self, now: Instant) {
        let waiting: HashSet<&Arc<str>> = self
            .lanes
            .ids()
            .filter_map(|lane| lane.receiver.as_ref())
            .collect();
        self.quotas
            .forget_idle(now, |receiver| waiting.contains(receiver));
    }

    /// The ceiling of its own that holds a receiver back now, in messages a minute.
    pub(super) fn holds_back(&self, receiver: &Arc<str>, now: Instant) -> Option<NonZeroU32> {
        self.quotas.holds_back(receiver, now)
    }

    /// Whether what waits in the lane whose turn it is would wait too long, one by one.
    fn is_long(&mut self, now: Instant) -> bool {
        let Some(lane) = self.lanes.turn().cloned() else {
            return false;
        };
        let rate = self.rate(now);
        let waiting = self.lanes.waiting_in(&lane) * self.lanes.busy().max(1);
        // Counts far below 2^52 are exact.
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let expected = (waiting as f64 / rate).max(self.wait_for_quota(&lane));
        let mut limit = self.digest_after.as_secs_f64();
        if self.digesting.contains(&lane) {
            limit *= DIGEST_UNTIL;
        }
        let is_long = expected > limit;
        if is_long {
            self.digesting.insert(lane);
        } else {
            self.digesting.remove(&lane);
        }
        is_long
    }

    /// How long what waits in a lane waits for its receiver's own ceiling, in seconds.
    fn wait_for_quota(&self, lane: &LaneId) -> f64 {
        let receiver = lane.receiver.as_ref();
        let Some(rate) = receiver.and_then(|name| self.quotas.per_second_of(name)) else {
            return 0.0;
        };
        // The rooms of a receiver share its ceiling.
        let lanes = self
            .lanes
            .ids()
            .filter(|other| other.receiver == lane.receiver);
        let waiting = self.lanes.waiting_in(lane) * lanes.count().max(1);
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let waiting = waiting as f64;
        waiting / rate
    }

    /// Messages a second that may be hoped for.
    pub(super) fn rate(&self, now: Instant) -> f64 {
        let learned = self.pace.rate(now).unwrap_or(f64::INFINITY);
        learned.min(self.quotas.per_second)
    }

    /// Adds to the first item what fits beside it, the most severe first.
    fn fill_digest(
        &mut self,
        renderer: &Renderer,
        lane: &LaneId,
        items: &mut Vec<(GroupId, Item)>,
    ) {
        let mut bytes = items[0].1.delivery.entry.bytes();
        let mut most = items[0].1.batch;
        for rank in 0..=u8::MAX {
            let more = self.lanes.take_along(lane, |item| {
                let entry = &item.delivery.entry;
                let fits = entry.severity_rank == rank
                    && item.may_join_digest(items.len())
                    && most > items.len()
                    && renderer.digest_fits(bytes, entry);
                if fits {
                    bytes += entry.bytes();
                    most = most.min(item.batch);
                }
                fits
            });
            items.extend(more);
            if rank >= 8 {
                break;
            }
        }
    }

    /// Refuses all that waits.
    pub(super) fn refuse_all(&mut self, cause: RefusalCause, detail: &str) -> Vec<Through> {
        let items = self.lanes.remove(|_, _| true);
        items
            .iter()
            .map(|item| item.refused(cause, detail))
            .collect()
    }

    /// Takes a delivery out if none of its rooms has it or is about to. Says whether it did.
    pub(super) fn withdraw(&mut self, delivery: &Arc<Delivery>) -> bool {
        let group = delivery.order;
        let waiting = delivery
            .receiver
            .destinations
            .iter()
            .filter(|destination| {
                self.lanes
                    .group(&LaneId::new(&delivery.receiver, destination), &group)
                    .any(|item| Arc::ptr_eq(&item.delivery, delivery))
            })
            .count();
        if waiting < delivery.receiver.destinations.len() || delivery.has_accepted() {
            return false;
        }
        self.lanes
            .remove(|_, item| Arc::ptr_eq(&item.delivery, delivery));
        true
    }

    /// Takes out what is unwanted and waits; what is under way is not touched.
    pub(super) fn remove(
        &mut self,
        mut unwanted: impl FnMut(&Delivery) -> bool,
    ) -> Vec<Arc<Delivery>> {
        let items = self.lanes.remove(|_, item| unwanted(&item.delivery));
        items.into_iter().map(|item| item.delivery).collect()
    }

    /// What waits, what is under way.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.lanes.waiting(), self.window.under_way())
    }

    /// How long the gate stays closed.
    pub(super) fn closed_for(&self, now: Instant) -> Duration {
        self.gate.closed_for(now)
    }

    /// Whether Webex is taken to be down.
    pub(super) fn is_outage(&self) -> bool {
        self.outage.is_on()
    }
}
