//! Alerts that fire and are over, in thousands, as Prometheus would tell of them.
//!
//! An alert goes on only when Alertmanager and the rooms have what it was: it is over when its
//! firing was told, and fires again when its end was told. So each state must be told, whatever
//! happens, and no gap of Alertmanager's own (an alert that is over before any flush succeeded
//! is never mentioned) hides a loss.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::ledger::{Ledger, Tell, now};

/// Receivers, their rooms, and so what a lane is.
pub(super) const RECEIVERS: [(&str, &[&str]); 5] = [
    ("solo", &["solo"]),
    ("pair", &["left", "right"]),
    ("thread", &["thread"]),
    ("update", &["update"]),
    ("capped", &["capped"]),
];

/// All rooms, each once.
pub(super) fn rooms() -> impl Iterator<Item = &'static str> {
    RECEIVERS
        .iter()
        .flat_map(|(_, rooms)| rooms.iter().copied())
}

/// Places of the rooms that a lane is told in.
pub(super) fn rooms_of(lane: usize) -> Vec<usize> {
    let (_, wanted) = RECEIVERS[lane % RECEIVERS.len()];
    let all = rooms().enumerate();
    all.filter(|(_, room)| wanted.contains(room))
        .map(|(place, _)| place)
        .collect()
}

/// A state that Alertmanager has not asked for after so long, some of its flushes, it has
/// forgotten.
const ASKED_WITHIN: i64 = 60_000;

/// How long an alert is over before it fires again, in milliseconds: longer than a flush of
/// the second peer takes. A peer that is told late of an alert's end writes so into the log
/// that the two share, after the other one has written that it fires again; then neither asks
/// for its next end.
const REST: std::ops::Range<i64> = 14_000..22_000;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Over or never fired, until then.
    Rest(i64),
    /// Told to the Alertmanagers at that time, and not yet told by the service.
    Untold(i64),
    /// Fires, until then.
    Fires(i64),
}

struct Lane {
    /// What was told to the Alertmanagers last.
    tell: Tell,
    phase: Phase,
    starts_at: Timestamp,
}

/// The alerts.
pub(super) struct Load {
    lanes: Vec<Lane>,
    rng: Rng,
    /// All that the Alertmanagers were told of.
    pub(super) told: Vec<Tell>,
}

impl Load {
    pub(super) fn new(lanes: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let lanes = (0..lanes)
            .map(|lane| Lane {
                tell: Tell {
                    lane,
                    generation: 0,
                    resolved: true,
                },
                phase: Phase::Rest(now() + rng.i64(0..8000)),
                starts_at: Timestamp::now(),
            })
            .collect();
        Self {
            lanes,
            rng,
            told: Vec::new(),
        }
    }

    /// What Prometheus would tell now. With `begin`, alerts begin to fire; those that fire end
    /// in either case.
    pub(super) fn next(&mut self, ledger: &Ledger, begin: bool) -> Vec<Value> {
        let now = now();
        let mut alerts = Vec::new();
        for lane in &mut self.lanes {
            match lane.phase {
                Phase::Rest(until) if begin && now >= until => {
                    lane.tell.generation += 1;
                    lane.tell.resolved = false;
                    lane.starts_at = Timestamp::now();
                }
                Phase::Fires(until) if !begin || now >= until => lane.tell.resolved = true,
                Phase::Untold(since) => {
                    let rooms = rooms_of(lane.tell.lane).len();
                    // What was asked for is waited for: what never comes is found by the judge.
                    let forgotten = now - since > ASKED_WITHIN && !ledger.asked(lane.tell);
                    if ledger.done(lane.tell, rooms) || forgotten {
                        lane.phase = if lane.tell.resolved {
                            Phase::Rest(now + self.rng.i64(REST))
                        } else {
                            Phase::Fires(now + self.rng.i64(2000..12_000))
                        };
                    }
                    continue;
                }
                Phase::Rest(_) | Phase::Fires(_) => continue,
            }
            lane.phase = Phase::Untold(now);
            self.told.push(lane.tell);
            alerts.push(lane.alert());
        }
        alerts
    }

    /// How many alerts fire or are not told.
    pub(super) fn open(&self) -> usize {
        let rests = |lane: &&Lane| !matches!(lane.phase, Phase::Rest(_));
        self.lanes.iter().filter(rests).count()
    }
}

impl Lane {
    /// As the API v2 of Alertmanager takes it.
    fn alert(&self) -> Value {
        let (receiver, _) = RECEIVERS[self.tell.lane % RECEIVERS.len()];
        // One that began in this millisecond ends after it.
        let ends_at = self.tell.resolved.then(|| {
            let least = self.starts_at + SignedDuration::from_millis(1);
            Timestamp::now().max(least).to_string()
        });
        let mut alert = json!({
            "labels": {"alertname": "Soak", "receiver": receiver, "mark": self.tell.mark()},
            "annotations": {"generation": self.tell.generation.to_string()},
            "startsAt": self.starts_at.to_string(),
        });
        if let Some(ends_at) = ends_at {
            alert["endsAt"] = ends_at.into();
        }
        alert
    }
}

/// For two Alertmanagers of a cluster: each alert is a group of its own.
pub(super) fn alertmanager(recorder: std::net::SocketAddr) -> String {
    let routes: Vec<_> = RECEIVERS
        .iter()
        .map(|(name, _)| format!("{{receiver: {name}, matchers: ['receiver=\"{name}\"']}}"))
        .collect();
    let receivers: Vec<_> = RECEIVERS
        .iter()
        .map(|(name, _)| {
            let url = format!("http://{recorder}/alertmanager/{name}");
            format!("{{name: {name}, webhook_configs: [{{url: '{url}'}}]}}")
        })
        .collect();
    format!(
        "global: {{resolve_timeout: 6h}}\n\
         route: {{receiver: solo, group_by: [mark], group_wait: 0s, group_interval: 10s, \
         repeat_interval: 4h, routes: [{}]}}\nreceivers: [{}]\n",
        routes.join(", "),
        receivers.join(", ")
    )
}
