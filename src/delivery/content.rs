//! What a notification says, as hashes: which group, which alerts, in what state, since when.
//! By this two notifications are told apart, or taken for the same.
//!
//! What does not belong here: what was said before (`memory`).

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;

use crate::alertmanager::{Notification, REPEAT_INTERVAL, Status};
use crate::routing::Destination;

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

    /// All of it in 64 bits. The identity is a hash with a key of this process, so nobody can
    /// make two states of it that are one here.
    fn hash(&self) -> u64 {
        let since = self.starts_at.map_or(u64::MAX >> 1, |since| {
            let nanosecond = u64::from(since.subsec_nanosecond().unsigned_abs());
            // Different times stay different, within 270 years.
            (since.as_second().cast_unsigned() << 30) | nanosecond
        });
        let state = since << 1 | u64::from(self.firing);
        self.identity ^ scattered(state)
    }
}

/// Another number for each number, without likeness: the last step of `splitmix64`.
fn scattered(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// What a notification said, kept small: 8 bytes an alert.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Sorted.
    alerts: Box<[u64]>,
    /// Sent again on purpose.
    again: bool,
}

impl Said {
    /// Whether an alert stood in it, in this state.
    pub(super) fn has(&self, alert: &AlertState) -> bool {
        self.alerts.binary_search(&alert.hash()).is_ok()
    }

    /// How many alerts it had.
    pub(super) fn len(&self) -> usize {
        self.alerts.len()
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

    /// The same, to be remembered.
    pub(super) fn said(&self) -> Said {
        let mut alerts: Box<[u64]> = self.alerts.iter().map(AlertState::hash).collect();
        alerts.sort_unstable();
        Said {
            alerts,
            again: self.again,
        }
    }

    /// Whether it was said already, all of it.
    pub(super) fn was_said(&self, said: &Said) -> bool {
        (said.again || !self.again) && self.alerts.iter().all(|alert| said.has(alert))
    }

    /// Whether it is about alerts elsewhere.
    pub(super) fn is_old_news(&self) -> bool {
        self.is_old_news
    }

    /// Whether everything that this says stands in `newest` as well.
    pub(super) fn repeats(&self, newest: &Self) -> bool {
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
        for newest in [&both, &again] {
            for alert in [("a", "firing", 0), ("a", "resolved", 0), ("a", "firing", 2)] {
                let one = of(&[alert]);
                assert_eq!(
                    one.was_said(&newest.said()),
                    one.repeats(newest),
                    "{alert:?}"
                );
            }
            assert_eq!(again.was_said(&newest.said()), again.repeats(newest));
        }
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
