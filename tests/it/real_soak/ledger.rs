//! What was asked of the service and what the rooms show, in one record.
//!
//! Times are milliseconds since 1970, all of one machine's clock.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

/// The present, as the record has it.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// What a notification or a message says: the state of one alert. Those of a lane are in the
/// order in which they come to be, and so is `Ord`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tell {
    /// The group: one alert, which fires again and again.
    pub(super) lane: usize,
    /// How often it has fired, from 1.
    pub(super) generation: u32,
    pub(super) resolved: bool,
}

impl Tell {
    /// The label by which Alertmanager groups.
    pub(super) fn mark(self) -> String {
        format!("m{:05}", self.lane)
    }

    /// From the words of a template of this test: `m00042g3 firing`.
    fn from_words(word: &str, next: &str) -> Option<Self> {
        let (lane, generation) = word.strip_prefix('m')?.split_once('g')?;
        let resolved = match next.trim_end_matches(';') {
            "firing" => false,
            "resolved" => true,
            _ => return None,
        };
        Some(Self {
            lane: lane.parse().ok()?,
            generation: generation.parse().ok()?,
            resolved,
        })
    }

    /// All that a message says.
    pub(super) fn all_in(text: &str) -> BTreeSet<Self> {
        let words: Vec<_> = text.split_whitespace().collect();
        let pairs = words.windows(2);
        pairs
            .filter_map(|pair| Self::from_words(pair[0], pair[1]))
            .collect()
    }

    /// What Alertmanager tells in a webhook's body.
    pub(super) fn of_notification(body: &[u8]) -> Option<Self> {
        let body: serde_json::Value = serde_json::from_slice(body).ok()?;
        let alert = &body["alerts"][0];
        let mark = alert["labels"]["mark"].as_str()?;
        let generation = alert["annotations"]["generation"].as_str()?;
        Self::from_words(&format!("{mark}g{generation}"), alert["status"].as_str()?)
    }
}

impl fmt::Display for Tell {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.resolved { "resolved" } else { "firing" };
        write!(to, "{}g{} {state}", self.mark(), self.generation)
    }
}

/// A request of an Alertmanager.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) at: i64,
    pub(super) tell: Tell,
    pub(super) answer: Option<Answer>,
}

/// What the service said to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) at: i64,
    pub(super) status: u16,
    /// Whether Alertmanager still listened.
    pub(super) taken: bool,
}

/// A message in a room that tells something, for the first time.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) tell: Tell,
    /// Its place in the list of rooms.
    pub(super) room: usize,
    /// The sandbox's id.
    pub(super) message: String,
    /// When it was posted, or edited to say so.
    pub(super) at: i64,
    /// The sandbox's revision: the order in the room.
    pub(super) order: u64,
    /// Of a message that another one doubles: whether the service was told that it is there.
    pub(super) confirmed: Option<bool>,
}

/// The record.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) arrivals: Vec<Arrival>,
    pub(super) sightings: Vec<Sighting>,
    asked: BTreeSet<Tell>,
    accepted: BTreeSet<Tell>,
    seen: BTreeMap<Tell, BTreeSet<usize>>,
}

/// The record, for those who write to it.
pub(super) type Shared = Arc<Mutex<Ledger>>;

impl Ledger {
    /// Returns a number to name it by.
    pub(super) fn arrived(&mut self, tell: Tell) -> usize {
        self.asked.insert(tell);
        self.arrivals.push(Arrival {
            at: now(),
            tell,
            answer: None,
        });
        self.arrivals.len() - 1
    }

    pub(super) fn answered(&mut self, number: usize, answer: Answer) {
        let arrival = &mut self.arrivals[number];
        arrival.answer = Some(answer);
        if answer.taken && answer.status == 200 {
            self.accepted.insert(arrival.tell);
        }
    }

    /// Notes what a message says, unless it has said so before. Returns the one of before that
    /// said the same in the same room, if there is one.
    pub(super) fn sighted(&mut self, sighting: Sighting) -> Option<&mut Sighting> {
        let before = self
            .sightings
            .iter()
            .rposition(|known| known.tell == sighting.tell && known.room == sighting.room);
        if before.is_some_and(|at| self.sightings[at].message == sighting.message) {
            return None;
        }
        self.seen
            .entry(sighting.tell)
            .or_default()
            .insert(sighting.room);
        self.sightings.push(sighting);
        before.map(|at| &mut self.sightings[at])
    }

    /// Whether Alertmanager knows that so many rooms have been told, and they have.
    pub(super) fn done(&self, tell: Tell, rooms: usize) -> bool {
        self.accepted.contains(&tell) && self.rooms_with(tell) >= rooms
    }

    /// Whether an Alertmanager has asked for it.
    pub(super) fn asked(&self, tell: Tell) -> bool {
        self.asked.contains(&tell)
    }

    /// In how many rooms it was seen.
    pub(super) fn rooms_with(&self, tell: Tell) -> usize {
        self.seen.get(&tell).map_or(0, BTreeSet::len)
    }
}

#[test]
fn a_message_is_read() {
    let text = "**digest**\n* m00042g3 firing; and\n* m00007g1 resolved;";
    let told: Vec<_> = Tell::all_in(text).iter().map(Tell::to_string).collect();
    assert_eq!(told, ["m00007g1 resolved", "m00042g3 firing"]);
}

#[test]
fn a_notification_is_read() {
    let body = br#"{"alerts":[{"status":"resolved","labels":{"mark":"m00002"},"annotations":{"generation":"5"}}]}"#;
    let told = Tell::of_notification(body).unwrap();
    assert_eq!(told.to_string(), "m00002g5 resolved");
}
