//! What `check --online` asks Webex: who each bot is, and whether it is where it is to post.
//!
//! Nothing is posted. Whether a person can be written to shows only when a message is sent,
//! so people and webhooks are listed as not checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use secrecy::SecretString;
use serde::Serialize;

use super::access::{Access, access};
use super::table::{cell, table};
use crate::config::{Bot, Config, Identity};
use crate::routing::{Destination, Receiver, RoomFrom, Target};
use crate::webex::{Client, Error, Person, Room};

/// How many requests are under way at a time: quick, and no storm of its own.
const AT_ONCE: usize = 8;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    bots: Vec<BotFound>,
    receivers: Vec<Way>,
}

/// One bot.
#[derive(Debug, Serialize)]
struct BotFound {
    bot: Arc<str>,
    /// Who Webex takes it for.
    identity: Option<String>,
    /// `bot`, `appuser` or `person`.
    kind: Option<String>,
    state: State,
}

/// Where one receiver's messages go.
#[derive(Debug, Serialize)]
struct Way {
    receiver: Arc<str>,
    bot: Arc<str>,
    /// `room`, `person` or `webhook`.
    kind: &'static str,
    /// Its name in the configuration, else its id or address.
    destination: Arc<str>,
    /// What the room is called in Webex.
    title: Option<String>,
    state: State,
}

/// What became of a question.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "state", content = "problem", rename_all = "snake_case")]
enum State {
    Ok,
    /// Nothing was asked, and why.
    NotChecked(String),
    /// What is wrong, with the remedy.
    Failed(String),
}

impl State {
    fn words(&self) -> String {
        match self {
            Self::Ok => "ok".to_owned(),
            Self::NotChecked(why) => format!("not checked: {why}"),
            Self::Failed(problem) => format!("FAILED: {problem}"),
        }
    }
}

impl Report {
    /// Whether nothing failed.
    pub(super) fn is_ok(&self) -> bool {
        let bots = self.bots.iter().map(|found| &found.state);
        let ways = self.receivers.iter().map(|way| &way.state);
        !bots
            .chain(ways)
            .any(|state| matches!(state, State::Failed(_)))
    }

    /// As two tables, for people.
    pub(super) fn text(&self) -> String {
        let row = |cells: [&str; 4]| cells.map(cell).to_vec();
        let mut bots = vec![row(["BOT", "IDENTITY", "TYPE", "STATE"])];
        bots.extend(self.bots.iter().map(|found| {
            row([
                &found.bot,
                found.identity.as_deref().unwrap_or("-"),
                found.kind.as_deref().unwrap_or("-"),
                &found.state.words(),
            ])
        }));
        let row = |cells: [&str; 5]| cells.map(cell).to_vec();
        let mut ways = vec![row(["RECEIVER", "BOT", "POSTS TO", "IN WEBEX", "STATE"])];
        ways.extend(self.receivers.iter().map(|way| {
            row([
                &way.receiver,
                &way.bot,
                &format!("{} {}", way.kind, way.destination),
                way.title.as_deref().unwrap_or("-"),
                &way.state.words(),
            ])
        }));
        format!("{}\n\n{}", table(&bots), table(&ways))
    }
}

/// Asks Webex about every bot, and about every room that a receiver posts to.
pub(super) async fn ask(client: &Client, config: &Config) -> Report {
    let found: Vec<(BotFound, Usable)> = stream::iter(&config.bots)
        .map(|(name, bot)| identify(client, name, &bot.identity))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let (bots, usable): (Vec<BotFound>, Vec<Usable>) = found.into_iter().unzip();
    // A bot whose token is refused fails for each room alike; that is told once, with the bot.
    let usable: BTreeMap<&Arc<str>, Usable> = config.bots.keys().zip(usable).collect();
    let ways: Vec<(&Arc<str>, Destination)> = config
        .routes
        .iter()
        .flat_map(|receiver| reachable(receiver).map(|way| (&receiver.name, way)))
        .collect();
    let mut rooms: Vec<&Destination> = ways
        .iter()
        .map(|(_, destination)| destination)
        .filter(|destination| matches!(destination.target, Target::Room(_)))
        .collect();
    rooms.sort_by_key(|room| (&room.bot, room.id()));
    rooms.dedup_by_key(|room| (&room.bot, room.id()));
    let rooms: BTreeMap<_, _> = stream::iter(rooms)
        .map(|room| look(client, room, usable.get(&room.bot)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;

    let receivers = ways.iter().map(|(receiver, destination)| {
        let found = rooms.get(&(&destination.bot, destination.id()));
        let (title, state) = found.cloned().unwrap_or_else(|| {
            let webhook = config.webhooks.get(&destination.bot);
            let failed = webhook.and_then(of_webhook);
            let why = "only a message would tell".to_owned();
            (None, failed.unwrap_or(State::NotChecked(why)))
        });
        Way {
            receiver: Arc::clone(receiver),
            bot: Arc::clone(&destination.bot),
            kind: destination.target.noun(),
            destination: Arc::clone(&destination.name),
            title,
            state,
        }
    });
    Report {
        receivers: receivers.collect(),
        bots,
    }
}

/// A webhook's URL can be looked at, but nothing can be asked of it.
fn of_webhook(webhook: &Bot) -> Option<State> {
    let unusable = webhook.identity.check().err()?;
    Some(State::Failed(unusable.to_string()))
}

/// Where a receiver's messages go, and where its alerts or its URL may ask them to go.
fn reachable(receiver: &Receiver) -> impl Iterator<Item = Destination> {
    let asked_for = receiver.room_from.iter().flat_map(RoomFrom::allowed_rooms);
    let own = &receiver.destinations;
    let others = asked_for.filter(move |room| !own.contains(room));
    own.iter().cloned().chain(others)
}

/// The token that a bot's rooms are asked for with, or what is said of them instead.
type Usable = Result<SecretString, State>;

async fn identify(client: &Client, name: &Arc<str>, identity: &Identity) -> (BotFound, Usable) {
    let (token, state) = match access(client, identity).await {
        Access::Token(token) => (Some(token), State::Ok),
        Access::Withheld(why) => (None, State::NotChecked(why)),
        Access::Failed(why) => (None, State::Failed(why)),
    };
    let (person, state) = match &token {
        None => (None, state),
        Some(token) => match client.identify(token).await {
            Ok(person) => (Some(person), state),
            Err(error) => (None, State::Failed(of_bot(&error))),
        },
    };
    let usable = match (&state, token) {
        (State::Ok, Some(token)) => Ok(token),
        (State::NotChecked(_), _) => Err(State::NotChecked("its bot was not".to_owned())),
        _ => Err(State::Failed("its bot cannot be used".to_owned())),
    };
    let found = BotFound {
        bot: Arc::clone(name),
        identity: person.as_ref().map(called),
        kind: person.map(|person| person.kind),
        state,
    };
    (found, usable)
}

type Found<'a> = ((&'a Arc<str>, &'a Arc<str>), (Option<String>, State));

async fn look<'a>(client: &Client, room: &'a Destination, token: Option<&Usable>) -> Found<'a> {
    let state = match token {
        None => (None, State::Failed("its bot is unknown".to_owned())),
        Some(Err(state)) => (None, state.clone()),
        Some(Ok(token)) => match client.room(token, room.id()).await {
            Ok(Room { title, .. }) => (Some(title), State::Ok),
            Err(error) => (None, State::Failed(of_room(&error))),
        },
    };
    ((&room.bot, room.id()), state)
}

/// `Alerts (alerts@webex.bot)`.
fn called(person: &Person) -> String {
    match person.emails.first() {
        Some(email) => format!("{} ({email})", person.display_name),
        None => person.display_name.clone(),
    }
}

fn status(error: &Error) -> Option<StatusCode> {
    match error {
        Error::Status { status, .. } => Some(*status),
        _ => None,
    }
}

fn of_bot(error: &Error) -> String {
    match status(error) {
        Some(StatusCode::UNAUTHORIZED) => {
            "Webex refuses the token; put the present one into its file or variable".to_owned()
        }
        _ => format!("{error}; look at `webex.base_url` and at the network"),
    }
}

fn of_room(error: &Error) -> String {
    match status(error) {
        Some(StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) => {
            "no such room, or the bot is not in it; add the bot to the room, or mend the id"
                .to_owned()
        }
        _ => error.to_string(),
    }
}
