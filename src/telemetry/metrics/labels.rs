//! Labels, and the closed sets of values that they take.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;

/// The outcomes of `token_renewals_total`.
pub const RENEWALS: [&str; 3] = ["renewed", "refused", "failed"];
/// The reasons of `fallbacks_total`.
pub const FALLBACK_REASONS: [&str; 3] = ["template", "markdown_refused", "card_refused"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReceiverOutcome {
    pub(super) receiver: Arc<str>,
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabel {
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReceiverLabel {
    pub(super) receiver: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReceiverKind {
    pub(super) receiver: Arc<str>,
    pub(super) kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReceiverReason {
    pub(super) receiver: Arc<str>,
    pub(super) reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BotLabel {
    pub(super) bot: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BotOutcome {
    pub(super) bot: Arc<str>,
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BotCode {
    pub(super) bot: Arc<str>,
    pub(super) code: &'static str,
}

/// What kind of message Webex accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// As the template made it.
    New,
    /// A reply to the first message of its group.
    Reply,
    /// The first message of its group, brought up to date.
    Edit,
    /// Several notifications in one message; counted for each of them.
    Digest,
    /// In a plainer form, because something failed.
    Fallback,
}

impl MessageKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::New,
        Self::Reply,
        Self::Edit,
        Self::Digest,
        Self::Fallback,
    ];

    /// As the label has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reply => "reply",
            Self::Edit => "edit",
            Self::Digest => "digest",
            Self::Fallback => "fallback",
        }
    }
}

/// The closed sets of labels that others than metrics decide on.
#[derive(Debug)]
pub struct Labels {
    /// What may come of a notification.
    pub outcomes: Vec<&'static str>,
    /// Why a request may not become one. A receiver counts in these from the first such
    /// request on: all of them for thousands of receivers would be megabytes of zeros.
    pub rejections: Vec<&'static str>,
    /// The name for receivers that nobody configured.
    pub unknown: Arc<str>,
    /// All codes of a request to Webex.
    pub codes: Vec<&'static str>,
}
