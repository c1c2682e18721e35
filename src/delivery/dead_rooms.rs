//! Rooms that refuse for good: a dead room must not eat the quota that others share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// A room that refuses is asked again after so long.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// The rooms of a bot that refused last.
#[derive(Default)]
pub(super) struct DeadRooms(HashMap<Arc<str>, Dead>);

struct Dead {
    /// Webex's words.
    detail: String,
    ask_again: Instant,
    being_asked: bool,
}

impl DeadRooms {
    /// Why a message to this room need not be sent, where that is known.
    pub(super) fn refuses(&self, room: &Arc<str>, now: Instant) -> Option<&str> {
        let dead = self.0.get(room)?;
        let known = now < dead.ask_again && !dead.being_asked;
        known.then_some(dead.detail.as_str())
    }

    /// Whether one message is on its way to find out; the others wait for it.
    pub(super) fn is_being_asked(&self, room: &Arc<str>) -> bool {
        self.0.get(room).is_some_and(|dead| dead.being_asked)
    }

    /// A message is sent to this room.
    pub(super) fn asked(&mut self, room: &Arc<str>) {
        if let Some(dead) = self.0.get_mut(room) {
            dead.being_asked = true;
        }
    }

    /// The attempt is over, without a word about the room so far.
    pub(super) fn undecided(&mut self, room: &Arc<str>) {
        if let Some(dead) = self.0.get_mut(room) {
            dead.being_asked = false;
        }
    }

    /// The room took a message.
    pub(super) fn answered(&mut self, room: &Arc<str>) {
        self.0.remove(room);
    }

    /// The room refused. Forgets rooms that nobody asked for lately.
    pub(super) fn refused(&mut self, room: Arc<str>, detail: String, now: Instant) {
        self.0
            .retain(|_, dead| dead.being_asked || now < dead.ask_again + ASK_AGAIN);
        let dead = Dead {
            detail,
            ask_again: now + ASK_AGAIN,
            being_asked: false,
        };
        self.0.insert(room, dead);
    }
}
