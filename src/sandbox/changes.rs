//! What has changed since when: the stream of `GET /control/v1/events`.
//!
//! Nothing is queued for a listener. An event is made when it can be sent, from what has
//! changed since the one before, so a slow reader costs no memory and a burst is one event.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};

use super::state::State;
use super::{Error, Sandbox};

/// How many may listen at once.
pub(super) const MOST_LISTENERS: usize = 64;

/// The least time between two events of a listener: about 20 a second.
const COALESCE: Duration = Duration::from_millis(50);

/// A comment this often keeps proxies from closing the stream, and finds listeners that left.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// More rooms than this in one event are told as "any of them".
const MOST_ROOMS_TOLD: usize = 100;

/// What can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Subject {
    /// Messages were posted, edited or deleted.
    Messages,
    /// Rooms came or went, or who is in them changed.
    Rooms,
    /// Bots, their tokens' validity or quotas.
    Bots,
    /// Faults were set, met, cleared, or ended.
    Faults,
    /// What is contested about Webex.
    Behaviour,
    /// Incoming webhooks.
    Webhooks,
}

const SUBJECTS: [Subject; 6] = [
    Subject::Messages,
    Subject::Rooms,
    Subject::Bots,
    Subject::Faults,
    Subject::Behaviour,
    Subject::Webhooks,
];

/// At which revision each subject changed last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LastChanges([u64; SUBJECTS.len()]);

impl LastChanges {
    pub(super) fn note(&mut self, subject: Subject, revision: u64) {
        self.0[subject as usize] = revision;
    }

    pub(super) fn note_all(&mut self, revision: u64) {
        self.0.fill(revision);
    }

    fn since(&self, revision: u64) -> Vec<Subject> {
        let changed = |subject: &Subject| self.0[*subject as usize] > revision;
        SUBJECTS.into_iter().filter(changed).collect()
    }
}

/// The data of an event.
#[derive(Debug, Serialize)]
struct Change {
    revision: u64,
    changed: Vec<Subject>,
    /// Ids of the rooms that changed or whose messages did; `null` stands for any of them.
    rooms: Option<Vec<String>>,
}

impl Change {
    fn since(state: &State, revision: Option<u64>) -> Self {
        let known = revision.unwrap_or(0);
        let changed: Vec<_> = state
            .rooms
            .values()
            .filter(|room| room.revision > known)
            .map(|room| &room.id)
            .take(MOST_ROOMS_TOLD + 1)
            .collect();
        let is_short = revision.is_some() && changed.len() <= MOST_ROOMS_TOLD;
        Self {
            revision: state.revision,
            changed: revision.map_or(SUBJECTS.to_vec(), |known| state.changes.since(known)),
            rooms: is_short.then(|| changed.into_iter().cloned().collect()),
        }
    }
}

/// One listener's stream.
pub(super) struct Events {
    sandbox: Sandbox,
    revisions: watch::Receiver<u64>,
    /// What the listener knows; nothing of it at first.
    known: Option<u64>,
    is_greeted: bool,
    not_before: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Events {
    /// A listener that knows all up to the event with the id `last_event`, if that was one of
    /// this sandbox: one that was started again counts anew.
    pub(super) fn new(sandbox: &Sandbox, last_event: Option<&str>) -> Result<Self, Error> {
        let permit = std::sync::Arc::clone(&sandbox.inner.listeners)
            .try_acquire_owned()
            .map_err(|_| Error::TooManyListeners)?;
        let known = last_event
            .and_then(|id| id.split_once('-'))
            .filter(|(start, _)| *start == sandbox.inner.start)
            .and_then(|(_, revision)| revision.parse().ok());
        Ok(Self {
            sandbox: sandbox.clone(),
            revisions: sandbox.revisions(),
            known,
            is_greeted: false,
            not_before: Instant::now(),
            _permit: permit,
        })
    }

    /// The next lines to send.
    pub(super) async fn next(&mut self) -> Bytes {
        if self.is_greeted {
            let heartbeat = Instant::now() + HEARTBEAT;
            loop {
                let revision = *self.revisions.borrow_and_update();
                if self.known != Some(revision) {
                    break;
                }
                // A fault that ends with its time changes nothing until somebody looks.
                let expiry = self.sandbox.next_expiry();
                tokio::select! {
                    _ = self.revisions.changed() => {}
                    () = sleep_until(heartbeat) => return Bytes::from_static(b": still here\n\n"),
                    () = sleep_until(expiry.unwrap_or(heartbeat)) => self.sandbox.expire(),
                }
            }
        }
        self.is_greeted = true;
        sleep_until(self.not_before).await;
        self.not_before = Instant::now() + COALESCE;
        let known = self.known;
        let change = self.sandbox.read(|state| Change::since(state, known));
        self.known = Some(change.revision);
        let data = serde_json::to_string(&change).unwrap_or_default();
        let start = &self.sandbox.inner.start;
        let id = format!("{start}-{}", change.revision);
        // `retry`: how many milliseconds a browser waits before it connects again.
        format!("event: change\nid: {id}\nretry: 1000\ndata: {data}\n\n").into()
    }
}
