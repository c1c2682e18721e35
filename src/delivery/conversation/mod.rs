//! Conversations: one group of alerts is one thread in a room, or one message that is kept
//! up to date, instead of ten messages.
//!
//! Here is what a room was told of a group ([`Conversation`]); `store` keeps that, `plan`
//! decides what a notification becomes (the first message, a reply, an edit), `script` is
//! the requests that it takes, and `tell` makes them. The way of a request (lanes, gate,
//! pace, quota, retry) is that of any other message.
//!
//! What does not belong here: how a message looks, which is `render`.

mod memory;
mod plan;
mod script;
mod store;
mod tell;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

pub(super) use memory::InMemory;
pub(super) use script::{Kind, Script};
pub(super) use store::Conversations;

use super::content::AlertState;

/// A group that never resolves begins anew after so long: a thread that has grown for a day
/// is read by nobody.
const MOST_AGE: Duration = Duration::from_secs(24 * 3600);

/// Webex takes so many edits of a message, and refuses all that follow (documented;
/// `public-spec/webex-messaging.json` of webex/webex-openapi-specs).
const MOST_EDITS: u32 = 10;

/// What one room was told of one group. No text: ids, times, and hashes of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conversation {
    /// When it began. Of this process: a store that outlives it keeps the age.
    began: Instant,
    /// The message that others reply to. None where only a digest has told of the group.
    root: Option<Root>,
    /// What the room was told last, sorted; empty while the first message is not whole.
    told: Arc<[AlertState]>,
    /// Nothing fires any more: what fires next begins another conversation.
    ended: bool,
}

/// The first message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Root {
    since: Timestamp,
    /// The room, as edits must name it. For a direct message only Webex's answer tells.
    room: Arc<str>,
    /// The messages that show the state: the root, and below it the further parts of a long
    /// text. Never empty.
    parts: Vec<Part>,
    /// The state that they show, sorted.
    shown: Arc<[AlertState]>,
    /// Webex refused to edit it.
    frozen: bool,
}

/// A message that shows the state, and how often Webex was or may have been made to edit it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    id: Arc<str>,
    edits: u32,
}

impl Conversation {
    /// The root, where later messages still belong to it: not after a day, not once another
    /// story begins, and not where it is known to be gone.
    fn root(&self, fires: bool, dead: Option<&str>, now: Instant) -> Option<&Root> {
        let root = self.root.as_ref()?;
        let lives = self.lives(fires, now) && dead != Some(&root.id());
        lives.then_some(root)
    }

    /// Whether it goes on with a notification that says that something fires, or not.
    fn lives(&self, fires: bool, now: Instant) -> bool {
        now.duration_since(self.began) < MOST_AGE && !(self.ended && fires)
    }

    fn root_id(&self) -> Option<Arc<str>> {
        self.root.as_ref().map(Root::id)
    }

    /// What it takes in memory, in bytes.
    fn bytes(&self) -> usize {
        let states = |states: &[AlertState]| size_of_val(states);
        let root = self.root.as_ref().map_or(0, |root| {
            let parts: usize = root
                .parts
                .iter()
                .map(|part| part.id.len() + size_of::<Part>())
                .sum();
            // Most often both are one.
            let shown = if Arc::ptr_eq(&root.shown, &self.told) {
                0
            } else {
                states(&root.shown)
            };
            root.room.len() + parts + shown
        });
        size_of::<Self>() + states(&self.told) + root
    }
}

impl Root {
    fn id(&self) -> Arc<str> {
        Arc::clone(&self.parts[0].id)
    }

    /// How often it was edited.
    fn edits(&self) -> u32 {
        self.parts[0].edits
    }
}
