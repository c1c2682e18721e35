//! A message, as the Webex API shows it (docs/facts/webex-api.md §1, A).

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::super::model::{Message, Person, RoomType};
use super::super::reply::Reply;

/// A message as Webex answers it.
pub(in super::super) fn as_answered(message: &Message) -> Bytes {
    Reply::json(&MessageJson::of(message)).body
}

/// A list, as Webex shows it.
#[derive(Serialize)]
pub(in super::super) struct ItemsJson<T> {
    pub(in super::super) items: Vec<T>,
}

/// A message, as Webex shows it (docs/facts/webex-api.md §1, A).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageJson<'a> {
    id: &'a str,
    room_id: &'a str,
    room_type: RoomType,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_person_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_person_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    files: &'a [String],
    person_id: &'a str,
    person_email: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mentioned_people: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mentioned_groups: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<[&'a Value; 1]>,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
}

impl<'a> MessageJson<'a> {
    pub(super) fn of(message: &'a Message) -> Self {
        let to: Option<&Person> = message.to.as_ref();
        Self {
            id: &message.id,
            room_id: &message.room_id,
            room_type: message.room_type,
            to_person_id: to.map(|person| person.id.as_str()),
            to_person_email: to.map(|person| person.email.as_str()),
            text: message.text.as_deref(),
            markdown: message.markdown.as_deref(),
            html: message.html.as_deref(),
            files: &message.files,
            person_id: &message.person.id,
            person_email: &message.person.email,
            mentioned_people: &message.mentioned_people,
            mentioned_groups: &message.mentioned_groups,
            attachments: message.card.as_ref().map(|card| [card]),
            created: webex_time(message.created),
            updated: message.updated.map(webex_time),
            parent_id: message.parent_id.as_deref(),
        }
    }
}

/// `2015-10-18T14:26:16.000Z`.
pub(in super::super) fn webex_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
