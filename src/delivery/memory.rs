//! What is under way and what was just accepted, so that nothing is posted twice.
//!
//! Of each group and its destinations only the *newest* notification is known. What says
//! nothing beyond it is a repeat and joins it: Alertmanager's retry, or its peer in a
//! cluster, which may know fewer alerts. Firing, resolved, firing again is three messages,
//! because each differs from the newest.
//!
//! A success that nobody was told of is remembered until somebody asks. A failure is never
//! remembered. Memory holds hashes, not bodies, and is bounded by count and time.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::content::{AlertState, Content, GroupId, Said};
use super::observer::DeliveryId;
use super::ticket::Delivery;

/// What was delivered last of a group is known for so long, to tell what has changed.
const KEEP: Duration = Duration::from_secs(24 * 3600);
/// No more groups are remembered once they are done; the oldest are forgotten first.
const MAX_DONE: usize = 10_000;
/// Nor more alerts in all of them: 8 bytes each.
const MAX_DONE_ALERTS: usize = 500_000;

/// The newest notification of each group.
pub(super) struct Memory {
    newest: HashMap<GroupId, Newest>,
    /// What is done, in the order of its end.
    done: VecDeque<Done>,
    done_alerts: usize,
    window: Duration,
    /// How long a success waits for somebody to ask.
    untold: Duration,
}

struct Done {
    accepted: Instant,
    group: GroupId,
    alerts: usize,
}

enum Newest {
    Underway(Arc<Delivery>),
    Accepted(Accepted),
}

struct Accepted {
    said: Said,
    by: DeliveryId,
    at: Instant,
    timestamp: Timestamp,
    told: bool,
}

/// What is known about a notification that arrives.
pub(super) enum Known {
    /// Nothing: it is to be delivered.
    New,
    /// Another one of its group is under way and not the same; it may be covered.
    Newer(Arc<Delivery>),
    /// The same is under way.
    Underway(Arc<Delivery>),
    /// The same was accepted.
    Accepted(Timestamp),
}

impl Memory {
    pub(super) fn new(window: Duration, untold: Duration) -> Self {
        Self {
            newest: HashMap::new(),
            done: VecDeque::new(),
            done_alerts: 0,
            window,
            untold,
        }
    }

    /// Remembers for other times from now on.
    pub(super) fn change(&mut self, window: Duration, untold: Duration) {
        (self.window, self.untold) = (window, untold);
    }

    /// Looks up what is known of it.
    pub(super) fn look_up(&mut self, group: GroupId, content: &Content, now: Instant) -> Known {
        self.forget(now);
        match self.newest.get_mut(&group) {
            Some(Newest::Underway(delivery)) if content.repeats(&delivery.content) => {
                Known::Underway(Arc::clone(delivery))
            }
            Some(Newest::Underway(delivery)) => Known::Newer(Arc::clone(delivery)),
            Some(Newest::Accepted(accepted)) if content.was_said(&accepted.said) => {
                let age = now.duration_since(accepted.at);
                let untold = !accepted.told && age < self.untold;
                accepted.told = true;
                if age < self.window || untold || content.is_old_news() {
                    Known::Accepted(accepted.timestamp)
                } else {
                    Known::New
                }
            }
            None | Some(Newest::Accepted(_)) => Known::New,
        }
    }

    /// A delivery begins; it is the newest of its group now.
    pub(super) fn begin(&mut self, delivery: &Arc<Delivery>) {
        self.newest
            .insert(delivery.group, Newest::Underway(Arc::clone(delivery)));
    }

    /// A delivery ended. Only a success is kept, and only while it is the newest.
    pub(super) fn end(&mut self, delivery: &Arc<Delivery>, accepted: bool) {
        let Entry::Occupied(mut entry) = self.newest.entry(delivery.group) else {
            return;
        };
        if !matches!(entry.get(), Newest::Underway(newest) if Arc::ptr_eq(newest, delivery)) {
            return;
        }
        if !accepted {
            entry.remove();
            return;
        }
        let at = Instant::now();
        let said = delivery.content.said();
        let alerts = said.len();
        *entry.get_mut() = Newest::Accepted(Accepted {
            said,
            by: delivery.id,
            at,
            timestamp: Timestamp::now(),
            told: delivery.is_told(),
        });
        self.done_alerts += alerts;
        self.done.push_back(Done {
            accepted: at,
            group: delivery.group,
            alerts,
        });
    }

    /// Somebody was told of the success.
    pub(super) fn told(&mut self, delivery: &Delivery) {
        if let Some(Newest::Accepted(accepted)) = self.newest.get_mut(&delivery.group)
            && accepted.by == delivery.id
        {
            accepted.told = true;
        }
    }

    /// Nobody was told after all, since something else of the same notification is not done: it
    /// will be asked for again, and is not to be posted again until then.
    pub(super) fn untold(&mut self, group: GroupId) {
        if let Some(Newest::Accepted(accepted)) = self.newest.get_mut(&group) {
            accepted.told = false;
        }
    }

    /// Which of the alerts, by index, do not stand in what was delivered last of the group.
    /// `None` where that is not known.
    pub(super) fn changed(&self, group: GroupId, alerts: &[AlertState]) -> Option<Vec<usize>> {
        let Newest::Accepted(accepted) = self.newest.get(&group)? else {
            return None;
        };
        let alerts = alerts.iter().enumerate();
        Some(
            alerts
                .filter(|(_, alert)| !accepted.said.has(alert))
                .map(|(index, _)| index)
                .collect(),
        )
    }

    /// Forgets what is too old, and the oldest where there is too much.
    fn forget(&mut self, now: Instant) {
        while let Some(done) = self.done.front() {
            let too_much = self.done.len() > MAX_DONE || self.done_alerts > MAX_DONE_ALERTS;
            if now.duration_since(done.accepted) < KEEP && !too_much {
                break;
            }
            let Some(done) = self.done.pop_front() else {
                break;
            };
            self.done_alerts -= done.alerts;
            // A later notification of the group has a place of its own in the row.
            if let Entry::Occupied(entry) = self.newest.entry(done.group)
                && matches!(entry.get(), Newest::Accepted(accepted) if accepted.at == done.accepted)
            {
                entry.remove();
            }
        }
    }
}
