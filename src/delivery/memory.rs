//! What is under way and what was just accepted, so that nothing is posted twice.
//!
//! Of each group and its destinations only the *newest* notification is known. What says
//! nothing beyond it is a repeat and joins it: Alertmanager's retry, or its peer in a
//! cluster, which may know fewer alerts. Firing, resolved, firing again is three messages,
//! because each differs from the newest.
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
use crate::alertmanager::{Notification, REPEAT_INTERVAL, Status};
use crate::routing::Destination;

/// What was delivered last of a group is known for so long, to tell what has changed.
const KEEP: Duration = Duration::from_secs(24 * 3600);
/// No more groups are remembered once they are done; the oldest are forgotten first.
const MAX_DONE: usize = 10_000;
/// Nor more alerts in all of them: 8 bytes each.
const MAX_DONE_ALERTS: usize = 500_000;

/// A group and where it goes, hashed twice with random keys: 128 bits, so that no two
/// groups are ever taken for one, and nobody can make them collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct GroupId(u128);

#[cfg(test)]
impl AlertState {
    /// An alert for a test.
    pub(super) fn of(identity: u64, firing: bool) -> Self {
        Self {
            identity,
            starts_at: None,
            firing,
        }
    }
}

#[cfg(test)]
impl GroupId {
    /// A group for a test.
    pub(super) fn of(number: u128) -> Self {
        Self(number)
    }
}

/// What the notification says: which alerts, in what state, since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// Sorted by identity.
    alerts: Arc<[AlertState]>,
    /// Sent again on purpose: it repeats only another such.
    again: bool,
    /// Sent because of alerts elsewhere: it is a repeat as long as the last is known.
    is_old_news: bool,
    /// Whether something fires; with `max_alerts`, some of those that were cut off may.
    fires: bool,
}

/// One alert, as far as it tells notifications apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AlertState {
    /// Hash of the fingerprint, or of the labels where there is none.
    identity: u64,
    starts_at: Option<Timestamp>,
    firing: bool,
}

impl AlertState {
    /// Whether it fires.
    pub(super) fn fires(&self) -> bool {
        self.firing
    }
}

impl Content {
    /// The states of the alerts, sorted.
    pub(super) fn alerts(&self) -> &Arc<[AlertState]> {
        &self.alerts
    }

    /// Whether it was sent again on purpose, as far as Alertmanager says so.
    pub(super) fn is_again(&self) -> bool {
        self.again
    }

    /// Whether something fires, or may.
    pub(super) fn fires(&self) -> bool {
        self.fires
    }

    /// Whether everything that this says stands in `newest` as well.
    fn repeats(&self, newest: &Self) -> bool {
        (newest.again || !self.again)
            && self
                .alerts
                .iter()
                .all(|alert| newest.alerts.binary_search(alert).is_ok())
    }

    /// Whether this can stand for `older`, which nobody has seen yet: it knows each of its
    /// alerts, at least as new, and does not say firing where the older says resolved.
    pub(super) fn covers(&self, older: &Self) -> bool {
        older.alerts.iter().all(|old| {
            let from = self
                .alerts
                .partition_point(|alert| alert.identity < old.identity);
            self.alerts[from..]
                .iter()
                .take_while(|alert| alert.identity == old.identity)
                .any(|new| new.starts_at >= old.starts_at && (old.firing || !new.firing))
        })
    }
}

/// Names groups and contents; the keys are made anew for each process.
#[derive(Default)]
pub(super) struct Names(RandomState, RandomState);

impl Names {
    /// Names a notification by its group, its destinations and its content; and its alerts,
    /// in their order.
    pub(super) fn identify(
        &self,
        destinations: &[Destination],
        notification: &Notification<'_>,
    ) -> (GroupId, Content, Vec<AlertState>) {
        let in_order = self.alerts(notification);
        let mut alerts = in_order.clone();
        alerts.sort_unstable();
        let content = Content {
            alerts: alerts.into(),
            again: notification.reason.as_deref() == Some(REPEAT_INTERVAL),
            is_old_news: notification.is_old_news,
            fires: in_order.iter().any(AlertState::fires) || notification.truncated_alerts > 0,
        };
        let group = self.group(destinations, notification);
        (group, content, in_order)
    }

    /// Names a group and where it goes.
    pub(super) fn group(
        &self,
        destinations: &[Destination],
        notification: &Notification<'_>,
    ) -> GroupId {
        let half = |key: &RandomState| {
            let mut hasher = key.build_hasher();
            for destination in destinations {
                (&destination.bot, destination.id()).hash(&mut hasher);
            }
            notification.group_key.hash(&mut hasher);
            u128::from(hasher.finish())
        };
        GroupId((half(&self.0) << 64) | half(&self.1))
    }

    /// The states of a notification's alerts, in their order.
    pub(super) fn alerts(&self, notification: &Notification<'_>) -> Vec<AlertState> {
        notification
            .alerts
            .iter()
            .map(|alert| {
                let mut hasher = self.0.build_hasher();
                if alert.fingerprint.is_empty() {
                    for label in alert.labels.iter() {
                        label.hash(&mut hasher);
                    }
                } else {
                    alert.fingerprint.hash(&mut hasher);
                }
                AlertState {
                    identity: hasher.finish(),
                    starts_at: alert.starts_at,
                    firing: alert.status == Status::Firing,
                }
            })
            .collect()
    }
}

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
        let Some(newest) = self.newest.get_mut(&group) else {
            return Known::New;
        };
        let repeats = content.repeats(&newest.content);
        match &mut newest.state {
            State::Underway(delivery) if repeats => Known::Underway(Arc::clone(delivery)),
            State::Underway(delivery) => Known::Newer(Arc::clone(delivery)),
            State::Accepted {
                at,
                timestamp,
                told,
            } if repeats => {
                let age = now.duration_since(*at);
                let untold = !*told && age < self.untold;
                *told = true;
                if age < self.window || untold || content.is_old_news {
                    Known::Accepted(*timestamp)
                } else {
                    Known::New
                }
            }
            State::Accepted { .. } => Known::New,
        }
    }

    /// A delivery begins; it is the newest of its group now.
    pub(super) fn begin(&mut self, delivery: &Arc<Delivery>) {
        let newest = Newest {
            content: delivery.content.clone(),
            state: State::Underway(Arc::clone(delivery)),
        };
        self.newest.insert(delivery.group, newest);
    }

    /// A delivery ended. Only a success is kept, and only while it is the newest.
    pub(super) fn end(&mut self, delivery: &Arc<Delivery>, accepted: bool) {
        let Entry::Occupied(mut entry) = self.newest.entry(delivery.group) else {
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
        let alerts = delivery.content.alerts.len();
        self.done_alerts += alerts;
        self.done.push_back(Done {
            accepted: at,
            group: delivery.group,
            alerts,
        });
    }

    /// Somebody was told of the success.
    pub(super) fn told(&mut self, delivery: &Delivery) {
        if let Some(newest) = self.newest.get_mut(&delivery.group)
            && newest.content == delivery.content
            && let State::Accepted { told, .. } = &mut newest.state
        {
            *told = true;
        }
    }

    /// Nobody was told after all, since something else of the same notification is not done: it
    /// will be asked for again, and is not to be posted again until then.
    pub(super) fn untold(&mut self, group: GroupId) {
        if let Some(newest) = self.newest.get_mut(&group)
            && let State::Accepted { told, .. } = &mut newest.state
        {
            *told = false;
        }
    }

    /// Which of the alerts, by index, do not stand in what was delivered last of the group.
    /// `None` where that is not known.
    pub(super) fn changed(&self, group: GroupId, alerts: &[AlertState]) -> Option<Vec<usize>> {
        let newest = self.newest.get(&group)?;
        let State::Accepted { .. } = newest.state else {
            return None;
        };
        let known = &newest.content.alerts;
        let changed = alerts.iter().enumerate();
        Some(
            changed
                .filter(|(_, alert)| known.binary_search(alert).is_err())
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
                && matches!(entry.get().state, State::Accepted { at, .. } if at == done.accepted)
            {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(names: &Names, alerts: &[(&str, &str, u32)], reason: &str) -> Content {
        let alerts: Vec<String> = alerts
            .iter()
            .map(|(name, status, minute)| {
                format!(
                    r#"{{"fingerprint":"{name}","status":"{status}","startsAt":"2026-01-01T00:{minute:02}:00Z"}}"#
                )
            })
            .collect();
        let body = format!(
            r#"{{"version":"4","groupKey":"g","notification_reason":"{reason}","alerts":[{}]}}"#,
            alerts.join(",")
        );
        let notification = Notification::parse(body.as_bytes()).unwrap();
        let (_, content, _) = names.identify(&[], &notification);
        content
    }

    #[test]
    fn a_repeat_says_nothing_that_the_newest_does_not() {
        let names = Names::default();
        let of = |alerts: &[_]| content(&names, alerts, "");
        let both = of(&[("a", "firing", 0), ("b", "firing", 1)]);
        assert!(
            of(&[("b", "firing", 1), ("a", "firing", 0)]).repeats(&both),
            "order"
        );
        assert!(
            of(&[("a", "firing", 0)]).repeats(&both),
            "a peer that knows fewer"
        );
        assert!(!of(&[("a", "resolved", 0)]).repeats(&both), "another state");
        assert!(!of(&[("a", "firing", 2)]).repeats(&both), "begun anew");
        assert!(!both.repeats(&of(&[("a", "firing", 0)])), "one more");
        let again = content(&names, &[("a", "firing", 0)], REPEAT_INTERVAL);
        assert!(!again.repeats(&both), "on purpose");
        assert!(again.repeats(&again));
    }

    #[test]
    fn only_what_is_newer_and_complete_covers() {
        let names = Names::default();
        let of = |alerts: &[_]| content(&names, alerts, "");
        let older = of(&[("a", "firing", 0), ("b", "resolved", 1)]);
        for (newer, covers) in [
            (of(&[("a", "firing", 0), ("b", "resolved", 1)]), true),
            (
                of(&[
                    ("a", "resolved", 0),
                    ("b", "resolved", 1),
                    ("c", "firing", 2),
                ]),
                true,
            ),
            (of(&[("a", "firing", 5), ("b", "resolved", 1)]), true),
            (of(&[("a", "firing", 0)]), false),
            (of(&[("a", "firing", 0), ("b", "firing", 1)]), false),
            (of(&[("a", "firing", 0), ("b", "firing", 9)]), false),
        ] {
            assert_eq!(newer.covers(&older), covers, "{newer:?}");
        }
        let began_later = of(&[("a", "firing", 5), ("b", "resolved", 1)]);
        assert!(
            !older.covers(&began_later),
            "an older start is an older view"
        );
    }
}
