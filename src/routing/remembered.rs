//! Which room each alert went to, and what was delivered of a group as a whole.
//!
//! An annotation may change while its alert fires; the resolution must reach the room that
//! knows of the alert all the same. What is kept are hashes with random keys and names of
//! rooms, bounded by count and time. After a restart nothing is known: then the annotation
//! of the day counts.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::alertmanager::{Alert, Notification, Status};

/// No more are remembered; those that nothing was heard of for longest go first.
const MOST: usize = 50_000;
/// Alertmanager repeats a notification every four hours, or in days where somebody says so.
const FIRING: Duration = Duration::from_secs(7 * 24 * 3600);
/// A resolution may be sent again, by a retry or by a peer.
const RESOLVED: Duration = Duration::from_secs(3600);

/// Where an alert goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// To the receiver's own rooms.
    Own,
    /// To the room of that name.
    Room(Arc<str>),
}

/// An alert of a group, for one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(u128);

/// A group for one receiver, and all that its notification says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole {
    group: Key,
    content: u128,
}

/// What is known of alerts and groups.
#[derive(Default)]
pub struct Remembered {
    keys: (RandomState, RandomState),
    rooms: HashMap<Key, Known>,
    delivered: HashMap<Key, (u128, Instant)>,
}

struct Known {
    choice: Choice,
    starts_at: Option<Timestamp>,
    is_over: bool,
    heard: Instant,
}

impl Remembered {
    fn hash(&self, thing: impl Hash) -> u128 {
        let half = |key: &RandomState| u128::from(key.hash_one(&thing));
        (half(&self.keys.0) << 64) | half(&self.keys.1)
    }

    pub(super) fn key(&self, receiver: &str, group: &str, alert: &Alert<'_>) -> Key {
        let labels: Vec<_> = alert.labels.iter().collect();
        Key(self.hash((receiver, group, labels)))
    }

    /// Where this alert went before, as long as it is the same trouble: what fires anew after
    /// it was over may go elsewhere.
    pub(super) fn recall(&self, key: Key, alert: &Alert<'_>) -> Option<&Choice> {
        let known = self.rooms.get(&key)?;
        let is_new =
            known.is_over && alert.status == Status::Firing && alert.starts_at > known.starts_at;
        (!is_new).then_some(&known.choice)
    }

    pub(super) fn note(&mut self, key: Key, alert: &Alert<'_>, choice: Choice, now: Instant) {
        let known = Known {
            choice,
            starts_at: alert.starts_at,
            is_over: alert.status == Status::Resolved,
            heard: now,
        };
        self.rooms.insert(key, known);
        if self.rooms.len() > MOST {
            self.forget(now);
        }
    }

    /// Names a notification as it came, with all that it says.
    pub(super) fn whole(&self, receiver: &str, notification: &Notification<'_>) -> Whole {
        let alerts: Vec<_> = notification
            .alerts
            .iter()
            .map(|alert| {
                let labels: Vec<_> = alert.labels.iter().collect();
                (labels, alert.status, alert.starts_at)
            })
            .collect();
        Whole {
            group: Key(self.hash((receiver, &notification.group_key))),
            content: self.hash(alerts),
        }
    }

    /// Whether the last that was delivered of the group says the same.
    pub(super) fn was_delivered(&self, whole: &Whole) -> bool {
        let last = self.delivered.get(&whole.group);
        last.is_some_and(|(content, _)| *content == whole.content)
    }

    /// All of it was delivered.
    pub fn delivered(&mut self, whole: Whole, now: Instant) {
        self.delivered.insert(whole.group, (whole.content, now));
        if self.delivered.len() > MOST {
            self.forget(now);
        }
    }

    /// Forgets what is too old, and of the rest the oldest eighth if that is not enough.
    pub fn forget(&mut self, now: Instant) {
        let keep = |known: &Known| if known.is_over { RESOLVED } else { FIRING };
        self.rooms
            .retain(|_, known| now < known.heard + keep(known));
        self.delivered.retain(|_, (_, at)| now < *at + FIRING);
        let (rooms, delivered) = (&mut self.rooms, &mut self.delivered);
        if let Some(oldest) = eighth(rooms.values().map(|known| known.heard)) {
            rooms.retain(|_, known| known.heard > oldest);
        }
        if let Some(oldest) = eighth(delivered.values().map(|(_, at)| *at)) {
            delivered.retain(|_, (_, at)| *at > oldest);
        }
    }

    /// How many alerts are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }
}

/// The time before which an eighth lies, where there are too many.
fn eighth(times: impl Iterator<Item = Instant>) -> Option<Instant> {
    let mut times: Vec<_> = times.collect();
    if times.len() <= MOST {
        return None;
    }
    let (_, at, _) = times.select_nth_unstable(MOST / 8);
    Some(*at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(status: &str, minute: u32) -> String {
        format!(
            r#"{{"version":"4","groupKey":"g","alerts":[{{"status":"{status}",
                "labels":{{"alertname":"A"}},"startsAt":"2026-01-01T00:{minute:02}:00Z"}}]}}"#
        )
    }

    #[test]
    fn a_room_is_remembered_until_the_alert_fires_anew() {
        let now = Instant::now();
        let mut memory = Remembered::default();
        let room = Choice::Room("ops".into());
        let bodies = [("firing", 0), ("resolved", 0), ("firing", 0), ("firing", 9)]
            .map(|(status, minute)| alert(status, minute));
        let [fires, is_over, again, anew] = bodies
            .each_ref()
            .map(|body| Notification::parse(body.as_bytes()).unwrap());
        let key = memory.key("r", "g", &fires.alerts[0]);
        assert_eq!(memory.recall(key, &fires.alerts[0]), None);
        memory.note(key, &fires.alerts[0], room.clone(), now);
        assert_eq!(memory.recall(key, &anew.alerts[0]), Some(&room), "not over");
        assert_eq!(memory.recall(key, &is_over.alerts[0]), Some(&room));
        memory.note(key, &is_over.alerts[0], room.clone(), now);
        assert_eq!(
            memory.recall(key, &is_over.alerts[0]),
            Some(&room),
            "a retry"
        );
        assert_eq!(memory.recall(key, &again.alerts[0]), Some(&room), "a gap");
        assert_eq!(memory.recall(key, &anew.alerts[0]), None);
        assert_ne!(memory.key("other", "g", &fires.alerts[0]), key);
        memory.forget(now + RESOLVED);
        assert!(memory.is_empty());
    }

    #[test]
    fn what_was_heard_of_least_lately_is_forgotten_first() {
        let start = Instant::now();
        let mut memory = Remembered::default();
        let body = alert("firing", 0);
        let notification = Notification::parse(body.as_bytes()).unwrap();
        for number in 0..=MOST {
            let at = start + Duration::from_millis(number as u64);
            let key = Key(number as u128);
            memory.note(key, &notification.alerts[0], Choice::Own, at);
        }
        assert!(memory.len() <= MOST - MOST / 8);
        assert!(memory.rooms.contains_key(&Key(MOST as u128)));
        assert!(!memory.rooms.contains_key(&Key(0)));
    }
}
