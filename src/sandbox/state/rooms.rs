//! Rooms: who is in them, and how they come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::super::bots::Caller;
use super::super::changes::Subject;
use super::super::ids::{self, Kind};
use super::super::model::{Person, Room, RoomType};
use super::{State, now};

/// How many rooms there may be: a bound on memory, not on use.
pub(in super::super) const MOST_ROOMS: usize = 10_000;

/// A room, with what its [`Room`] is made from.
pub(in super::super) struct RoomEntry {
    pub(in super::super) id: String,
    pub(in super::super) title: String,
    pub(in super::super) room_type: RoomType,
    pub(in super::super) bots: BTreeSet<Arc<str>>,
    /// People who were added to a space, by their addresses in lower case.
    pub(in super::super) people: BTreeMap<String, Person>,
    /// Ids of those who moderate.
    pub(in super::super) moderators: BTreeSet<String>,
    /// The person of a direct room.
    pub(in super::super) peer: Option<Person>,
    pub(in super::super) created: Timestamp,
    pub(in super::super) last_activity: Timestamp,
    pub(super) messages: usize,
    pub(super) posted: u64,
    pub(in super::super) revision: u64,
    /// Order in which rooms were made.
    number: u64,
}

impl RoomEntry {
    pub(in super::super) fn view(&self) -> Room {
        Room {
            id: self.id.clone(),
            title: self.title.clone(),
            room_type: self.room_type,
            bots: self.bots.iter().map(ToString::to_string).collect(),
            messages: self.messages,
            posted: self.posted,
            created: self.created,
            last_activity: self.last_activity,
            revision: self.revision,
        }
    }

    pub(in super::super) fn holds(&self, caller: &Caller) -> bool {
        self.bots.contains(&caller.name)
    }
}

impl State {
    pub(in super::super) fn room_id_of(&self, title: &str) -> String {
        ids::encode(
            &self.cluster,
            Kind::Room,
            ids::stable_uuid(&[b"room", title.as_bytes()]),
        )
    }

    /// Adds a space with all bots in it; the one that has the id already stays.
    pub(in super::super) fn add_room(&mut self, title: &str, id: String) -> Room {
        let bots = self.bots.iter().map(|bot| Arc::clone(&bot.name)).collect();
        self.add_entry(id, title, RoomType::Group, bots, None)
            .view()
    }

    fn add_entry(
        &mut self,
        id: String,
        title: &str,
        room_type: RoomType,
        bots: BTreeSet<Arc<str>>,
        peer: Option<Person>,
    ) -> &mut RoomEntry {
        let (revision, number) = (self.revision + 1, self.last_number + 1);
        self.rooms.entry(id).or_insert_with_key(|id| {
            self.revision = revision;
            self.changes.note(Subject::Rooms, revision);
            self.last_number = number;
            let now = now();
            RoomEntry {
                id: id.clone(),
                title: title.to_owned(),
                room_type,
                bots,
                people: BTreeMap::new(),
                moderators: BTreeSet::new(),
                peer,
                created: now,
                last_activity: now,
                messages: 0,
                posted: 0,
                revision,
                number,
            }
        })
    }

    /// The conversation of a bot with a person, made when it is first needed.
    pub(in super::super) fn direct_room(&mut self, caller: &Caller, peer: Person) -> String {
        let uuid = ids::stable_uuid(&[b"direct", caller.name.as_bytes(), peer.id.as_bytes()]);
        let id = ids::encode(&self.cluster, Kind::Room, uuid);
        let bots = BTreeSet::from([Arc::clone(&caller.name)]);
        if self.rooms.len() >= MOST_ROOMS && !self.rooms.contains_key(&id) {
            // Anybody can be written to, so these would grow without end.
            self.forget_oldest_direct_room();
        }
        let title = peer.name.clone();
        let room = self.add_entry(id.clone(), &title, RoomType::Direct, bots, Some(peer));
        // The bot may have been removed and made again since.
        room.bots.insert(Arc::clone(&caller.name));
        id
    }

    fn forget_oldest_direct_room(&mut self) {
        let direct = self
            .rooms
            .values()
            .filter(|room| room.room_type == RoomType::Direct);
        let oldest = direct
            .min_by_key(|room| room.number)
            .map(|room| room.id.clone());
        if let Some(id) = oldest {
            self.remove_room(&id);
        }
    }

    pub(in super::super) fn room_count(&self) -> usize {
        self.rooms.len()
    }

    pub(in super::super) fn room(&self, id: &str) -> Option<&RoomEntry> {
        self.rooms.get(id)
    }

    /// By id, or else by title.
    pub(in super::super) fn find_room(&self, room: &str) -> Option<&RoomEntry> {
        self.rooms.get(room).or_else(|| {
            let of_title = self.rooms.values().filter(|entry| entry.title == room);
            of_title.min_by_key(|entry| entry.number)
        })
    }

    /// In the order in which they were made.
    pub(in super::super) fn rooms(&self) -> Vec<&RoomEntry> {
        let mut rooms: Vec<_> = self.rooms.values().collect();
        rooms.sort_unstable_by_key(|room| room.number);
        rooms
    }

    pub(in super::super) fn remove_room(&mut self, id: &str) -> bool {
        if self.rooms.remove(id).is_none() {
            return false;
        }
        self.clear_messages(Some(id));
        self.changed(Subject::Rooms);
        true
    }

    /// Puts a bot into a room or takes it out; false where there is no such room.
    pub(in super::super) fn set_member(&mut self, room: &str, bot: &str, is_member: bool) -> bool {
        let Some(entry) = self.rooms.get_mut(room) else {
            return false;
        };
        self.revision += 1;
        self.changes.note(Subject::Rooms, self.revision);
        entry.revision = self.revision;
        if is_member {
            entry.bots.insert(bot.into());
        } else {
            entry.bots.remove(bot);
        }
        true
    }
}
