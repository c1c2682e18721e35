//! The keys of a receiver, `[receivers.NAME]`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `POST /alertmanager/NAME` does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Receiver {
    /// The bot that posts; may be left out where there is one.
    pub bot: Option<String>,
    /// Names from `[rooms]`, or room ids.
    pub rooms: Vec<String>,
    /// E-mail addresses of Webex, each for direct messages.
    pub people: Vec<String>,
    /// Names from `[webhooks]`.
    pub webhooks: Vec<String>,
    /// Rooms that may be asked for instead of these.
    pub room_from: RoomFrom,
    /// Namespaces whose alerts it takes: names, or beginnings such as `team-a-*`; all where
    /// there are none.
    pub namespaces: Vec<String>,
    /// The template that makes the message.
    pub template: String,
    /// What becomes of later notifications of a group that the room knows.
    pub conversation: Conversation,
    /// With `update`, a reply tells what is resolved as well; otherwise only the edit does.
    pub reply_on_resolve: bool,
    /// Who is mentioned, and when.
    pub mention: Mention,
    /// What templates see as `settings`: any keys, any values.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The file that holds the bearer token a caller must show, or several, one a line.
    pub bearer_token_file: Option<PathBuf>,
    /// `[[receivers.NAME.basic_auth]]`: names and passwords of which a caller must show one.
    pub basic_auth: Vec<BasicAuth>,
    /// Names of which a caller's certificate must hold one: its DNS names and URIs.
    pub client_subjects: Vec<String>,
    /// A ceiling on what this receiver posts, in all its rooms together; none by default.
    pub max_messages_per_minute: Option<NonZeroU32>,
    /// Render and log, but post nothing.
    pub dry_run: bool,
}

impl Default for Receiver {
    fn default() -> Self {
        Self {
            bot: None,
            rooms: Vec::new(),
            people: Vec::new(),
            webhooks: Vec::new(),
            room_from: RoomFrom::default(),
            namespaces: Vec::new(),
            template: "default".to_owned(),
            conversation: Conversation::New,
            reply_on_resolve: false,
            mention: Mention::default(),
            settings: serde_json::Map::new(),
            bearer_token_file: None,
            basic_auth: Vec::new(),
            client_subjects: Vec::new(),
            max_messages_per_minute: None,
            dry_run: false,
        }
    }
}

/// What becomes of later notifications of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Conversation {
    /// Each is a message of its own.
    New,
    /// They reply to the first.
    Thread,
    /// The first is brought up to date.
    Update,
}

/// A name and its password.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct BasicAuth {
    /// The name.
    pub username: String,
    /// The file that holds the password, or several, one a line.
    pub password_file: Option<PathBuf>,
}

/// Where the name of a room is taken from: one of label, annotation and query; by default
/// none is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct RoomFrom {
    /// The label of each alert that names its room.
    pub label: Option<String>,
    /// The annotation of each alert that names its room.
    pub annotation: Option<String>,
    /// The parameter of the webhook's URL that names the room.
    pub query: Option<String>,
    /// Names of rooms that may be chosen, or beginnings such as `dev-*`.
    pub allow: Vec<String>,
    /// What becomes of an alert that asks for no room, or for another.
    pub otherwise: Otherwise,
}

/// What becomes of an alert that asks for no room that it may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// It goes to the receiver's own rooms, and the message says why.
    #[default]
    OwnRooms,
    /// It is refused.
    Refuse,
}

/// Who is mentioned while an alert of such a severity fires; by default nobody.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Mention {
    /// Values of the label `severity`.
    pub severity: Vec<String>,
    /// E-mail addresses of Webex.
    pub people: Vec<String>,
    /// Everybody in the room, as `<@all>` does.
    pub everyone: bool,
}
