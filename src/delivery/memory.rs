//! What is under way and what was just accepted, so that nothing is posted twice.
//!
//! Of each group and its destinations only the *newest* notification is known. A request
//! with the same content joins it: Alertmanager's retry, or its peer in a cluster. Firing,
//! resolved, firing again is three messages, because the third differs from the newest.
//!
//! A success that nobody was told of is remembered until somebody asks. A failure is never
//! remembered. Memory holds hashes, not bodies, and is bounded by count and time.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::ticket::Delivery;
use crate::alertmanager::Notification;
use crate::routing::Destination;

/// Alertmanager's word for sending the same once more on purpose (0.32 and later).
const REPEAT_INTERVAL: &str = "repeat interval elapsed";
/// No more groups are remembered once they are done; the oldest are forgotten first.
const MAX_DONE: usize = 20_000;

/// A group and where it goes, hashed twice with random keys: 128 bits, so that no two
/// groups are ever taken for one, and nobody can make them collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct GroupId(u128);

/// What the notification says: which alerts, in what state, since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content(u128);

/// Names groups and contents; the keys are made anew for each process.
#[derive(Default)]
pub(super) struct Names(RandomState, RandomState);

pub(super) struct Memory {
    newest: HashMap<GroupId, Newest>,
    /// What is done, in the order in which it is looked at again.
    done: VecDeque<Done>,
    window: Duration,
    /// How long a success waits for somebody to ask.
    untold: Duration,
}

struct Done {
    look_again: Instant,
    accepted: Instant,
    group: GroupId,
}

struct Newest {
    content: Content,
    state: State,
}

enum State {
    Underway(Arc<Delivery>),
    Accepted {
        at: Instant,
        timestamp: Timestamp,
        told: bool,
    },
}

/// What is known about a notification that arrives.
pub(super) enum Known {
    /// Nothing: it is to be delivered.
    New,
    /// The same is under way.
    Underway(Arc<Delivery>),
    /// The same was accepted.
    Accepted(Timestamp),
}

impl Names {
    /// Names a notification by its group, its destinations and its content.
    pub(super) fn identify(
        &self,
        destinations: &[Destination],
        notification: &Notification<'_>,
    ) -> (GroupId, Content) {
        let group = self.hash(|mut hasher| {
            for destination in destinations {
                (&destination.bot, &destination.room_id).hash(&mut hasher);
            }
            notification.group_key.hash(&mut hasher);
        });
        // A sum does not depend on the order, in which peers may differ.
        let alerts = notification.alerts.iter().fold(0u128, |sum, alert| {
            sum.wrapping_add(self.hash(|mut hasher| {
                if alert.fingerprint.is_empty() {
                    for label in alert.labels.iter() {
                        label.hash(&mut hasher);
                    }
                } else {
                    alert.fingerprint.hash(&mut hasher);
                }
                alert.status.hash(&mut hasher);
                alert.starts_at.hash(&mut hasher);
            }))
        });
        let content = self.hash(|mut hasher| {
            alerts.hash(&mut hasher);
            notification.alerts.len().hash(&mut hasher);
            // Sent again on purpose, it repeats only another such.
            (notification.reason.as_deref() == Some(REPEAT_INTERVAL)).hash(&mut hasher);
        });
        (GroupId(group), Content(content))
    }

    fn hash(&self, feed: impl Fn(&mut dyn Hasher)) -> u128 {
        let one = |key: &RandomState| {
            let mut hasher = key.build_hasher();
            feed(&mut hasher);
            u128::from(hasher.finish())
        };
        (one(&self.0) << 64) | one(&self.1)
    }
}

impl Memory {
    pub(super) fn new(window: Duration, untold: Duration) -> Self {
        Self {
            newest: HashMap::new(),
            done: VecDeque::new(),
            window,
            untold,
        }
    }

    /// Looks up what is known of it.
    pub(super) fn look_up(&mut self, group: GroupId, content: Content, now: Instant) -> Known {
        self.forget(now);
        let Some(newest) = self.newest.get_mut(&group) else {
            return Known::New;
        };
        if newest.content != content {
            return Known::New;
        }
        match &mut newest.state {
            State::Underway(delivery) => Known::Underway(Arc::clone(delivery)),
            State::Accepted {
                at,
                timestamp,
                told,
            } => {
                let fresh = now.duration_since(*at) < self.window;
                let untold = !*told;
                *told = true;
                if fresh || untold {
                    Known::Accepted(*timestamp)
                } else {
                    Known::New
                }
            }
        }
    }

    /// A delivery begins; it is the newest of its group now.
    pub(super) fn begin(&mut self, group: GroupId, content: Content, delivery: Arc<Delivery>) {
        let state = State::Underway(delivery);
        self.newest.insert(group, Newest { content, state });
    }

    /// A delivery ended. Only a success is kept, and only while it is the newest.
    pub(super) fn end(&mut self, group: GroupId, delivery: &Arc<Delivery>, accepted: bool) {
        let Entry::Occupied(mut entry) = self.newest.entry(group) else {
            return;
        };
        if !matches!(&entry.get().state, State::Underway(newest) if Arc::ptr_eq(newest, delivery)) {
            return;
        }
        if !accepted {
            entry.remove();
            return;
        }
        let at = Instant::now();
        entry.get_mut().state = State::Accepted {
            at,
            timestamp: Timestamp::now(),
            told: delivery.is_told(),
        };
        self.done.push_back(Done {
            look_again: at + self.window,
            accepted: at,
            group,
        });
    }

    /// Somebody was told of the success.
    pub(super) fn told(&mut self, group: GroupId, content: Content) {
        if let Some(newest) = self.newest.get_mut(&group)
            && newest.content == content
            && let State::Accepted { told, .. } = &mut newest.state
        {
            *told = true;
        }
    }

    /// Forgets what is too old, and the oldest where there is too much. What nobody was
    /// told of is looked at again later.
    fn forget(&mut self, now: Instant) {
        while let Some(done) = self.done.front() {
            let too_much = self.done.len() > MAX_DONE;
            if now < done.look_again && !too_much {
                break;
            }
            let (accepted, group) = (done.accepted, done.group);
            self.done.pop_front();
            let Entry::Occupied(entry) = self.newest.entry(group) else {
                continue;
            };
            // A later notification of the group has a place of its own in the row.
            let State::Accepted { at, told, .. } = entry.get().state else {
                continue;
            };
            if at != accepted {
                continue;
            }
            if told || too_much || now.duration_since(accepted) >= self.untold {
                entry.remove();
            } else {
                self.done.push_back(Done {
                    look_again: now + self.window,
                    accepted,
                    group,
                });
            }
        }
    }
}
