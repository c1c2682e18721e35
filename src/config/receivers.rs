//! Receivers: the names they hold become things.

use std::sync::Arc;

use super::judge::Judge;
use super::layers::{closest, listed};
use super::room_id;
use super::rooms::Ids;
use super::settings;
use super::tenancy::NamedRooms;
use super::webhooks::{bot_name, needs_bot};
use crate::render::ReceiverData;
use crate::routing::{Conversation, Destination, Receiver, Target};
use crate::secrets::could_be_a_secret;

/// What receivers may name.
pub(super) struct Known<'a> {
    pub(super) bots: &'a [Arc<str>],
    pub(super) rooms: &'a Ids,
    /// Names of webhooks.
    pub(super) webhooks: &'a [Arc<str>],
    pub(super) named: &'a NamedRooms,
    /// `None` where the templates could not be loaded; that is a problem of its own.
    pub(super) templates: Option<&'a [String]>,
}

impl Judge<'_> {
    /// The receiver, unless its bot cannot be told.
    pub(super) fn receiver(
        &mut self,
        name: &str,
        receiver: &settings::Receiver,
        known: &Known<'_>,
    ) -> Option<Receiver> {
        self.receiver_name(name);
        let needs_bot = needs_bot(receiver) || receiver.bot.is_some();
        let bot = needs_bot
            .then(|| self.bot_of(name, receiver, known.bots))
            .flatten();
        let mut targets = self.rooms_of(name, receiver, known.rooms);
        targets.extend(self.people_of(name, &receiver.people));
        if let Some(templates) = known.templates {
            self.template(name, &receiver.template, templates);
        }
        let conversation = self.conversation(name, receiver);
        let access = self.access(name, receiver);
        let mention = self.mention(name, &receiver.mention);
        let namespaces = self.namespaces(name, &receiver.namespaces);
        let room_from = self.room_from(name, &receiver.room_from, known, bot.as_ref());
        let webhooks = self.webhooks_of(name, receiver, known.webhooks).into_iter();
        if needs_bot && bot.is_none() {
            return None;
        }
        let mut destinations = Vec::new();
        for (name, target) in targets {
            let bot = Arc::clone(bot.as_ref()?);
            destinations.push(Destination { bot, name, target });
        }
        destinations.extend(webhooks.map(|(name, target)| Destination {
            bot: bot_name(&name),
            name,
            target,
        }));
        Some(Receiver {
            name: name.into(),
            destinations,
            template: receiver.template.clone(),
            conversation,
            messages: ReceiverData::new(&receiver.settings, mention),
            access,
            namespaces,
            room_from,
            max_messages_per_minute: receiver.max_messages_per_minute,
            dry_run: receiver.dry_run,
            tried: None,
        })
    }

    /// The name stands in a URL path.
    fn receiver_name(&mut self, name: &str) {
        let strange = name.is_empty()
            || name != name.trim_matches('/')
            || name
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || "?#%\\".contains(c));
        if strange {
            self.error(
                &["receivers", name],
                "this name cannot stand in a URL path",
                "use letters, digits, `-`, `_`, `.`, and `/` between them",
            );
        }
    }

    fn bot_of(
        &mut self,
        name: &str,
        receiver: &settings::Receiver,
        bots: &[Arc<str>],
    ) -> Option<Arc<str>> {
        let path = ["receivers", name, "bot"];
        match (&receiver.bot, bots) {
            (None, [only]) => Some(Arc::clone(only)),
            (None, []) => None, // That there is no bot at all is said once.
            (None, _) => {
                if !self.noted(&path) {
                    self.error(
                        &path[..2],
                        "there are several bots, and it is not said which one posts here",
                        &format!("write `bot = \"NAME\"` with one of {}", listed(bots)),
                    );
                }
                None
            }
            (Some(wanted), _) => {
                let found = bots.iter().find(|bot| bot.as_ref() == wanted).cloned();
                if found.is_none() && !self.noted(&["bots", wanted]) {
                    let (message, hint) = unknown("bot", wanted, bots);
                    self.error(&path, message, &hint);
                }
                found
            }
        }
    }

    /// The rooms, each as its name for people and its id.
    fn rooms_of(
        &mut self,
        name: &str,
        receiver: &settings::Receiver,
        known: &Ids,
    ) -> Vec<(Arc<str>, Target)> {
        let path = ["receivers", name, "rooms"];
        let people = ["receivers", name, "people"];
        let is_empty =
            receiver.rooms.is_empty() && receiver.people.is_empty() && receiver.webhooks.is_empty();
        let webhooks = ["receivers", name, "webhooks"];
        let may_be_empty = receiver.room_from.otherwise == settings::Otherwise::Refuse;
        if may_be_empty && !is_empty {
            self.warn(
                &["receivers", name, "room_from"],
                "whatever asks for no room is refused, so the receiver's own rooms get nothing",
                "remove `rooms` and `people`, or write `otherwise = \"own_rooms\"`",
            );
        }
        if is_empty
            && !may_be_empty
            && !self.noted(&path)
            && !self.noted(&people)
            && !self.noted(&webhooks)
        {
            self.error(
                &path,
                "this receiver has no room",
                "write `rooms = [\"NAME\"]` with names from `[rooms]` or room ids, \
                 or `people = [\"oncall@example.org\"]`",
            );
        }
        let mut rooms: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for (index, written) in receiver.rooms.iter().enumerate() {
            let index = index.to_string();
            let path = ["receivers", name, "rooms", &index];
            let Some((room_name, id)) = self.room(&path, written, known) else {
                continue;
            };
            match rooms.iter().find(|(_, earlier)| *earlier == id) {
                None => rooms.push((room_name, id)),
                Some((earlier, _)) if *earlier == room_name => self.error(
                    &path,
                    format!("{} stands here twice", room(&room_name)),
                    "name it once; each message would be posted twice",
                ),
                Some((earlier, _)) => self.error(
                    &path,
                    format!("{} is the same as {}", room(&room_name), room(earlier)),
                    "name one of them; each message would be posted twice",
                ),
            }
        }
        let rooms = rooms.into_iter();
        rooms.map(|(name, id)| (name, Target::Room(id))).collect()
    }

    /// Whom direct messages go to.
    fn people_of(&mut self, receiver: &str, people: &[String]) -> Vec<(Arc<str>, Target)> {
        let mut known: Vec<String> = Vec::new();
        let mut targets = Vec::new();
        for (index, person) in people.iter().enumerate() {
            let index = index.to_string();
            let path = ["receivers", receiver, "people", &index];
            let Some(address) = self.address_of(&path, person) else {
                continue;
            };
            // Webex does not tell capitals of an address apart.
            if known.contains(&address.as_str().to_lowercase()) {
                self.error(
                    &path,
                    "this person stands here twice",
                    "name everybody once; each message would be posted twice",
                );
                continue;
            }
            known.push(address.as_str().to_lowercase());
            let address: Arc<str> = address.as_str().into();
            targets.push((Arc::clone(&address), Target::Person(address)));
        }
        targets
    }

    /// A room's name for people, and its id.
    fn room(&mut self, path: &[&str], written: &str, rooms: &Ids) -> Option<(Arc<str>, Arc<str>)> {
        if let Some(id) = rooms.get(written) {
            return Some((written.into(), Arc::clone(id.as_ref()?)));
        }
        let names: Vec<&String> = rooms.keys().collect();
        let near = closest(written, names.iter().map(|name| name.as_str()));
        if room_id::is_no_name(written) && near.is_none() {
            self.room_id(path, written);
            return Some((written.into(), written.into()));
        }
        if written.is_empty() {
            self.error(path, "this is empty", "write a room's name or its id");
        } else if !self.noted(&["rooms", written]) {
            let (message, hint) = unknown("room", written, &names);
            self.error(path, message, &hint);
        }
        None
    }

    /// Ids are opaque to us: only what can never be one is refused.
    pub(super) fn room_id(&mut self, path: &[&str], id: &str) {
        if !room_id::is_plausible(id) {
            self.no_id(path);
        } else if let Some(kind) = room_id::kind(id).filter(|kind| kind != "ROOM") {
            self.warn(
                path,
                format!("this is the id of a {kind}, not of a ROOM"),
                "copy the id of the room itself",
            );
        }
    }

    /// What stands there is no id.
    pub(super) fn no_id(&mut self, path: &[&str]) {
        self.error(
            path,
            "this is not a Webex room id",
            "`alertmanager-webex rooms` lists the ids; one looks like `Y2lzY29zcGFyazovL3VzL1JPT00v…`",
        );
    }

    fn conversation(&mut self, name: &str, receiver: &settings::Receiver) -> Conversation {
        if receiver.reply_on_resolve && receiver.conversation != settings::Conversation::Update {
            let conversation = ["receivers", name, "conversation"];
            if !self.noted(&conversation) {
                self.warn(
                    &["receivers", name, "reply_on_resolve"],
                    "this has no effect, because `conversation` is not `update`",
                    "write `conversation = \"update\"`, or leave this out",
                );
            }
        }
        match receiver.conversation {
            settings::Conversation::New => Conversation::New,
            settings::Conversation::Thread => Conversation::Thread,
            settings::Conversation::Update => Conversation::Update {
                reply_on_resolve: receiver.reply_on_resolve,
            },
        }
    }

    fn template(&mut self, receiver: &str, wanted: &str, known: &[String]) {
        if known.iter().all(|name| name != wanted) {
            let (message, hint) = unknown("template", wanted, known);
            self.error(&["receivers", receiver, "template"], message, &hint);
        }
    }
}

/// Message and hint for a name that nothing has.
pub(super) fn unknown<S: AsRef<str>>(thing: &str, wanted: &str, known: &[S]) -> (String, String) {
    let message = if could_be_a_secret(wanted) {
        format!("no {thing} has this name")
    } else {
        format!("no {thing} is named `{wanted}`")
    };
    let hint = match closest(wanted, known.iter().map(AsRef::as_ref)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if thing == "room" && known.is_empty() => {
            "write its id, or give it a name in `[rooms]`".to_owned()
        }
        None if thing == "room" => {
            format!(
                "known rooms: {}; a room id can stand here as well",
                listed(known)
            )
        }
        None if known.is_empty() => format!("there is no {thing} yet"),
        None => format!("known {thing}s: {}", listed(known)),
    };
    (message, hint)
}

/// A room as it is called in a message; an id is too long for one.
fn room(name: &str) -> String {
    if room_id::is_no_name(name) {
        "this room".to_owned()
    } else {
        format!("room `{name}`")
    }
}
