//! What a sandbox holds, as tests, the control API and the page see it.
//!
//! No token is in any of these types, so none can be shown by mistake. The shape in which the
//! Webex API shows them is in `messages.rs` and `rooms.rs`.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::quota::Quota;
use super::service_app::ServiceAppView;

/// Somebody who posts or is posted to: a bot, or a person who can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Webex id.
    pub id: String,
    /// Mail address.
    pub email: String,
    /// Display name.
    pub name: String,
}

/// Whether a room is a space or a conversation of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomType {
    /// A bot and one person.
    Direct,
    /// A space.
    Group,
}

impl RoomType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
        }
    }
}

/// A room.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Room {
    /// Webex id.
    pub id: String,
    /// Its title; of a direct room, the person's name.
    pub title: String,
    /// Space or conversation of two.
    pub room_type: RoomType,
    /// Names of the bots that are in it, sorted.
    pub bots: Vec<String>,
    /// How many messages it holds now.
    pub messages: usize,
    /// How many were ever posted to it.
    pub posted: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When somebody posted last; when it was made, until then.
    pub last_activity: Timestamp,
    /// The sandbox' revision at which it or its messages last changed.
    pub revision: u64,
}

/// A file that came with a message, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upload {
    /// Its name, as sent.
    pub name: String,
    /// Its type, as sent.
    pub content_type: Option<String>,
    /// Its size.
    pub bytes: usize,
}

/// A message, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// Webex id.
    pub id: String,
    /// The room it is in.
    pub room_id: String,
    /// That room's type.
    pub room_type: RoomType,
    /// The message that it replies to.
    pub parent_id: Option<String>,
    /// Whom it was sent to, in a direct room.
    pub to: Option<Person>,
    /// As sent, or what is left of the Markdown without its tags.
    pub text: Option<String>,
    /// As sent.
    pub markdown: Option<String>,
    /// Rendered from the Markdown. May hold what was in it: not for a page; see
    /// [`Message::page_html`].
    pub html: Option<String>,
    /// Addresses of files, as sent. The sandbox fetches nothing.
    pub files: Vec<String>,
    /// The file that was uploaded with it: its content is not kept. Its address is in `files`.
    pub upload: Option<Upload>,
    /// The card's attachment: `contentType` and `content`.
    pub card: Option<serde_json::Value>,
    /// Who posted it.
    pub person: Arc<Person>,
    /// Ids of the people whom it mentions.
    pub mentioned_people: Vec<String>,
    /// `all`, where it mentions everybody.
    pub mentioned_groups: Vec<String>,
    /// When it was posted.
    pub created: Timestamp,
    /// When it was last edited.
    pub updated: Option<Timestamp>,
    /// How often it was edited; Webex allows 10.
    pub edits: u32,
    /// Bytes of the longer of `text` and `markdown`, as sent; Webex allows 7,439.
    pub size: usize,
    /// The sandbox' revision at which it last changed.
    pub revision: u64,
    /// Bytes of the card's JSON.
    #[serde(skip)]
    pub(super) card_bytes: usize,
    /// Counts up with each message posted.
    pub(super) number: u64,
}

impl Message {
    /// About how many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        let text = |field: &Option<String>| field.as_ref().map_or(0, String::len);
        text(&self.text) + text(&self.markdown) + text(&self.html) + self.card_bytes
    }

    /// The Markdown rendered and sanitised: safe to put into a page.
    #[must_use]
    pub fn page_html(&self) -> Option<String> {
        self.html.as_deref().map(super::markdown::for_page)
    }
}

/// A bot, without its token.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bot {
    /// Its name.
    pub name: String,
    /// As Webex shows it.
    pub person: Arc<Person>,
    /// Whether its token is refused.
    pub revoked: bool,
    /// What it may ask, where that is bounded.
    pub quota: Option<Quota>,
    /// How it gets its access tokens, where it is a service app.
    pub service_app: Option<ServiceAppView>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered with this status.
    Answered(u16),
    /// The connection was broken.
    Broken,
    /// Never answered.
    Hang,
}

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// Counts up from 1.
    pub number: u64,
    /// When its outcome was known.
    pub at: Timestamp,
    /// `GET`, `POST` and so on.
    pub method: String,
    /// Without the query, cut after 300 bytes.
    pub path: String,
    /// Whose token it bore, where that is known; never the token.
    pub bot: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}
