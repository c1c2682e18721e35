//! Messages: posted, edited, deleted, and the oldest let go.

use std::sync::Arc;

use super::super::changes::Subject;
use super::super::history::{Exchange, Version};
use super::super::ids::{self, Kind};
use super::super::model::Message;
use super::{State, now};

/// How many of the newest messages are kept.
pub(in super::super) const MOST_MESSAGES: usize = 5_000;

/// How much the messages may hold, in bytes: cards may be large where a knob says so.
const MOST_MESSAGE_BYTES: usize = 128 * 1024 * 1024;

impl State {
    pub(in super::super) fn message(&self, id: &str) -> Option<&Arc<Message>> {
        self.messages.get(self.numbers.get(id)?)
    }

    /// Of all rooms, oldest first.
    pub(in super::super) fn all_messages(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.messages.values()
    }

    /// The number of the next message.
    pub(in super::super) fn next_number(&self) -> u64 {
        self.last_number + 1
    }

    /// Of a room, oldest first.
    pub(in super::super) fn messages(
        &self,
        room_id: &str,
    ) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.messages
            .values()
            .filter(move |message| message.room_id == room_id)
    }

    /// Stores a new message, and lets go of the oldest where there are too many. Sets what only
    /// the state knows: id, number, revision, times.
    pub(in super::super) fn post(&mut self, mut message: Message) -> Arc<Message> {
        self.last_number += 1;
        self.changed(Subject::Messages);
        message.number = self.last_number;
        message.revision = self.revision;
        message.created = now();
        let uuid = ids::stable_uuid(&[
            b"message",
            &self.seed.to_le_bytes(),
            &message.number.to_le_bytes(),
        ]);
        message.id = ids::encode(&self.cluster, Kind::Message, uuid);
        if let Some(room) = self.rooms.get_mut(&message.room_id) {
            room.messages += 1;
            room.posted += 1;
            room.last_activity = message.created;
            room.revision = self.revision;
        }
        let message = Arc::new(message);
        self.numbers.insert(message.id.clone(), message.number);
        self.message_bytes += message.weight();
        self.messages.insert(message.number, Arc::clone(&message));
        while (self.messages.len() > MOST_MESSAGES || self.message_bytes > MOST_MESSAGE_BYTES)
            && let Some((_, oldest)) = self.messages.pop_first()
        {
            self.forget(&oldest);
        }
        message
    }

    /// Replaces a message by its edited self; nothing where it is gone.
    pub(in super::super) fn edit(&mut self, mut message: Message) -> Option<Arc<Message>> {
        if !self.messages.contains_key(&message.number) {
            return None;
        }
        message.revision = self.changed(Subject::Messages);
        message.updated = Some(now());
        let message = Arc::new(message);
        self.message_bytes += message.weight();
        let old = self.messages.insert(message.number, Arc::clone(&message));
        if let Some(old) = old {
            self.message_bytes -= old.weight();
            self.histories.keep(old);
        }
        if let Some(room) = self.rooms.get_mut(&message.room_id) {
            room.revision = self.revision;
        }
        Some(message)
    }

    pub(in super::super) fn delete(&mut self, id: &str) -> bool {
        let message = self
            .numbers
            .get(id)
            .and_then(|number| self.messages.remove(number));
        let Some(message) = message else { return false };
        self.changed(Subject::Messages);
        self.forget(&message);
        true
    }

    /// Deletes the messages of a room, or all; how many there were.
    pub(in super::super) fn clear_messages(&mut self, room_id: Option<&str>) -> usize {
        let ids: Vec<String> = self
            .messages
            .values()
            .filter(|message| room_id.is_none_or(|id| message.room_id == id))
            .map(|message| message.id.clone())
            .collect();
        for id in &ids {
            self.delete(id);
        }
        ids.len()
    }

    /// Keeps the request that made a message what it is after so many edits.
    pub(in super::super) fn note_exchange(&mut self, number: u64, edits: u32, exchange: Exchange) {
        if self.messages.contains_key(&number) {
            self.histories.note(number, edits, exchange);
        }
    }

    /// Every state that is kept of a message, the oldest first.
    pub(in super::super) fn versions(&self, id: &str) -> Option<Vec<Version>> {
        Some(self.histories.versions(self.message(id)?))
    }

    fn forget(&mut self, message: &Message) {
        self.numbers.remove(&message.id);
        self.histories.forget(message.number);
        self.message_bytes -= message.weight();
        if let Some(room) = self.rooms.get_mut(&message.room_id) {
            room.messages = room.messages.saturating_sub(1);
            room.revision = self.revision;
        }
    }
}
