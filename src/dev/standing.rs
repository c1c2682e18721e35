//! What the receiver is doing, and what it is configured to do, as the page shows it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Inner;
use super::book::{Arrived, Place, group_of};
use crate::delivery::{BotState, DeliveryId};
use crate::routing::{Destination, Receiver, Routes, Target};

/// Deliveries under way that are listed; all are counted.
const MOST_UNDERWAY: usize = 50;

/// A receiver as it is configured.
#[derive(Debug, Serialize)]
pub(super) struct Configured {
    name: Arc<str>,
    template: String,
    rooms: Vec<Room>,
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct Room {
    /// None of a person.
    id: Option<Arc<str>>,
    name: Arc<str>,
    bot: Arc<str>,
}

/// All receivers, by name.
pub(super) fn receivers(routes: &Routes) -> Vec<Configured> {
    routes
        .iter()
        .map(|receiver| Configured {
            name: Arc::clone(&receiver.name),
            template: receiver.template.clone(),
            rooms: rooms(receiver),
            dry_run: receiver.dry_run,
        })
        .collect()
}

fn rooms(receiver: &Receiver) -> Vec<Room> {
    let destinations = receiver.destinations.iter();
    destinations
        .map(|destination| Room {
            id: room_id(destination),
            name: Arc::clone(&destination.name),
            bot: Arc::clone(&destination.bot),
        })
        .collect()
}

/// The id of a room; none of a person.
pub(super) fn room_id(destination: &Destination) -> Option<Arc<str>> {
    match &destination.target {
        Target::Room(id) => Some(Arc::clone(id)),
        Target::Person(_) | Target::Webhook(_) => None,
    }
}

/// What the receiver is doing.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    now: Timestamp,
    draining: bool,
    /// Notifications that have not ended.
    waiting: usize,
    bots: Vec<Bot>,
    receivers: Vec<Load>,
    /// The oldest, of those that have not ended.
    underway: Vec<Underway>,
    /// The newest first.
    outcomes: Vec<Ended>,
    answers: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Bot {
    name: Arc<str>,
    /// Messages that wait for their turn.
    waiting: usize,
    /// Requests to Webex that are not answered yet.
    in_flight: usize,
    /// When it may send again; null while it may.
    gate_closed_until: Option<Timestamp>,
    pace_per_second: f64,
    /// What keeps it from sending, in words.
    trouble: Option<String>,
}

#[derive(Debug, Serialize)]
struct Load {
    name: Arc<str>,
    waiting: usize,
    /// How long the oldest waits already.
    oldest_ms: Option<u128>,
}

#[derive(Debug, Serialize)]
struct Underway {
    delivery: u64,
    receiver: Arc<str>,
    group: String,
    since: Timestamp,
    waited_ms: u128,
    /// Messages of it that Webex has.
    messages: usize,
}

#[derive(Debug, Serialize)]
struct Ended {
    delivery: u64,
    receiver: Arc<str>,
    group: String,
    reason: String,
    message: String,
    at: Timestamp,
    took_ms: u128,
    messages: Vec<Place>,
}

#[derive(Debug, Serialize)]
struct Told {
    receiver: Arc<str>,
    status: u16,
    reason: &'static str,
    message: String,
    at: Timestamp,
}

/// What the receiver is doing now.
pub(super) fn now(dev: &Inner) -> Standing {
    let snapshot = dev.engine.snapshot();
    let now = Timestamp::now();
    let underway = dev.book.underway();
    let loaded = dev.engine.loaded();
    let mut waiting: BTreeMap<Arc<str>, (usize, Duration)> = loaded
        .routes()
        .iter()
        .map(|receiver| (Arc::clone(&receiver.name), (0, Duration::ZERO)))
        .collect();
    for delivery in &underway {
        let (count, oldest) = waiting
            .entry(Arc::clone(&delivery.arrived.receiver))
            .or_default();
        *count += 1;
        *oldest = delivery.since.max(*oldest);
    }
    Standing {
        now,
        draining: snapshot.draining,
        waiting: snapshot.waiting,
        bots: snapshot
            .bots
            .into_iter()
            .map(|(name, state)| Bot::of(name, &state, now))
            .collect(),
        receivers: waiting
            .into_iter()
            .map(|(name, (waiting, oldest))| Load {
                name,
                waiting,
                oldest_ms: (waiting > 0).then_some(oldest.as_millis()),
            })
            .collect(),
        underway: underway
            .into_iter()
            .take(MOST_UNDERWAY)
            .map(|delivery| Underway {
                delivery: delivery.delivery.0,
                group: group_of(&delivery.arrived.body),
                receiver: delivery.arrived.receiver,
                since: delivery.arrived.at,
                waited_ms: delivery.since.as_millis(),
                messages: delivery.messages,
            })
            .collect(),
        outcomes: dev
            .book
            .outcomes()
            .into_iter()
            .map(|ended| Ended {
                delivery: ended.delivery.0,
                receiver: ended.receiver,
                group: ended.group,
                reason: ended.reason,
                message: ended.message,
                at: ended.at,
                took_ms: ended.took.as_millis(),
                messages: ended.messages,
            })
            .collect(),
        answers: dev
            .book
            .answers()
            .into_iter()
            .map(|answer| Told {
                receiver: answer.receiver,
                status: answer.status,
                reason: answer.reason,
                message: answer.message,
                at: answer.at,
            })
            .collect(),
    }
}

impl Bot {
    fn of(name: Arc<str>, state: &BotState, now: Timestamp) -> Self {
        let closed_for = SignedDuration::try_from(state.gate_closed_for).unwrap_or_default();
        let closed = !closed_for.is_zero();
        Self {
            name,
            waiting: state.waiting,
            in_flight: state.in_flight,
            gate_closed_until: closed
                .then(|| now.checked_add(closed_for).unwrap_or(Timestamp::MAX)),
            pace_per_second: state.pace,
            trouble: state.trouble.as_ref().map(ToString::to_string),
        }
    }
}

/// Where a message came from.
#[derive(Debug, Serialize)]
pub(super) struct Origin {
    /// Several, where the message is a digest or was edited.
    notifications: Vec<Notification>,
}

#[derive(Debug, Serialize)]
struct Notification {
    delivery: u64,
    receiver: Arc<str>,
    /// When it arrived.
    received: Timestamp,
    /// As Alertmanager sent it.
    body: Option<Box<RawValue>>,
}

/// What a message tells of.
pub(super) fn notifications(found: &[(DeliveryId, Arrived)]) -> Origin {
    Origin {
        notifications: found
            .iter()
            .map(|(id, arrived)| Notification {
                delivery: id.0,
                receiver: Arc::clone(&arrived.receiver),
                received: arrived.at,
                // It was parsed when it arrived.
                body: serde_json::from_slice(&arrived.body).ok(),
            })
            .collect(),
    }
}
