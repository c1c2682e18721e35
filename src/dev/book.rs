//! What the delivery engine has told: which notifications arrived, which messages became of
//! them, how they ended, and what Alertmanager was answered. The newest of each, in memory.
//!
//! What does not belong here: how it is shown (`standing`).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::delivery::{Answered, DeliveryId, Observer, Outcome};
use crate::http;
use crate::render::Renderer;
use crate::routing::Receiver;

/// Notifications that are kept: by number, and by bytes of their bodies.
const MOST_DELIVERIES: usize = 5_000;
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Messages whose notifications are known: as many as the sandbox keeps.
const MOST_MESSAGES: usize = 5_000;
/// Outcomes and answers that are shown.
const MOST_LINES: usize = 100;
/// Templates that are tried out at a time: each is used within moments.
const MOST_TRIED: usize = 8;

/// What has happened; the service's observer.
#[derive(Debug, Default)]
pub struct Book {
    pages: Mutex<Pages>,
    tried: Mutex<VecDeque<Tried>>,
}

#[derive(Debug)]
struct Tried {
    key: String,
    renderer: Arc<Renderer>,
    template: String,
}

#[derive(Debug, Default)]
struct Pages {
    deliveries: BTreeMap<DeliveryId, Entry>,
    bytes: usize,
    /// From a message to the deliveries that it tells of.
    messages: HashMap<String, Vec<DeliveryId>>,
    /// The same messages, oldest first.
    order: VecDeque<String>,
    /// Newest last.
    outcomes: VecDeque<Ended>,
    answers: VecDeque<Answer>,
}

/// A message in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    room: String,
    id: String,
}

/// What is known of a delivery. Calls come in any order: what arrived may not be known yet.
#[derive(Debug)]
struct Entry {
    arrived: Option<Arrived>,
    began: Instant,
    messages: Vec<Place>,
    end: Option<(String, String)>,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            arrived: None,
            began: Instant::now(),
            messages: Vec::new(),
            end: None,
        }
    }
}

/// A notification as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) receiver: Arc<str>,
    pub(super) at: Timestamp,
    pub(super) body: Bytes,
}

/// A delivery that is under way.
#[derive(Debug, Clone)]
pub(super) struct Underway {
    pub(super) delivery: DeliveryId,
    pub(super) arrived: Arrived,
    pub(super) since: Duration,
    pub(super) messages: usize,
}

/// A delivery that ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) delivery: DeliveryId,
    pub(super) receiver: Arc<str>,
    pub(super) group: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) at: Timestamp,
    pub(super) took: Duration,
    pub(super) messages: Vec<Place>,
}

/// What Alertmanager was told.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) receiver: Arc<str>,
    pub(super) status: u16,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) at: Timestamp,
}

impl Book {
    /// The notifications that a message tells of.
    pub(super) fn notifications(&self, message: &str) -> Vec<(DeliveryId, Arrived)> {
        let pages = self.pages();
        let known = pages.messages.get(message);
        known
            .into_iter()
            .flatten()
            .filter_map(|id| {
                let arrived = pages.deliveries.get(id)?.arrived.clone()?;
                Some((*id, arrived))
            })
            .collect()
    }

    /// The messages that became of these bodies, at most so many.
    pub(super) fn messages_of(&self, bodies: &[Bytes], most: usize) -> Vec<Place> {
        let bodies: std::collections::HashSet<&Bytes> = bodies.iter().collect();
        let pages = self.pages();
        let mut found = Vec::new();
        for entry in pages.deliveries.values().rev() {
            let is_one = entry
                .arrived
                .as_ref()
                .is_some_and(|arrived| bodies.contains(&arrived.body));
            if !is_one {
                continue;
            }
            for message in &entry.messages {
                if found.len() < most && !found.contains(message) {
                    found.push(message.clone());
                }
            }
        }
        found
    }

    /// What has not ended, the oldest first.
    pub(super) fn underway(&self) -> Vec<Underway> {
        let pages = self.pages();
        pages
            .deliveries
            .iter()
            .filter(|(_, entry)| entry.end.is_none())
            .filter_map(|(id, entry)| {
                Some(Underway {
                    delivery: *id,
                    arrived: entry.arrived.clone()?,
                    since: entry.began.elapsed(),
                    messages: entry.messages.len(),
                })
            })
            .collect()
    }

    /// How deliveries ended, the newest first.
    pub(super) fn outcomes(&self) -> Vec<Ended> {
        self.pages().outcomes.iter().rev().cloned().collect()
    }

    /// What Alertmanager was told, the newest first.
    pub(super) fn answers(&self) -> Vec<Answer> {
        self.pages().answers.iter().rev().cloned().collect()
    }

    /// Keeps templates for requests that name them by the key that is returned.
    pub(super) fn try_out(&self, renderer: Renderer, template: String) -> String {
        let key = uuid::Uuid::new_v4().to_string();
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        tried.push_back(Tried {
            key: key.clone(),
            renderer: Arc::new(renderer),
            template,
        });
        while tried.len() > MOST_TRIED {
            tried.pop_front();
        }
        key
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Forgets the oldest. What has ended goes first; what is under way is bounded by the
    /// engine.
    fn forget(&mut self) {
        while self.deliveries.len() > MOST_DELIVERIES || self.bytes > MOST_BYTES {
            let ended = self
                .deliveries
                .iter()
                .find(|(_, entry)| entry.end.is_some());
            let oldest = ended.or_else(|| self.deliveries.iter().next());
            let Some((id, _)) = oldest.map(|(id, entry)| (*id, entry)) else {
                return;
            };
            let forgotten = self.deliveries.remove(&id);
            let arrived = forgotten.and_then(|entry| entry.arrived);
            self.bytes -= arrived.map_or(0, |arrived| arrived.body.len());
        }
        while self.order.len() > MOST_MESSAGES {
            if let Some(oldest) = self.order.pop_front() {
                self.messages.remove(&oldest);
            }
        }
    }

    /// Notes how a delivery ended, once both that and what arrived are known.
    fn note_end(&mut self, id: DeliveryId) {
        let Some(entry) = self.deliveries.get(&id) else {
            return;
        };
        let (Some(arrived), Some((reason, message))) = (&entry.arrived, &entry.end) else {
            return;
        };
        let ended = Ended {
            delivery: id,
            receiver: Arc::clone(&arrived.receiver),
            group: group_of(&arrived.body),
            reason: reason.clone(),
            message: message.clone(),
            at: Timestamp::now(),
            took: entry.began.elapsed(),
            messages: entry.messages.clone(),
        };
        push(&mut self.outcomes, ended);
    }

    fn end(&mut self, id: DeliveryId, reason: &str, message: String) {
        let entry = self.deliveries.entry(id).or_default();
        if entry.end.is_none() {
            entry.end = Some((reason.to_owned(), message));
            self.note_end(id);
        }
    }
}

impl Observer for Book {
    fn received(&self, receiver: &Arc<str>, delivery: Option<DeliveryId>, body: &[u8]) {
        let Some(id) = delivery else {
            return;
        };
        let mut pages = self.pages();
        let entry = pages.deliveries.entry(id).or_default();
        if entry.arrived.is_some() {
            return;
        }
        entry.arrived = Some(Arrived {
            receiver: Arc::clone(receiver),
            at: Timestamp::now(),
            body: Bytes::copy_from_slice(body),
        });
        pages.bytes += body.len();
        pages.note_end(id);
        pages.forget();
    }

    fn posted(&self, deliveries: &[DeliveryId], room: &str, message: &str) {
        let mut pages = self.pages();
        for id in deliveries {
            let entry = pages.deliveries.entry(*id).or_default();
            if !entry.messages.iter().any(|known| known.id == message) {
                entry.messages.push(Place {
                    room: room.to_owned(),
                    id: message.to_owned(),
                });
            }
        }
        let known = pages.messages.entry(message.to_owned()).or_default();
        let is_new = known.is_empty();
        for id in deliveries {
            if !known.contains(id) {
                known.push(*id);
            }
        }
        if is_new {
            pages.order.push_back(message.to_owned());
        }
        pages.forget();
    }

    fn superseded(&self, older: DeliveryId, newer: DeliveryId) {
        let message = format!("replaced by delivery {}, a newer one of its group", newer.0);
        self.pages().end(older, "superseded", message);
    }

    fn ended(&self, delivery: DeliveryId, outcome: &Outcome) {
        let (reason, message) = http::judged(outcome.clone());
        self.pages().end(delivery, reason.as_str(), message);
    }

    fn answered(&self, receiver: &Arc<str>, answer: &Answered<'_>) {
        let answer = Answer {
            receiver: Arc::clone(receiver),
            status: answer.status,
            reason: answer.reason,
            message: answer.message.to_owned(),
            at: Timestamp::now(),
        };
        push(&mut self.pages().answers, answer);
    }

    fn stand_in(&self, receiver: &Arc<Receiver>, key: &str) -> Option<Arc<Receiver>> {
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = tried.iter().find(|tried| tried.key == key)?;
        Some(Arc::new(Receiver {
            template: tried.template.clone(),
            tried: Some(Arc::clone(&tried.renderer)),
            ..Receiver::clone(receiver)
        }))
    }
}

/// Adds a line and drops the oldest.
fn push<T>(lines: &mut VecDeque<T>, line: T) {
    lines.push_back(line);
    while lines.len() > MOST_LINES {
        lines.pop_front();
    }
}

/// The labels that make the group, for people.
pub(super) fn group_of(body: &[u8]) -> String {
    const MOST_CHARS: usize = 200;
    let Ok(notification) = crate::alertmanager::Notification::parse(body) else {
        return String::new();
    };
    let labels: Vec<String> = notification
        .group_labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let text = if labels.is_empty() {
        notification.group_key.into_owned()
    } else {
        labels.join(", ")
    };
    text.chars().take(MOST_CHARS).collect()
}

#[cfg(test)]
mod tests;
