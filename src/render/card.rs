//! The Adaptive Card that goes with a message.
//!
//! What does not belong here: posting it, and what to do when Webex refuses it.

/// The content of an Adaptive Card, as JSON that was checked against what Webex takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card(Box<str>);

impl Card {
    /// The card as JSON: the `content` of an attachment.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.0
    }
}
