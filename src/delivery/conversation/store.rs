//! What keeps conversations.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Conversation;
use crate::delivery::content::GroupId;
use crate::routing::{Destination, Receiver};

/// Names a conversation: a group in a room. Each receiver has its own, as each has its own
/// template; and each room has its own root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::delivery) struct Key {
    receiver: Arc<str>,
    bot: Arc<str>,
    room: Arc<str>,
    group: GroupId,
}

impl Key {
    pub(in crate::delivery) fn new(
        receiver: &Receiver,
        destination: &Destination,
        group: GroupId,
    ) -> Self {
        Self {
            receiver: Arc::clone(&receiver.name),
            bot: Arc::clone(&destination.bot),
            room: Arc::clone(destination.id()),
            group,
        }
    }

    /// A key for a test.
    #[cfg(test)]
    pub(super) fn of(receiver: &str, room: &str, group: GroupId) -> Self {
        Self {
            receiver: receiver.into(),
            bot: "bot".into(),
            room: room.into(),
            group,
        }
    }

    /// What it takes in memory; its texts are shared.
    pub(super) const fn bytes() -> usize {
        size_of::<Self>()
    }
}

pub(super) type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps conversations: here in memory, and one day perhaps in a store that several processes
/// share.
///
/// An implementation guarantees:
///
/// - **One at a time.** Of all who claim a key, in all processes that share the store, one
///   has it, and the others wait for it. A claim is held for one request to Webex. That is
///   what makes one root of two first notifications at once: the second sees the first's
///   root before it posts. A claim whose process died ends by itself, later than
///   `webex.request_timeout`.
/// - **Whole or not at all.** [`Claim::keep`] replaces the conversation as one, and ends the
///   claim. A claim that is dropped changes nothing.
/// - **Read what was kept.** Who claims a key sees what was kept last, unless that was
///   forgotten. To forget is always allowed, and costs a new root and no alert.
/// - **Bounds.** It forgets by itself: what is older than a day, what nobody asked for lately,
///   and where there is too much, what was asked for longest ago.
/// - **No errors.** Who cannot reach its store grants the claim with nothing in it: the
///   message is posted as a new one, because an alert is never lost to its thread.
///
/// Names of groups and alerts ([`Key`], `AlertState`) are hashes with keys of this process. A
/// shared store needs keys that its processes share, from the configuration.
pub(in crate::delivery) trait Conversations: Send + Sync {
    /// Waits until nobody else has the key, and takes it.
    fn claim(&self, key: Key) -> Answer<'_, Box<dyn Claim>>;
}

/// The right to change one conversation.
pub(in crate::delivery) trait Claim: Send {
    /// What is kept; nothing where none is known.
    fn conversation(&self) -> Option<&Conversation>;

    /// Keeps this instead, and ends the claim.
    fn keep(self: Box<Self>, conversation: Conversation) -> Answer<'static, ()>;
}
