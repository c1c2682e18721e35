//! What tests turn and look at: the functions of a [`Sandbox`] beside the Webex API.
//!
//! The control API (`control.rs`) calls the same functions, so whatever a test in Rust can do,
//! a test in any language can.

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;
use tokio::time::Instant;

use super::behaviour::Behaviour;
use super::bots::BotChange;
use super::changes::Subject;
use super::faults::{Fault, StandingFault};
use super::history::Version;
use super::ids;
use super::model::{Bot, Message, RequestRecord, Room};
use super::quota::{Bucket, Quota};
use super::state::{MOST_ROOMS, RoomEntry, State};
use super::{Error, Sandbox, lock};

/// How many bots there may be: a bound on memory, not on use.
const MOST_BOTS: usize = 1_000;

impl Sandbox {
    /// All rooms, in the order in which they were made.
    #[must_use]
    pub fn rooms(&self) -> Vec<Room> {
        self.read(|state| state.rooms().into_iter().map(RoomEntry::view).collect())
    }

    /// The id of the room with this title; of several, the oldest.
    #[must_use]
    pub fn room_id(&self, title: &str) -> Option<String> {
        self.read(|state| {
            let mut rooms = state.rooms().into_iter();
            rooms
                .find(|room| room.title == title)
                .map(|room| room.id.clone())
        })
    }

    /// The messages of a room, oldest first; none where there is no such room.
    #[must_use]
    pub fn messages(&self, room_id: &str) -> Vec<Message> {
        let messages: Vec<_> = self.read(|state| state.messages(room_id).cloned().collect());
        messages
            .iter()
            .map(|message| Message::clone(message))
            .collect()
    }

    /// Every state of a message that is kept, the oldest first and the present one last, with
    /// the requests that made it so.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownMessage`].
    pub fn versions(&self, id: &str) -> Result<Vec<Version>, Error> {
        let versions = self.read(|state| state.versions(id));
        versions.ok_or_else(|| Error::UnknownMessage(id.to_owned()))
    }

    /// The newest 5,000 requests to the Webex API, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.inner.requests).list()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        lock(&self.inner.requests).clear();
    }

    /// A number that rises with each change of bots, rooms, messages and faults. Waiting for it to
    /// change is how a test awaits a message without sleeping.
    #[must_use]
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.inner.revision.subscribe()
    }

    /// Waits until a message of this room satisfies `wanted`. Bound it by a timeout.
    pub async fn message_where(
        &self,
        room_id: &str,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> Message {
        let mut revisions = self.revisions();
        loop {
            revisions.mark_unchanged();
            if let Some(found) = self.messages(room_id).into_iter().find(&mut wanted) {
                return found;
            }
            // The sender lives in `self`, so this cannot fail while we are here.
            if revisions.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    // Faults and behaviour.

    /// Sets a fault, beside those that stand; its number, to clear it by.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] where a value is out of range.
    pub fn set_fault(&self, fault: Fault) -> Result<u64, Error> {
        let id = lock(&self.inner.faults).set(fault, Instant::now())?;
        self.touch();
        Ok(id)
    }

    /// The faults that stand, in the order in which they were set.
    #[must_use]
    pub fn faults(&self) -> Vec<StandingFault> {
        lock(&self.inner.faults).list(Instant::now())
    }

    /// Clears one fault.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownFault`] where it does not stand, maybe because it has ended.
    pub fn clear_fault(&self, id: u64) -> Result<(), Error> {
        let is_cleared = lock(&self.inner.faults).clear(id);
        self.touch();
        is_cleared.then_some(()).ok_or(Error::UnknownFault(id))
    }

    /// Clears all faults. Requests that hang already hang on.
    pub fn clear_faults(&self) {
        lock(&self.inner.faults).clear_all();
        self.touch();
    }

    /// Faults are shown on the page, so setting one is a change.
    pub(super) fn touch(&self) {
        self.change(|state| state.changed(Subject::Faults));
    }

    /// When the next fault ends with its time.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        lock(&self.inner.faults).next_expiry()
    }

    /// Lets go of what has ended with its time, and says so.
    pub(super) fn expire(&self) {
        if lock(&self.inner.faults).expire(Instant::now()) {
            self.touch();
        }
    }

    /// How the sandbox behaves where Webex' behaviour is contested.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        self.read(|state| state.behaviour)
    }

    /// Sets how the sandbox behaves where Webex' behaviour is contested.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.change(|state| {
            state.behaviour = behaviour;
            state.changed(Subject::Behaviour);
        });
    }

    // Bots.

    /// All bots.
    #[must_use]
    pub fn bots(&self) -> Vec<Bot> {
        self.read(|state| state.bots())
    }

    /// Adds a bot, which becomes a member of all spaces.
    ///
    /// # Errors
    ///
    /// Where the name or the token is empty or taken, or there are a thousand bots.
    pub fn add_bot(&self, name: &str, token: impl Into<SecretString>) -> Result<Bot, Error> {
        let token = token.into();
        if !is_bot_name(name) {
            return Err(Error::Invalid {
                what: "bot",
                why: "`name` must have 1 to 100 bytes, without `/`, `@` and blanks".to_owned(),
            });
        }
        check_token(&token)?;
        self.change(|state| {
            if state.has_bot(name) {
                return Err(Error::BotExists(name.to_owned()));
            }
            if state.name_of_bearer(token.expose_secret()).is_some() {
                return Err(Error::TokenTaken);
            }
            let bots = state.bots();
            if bots.len() >= MOST_BOTS {
                return Err(full("bots", MOST_BOTS));
            }
            state.add_bot(name, token);
            state
                .bots()
                .pop()
                .ok_or_else(|| Error::UnknownBot(name.to_owned()))
        })
    }

    /// Removes a bot. Its messages stay.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBot`].
    pub fn remove_bot(&self, name: &str) -> Result<(), Error> {
        let is_removed = self.change(|state| state.remove_bot(name));
        known_bot(is_removed, name)
    }

    /// Gives a bot another token, as regenerating does; the old one is refused from now on.
    ///
    /// # Errors
    ///
    /// Where there is no such bot, or the token is empty or taken.
    pub fn set_token(&self, bot: &str, token: impl Into<SecretString>) -> Result<(), Error> {
        let token = token.into();
        check_token(&token)?;
        self.change(|state| {
            let owner = state.name_of_bearer(token.expose_secret());
            if owner.is_some_and(|owner| *owner != *bot) {
                return Err(Error::TokenTaken);
            }
            known_bot(state.change_bot(bot, BotChange::Token(token)), bot)
        })
    }

    /// Refuses a bot's token with 401 until it is restored.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBot`].
    pub fn revoke_token(&self, bot: &str) -> Result<(), Error> {
        self.set_revoked(bot, true)
    }

    /// Takes a revoked token again.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBot`].
    pub fn restore_token(&self, bot: &str) -> Result<(), Error> {
        self.set_revoked(bot, false)
    }

    fn set_revoked(&self, bot: &str, revoked: bool) -> Result<(), Error> {
        known_bot(
            self.change(|state| state.change_bot(bot, BotChange::Revoked(revoked))),
            bot,
        )
    }

    /// Bounds how much a bot may ask, beginning with a full burst; `None` lifts it.
    ///
    /// # Errors
    ///
    /// Where there is no such bot, or the quota makes no sense.
    pub fn set_quota(&self, bot: &str, quota: Option<Quota>) -> Result<(), Error> {
        let bucket = quota
            .map(Quota::check)
            .transpose()?
            .map(|quota| Bucket::full(quota, Instant::now()));
        known_bot(
            self.change(|state| state.change_bot(bot, BotChange::Bucket(bucket))),
            bot,
        )
    }

    // Rooms.

    /// Adds a space with all bots in it. Its id follows from the title unless given.
    ///
    /// # Errors
    ///
    /// Where the title is empty, the id is taken, or there are ten thousand rooms.
    pub fn add_room(&self, title: &str, id: Option<&str>) -> Result<Room, Error> {
        if title.is_empty() || title.len() > 500 || id.is_some_and(|id| !is_usable(id)) {
            return Err(Error::Invalid {
                what: "room",
                why: "`name` must have 1 to 500 bytes; `id` 1 to 500 of A-Z a-z 0-9 _ - + / ="
                    .to_owned(),
            });
        }
        self.change(|state| {
            let id = id.map_or_else(|| state.room_id_of(title), str::to_owned);
            if state.room(&id).is_some() {
                return Err(Error::RoomExists(id));
            }
            if state.room_count() >= MOST_ROOMS {
                return Err(full("rooms", MOST_ROOMS));
            }
            Ok(state.add_room(title, id))
        })
    }

    /// Removes a room and its messages.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownRoom`], where `room` is neither id nor title of one.
    pub fn remove_room(&self, room: &str) -> Result<(), Error> {
        self.change(|state| {
            let id = room_id(state, room)?;
            state.remove_room(&id);
            Ok(())
        })
    }

    /// Puts a bot into a room, named by id or title.
    ///
    /// # Errors
    ///
    /// Where there is no such room or bot.
    pub fn add_member(&self, room: &str, bot: &str) -> Result<(), Error> {
        self.set_member(room, bot, true)
    }

    /// Takes a bot out of a room, named by id or title: the room is 404 to it from now on.
    ///
    /// # Errors
    ///
    /// Where there is no such room or bot.
    pub fn remove_member(&self, room: &str, bot: &str) -> Result<(), Error> {
        self.set_member(room, bot, false)
    }

    fn set_member(&self, room: &str, bot: &str, is_member: bool) -> Result<(), Error> {
        self.change(|state| {
            known_bot(state.has_bot(bot), bot)?;
            let id = room_id(state, room)?;
            state.set_member(&id, bot, is_member);
            Ok(())
        })
    }

    // Messages.

    /// Deletes a message, whoever wrote it, as a moderator may.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownMessage`].
    pub fn delete_message(&self, id: &str) -> Result<(), Error> {
        let is_deleted = self.change(|state| state.delete(id));
        is_deleted
            .then_some(())
            .ok_or_else(|| Error::UnknownMessage(id.to_owned()))
    }

    /// Deletes the messages of a room, named by id or title, or of all rooms; how many.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownRoom`].
    pub fn clear_messages(&self, room: Option<&str>) -> Result<usize, Error> {
        self.change(|state| {
            let id = room.map(|room| room_id(state, room)).transpose()?;
            Ok(state.clear_messages(id.as_deref()))
        })
    }

    /// Back to how it began: setup, no messages, no faults, no requests.
    pub fn reset(&self) {
        self.clear_faults();
        self.change(|state| state.reset(&self.inner.setup));
        self.clear_requests();
    }
}

fn room_id(state: &State, room: &str) -> Result<String, Error> {
    let found = state.find_room(room);
    found
        .map(|room| room.id.clone())
        .ok_or_else(|| Error::UnknownRoom(room.to_owned()))
}

fn known_bot(is_known: bool, name: &str) -> Result<(), Error> {
    is_known
        .then_some(())
        .ok_or_else(|| Error::UnknownBot(name.to_owned()))
}

/// A name is a part of an address and of a path.
pub(super) fn is_bot_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && !name.contains(['/', '@'])
        && !name.contains(char::is_whitespace)
}

/// What a header can carry.
pub(super) fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn check_token(token: &SecretString) -> Result<(), Error> {
    if is_token(token.expose_secret()) {
        return Ok(());
    }
    Err(Error::Invalid {
        what: "bot",
        why: "`token` must be visible ASCII without blanks".to_owned(),
    })
}

fn is_usable(id: &str) -> bool {
    ids::is_well_formed(id)
        || (1..=500).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-+/=".contains(&byte))
}

fn full(what: &'static str, most: usize) -> Error {
    Error::Invalid {
        what,
        why: format!("there are {most} already; remove some"),
    }
}
