//! What a notification becomes in a room that knows its group, or does not. Pure decisions.

use super::{MOST_EDITS, Root};
use crate::delivery::content::AlertState;
use crate::routing::Conversation as Mode;

/// What a notification becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Approach {
    /// The first message of a conversation.
    Begin,
    /// A reply to it.
    Reply,
    /// The first message is brought up to date.
    Edit {
        /// And a reply says what is new, because an edit notifies nobody.
        and_reply: bool,
    },
}

/// What a notification says beyond what the room knows, by indexes into its alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct News {
    pub(super) firing: Vec<usize>,
    pub(super) resolved: Vec<usize>,
}

impl News {
    /// Compares alerts, in their order, with what was told, sorted. Where the room knows
    /// nothing, all is new.
    pub(super) fn of(alerts: &[AlertState], told: &[AlertState]) -> Self {
        let mut news = Self::default();
        for (index, alert) in alerts.iter().enumerate() {
            if told.binary_search(alert).is_ok() {
                continue;
            }
            if alert.fires() {
                news.firing.push(index);
            } else {
                news.resolved.push(index);
            }
        }
        news
    }

    pub(super) fn is_empty(&self) -> bool {
        self.firing.is_empty() && self.resolved.is_empty()
    }
}

/// What is known when a notification is to be told.
pub(super) struct Situation<'a> {
    pub(super) mode: Mode,
    /// The message that it belongs to, where there is one.
    pub(super) root: Option<&'a Root>,
    /// What the room was told last, sorted.
    pub(super) told: &'a [AlertState],
    /// What the notification says, sorted.
    pub(super) content: &'a [AlertState],
    pub(super) news: &'a News,
    /// It was sent again on purpose.
    pub(super) is_repeat: bool,
    /// Nothing fires any more.
    pub(super) is_end: bool,
}

/// Decides what a notification becomes.
pub(super) fn approach(situation: &Situation<'_>) -> Approach {
    let Situation {
        mode,
        root,
        told,
        content,
        news,
        is_repeat,
        is_end,
    } = *situation;
    let Some(root) = root else {
        return Approach::Begin;
    };
    let Mode::Update { reply_on_resolve } = mode else {
        return Approach::Reply;
    };
    let is_shown = *root.shown == *content;
    if is_shown || root.frozen || root.edits() >= edits_for(is_end) {
        return Approach::Reply;
    }
    // Once replies had to stand in for edits, the last of them must not go on saying that
    // something fires.
    let replies_tell = *root.shown != *told;
    let and_reply = !news.firing.is_empty()
        || is_repeat
        || (reply_on_resolve && !news.resolved.is_empty())
        || (is_end && replies_tell);
    Approach::Edit { and_reply }
}

/// How many edits may be used. The last one is kept for the end: a message that says for
/// ever that something fires is worse than one that is a little behind.
pub(super) const fn edits_for(is_end: bool) -> u32 {
    if is_end { MOST_EDITS } else { MOST_EDITS - 1 }
}

/// Whether this edit is the last one before the end.
pub(super) fn is_last_edit(root: &Root, is_end: bool) -> bool {
    !is_end && root.edits() + 1 == edits_for(false)
}
