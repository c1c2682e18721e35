//! Rooms and messages, and the rules by which they change; bots are in `bots.rs`.
//!
//! Everything here is quick, because it runs under the sandbox' one lock: nothing renders,
//! parses or waits. Statuses and texts of the API do not belong here.

mod messages;
mod rooms;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::behaviour::Behaviour;
use super::bots::BotEntry;
use super::changes::{LastChanges, Subject};
use super::history::Histories;
use super::model::Message;
use super::setup::Setup;
use super::webhooks::WebhookEntry;
pub(super) use messages::MOST_MESSAGES;
pub(super) use rooms::{MOST_ROOMS, RoomEntry};

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
    pub(super) webhooks: Vec<WebhookEntry>,
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
            webhooks: Vec::new(),
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
        self.webhooks.clear();
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
        for webhook in &setup.webhooks {
            let room = self.find_room(&webhook.room).map(|room| room.id.clone());
            if let Some(room) = room {
                self.webhooks
                    .retain(|known| known.webhook.name != webhook.name);
                self.add_webhook(&webhook.name, room);
            }
        }
    }
}

/// Webex shows milliseconds.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
