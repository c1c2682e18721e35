//! What is remembered of each receiver, for whoever asks why its room stays silent: small
//! things only, and no text of messages.
//!
//! What does not belong here: how it is shown (`http::status`).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::Engine;
use super::observer::Answered;
use super::outcome::{Outcome, Refusal};
use super::ticket::Delivery;

/// What became of a receiver's notifications since the process runs.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The newest event of a notification; none where every request was refused.
    pub last: Option<Arc<Last>>,
    /// When that was.
    pub at: Timestamp,
    /// When the first event of the present run was: of good ones, or of bad ones.
    pub since: Timestamp,
    /// When Webex last had a notification.
    pub last_success: Option<Timestamp>,
    /// Notifications that Webex has; one that goes through two bots counts twice.
    pub delivered: u64,
    /// Notifications that Webex will not have, unless they are sent again.
    pub failed: u64,
    /// Messages that Webex has.
    pub messages: u64,
    /// Requests that did not become a notification.
    pub refused_requests: u64,
    /// The newest of them.
    pub refused: Option<Arc<RefusedRequest>>,
}

/// The newest that happened to a notification.
#[derive(Debug)]
pub enum Last {
    /// It ended.
    Ended(Outcome),
    /// Alertmanager was told this.
    Answered(Told),
}

/// What Alertmanager was told.
#[derive(Debug)]
pub struct Told {
    /// HTTP status.
    pub status: u16,
    /// One of the closed set of reasons.
    pub reason: &'static str,
    /// In words, with the remedy.
    pub message: String,
}

/// A request that did not become a notification.
#[derive(Debug)]
pub struct RefusedRequest {
    /// What it was told.
    pub told: Told,
    /// When.
    pub at: Timestamp,
    /// When the first was since a notification came.
    pub since: Timestamp,
}

/// A room that refuses a receiver.
#[derive(Debug, Clone)]
pub struct DeadRoom {
    /// Why, in Webex's words and with the remedy.
    pub refusal: Refusal,
    /// Since when.
    pub since: Timestamp,
}

impl Last {
    /// Whether all is well: Webex has it, or nothing was to be posted.
    #[must_use]
    pub fn is_good(&self) -> bool {
        match self {
            Self::Ended(outcome) => {
                outcome.is_success() && !matches!(outcome, Outcome::Partial { .. })
            }
            Self::Answered(told) => told.is_good(),
        }
    }
}

impl Told {
    fn is_good(&self) -> bool {
        (200..300).contains(&self.status) && self.reason != "partial"
    }
}

impl Standing {
    fn new(now: Timestamp) -> Self {
        Self {
            last: None,
            at: now,
            since: now,
            last_success: None,
            delivered: 0,
            failed: 0,
            messages: 0,
            refused_requests: 0,
            refused: None,
        }
    }

    /// The refused request that tells more than the notifications do: none came since.
    #[must_use]
    pub fn refused_last(&self) -> Option<&RefusedRequest> {
        let refused = self.refused.as_deref()?;
        (self.last.is_none() || refused.at > self.at).then_some(refused)
    }

    fn happened(&mut self, last: Last, now: Timestamp) {
        let before = self.last.as_ref().map(|last| last.is_good());
        if before != Some(last.is_good()) {
            self.since = now;
        }
        self.at = now;
        self.last = Some(Arc::new(last));
    }

    fn ended(&mut self, outcome: &Outcome, now: Timestamp) {
        match outcome {
            Outcome::Delivered { messages } | Outcome::Partial { messages, .. } => {
                self.delivered += 1;
                self.messages += u64::try_from(*messages).unwrap_or(u64::MAX);
                self.last_success = Some(now);
            }
            Outcome::Refused(_) | Outcome::GivenUp | Outcome::Broken => self.failed += 1,
            _ => {}
        }
        self.happened(Last::Ended(outcome.clone()), now);
    }

    fn answered(&mut self, told: Told, is_rejection: bool, now: Timestamp) {
        if is_rejection {
            let since = self.refused_last().map_or(now, |refused| refused.since);
            self.refused_requests += 1;
            self.refused = Some(Arc::new(RefusedRequest {
                told,
                at: now,
                since,
            }));
        } else {
            self.happened(Last::Answered(told), now);
        }
    }
}

impl Engine {
    /// Remembers what Alertmanager was told. `is_rejection` says that the request did not
    /// become a notification.
    pub fn note_answer(&self, receiver: &Arc<str>, answer: &Answered<'_>, is_rejection: bool) {
        // A repeat says nothing new, and whoever asks while the process ends is told by the
        // next one.
        if matches!(answer.reason, "duplicate" | "draining") {
            return;
        }
        let told = Told {
            status: answer.status,
            reason: answer.reason,
            message: answer.message.to_owned(),
        };
        self.note(receiver, |standing, now| {
            standing.answered(told, is_rejection, now);
        });
    }

    /// Remembers how a delivery ended.
    pub(super) fn note_last(&self, delivery: &Delivery, outcome: &Outcome) {
        if !matches!(outcome, Outcome::Draining) {
            self.note(&delivery.receiver.name, |standing, now| {
                standing.ended(outcome, now);
            });
        }
    }

    fn note(&self, receiver: &Arc<str>, note: impl FnOnce(&mut Standing, Timestamp)) {
        let now = Timestamp::now();
        let mut standings = self
            .standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let standing = standings
            .entry(Arc::clone(receiver))
            .or_insert_with(|| Standing::new(now));
        note(standing, now);
    }

    /// Forgets a receiver that is no longer configured.
    pub(super) fn forget_standing(&self, receiver: &Arc<str>) {
        let mut standings = self
            .standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        standings.remove(receiver);
        drop(standings);
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        refusing.retain(|(whose, _), _| whose != receiver);
    }

    /// What is remembered of each receiver that somebody asked for, by name.
    #[must_use]
    pub fn standings(&self) -> HashMap<Arc<str>, Standing> {
        let standings = self
            .standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        standings.clone()
    }

    /// When the oldest notification came that has not ended, by the name of its receiver.
    #[must_use]
    pub fn oldest_waiting(&self) -> HashMap<Arc<str>, Timestamp> {
        let (now, clock) = (Instant::now(), Timestamp::now());
        let then = |since| {
            let waited = now.saturating_duration_since(since);
            let waited = SignedDuration::try_from(waited).unwrap_or(SignedDuration::ZERO);
            clock.checked_sub(waited).unwrap_or(clock)
        };
        let oldest = self.waits.oldest().into_iter();
        oldest
            .map(|(receiver, since)| (receiver, then(since)))
            .collect()
    }

    /// The rooms that refuse, by the name of the receiver that they refuse.
    #[must_use]
    pub fn dead_rooms(&self) -> HashMap<Arc<str>, Vec<DeadRoom>> {
        let refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rooms: HashMap<Arc<str>, Vec<DeadRoom>> = HashMap::new();
        for ((receiver, _), room) in refusing.iter() {
            let of_receiver = rooms.entry(Arc::clone(receiver)).or_default();
            of_receiver.push(room.clone());
        }
        for rooms in rooms.values_mut() {
            rooms.sort_by(|one, other| one.refusal.room.cmp(&other.refusal.room));
        }
        rooms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn told(status: u16, reason: &'static str) -> Told {
        Told {
            status,
            reason,
            message: String::new(),
        }
    }

    #[test]
    fn a_run_begins_when_good_turns_to_bad_and_back() {
        let mut standing = Standing::new(at(0));
        let good = Outcome::Delivered { messages: 2 };
        for (second, since) in [(1, 1), (2, 1)] {
            standing.ended(&good, at(second));
            assert_eq!(standing.since, at(since));
        }
        standing.answered(told(503, "webex_unavailable"), false, at(3));
        standing.ended(&Outcome::GivenUp, at(4));
        assert_eq!((standing.since, standing.at), (at(3), at(4)));
        standing.answered(told(200, "partial"), false, at(5));
        assert_eq!(standing.since, at(3), "what some rooms lack is not good");
        standing.ended(&good, at(6));
        assert_eq!(standing.since, at(6));
        let counts = (standing.delivered, standing.failed, standing.messages);
        assert_eq!(counts, (3, 1, 6));
        assert_eq!(standing.last_success, Some(at(6)));
    }

    #[test]
    fn a_refused_request_tells_more_only_until_a_notification_comes() {
        let mut standing = Standing::new(at(0));
        standing.answered(told(401, "unauthorized"), true, at(1));
        standing.answered(told(401, "unauthorized"), true, at(2));
        let refused = standing.refused_last().unwrap();
        assert_eq!((refused.since, refused.at), (at(1), at(2)));
        standing.ended(&Outcome::Delivered { messages: 1 }, at(3));
        assert!(standing.refused_last().is_none());
        standing.answered(told(400, "bad_payload"), true, at(4));
        let refused = standing.refused_last().unwrap();
        assert_eq!((refused.since, refused.told.reason), (at(4), "bad_payload"));
        assert_eq!(standing.refused_requests, 3);
    }
}
