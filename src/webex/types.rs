//! What is sent to Webex and what comes back, as far as we use it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What an attachment says that it is, where it is a card.
const CARD_TYPE: &str = "application/vnd.microsoft.card.adaptive";

/// The body of `POST /messages`.
///
/// Source: webex/webex-openapi-specs, `public-spec/webex-messaging.json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewMessage<'a> {
    /// Where it goes: Webex takes exactly one destination.
    #[serde(flatten)]
    pub to: Recipient<'a>,
    /// Webex's Markdown, at most 7,439 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown: Option<&'a str>,
    /// Plain text, at most 7,439 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// The message that this replies to, always the first one of its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<&'a str>,
    /// A card, of which a message holds one at most. Markdown or text goes beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<[Attachment<'a>; 1]>,
}

/// The body of a post to an incoming webhook: one of the two. Neither a card nor a reply goes
/// this way.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct IncomingMessage<'a> {
    /// Webex's Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown: Option<&'a str>,
    /// Plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
}

/// The body of `PUT /messages/{id}`: other Markdown for one's own message. Webex takes ten of
/// them for a message, and none for one with a card or a file.
///
/// Source: webex/webex-openapi-specs, `public-spec/webex-messaging.json`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit<'a> {
    /// The room that the message is in.
    pub room_id: &'a str,
    /// Webex's Markdown, at most 7,439 bytes.
    pub markdown: &'a str,
}

/// Where a message goes.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Recipient<'a> {
    /// A room, by its id.
    #[serde(rename = "roomId")]
    Room(&'a str),
    /// A direct message to whoever has this e-mail address in Webex.
    #[serde(rename = "toPersonEmail")]
    Person(&'a str),
}

/// What goes with a message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment<'a> {
    content_type: &'static str,
    content: &'a RawValue,
}

impl<'a> Attachment<'a> {
    /// An Adaptive Card. `None` where this is no JSON.
    #[must_use]
    pub fn card(json: &'a str) -> Option<Self> {
        Some(Self {
            content_type: CARD_TYPE,
            content: serde_json::from_str(json).ok()?,
        })
    }
}

/// Webex has the message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    /// The message's id.
    pub id: String,
    /// The room that it is in, which an edit must name.
    #[serde(rename = "roomId", default)]
    pub room_id: String,
}

/// The body of an error answer. Each field may be missing: gateways answer with HTML.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ErrorBody {
    pub(super) message: Option<String>,
    pub(super) tracking_id: Option<String>,
}

/// Who a token belongs to: the answer of `GET /people/me`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The bot's name as people see it.
    #[serde(default)]
    pub display_name: String,
    /// Its addresses; a bot has one that ends with `@webex.bot`.
    #[serde(default)]
    pub emails: Vec<String>,
    /// `bot`, `appuser` or `person`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// A room, as `GET /rooms` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// What Webex calls it.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub title: String,
    /// `group` or `direct`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// A page of `GET /rooms`.
#[derive(Debug, Deserialize)]
pub(super) struct Rooms {
    #[serde(default)]
    pub(super) items: Vec<Room>,
}
