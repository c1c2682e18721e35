//! Rooms, and who is in them.

use super::super::ids;
use super::super::model::Room;
use super::super::state::{MOST_ROOMS, RoomEntry, State};
use super::super::{Error, Sandbox};
use super::bots::known_bot;
use super::full;

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
}

/// The id of a room that is named by id or title.
pub(in super::super) fn room_id(state: &State, room: &str) -> Result<String, Error> {
    let found = state.find_room(room);
    found
        .map(|room| room.id.clone())
        .ok_or_else(|| Error::UnknownRoom(room.to_owned()))
}

fn is_usable(id: &str) -> bool {
    ids::is_well_formed(id)
        || (1..=500).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-+/=".contains(&byte))
}
