//! Rooms by need: which room a notification or an alert may ask for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Destination, Pattern, Target};

/// Where the name of a room is taken from, and which names count.
#[derive(Debug, Clone)]
pub struct RoomFrom {
    /// Where it stands.
    pub source: Source,
    /// The names that may be asked for; never an id.
    pub allow: Vec<Pattern>,
    /// What becomes of an alert that asks for no room, or for another.
    pub otherwise: Otherwise,
    /// All rooms that have a name.
    pub rooms: Arc<BTreeMap<Arc<str>, Target>>,
    /// The bot that posts.
    pub bot: Arc<str>,
}

/// Where the name of a room stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In this label of each alert.
    Label(String),
    /// In this annotation of each alert.
    Annotation(String),
    /// In this parameter of the webhook's URL, for all alerts.
    Query(String),
}

/// What becomes of an alert that asks for no room, or for one that it may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// It goes to the receiver's own rooms, and the message says why.
    OwnRooms,
    /// It is refused.
    Refuse,
}

impl RoomFrom {
    /// All rooms that may be asked for.
    pub fn allowed_rooms(&self) -> impl Iterator<Item = Destination> {
        self.rooms.keys().filter_map(|name| self.room(name))
    }

    /// The room of that name, if it may be asked for.
    #[must_use]
    pub fn room(&self, name: &str) -> Option<Destination> {
        let allowed = self.allow.iter().any(|pattern| pattern.matches(name));
        let (name, target) = self.rooms.get_key_value(name).filter(|_| allowed)?;
        Some(Destination {
            bot: Arc::clone(&self.bot),
            name: Arc::clone(name),
            target: target.clone(),
        })
    }

    /// The names that may be asked for, for a person.
    pub(super) fn allowed(&self) -> String {
        listed(&self.allow)
    }
}

/// Patterns for a person.
pub(super) fn listed(patterns: &[Pattern]) -> String {
    let quoted: Vec<String> = patterns.iter().map(|one| format!("`{one}`")).collect();
    quoted.join(", ")
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(name) => write!(f, "label `{name}`"),
            Self::Annotation(name) => write!(f, "annotation `{name}`"),
            Self::Query(name) => write!(f, "`?{name}=` of the webhook's URL"),
        }
    }
}
