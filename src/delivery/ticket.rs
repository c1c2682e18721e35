//! One delivery, and what a caller holds while it is under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::Engine;
use super::content::{Content, GroupId};
use super::observer::DeliveryId;
use super::outcome::{Outcome, Refusal, Trouble};
use crate::alertmanager::{Compact, Notification};
use crate::render::{Entry, Message, Rendered};
use crate::routing::Receiver;
use crate::telemetry::Trace;

/// So much of a group's key is kept for the log, in characters.
const LONGEST_KEY: usize = 200;

/// What is to be told.
pub(super) enum What {
    /// These messages, whatever the room knows.
    Messages(Rendered),
    /// What the room does not know: rendered when its turn comes, for each room by itself.
    Conversation(Compact),
}

/// The work of getting all of a notification's messages accepted: rendered or compact, so
/// that nothing of its body is held.
pub(super) struct Delivery {
    pub(super) id: DeliveryId,
    pub(super) receiver: Arc<Receiver>,
    /// Names the group and all its destinations.
    pub(super) group: GroupId,
    /// Names the group alone: its order within a room is kept, also where it goes to other
    /// rooms at other times.
    pub(super) order: GroupId,
    pub(super) content: Content,
    /// Empty where it belongs to conversations.
    pub(super) messages: Vec<Message>,
    /// The notification itself, where it belongs to conversations.
    pub(super) kept: Option<Compact>,
    /// Whether the messages are plainer than the receiver's template would have them.
    pub(super) plainer: bool,
    /// What stands for it where many go out together.
    pub(super) entry: Entry,
    /// The group's key, as Alertmanager's own log has it, cut to 200 characters.
    pub(super) group_key: Box<str>,
    /// When Alertmanager sent it: the state that it tells is of then.
    pub(super) as_of: jiff::Timestamp,
    pub(super) began: Instant,
    /// Log lines of the delivery carry the id of the request that began it.
    pub(super) span: tracing::Span,
    /// What is done for it is a part of this.
    pub(super) trace: Trace,
    outcome: watch::Sender<Option<Outcome>>,
    progress: Mutex<Progress>,
    told: AtomicBool,
}

struct Progress {
    last_asked: Instant,
    /// When it began, or what it took the place of.
    since: Instant,
    /// Destinations that are neither done nor refused.
    open: usize,
    accepted: usize,
    /// Requests that are on their way.
    in_flight: usize,
    refused: Vec<Refusal>,
    trouble: Option<Trouble>,
    /// Older notifications of the group that this one stands for.
    covered: Vec<Arc<Delivery>>,
    ended: bool,
}

impl Delivery {
    pub(super) fn new(
        receiver: Arc<Receiver>,
        (group, order, content): (GroupId, GroupId, Content),
        what: What,
        entry: Entry,
        notification: &Notification<'_>,
    ) -> Self {
        let open = receiver.destinations.len();
        let (messages, plainer, kept) = match what {
            What::Messages(rendered) => (rendered.messages, rendered.fallback.is_some(), None),
            What::Conversation(kept) => (Vec::new(), false, Some(kept)),
        };
        let now = Instant::now();
        Self {
            id: DeliveryId::next(),
            receiver,
            group,
            order,
            content,
            plainer,
            messages,
            kept,
            entry,
            group_key: shortened(&notification.group_key).into(),
            as_of: jiff::Timestamp::now(),
            began: now,
            span: tracing::Span::current(),
            trace: Trace::current(),
            outcome: watch::Sender::new(None),
            progress: Mutex::new(Progress {
                last_asked: now,
                since: now,
                open,
                accepted: 0,
                in_flight: 0,
                refused: Vec::new(),
                trouble: None,
                covered: Vec::new(),
                ended: false,
            }),
            told: AtomicBool::new(false),
        }
    }

    /// What it holds in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let texts: usize = self.messages.iter().map(Message::bytes).sum();
        let kept = self.kept.as_ref().map_or(0, Compact::bytes);
        texts + kept + self.group_key.len() + size_of::<Self>()
    }

    /// Somebody wants it, so it is not given up yet.
    pub(super) fn asked(&self) {
        self.progress().last_asked = Instant::now();
    }

    /// Since when it waits, or what it took the place of.
    pub(super) fn since(&self) -> Instant {
        self.progress().since
    }

    /// It waits for longer than it is there.
    pub(super) fn waits_since(&self, since: Instant) {
        self.progress().since = since;
    }

    /// How long nobody has asked for it.
    pub(super) fn unasked_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.progress().last_asked)
    }

    /// Notes what keeps it from being finished.
    pub(super) fn troubled(&self, trouble: Trouble) {
        self.progress().trouble = Some(trouble);
    }

    /// What keeps it from being finished, where that is known.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.progress().trouble.clone()
    }

    /// Whether a room has a part of it.
    pub(super) fn has_accepted(&self) -> bool {
        self.progress().accepted > 0
    }

    /// Whether a room has a part of it or is about to.
    pub(super) fn has_begun(&self) -> bool {
        let progress = self.progress();
        progress.accepted > 0 || progress.in_flight > 0
    }

    /// A request with it leaves.
    pub(super) fn departs(&self) {
        self.progress().in_flight += 1;
    }

    /// A request with it is back.
    pub(super) fn returns(&self) {
        let mut progress = self.progress();
        progress.in_flight = progress.in_flight.saturating_sub(1);
    }

    /// The rooms that refused it so far.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        self.progress().refused.clone()
    }

    /// A message of it was accepted.
    pub(super) fn accepted(&self) {
        self.progress().accepted += 1;
    }

    /// A destination is through. Returns the outcome if it was the last one.
    pub(super) fn destination_done(&self, refusal: Option<Refusal>) -> Option<Outcome> {
        let mut progress = self.progress();
        progress.refused.extend(refusal);
        progress.open = progress.open.saturating_sub(1);
        if progress.open > 0 || progress.ended {
            return None;
        }
        progress.ended = true;
        let (messages, refused) = (progress.accepted, progress.refused.clone());
        Some(if refused.is_empty() {
            Outcome::Delivered { messages }
        } else if refused.len() == self.receiver.destinations.len() {
            Outcome::Refused(refused)
        } else {
            Outcome::Partial { messages, refused }
        })
    }

    /// It ends here and now, for all its destinations. False if it had ended before.
    pub(super) fn end_early(&self) -> bool {
        let mut progress = self.progress();
        !std::mem::replace(&mut progress.ended, true)
    }

    /// Stands for an older notification of the group from now on, and for all that the
    /// older one stood for. Who waits for them waits for this one.
    pub(super) fn cover(&self, older: Arc<Self>) {
        let before = {
            let mut progress = older.progress();
            progress.ended = true;
            std::mem::take(&mut progress.covered)
        };
        let mut progress = self.progress();
        progress.covered.extend(before);
        progress.covered.push(older);
    }

    /// Says how it ended to all who wait.
    pub(super) fn tell(&self, outcome: &Outcome) {
        let covered = std::mem::take(&mut self.progress().covered);
        for older in covered {
            older.outcome.send_replace(Some(outcome.clone()));
        }
        self.outcome.send_replace(Some(outcome.clone()));
    }

    /// Whether somebody was told how it ended.
    pub(super) fn is_told(&self) -> bool {
        self.told.load(Ordering::Acquire)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first characters of a group's key.
fn shortened(key: &str) -> &str {
    // There are at least as many bytes as characters.
    if key.len() <= LONGEST_KEY {
        return key;
    }
    let end = key.char_indices().nth(LONGEST_KEY);
    end.map_or(key, |(end, _)| &key[..end])
}

/// A caller's claim to be told what becomes of its notification. Dropping it cancels
/// nothing.
pub struct Ticket(pub(super) Claim);

pub(super) enum Claim {
    /// It is known already.
    Known(Outcome),
    /// It was accepted a moment ago.
    Repeat { of: jiff::Timestamp, group: GroupId },
    /// It is under way.
    Underway {
        delivery: Arc<Delivery>,
        engine: Arc<Engine>,
    },
}

impl Ticket {
    /// The delivery that it waits for; none where the outcome was known at once.
    #[must_use]
    pub fn delivery(&self) -> Option<DeliveryId> {
        match &self.0 {
            Claim::Known(_) | Claim::Repeat { .. } => None,
            Claim::Underway { delivery, .. } => Some(delivery.id),
        }
    }

    /// Its group and destinations, where something of it may be remembered.
    pub(super) fn group(&self) -> Option<GroupId> {
        match &self.0 {
            Claim::Known(_) => None,
            Claim::Repeat { group, .. } => Some(*group),
            Claim::Underway { delivery, .. } => Some(delivery.group),
        }
    }

    /// Waits until the notification is delivered or refused, but not longer than
    /// `delivery.answer_within`.
    pub async fn outcome(self) -> Outcome {
        match self.0 {
            Claim::Known(outcome) => outcome,
            Claim::Repeat { of, .. } => Outcome::Repeat { of },
            Claim::Underway { delivery, engine } => {
                let mut outcome = delivery.outcome.subscribe();
                let finished = timeout(
                    engine.loaded().settings.answer_within,
                    outcome.wait_for(Option::is_some),
                )
                .await;
                match finished {
                    Ok(Ok(known)) => {
                        delivery.told.store(true, Ordering::Release);
                        engine.memory().told(&delivery);
                        known.clone().unwrap_or(Outcome::Broken)
                    }
                    // The sender lives in `delivery`, which we hold.
                    Ok(Err(_)) => Outcome::Broken,
                    Err(_) => {
                        let known = engine.trouble(&delivery.receiver);
                        let trouble = known.or_else(|| delivery.trouble());
                        Outcome::Unfinished(trouble.unwrap_or(Trouble::Waiting))
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_key_the_first_characters_are_kept() {
        assert_eq!(shortened("{}:{a=\"b\"}"), "{}:{a=\"b\"}");
        assert_eq!(shortened(&"ü".repeat(LONGEST_KEY)), "ü".repeat(LONGEST_KEY));
        let long = "ü".repeat(LONGEST_KEY + 1);
        assert_eq!(shortened(&long), "ü".repeat(LONGEST_KEY));
    }
}
