//! What tests turn and look at: the functions of a [`Sandbox`] beside the Webex API.
//!
//! The control API (`control/`) calls the same functions, so whatever a test in Rust can do,
//! a test in any language can.

mod bots;
mod rooms;

use tokio::sync::watch;
use tokio::time::Instant;

use super::behaviour::Behaviour;
use super::changes::Subject;
use super::faults::{Fault, StandingFault};
use super::history::Version;
use super::model::{Message, RequestRecord};
use super::{Error, Sandbox, lock};
pub(super) use bots::{check_bot_name, check_name, check_new_bot, is_bot_name, is_token};
pub(super) use rooms::room_id;

impl Sandbox {
    /// The messages of a room, oldest first; none where there is no such room.
    #[must_use]
    pub fn messages(&self, room_id: &str) -> Vec<Message> {
        let messages: Vec<_> = self.read(|state| state.messages(room_id).cloned().collect());
        messages
            .iter()
            .map(|message| Message::clone(message))
            .collect()
    }

    /// Every state of a message that is kept, the oldest first and the present one last, with
    /// the requests that made it so.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownMessage`].
    pub fn versions(&self, id: &str) -> Result<Vec<Version>, Error> {
        let versions = self.read(|state| state.versions(id));
        versions.ok_or_else(|| Error::UnknownMessage(id.to_owned()))
    }

    /// The newest 5,000 requests to the Webex API, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.inner.requests).list()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        lock(&self.inner.requests).clear();
    }

    /// A number that rises with each change of bots, rooms, messages and faults. Waiting for it to
    /// change is how a test awaits a message without sleeping.
    #[must_use]
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.inner.revision.subscribe()
    }

    /// Waits until a message of this room satisfies `wanted`. Bound it by a timeout.
    pub async fn message_where(
        &self,
        room_id: &str,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> Message {
        let mut revisions = self.revisions();
        loop {
            revisions.mark_unchanged();
            if let Some(found) = self.messages(room_id).into_iter().find(&mut wanted) {
                return found;
            }
            // The sender lives in `self`, so this cannot fail while we are here.
            if revisions.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    // Faults and behaviour.

    /// Sets a fault, beside those that stand; its number, to clear it by.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] where a value is out of range.
    pub fn set_fault(&self, fault: Fault) -> Result<u64, Error> {
        let id = lock(&self.inner.faults).set(fault, Instant::now())?;
        self.touch();
        Ok(id)
    }

    /// The faults that stand, in the order in which they were set.
    #[must_use]
    pub fn faults(&self) -> Vec<StandingFault> {
        lock(&self.inner.faults).list(Instant::now())
    }

    /// Clears one fault.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownFault`] where it does not stand, maybe because it has ended.
    pub fn clear_fault(&self, id: u64) -> Result<(), Error> {
        let is_cleared = lock(&self.inner.faults).clear(id);
        self.touch();
        is_cleared.then_some(()).ok_or(Error::UnknownFault(id))
    }

    /// Clears all faults. Requests that hang already hang on.
    pub fn clear_faults(&self) {
        lock(&self.inner.faults).clear_all();
        self.touch();
    }

    /// Faults are shown on the page, so setting one is a change.
    pub(super) fn touch(&self) {
        self.change(|state| state.changed(Subject::Faults));
    }

    /// When the next fault ends with its time.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        lock(&self.inner.faults).next_expiry()
    }

    /// Lets go of what has ended with its time, and says so.
    pub(super) fn expire(&self) {
        if lock(&self.inner.faults).expire(Instant::now()) {
            self.touch();
        }
    }

    /// How the sandbox behaves where Webex' behaviour is contested.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        self.read(|state| state.behaviour)
    }

    /// Sets how the sandbox behaves where Webex' behaviour is contested.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.change(|state| {
            state.behaviour = behaviour;
            state.changed(Subject::Behaviour);
        });
    }

    /// Deletes a message, whoever wrote it, as a moderator may.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownMessage`].
    pub fn delete_message(&self, id: &str) -> Result<(), Error> {
        let is_deleted = self.change(|state| state.delete(id));
        is_deleted
            .then_some(())
            .ok_or_else(|| Error::UnknownMessage(id.to_owned()))
    }

    /// Deletes the messages of a room, named by id or title, or of all rooms; how many.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownRoom`].
    pub fn clear_messages(&self, room: Option<&str>) -> Result<usize, Error> {
        self.change(|state| {
            let id = room.map(|room| room_id(state, room)).transpose()?;
            Ok(state.clear_messages(id.as_deref()))
        })
    }

    /// Back to how it began: setup, no messages, no faults, no requests.
    pub fn reset(&self) {
        self.clear_faults();
        self.change(|state| state.reset(&self.inner.setup));
        self.clear_requests();
    }
}

/// There is no room for more.
pub(super) fn full(what: &'static str, most: usize) -> Error {
    Error::Invalid {
        what,
        why: format!("there are {most} already; remove some"),
    }
}
