//! Standing behaviour that differs between reports about Webex, as knobs.
//!
//! Each one names what was reported and why the default is what it is. The rule: where it is
//! not known whether Webex takes something, the default refuses it, so that what passes here
//! passes there. Failures on purpose are in `faults.rs`.

use http::StatusCode;
use serde::{Deserialize, Serialize};

/// How the stand-in behaves where Webex's behaviour is contested or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// Editing a message that holds a card. The reference says 400 (A); a sample of Cisco's and
    /// two SDKs report that it works (C). Default: `reject`.
    pub card_edits: CardEdits,
    /// Replying to a reply. Reported both as "goes to the root" and as "refused" (D both).
    /// Default: 400.
    pub reply_to_reply: ReplyToReply,
    /// Replying to a message that was deleted, is unknown, or is in another room (U).
    /// Default: 404.
    pub deleted_parent: DeletedParent,
    /// A card without `text` or `markdown` beside it (U). Default: `reject`.
    pub card_without_text: CardWithoutText,
    /// The largest card, in bytes of its JSON. Reports say 80 KB and 22 KB (D). Default: 20480.
    pub card_max_bytes: usize,
    /// `GET /v1/rooms` begins with an empty page that has a `next` link, which Webex says can
    /// happen (A). Default: false.
    pub rooms_empty_page: bool,
    /// What an incoming webhook answers. 204 is probable; clients of others take 200 too (C).
    /// Default: 204.
    pub incoming_webhook: IncomingWebhook,
}

/// The status of an incoming webhook's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IncomingWebhook {
    /// 204.
    #[serde(rename = "204")]
    NoContent,
    /// 200.
    #[serde(rename = "200")]
    Ok,
}

impl IncomingWebhook {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::NoContent => StatusCode::NO_CONTENT,
            Self::Ok => StatusCode::OK,
        }
    }
}

/// Whether a message with a card can be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardEdits {
    /// 400.
    Reject,
    /// The card is replaced.
    Allow,
}

/// What a reply to a reply becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplyToReply {
    /// A reply to the root of the thread.
    #[serde(rename = "normalise")]
    Normalise,
    /// 400.
    #[serde(rename = "400")]
    BadRequest,
    /// 404.
    #[serde(rename = "404")]
    NotFound,
}

/// What a reply to a parent that cannot be found becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeletedParent {
    /// A message of its own.
    #[serde(rename = "post")]
    Post,
    /// 400.
    #[serde(rename = "400")]
    BadRequest,
    /// 404.
    #[serde(rename = "404")]
    NotFound,
}

/// Whether a card may come without text beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardWithoutText {
    /// 400.
    Reject,
    /// Posted.
    Allow,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            card_edits: CardEdits::Reject,
            reply_to_reply: ReplyToReply::BadRequest,
            deleted_parent: DeletedParent::NotFound,
            card_without_text: CardWithoutText::Reject,
            card_max_bytes: 20 * 1024,
            rooms_empty_page: false,
            incoming_webhook: IncomingWebhook::NoContent,
        }
    }
}

impl ReplyToReply {
    pub(super) fn refusal(self) -> Option<StatusCode> {
        match self {
            Self::Normalise => None,
            Self::BadRequest => Some(StatusCode::BAD_REQUEST),
            Self::NotFound => Some(StatusCode::NOT_FOUND),
        }
    }
}

impl DeletedParent {
    pub(super) fn refusal(self) -> Option<StatusCode> {
        match self {
            Self::Post => None,
            Self::BadRequest => Some(StatusCode::BAD_REQUEST),
            Self::NotFound => Some(StatusCode::NOT_FOUND),
        }
    }
}
