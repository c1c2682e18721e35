//! Looks into the rooms again and again, because the sandbox keeps only the newest messages.

use std::net::SocketAddr;

use serde_json::Value;

use super::ledger::{Shared, Sighting, Tell};
use super::load::rooms;
use super::recorder::exchange;
use crate::programs::Sandbox;

/// What was seen so far.
pub(super) struct Rooms {
    sandbox: SocketAddr,
    /// Ids, in the order of [`rooms`].
    ids: Vec<String>,
    /// The newest revision that was seen.
    revision: u64,
}

impl Rooms {
    pub(super) fn new(sandbox: &Sandbox) -> Self {
        let (_, address) = sandbox.page.split_once("://").unwrap();
        Self {
            sandbox: address.trim_end_matches('/').parse().unwrap(),
            ids: rooms().map(|room| sandbox.rooms[room].clone()).collect(),
            revision: 0,
        }
    }

    /// Notes what is new.
    pub(super) fn look(&mut self, ledger: &Shared) {
        let new = self.get(&format!("messages?since={}", self.revision));
        let mut new = new.as_array().unwrap().clone();
        new.sort_by_key(|message| message["revision"].as_u64());
        for message in new {
            self.note(&message, ledger);
        }
    }

    fn note(&mut self, message: &Value, ledger: &Shared) {
        self.revision = message["revision"].as_u64().unwrap();
        let text = message["markdown"].as_str().or(message["text"].as_str());
        let room = message["room_id"].as_str().unwrap();
        let room = self.ids.iter().position(|id| id == room).unwrap();
        let at = message["updated"].as_str().or(message["created"].as_str());
        let at: jiff::Timestamp = at.unwrap().parse().unwrap();
        for tell in Tell::all_in(text.unwrap_or_default()) {
            let doubled = {
                let mut ledger = ledger.lock().unwrap();
                let before = ledger.sighted(Sighting {
                    tell,
                    room,
                    message: message["id"].as_str().unwrap().to_owned(),
                    at: at.as_millisecond(),
                    order: self.revision,
                    confirmed: None,
                });
                before.map(|before| before.message.clone())
            };
            if let Some(doubled) = doubled {
                let confirmed = self.confirmed(&doubled);
                let mut ledger = ledger.lock().unwrap();
                let known = ledger.sightings.iter_mut();
                for sighting in known.filter(|sighting| sighting.message == doubled) {
                    sighting.confirmed = confirmed;
                }
            }
        }
    }

    /// Whether the sandbox said of each state of a message that it is there. `None` where it
    /// has forgotten.
    fn confirmed(&self, message: &str) -> Option<bool> {
        let (status, body) = exchange(
            self.sandbox,
            "GET",
            &format!("/control/v1/messages/{message}"),
            b"",
        )
        .unwrap();
        if status != 200 {
            return None;
        }
        let detail: Value = serde_json::from_slice(&body).unwrap();
        let mut versions = detail["versions"].as_array().unwrap().iter();
        if versions.clone().any(|version| version["outcome"].is_null()) {
            return None;
        }
        Some(versions.all(|version| version["outcome"]["answered"] == 200))
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) =
            exchange(self.sandbox, "GET", &format!("/control/v1/{path}"), b"").unwrap();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }
}
