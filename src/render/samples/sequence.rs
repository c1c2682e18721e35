//! Several notifications of one group, as Alertmanager sends them one after the other.
//!
//! What does not belong here: playing them (`cli`).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{crash_loop, crash_loops};

/// Notifications made up to show how a group is told.
#[derive(Debug)]
pub struct Sequence {
    /// What `--sample` calls it.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub shows: &'static str,
    /// Its notifications, in their order.
    pub steps: &'static [Step],
}

/// One notification of a sequence.
#[derive(Debug)]
pub struct Step {
    /// What happens in it, in a few words.
    pub shows: &'static str,
    /// How long after the one before it Alertmanager sends it.
    pub pause: Duration,
    reason: &'static str,
    members: &'static [Member],
}

/// An alert in a step.
#[derive(Debug)]
struct Member {
    pod: usize,
    fires: bool,
    began: Began,
}

/// When an alert began. It is the same in all steps that have the alert: that makes it one.
#[derive(Debug)]
enum Began {
    /// So many minutes before the first step.
    Earlier(i64),
    /// Right then.
    Now,
}

/// Every sequence. The names are part of the command line.
pub const SEQUENCES: [Sequence; 1] = [Sequence {
    name: "life",
    shows: "a group's life: it fires, grows, shrinks, repeats, ends and fires again",
    steps: &LIFE,
}];

const LIFE: [Step; 6] = [
    Step {
        shows: "an alert fires",
        pause: Duration::ZERO,
        reason: "first notification",
        members: &[fires(3, 12)],
    },
    Step {
        shows: "two more fire",
        pause: Duration::from_secs(120),
        reason: "new alerts added",
        members: &[fires(3, 12), fires(1, 6), fires(2, 5)],
    },
    Step {
        shows: "one of them is over",
        pause: Duration::from_secs(120),
        reason: "some alerts resolved",
        members: &[fires(3, 12), is_over(1, 6), fires(2, 5)],
    },
    Step {
        shows: "the others still fire: Alertmanager repeats itself",
        pause: Duration::from_secs(120),
        reason: "repeat interval elapsed",
        members: &[fires(3, 12), fires(2, 5)],
    },
    Step {
        shows: "all are over",
        pause: Duration::from_secs(120),
        reason: "all alerts resolved",
        members: &[is_over(3, 12), is_over(2, 5)],
    },
    Step {
        shows: "one fires again",
        pause: Duration::from_secs(120),
        reason: "first notification",
        members: &[Member {
            pod: 3,
            fires: true,
            began: Began::Now,
        }],
    },
];

const fn fires(pod: usize, minutes_before: i64) -> Member {
    Member {
        pod,
        fires: true,
        began: Began::Earlier(minutes_before),
    }
}

const fn is_over(pod: usize, minutes_before: i64) -> Member {
    Member {
        pod,
        fires: false,
        began: Began::Earlier(minutes_before),
    }
}

impl Step {
    /// The webhook body, `start` being when the first step was sent and `now` when this one
    /// is. Each start is a group of its own, so that one playing does not disturb another.
    #[must_use]
    pub fn body(&self, start: Timestamp, now: Timestamp) -> String {
        let alerts: Vec<Value> = self
            .members
            .iter()
            .map(|member| member.alert(start, now))
            .collect();
        let mut body = crash_loops(&alerts);
        body["notification_reason"] = self.reason.into();
        body["groupKey"] = format!(
            "{{}}/{{played=\"{}\"}}:{{alertname=\"KubePodCrashLooping\"}}",
            start.as_millisecond()
        )
        .into();
        body.to_string()
    }
}

impl Member {
    fn alert(&self, start: Timestamp, now: Timestamp) -> Value {
        let status = if self.fires { "firing" } else { "resolved" };
        let mut alert = crash_loop(self.pod, status);
        let began = match self.began {
            Began::Earlier(minutes) => start
                .checked_sub(SignedDuration::from_mins(minutes))
                .unwrap_or(start),
            Began::Now => now,
        };
        alert["startsAt"] = json!(began.to_string());
        if !self.fires {
            alert["endsAt"] = json!(now.to_string());
        }
        alert
    }
}

/// The sequence of that name.
#[must_use]
pub fn find_sequence(name: &str) -> Option<&'static Sequence> {
    SEQUENCES.iter().find(|sequence| sequence.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alertmanager::{Notification, Status};

    #[test]
    fn a_life_is_one_group_whose_alerts_stay_the_same() {
        let start: Timestamp = super::super::NOW.parse().unwrap();
        let life = find_sequence("life").unwrap();
        let mut keys = Vec::new();
        let mut began = std::collections::BTreeMap::new();
        let mut counts = Vec::new();
        for (number, step) in life.steps.iter().enumerate() {
            let minutes = SignedDuration::from_mins(2 * i64::try_from(number).unwrap());
            let body = step.body(start, start.checked_add(minutes).unwrap());
            let notification = Notification::parse(body.as_bytes()).unwrap();
            keys.push(notification.group_key.to_string());
            counts.push((
                notification.firing().count(),
                notification.resolved().count(),
            ));
            if number + 1 == life.steps.len() {
                break;
            }
            for alert in &notification.alerts {
                let first = *began
                    .entry(alert.fingerprint.to_string())
                    .or_insert(alert.starts_at);
                assert_eq!(first, alert.starts_at);
                assert!(alert.status == Status::Firing || alert.ends_at > alert.starts_at);
            }
        }
        keys.dedup();
        assert_eq!(keys.len(), 1);
        assert_eq!(counts, [(1, 0), (3, 0), (2, 1), (2, 0), (0, 2), (1, 0)]);
    }
}
