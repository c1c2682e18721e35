//! What a sandbox begins with: bots, rooms, and who can be written to directly.
//!
//! It is read once and kept for `reset`. What changes while the sandbox runs are knobs
//! (`knobs.rs`), not setup.

use std::str::FromStr;

use secrecy::SecretString;

use super::Error;
use super::knobs::{is_bot_name, is_token};

/// What a sandbox begins with.
///
/// Every bot is a member of every room; [`Sandbox::remove_member`](super::Sandbox::remove_member)
/// takes one out. The default is one bot `sandbox` with the token `sandbox`, and the rooms
/// `general` and `ops`.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Bots, by name. A later one of the same name replaces the earlier; tokens must differ.
    pub bots: Vec<BotSetup>,
    /// Rooms. A room without an id gets one that follows from its name; of several with the same
    /// id, the first stays.
    pub rooms: Vec<RoomSetup>,
    /// Incoming webhooks; of one whose room is not there, nothing is made.
    pub webhooks: Vec<WebhookSetup>,
    /// Who can be reached by `toPersonEmail`: addresses, or `@domain` for all of a domain.
    /// Default: `@example.org`.
    pub people: Vec<String>,
    /// The cluster in ids. Webex has `us`, `urn:TEAM:us-west-2_r`, `urn:TEAM:us-gov-west-1_a1`
    /// and more (docs/facts/webex-api.md §10); clients must not care.
    pub cluster: String,
    /// Mixed into message ids and tracking ids, which follow from it and a counter. Zero unless set, so ids are
    /// the same in each run of a test. A sandbox that people restart while clients keep message
    /// ids should draw one at random.
    pub seed: u64,
}

/// A bot to begin with.
#[derive(Debug, Clone)]
pub struct BotSetup {
    /// Its name; its address is `<name>@webex.bot`.
    pub name: String,
    /// Its bearer token.
    pub token: SecretString,
}

/// A room to begin with.
#[derive(Debug, Clone)]
pub struct RoomSetup {
    /// Its title.
    pub name: String,
    /// Its id; follows from the title where there is none.
    pub id: Option<String>,
}

/// An incoming webhook to begin with.
#[derive(Debug, Clone)]
pub struct WebhookSetup {
    /// Under which name it posts; its id follows from it.
    pub name: String,
    /// The room that it posts to, by id or title.
    pub room: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self::empty()
            .bot("sandbox", "sandbox")
            .room("general")
            .room("ops")
    }
}

impl Setup {
    /// No bot and no room.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            bots: Vec::new(),
            rooms: Vec::new(),
            webhooks: Vec::new(),
            people: vec!["@example.org".to_owned()],
            cluster: "us".to_owned(),
            seed: 0,
        }
    }

    /// Adds a bot.
    #[must_use]
    pub fn bot(mut self, name: impl Into<String>, token: impl Into<SecretString>) -> Self {
        self.bots.push(BotSetup {
            name: name.into(),
            token: token.into(),
        });
        self
    }

    /// Adds a room whose id follows from its title.
    #[must_use]
    pub fn room(mut self, name: impl Into<String>) -> Self {
        self.rooms.push(RoomSetup {
            name: name.into(),
            id: None,
        });
        self
    }

    /// Adds a room with an id of its own.
    #[must_use]
    pub fn room_with_id(mut self, name: impl Into<String>, id: impl Into<String>) -> Self {
        self.rooms.push(RoomSetup {
            name: name.into(),
            id: Some(id.into()),
        });
        self
    }
}

impl FromStr for BotSetup {
    type Err = Error;

    /// Reads `NAME=TOKEN`.
    fn from_str(argument: &str) -> Result<Self, Error> {
        match argument.split_once('=') {
            Some((name, token)) if is_bot_name(name) && is_token(token) => Ok(Self {
                name: name.to_owned(),
                token: token.into(),
            }),
            _ => Err(Error::BotArgument),
        }
    }
}

impl FromStr for RoomSetup {
    type Err = Error;

    /// Reads `NAME` or `NAME=ID`.
    fn from_str(argument: &str) -> Result<Self, Error> {
        let (name, id) = match argument.split_once('=') {
            Some((name, id)) => (name, Some(id)),
            None => (argument, None),
        };
        if name.is_empty() || id == Some("") {
            return Err(Error::RoomArgument);
        }
        Ok(Self {
            name: name.to_owned(),
            id: id.map(str::to_owned),
        })
    }
}

impl FromStr for WebhookSetup {
    type Err = Error;

    /// Reads `NAME=ROOM`.
    fn from_str(argument: &str) -> Result<Self, Error> {
        match argument.split_once('=') {
            Some((name, room)) if is_bot_name(name) && !room.is_empty() => Ok(Self {
                name: name.to_owned(),
                room: room.to_owned(),
            }),
            _ => Err(Error::WebhookArgument),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_bot_is_given_as_name_and_token() {
        let bot: BotSetup = "team=abc=def".parse().unwrap();
        assert_eq!(bot.name, "team");
        assert_eq!(bot.token.expose_secret(), "abc=def");
        for wrong in ["", "team", "=abc", "team=", "a/b=x", "team=a b"] {
            assert!(wrong.parse::<BotSetup>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_room_is_given_as_name_or_name_and_id() {
        let room: RoomSetup = "ops".parse().unwrap();
        assert_eq!((room.name.as_str(), room.id), ("ops", None));
        let room: RoomSetup = "ops=Y2lz".parse().unwrap();
        assert_eq!(
            (room.name.as_str(), room.id.as_deref()),
            ("ops", Some("Y2lz"))
        );
        for wrong in ["", "=id", "ops="] {
            assert!(wrong.parse::<RoomSetup>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn debug_output_holds_no_token() {
        let setup = Setup::empty().bot("team", "very-secret");
        assert!(!format!("{setup:?}").contains("very-secret"));
    }
}
