//! Which receiver a request is for, and where its messages go.
//!
//! Plain data, made once from the configuration. What does not belong here: reading the
//! configuration (`config`), and the bots and rooms themselves (`delivery`).

mod assign;
mod pattern;
mod remembered;
mod rooms;
mod sender;
mod targets;
mod ways;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

pub use assign::{Assigned, NotAssigned, Part, assign};
pub use pattern::Pattern;
pub use remembered::{Remembered, Whole};
pub use rooms::{Otherwise, RoomFrom, Source};
pub use sender::{Sender, WEBHOOK_BOT};

use crate::render::{ReceiverData, Renderer};
use crate::secrets::SecretSource;

/// The receiver that `POST /alertmanager` without a name means.
pub const DEFAULT_RECEIVER: &str = "default";

/// A named entry of the configuration, addressed by the URL path.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Its name; may hold slashes, as prometheus-operator's `namespace/name/receiver`.
    pub name: Arc<str>,
    /// Where its messages go: rooms, then people, then webhooks. Empty only where [`Self::room_from`]
    /// refuses what asks for no room.
    pub destinations: Vec<Destination>,
    /// The name of the template that makes the message.
    pub template: String,
    /// What becomes of later notifications of a group.
    pub conversation: Conversation,
    /// What its configuration adds to its messages.
    pub messages: ReceiverData,
    /// What a caller must show.
    pub access: Access,
    /// The namespaces whose alerts it takes; all where there are none. An alert without the
    /// label `namespace` is of none.
    pub namespaces: Vec<Pattern>,
    /// Rooms that may be asked for instead of its own.
    pub room_from: Option<RoomFrom>,
    /// A ceiling of its own on what it posts, in all its rooms together.
    pub max_messages_per_minute: Option<NonZeroU32>,
    /// Render and log, but post nothing.
    pub dry_run: bool,
    /// Templates to use instead of the configured ones, where some are only tried out.
    pub tried: Option<Arc<Renderer>>,
}

/// What becomes of later notifications of a group that the room knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Conversation {
    /// Each is a message of its own.
    #[default]
    New,
    /// They reply to the first, its root.
    Thread,
    /// The root is edited to the present state. An edit notifies nobody, so what fires newly
    /// and what is repeated is told by a short reply as well.
    Update {
        /// Whether a reply also tells what is resolved.
        reply_on_resolve: bool,
    },
}

/// What a caller may show; one of these suffices. Without any, anybody may call.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Bearer tokens, one a line.
    pub bearer_tokens: Option<SecretSource>,
    /// Names, each with its passwords, one a line.
    pub logins: Vec<(String, SecretSource)>,
    /// DNS names and URIs of clients' certificates.
    pub subjects: Vec<String>,
}

impl Access {
    /// Whether anybody may call.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.bearer_tokens.is_none() && self.logins.is_empty() && self.subjects.is_empty()
    }
}

/// Where messages go, through a bot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The bot's name in the configuration.
    pub bot: Arc<str>,
    /// What people call it: a room's name in the configuration, else its id; a person's
    /// address.
    pub name: Arc<str>,
    /// What Webex calls it.
    pub target: Target,
}

/// What Webex calls a destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A room, by its id.
    Room(Arc<str>),
    /// A person, by an e-mail address of Webex: a direct message.
    Person(Arc<str>),
    /// An incoming webhook, by its name in the configuration: its URL is a secret.
    Webhook(Arc<str>),
}

impl Destination {
    /// What tells it from the other destinations of its bot. No id of a room holds the `@`
    /// of an address.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        match &self.target {
            Target::Room(id) | Target::Person(id) | Target::Webhook(id) => id,
        }
    }
}

impl Target {
    /// The word for it.
    #[must_use]
    pub const fn noun(&self) -> &'static str {
        match self {
            Self::Room(_) => "room",
            Self::Person(_) => "person",
            Self::Webhook(_) => "webhook",
        }
    }
}

/// All receivers, by name.
#[derive(Debug, Clone, Default)]
pub struct Routes(BTreeMap<Arc<str>, Arc<Receiver>>);

impl Routes {
    /// The receiver that the path after `/alertmanager/` names; an empty path is the
    /// default receiver.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Arc<Receiver>> {
        let name = path.trim_matches('/');
        self.0.get(if name.is_empty() {
            DEFAULT_RECEIVER
        } else {
            name
        })
    }

    /// The open receiver that was probably meant by a path that names none. Others are not
    /// told of: whoever has no credentials need not learn their names.
    #[must_use]
    pub fn near(&self, path: &str) -> Option<&Arc<Receiver>> {
        const ALIKE: f64 = 0.85;
        let path = path.trim_matches('/');
        // `main` for `team-a/config/main`: prometheus-operator writes the whole name.
        let ends_so = |name: &str| {
            let longer = |long: &str, short: &str| {
                let end = long.strip_suffix(short);
                !short.is_empty() && end.is_some_and(|rest| rest.ends_with('/'))
            };
            longer(name, path) || longer(path, name)
        };
        self.0
            .values()
            .filter(|receiver| receiver.access.is_open())
            .map(|receiver| {
                let likeness = strsim::jaro_winkler(path, &receiver.name);
                let is_end = ends_so(&receiver.name);
                (if is_end { 1.0 } else { likeness }, receiver)
            })
            .filter(|(likeness, _)| *likeness > ALIKE)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map(|(_, receiver)| receiver)
    }

    /// All receivers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Receiver>> {
        self.0.values()
    }
}

impl FromIterator<Receiver> for Routes {
    fn from_iter<T: IntoIterator<Item = Receiver>>(receivers: T) -> Self {
        Self(
            receivers
                .into_iter()
                .map(|receiver| (Arc::clone(&receiver.name), Arc::new(receiver)))
                .collect(),
        )
    }
}
