//! Rooms and messages, and the rules by which they change; bots are in `bots.rs`.
//!
//! Everything here is quick, because it runs under the sandbox' one lock: nothing renders,
//! parses or waits. Statuses and texts of the API do not belong here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::behaviour::Behaviour;
use super::bots::{BotEntry, Caller};
use super::changes::{LastChanges, Subject};
use super::history::{Exchange, Histories, Version};
use super::ids::{self, Kind};
use super::model::{Message, Person, Room, RoomType};
use super::setup::Setup;

/// How many of the newest messages are kept.
pub(super) const MOST_MESSAGES: usize = 5_000;

/// How much the messages may hold, in bytes: cards may be large where a knob says so.
const MOST_MESSAGE_BYTES: usize = 128 * 1024 * 1024;

/// How many rooms there may be: a bound on memory, not on use.
pub(super) const MOST_ROOMS: usize = 10_000;

/// A room, with what its [`Room`] is made from.
pub(super) struct RoomEntry {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) room_type: RoomType,
    pub(super) bots: BTreeSet<Arc<str>>,
    /// The person of a direct room.
    pub(super) peer: Option<Person>,
    pub(super) created: Timestamp,
    pub(super) last_activity: Timestamp,
    messages: usize,
    posted: u64,
    pub(super) revision: u64,
    /// Order in which rooms were made.
    number: u64,
}

impl RoomEntry {
    pub(super) fn view(&self) -> Room {
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

    pub(super) fn holds(&self, caller: &Caller) -> bool {
        self.bots.contains(&caller.name)
    }
}

/// All that changes, but faults and the record of requests.
pub(super) struct State {
    pub(super) cluster: String,
    seed: u64,
    pub(super) people: Vec<String>,
    pub(super) behaviour: Behaviour,
    pub(super) bots: Vec<BotEntry>,
    pub(super) rooms: HashMap<String, RoomEntry>,
    messages: BTreeMap<u64, Arc<Message>>,
    numbers: HashMap<String, u64>,
    last_number: u64,
    message_bytes: usize,
    histories: Histories,
    pub(super) revision: u64,
    pub(super) changes: LastChanges,
}

impl State {
    pub(super) fn new(setup: &Setup) -> Self {
        let mut state = Self {
            cluster: setup.cluster.clone(),
            seed: setup.seed,
            people: setup.people.clone(),
            behaviour: Behaviour::default(),
            bots: Vec::new(),
            rooms: HashMap::new(),
            messages: BTreeMap::new(),
            numbers: HashMap::new(),
            last_number: 0,
            message_bytes: 0,
            histories: Histories::default(),
            revision: 0,
            changes: LastChanges::default(),
        };
        state.begin(setup);
        state
    }

    /// Back to how it began. Numbers and revisions count on: ids are not given twice, and a
    /// page that waits for a change sees one.
    pub(super) fn reset(&mut self, setup: &Setup) {
        self.behaviour = Behaviour::default();
        self.bots.clear();
        self.rooms.clear();
        self.messages.clear();
        self.numbers.clear();
        self.histories.clear();
        self.message_bytes = 0;
        self.begin(setup);
        self.revision += 1;
        self.changes.note_all(self.revision);
    }

    /// A change of `subject`: the next revision.
    pub(super) fn changed(&mut self, subject: Subject) -> u64 {
        self.revision += 1;
        self.changes.note(subject, self.revision);
        self.revision
    }

    fn begin(&mut self, setup: &Setup) {
        for bot in &setup.bots {
            self.remove_bot(&bot.name);
            self.add_bot(&bot.name, bot.token.clone());
        }
        for room in &setup.rooms {
            let id = room
                .id
                .clone()
                .unwrap_or_else(|| self.room_id_of(&room.name));
            self.add_room(&room.name, id);
        }
    }

    // Rooms.

    pub(super) fn room_id_of(&self, title: &str) -> String {
        ids::encode(
            &self.cluster,
            Kind::Room,
            ids::stable_uuid(&[b"room", title.as_bytes()]),
        )
    }

    /// Adds a space with all bots in it; the one that has the id already stays.
    pub(super) fn add_room(&mut self, title: &str, id: String) -> Room {
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
    pub(super) fn direct_room(&mut self, caller: &Caller, peer: Person) -> String {
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

    pub(super) fn room_count(&self) -> usize {
        self.rooms.len()
    }

    pub(super) fn room(&self, id: &str) -> Option<&RoomEntry> {
        self.rooms.get(id)
    }

    /// By id, or else by title.
    pub(super) fn find_room(&self, room: &str) -> Option<&RoomEntry> {
        self.rooms.get(room).or_else(|| {
            let of_title = self.rooms.values().filter(|entry| entry.title == room);
            of_title.min_by_key(|entry| entry.number)
        })
    }

    /// In the order in which they were made.
    pub(super) fn rooms(&self) -> Vec<&RoomEntry> {
        let mut rooms: Vec<_> = self.rooms.values().collect();
        rooms.sort_unstable_by_key(|room| room.number);
        rooms
    }

    pub(super) fn remove_room(&mut self, id: &str) -> bool {
        if self.rooms.remove(id).is_none() {
            return false;
        }
        self.clear_messages(Some(id));
        self.changed(Subject::Rooms);
        true
    }

    /// Puts a bot into a room or takes it out; false where there is no such room.
    pub(super) fn set_member(&mut self, room: &str, bot: &str, is_member: bool) -> bool {
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

    // Messages.

    pub(super) fn message(&self, id: &str) -> Option<&Arc<Message>> {
        self.messages.get(self.numbers.get(id)?)
    }

    /// Of a room, oldest first.
    pub(super) fn messages(&self, room_id: &str) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.messages
            .values()
            .filter(move |message| message.room_id == room_id)
    }

    /// Stores a new message, and lets go of the oldest where there are too many. Sets what only
    /// the state knows: id, number, revision, times.
    pub(super) fn post(&mut self, mut message: Message) -> Arc<Message> {
        self.last_number += 1;
        self.changed(Subject::Messages);
        message.number = self.last_number;
        message.revision = self.revision;
        message.created = now();
        let uuid = ids::stable_uuid(&[
            b"message",
            &self.seed.to_le_bytes(),
            &message.number.to_le_bytes(),
        ]);
        message.id = ids::encode(&self.cluster, Kind::Message, uuid);
        if let Some(room) = self.rooms.get_mut(&message.room_id) {
            room.messages += 1;
            room.posted += 1;
            room.last_activity = message.created;
            room.revision = self.revision;
        }
        let message = Arc::new(message);
        self.numbers.insert(message.id.clone(), message.number);
        self.message_bytes += message.weight();
        self.messages.insert(message.number, Arc::clone(&message));
        while (self.messages.len() > MOST_MESSAGES || self.message_bytes > MOST_MESSAGE_BYTES)
            && let Some((_, oldest)) = self.messages.pop_first()
        {
            self.forget(&oldest);
        }
        message
    }

    /// Replaces a message by its edited self; nothing where it is gone.
    pub(super) fn edit(&mut self, mut message: Message) -> Option<Arc<Message>> {
        if !self.messages.contains_key(&message.number) {
            return None;
        }
        message.revision = self.changed(Subject::Messages);
        message.updated = Some(now());
        let message = Arc::new(message);
        self.message_bytes += message.weight();
        let old = self.messages.insert(message.number, Arc::clone(&message));
        if let Some(old) = old {
            self.message_bytes -= old.weight();
            self.histories.keep(old);
        }
        if let Some(room) = self.rooms.get_mut(&message.room_id) {
            room.revision = self.revision;
        }
        Some(message)
    }

    pub(super) fn delete(&mut self, id: &str) -> bool {
        let message = self
            .numbers
            .get(id)
            .and_then(|number| self.messages.remove(number));
        let Some(message) = message else { return false };
        self.changed(Subject::Messages);
        self.forget(&message);
        true
    }

    /// Deletes the messages of a room, or all; how many there were.
    pub(super) fn clear_messages(&mut self, room_id: Option<&str>) -> usize {
        let ids: Vec<String> = self
            .messages
            .values()
            .filter(|message| room_id.is_none_or(|id| message.room_id == id))
            .map(|message| message.id.clone())
            .collect();
        for id in &ids {
            self.delete(id);
        }
        ids.len()
    }

    /// Keeps the request that made a message what it is after so many edits.
    pub(super) fn note_exchange(&mut self, number: u64, edits: u32, exchange: Exchange) {
        if self.messages.contains_key(&number) {
            self.histories.note(number, edits, exchange);
        }
    }

    /// Every state that is kept of a message, the oldest first.
    pub(super) fn versions(&self, id: &str) -> Option<Vec<Version>> {
        Some(self.histories.versions(self.message(id)?))
    }

    fn forget(&mut self, message: &Message) {
        self.numbers.remove(&message.id);
        self.histories.forget(message.number);
        self.message_bytes -= message.weight();
        if let Some(room) = self.rooms.get_mut(&message.room_id) {
            room.messages = room.messages.saturating_sub(1);
            room.revision = self.revision;
        }
    }
}

/// Webex shows milliseconds.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
