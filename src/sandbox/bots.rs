//! Bots and people: who may ask, and who can be written to.
//!
//! A part of the state, so it runs under its lock. Rooms and messages are in `state.rs`.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::apps::AppEntry;
use super::changes::Subject;
use super::ids::{self, Kind};
use super::model::{Bot, Person, RoomType};
use super::quota::Bucket;
use super::state::State;

/// A bot that bears a known, valid token.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) name: Arc<str>,
    pub(super) person: Arc<Person>,
    /// Until when its token is valid; a bot's own token lasts.
    pub(super) until: Option<Instant>,
    pub(super) is_app: bool,
}

/// What a bot is known by.
enum Credential {
    Token(SecretString),
    App(Box<AppEntry>),
}

impl Credential {
    /// Whether this is a token of it.
    fn takes(&self, token: &str, now: Instant) -> bool {
        match self {
            Self::Token(known) => known
                .expose_secret()
                .as_bytes()
                .ct_eq(token.as_bytes())
                .into(),
            Self::App(app) => app.valid_until(token, now).is_some(),
        }
    }
}

/// A bot, with its token.
pub(super) struct BotEntry {
    pub(super) name: Arc<str>,
    person: Arc<Person>,
    credential: Credential,
    revoked: bool,
    bucket: Option<Bucket>,
}

impl BotEntry {
    fn view(&self) -> Bot {
        let now = Instant::now();
        Bot {
            name: self.name.to_string(),
            person: Arc::clone(&self.person),
            revoked: self.revoked,
            quota: self.bucket.as_ref().map(|bucket| bucket.quota),
            service_app: match &self.credential {
                Credential::App(app) => Some(app.view(now)),
                Credential::Token(_) => None,
            },
        }
    }
}

/// What can be changed about a bot.
pub(super) enum BotChange {
    Token(SecretString),
    Revoked(bool),
    Bucket(Option<Bucket>),
}

impl State {
    pub(super) fn person(&self, name: &str, email: &str) -> Person {
        let uuid = ids::stable_uuid(&[b"person", email.to_ascii_lowercase().as_bytes()]);
        Person {
            id: ids::encode(&self.cluster, Kind::Person, uuid),
            email: email.to_owned(),
            name: name.to_owned(),
        }
    }

    pub(super) fn organization_id(&self) -> String {
        let uuid = ids::stable_uuid(&[b"organization"]);
        ids::encode(&self.cluster, Kind::Organization, uuid)
    }

    pub(super) fn add_bot(&mut self, name: &str, token: SecretString) -> Bot {
        self.add(name, Credential::Token(token))
    }

    pub(super) fn add_app(&mut self, name: &str, app: AppEntry) -> Bot {
        self.add(name, Credential::App(Box::new(app)))
    }

    /// The service app of this client id, and whether its tokens are revoked.
    pub(super) fn app_of_client(&mut self, client_id: &str) -> Option<(&mut AppEntry, bool)> {
        self.bots
            .iter_mut()
            .find_map(|bot| match &mut bot.credential {
                Credential::App(app) if app.client_id() == client_id => {
                    Some((&mut **app, bot.revoked))
                }
                _ => None,
            })
    }

    /// The service app of this name.
    pub(super) fn app(&mut self, name: &str) -> Option<&mut AppEntry> {
        self.bots
            .iter_mut()
            .find_map(|bot| match &mut bot.credential {
                Credential::App(app) if *bot.name == *name => Some(&mut **app),
                _ => None,
            })
    }

    /// The name of the service app of this client id.
    pub(super) fn name_of_client(&self, client_id: &str) -> Option<Arc<str>> {
        self.bots.iter().find_map(|bot| match &bot.credential {
            Credential::App(app) if app.client_id() == client_id => Some(Arc::clone(&bot.name)),
            _ => None,
        })
    }

    pub(super) fn person_of_bot(&self, name: &str) -> Option<Person> {
        let bot = self.bots.iter().find(|bot| *bot.name == *name)?;
        Some(Person::clone(&bot.person))
    }

    pub(super) fn bot_of_person(&self, person_id: &str) -> Option<Arc<str>> {
        let bot = self.bots.iter().find(|bot| bot.person.id == person_id)?;
        Some(Arc::clone(&bot.name))
    }

    fn add(&mut self, name: &str, credential: Credential) -> Bot {
        let person = self.person(name, &format!("{name}@webex.bot"));
        let name: Arc<str> = name.into();
        self.revision += 1;
        self.changes.note(Subject::Bots, self.revision);
        self.changes.note(Subject::Rooms, self.revision);
        for room in self.rooms.values_mut() {
            if room.room_type == RoomType::Group {
                room.bots.insert(Arc::clone(&name));
                room.revision = self.revision;
            }
        }
        let bot = BotEntry {
            name,
            person: Arc::new(person),
            credential,
            revoked: false,
            bucket: None,
        };
        let view = bot.view();
        self.bots.push(bot);
        view
    }

    pub(super) fn remove_bot(&mut self, name: &str) -> bool {
        let before = self.bots.len();
        self.bots.retain(|bot| *bot.name != *name);
        let is_removed = self.bots.len() < before;
        if is_removed {
            self.revision += 1;
            self.changes.note(Subject::Bots, self.revision);
            self.changes.note(Subject::Rooms, self.revision);
            for room in self.rooms.values_mut() {
                if room.bots.remove(name) {
                    room.revision = self.revision;
                }
            }
        }
        is_removed
    }

    pub(super) fn bots(&self) -> Vec<Bot> {
        self.bots.iter().map(BotEntry::view).collect()
    }

    pub(super) fn has_bot(&self, name: &str) -> bool {
        self.bots.iter().any(|bot| *bot.name == *name)
    }

    /// Sets what is given; false where there is no such bot.
    pub(super) fn change_bot(&mut self, name: &str, change: BotChange) -> bool {
        let Some(bot) = self.bots.iter_mut().find(|bot| *bot.name == *name) else {
            return false;
        };
        match change {
            BotChange::Token(token) => bot.credential = Credential::Token(token),
            BotChange::Revoked(revoked) => bot.revoked = revoked,
            BotChange::Bucket(bucket) => bot.bucket = bucket,
        }
        self.changed(Subject::Bots);
        true
    }

    /// Whose token this is, also where it is revoked. Every token is looked at to its end, so
    /// the time it takes tells nothing.
    fn bearer(&mut self, token: &str, now: Instant) -> Option<&mut BotEntry> {
        let mut found = None;
        for (index, bot) in self.bots.iter().enumerate() {
            if bot.credential.takes(token, now) {
                found = Some(index);
            }
        }
        found.and_then(|index| self.bots.get_mut(index))
    }

    pub(super) fn name_of_bearer(&mut self, token: &str) -> Option<Arc<str>> {
        let bot = self.bearer(token, Instant::now())?;
        Some(Arc::clone(&bot.name))
    }

    /// The bot of a valid token, and how long it must wait if it asks too fast.
    pub(super) fn authenticate(
        &mut self,
        token: &str,
        now: Instant,
    ) -> Option<Result<Caller, u64>> {
        let bot = self.bearer(token, now).filter(|bot| !bot.revoked)?;
        if let Some(bucket) = &mut bot.bucket
            && let Err(wait) = bucket.take(now)
        {
            return Some(Err(wait));
        }
        let (is_app, until) = match &bot.credential {
            Credential::Token(_) => (false, None),
            Credential::App(app) => (true, app.valid_until(token, now)),
        };
        Some(Ok(Caller {
            name: Arc::clone(&bot.name),
            person: Arc::clone(&bot.person),
            until,
            is_app,
        }))
    }

    /// Who has this address: a bot, or a person who can be reached.
    pub(super) fn person_by_email(&self, email: &str) -> Option<Person> {
        if let Some(bot) = self
            .bots
            .iter()
            .find(|bot| bot.person.email.eq_ignore_ascii_case(email))
        {
            return Some(Person::clone(&bot.person));
        }
        let (local, domain) = email.split_once('@')?;
        let is_known = !local.is_empty()
            && self
                .people
                .iter()
                .any(|known| match known.strip_prefix('@') {
                    Some(known) => known.eq_ignore_ascii_case(domain),
                    None => known.eq_ignore_ascii_case(email),
                });
        is_known.then(|| self.person(&name_from(local), email))
    }

    /// Who has this id: a bot, or somebody who was written to before. People exist by rule,
    /// not in a list, so an id cannot be turned back into an address.
    pub(super) fn person_by_id(&self, id: &str) -> Option<Person> {
        let of_bots = self.bots.iter().map(|bot| &*bot.person);
        let of_rooms = self
            .rooms
            .values()
            .flat_map(|room| room.peer.iter().chain(room.people.values()));
        of_bots
            .chain(of_rooms)
            .find(|person| person.id == id)
            .cloned()
    }
}

/// `anna.berg` is shown as `Anna Berg`.
fn name_from(local: &str) -> String {
    local
        .split(['.', '_', '-'])
        .filter(|word| !word.is_empty())
        .map(|word| {
            let mut characters = word.chars();
            let first = characters
                .next()
                .map(|first| first.to_uppercase().to_string());
            first.unwrap_or_default() + characters.as_str()
        })
        .collect::<Vec<_>>()
        .join(" ")
}
