//! Variables that make a whole configuration by themselves, and fill in what a file leaves out:
//! `WEBEX_TOKEN` and `WEBEX_ROOM`, or files that hold these.

use std::path::Path;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

use super::expected::expected;
use super::layers::Sources;
use super::places::Places;
use super::problem::{Place, Problem, Severity};
use super::rooms::{Room, RoomFile};
use super::settings::{self, Settings};
use crate::routing::DEFAULT_RECEIVER;

/// Sets the token of the one bot where no file does.
const TOKEN: &str = "WEBEX_TOKEN";
/// Names the file that holds it.
const TOKEN_FILE: &str = "WEBEX_TOKEN_FILE";
/// Sets the room of the one receiver where no file does.
const ROOM: &str = "WEBEX_ROOM";
/// Names the file that holds its id.
const ROOM_FILE: &str = "WEBEX_ROOM_FILE";
/// Says for the same receiver what becomes of later notifications of a group.
const CONVERSATION: &str = "WEBEX_CONVERSATION";

/// Fills in a bot where there is none, and a receiver where there is none.
pub(super) fn fill_in(
    settings: &mut Settings,
    sources: &Sources,
    places: &mut Places,
) -> Vec<Problem> {
    let pairs = [(TOKEN, TOKEN_FILE), (ROOM, ROOM_FILE)];
    let is_set = |name: &str| sources.environment.contains_key(name);
    let twice = pairs
        .iter()
        .filter(|(one, other)| is_set(one) && is_set(other));
    let mut problems: Vec<Problem> = twice.map(|(one, other)| both(one, other)).collect();
    if settings.bots.is_empty()
        && let Some((variable, bot)) = bot(sources)
    {
        places.set_by(&["bots", DEFAULT_RECEIVER], variable);
        settings.bots.insert(DEFAULT_RECEIVER.to_owned(), bot);
    }
    if settings.receivers.is_empty()
        && let Some((variable, room)) = room(settings, sources, places)
    {
        places.set_by(&["receivers", DEFAULT_RECEIVER], variable);
        let conversation = conversation(sources).unwrap_or_else(|| {
            problems.push(no_conversation());
            settings::Conversation::New
        });
        settings.receivers.insert(
            DEFAULT_RECEIVER.to_owned(),
            settings::Receiver {
                rooms: vec![room],
                conversation,
                ..settings::Receiver::default()
            },
        );
    }
    problems
}

/// The bot, and the variable that makes it.
fn bot(sources: &Sources) -> Option<(&'static str, settings::Bot)> {
    let mut bot = settings::Bot::default();
    if sources.environment.contains_key(TOKEN) {
        bot.token_env = Some(TOKEN.to_owned());
        return Some((TOKEN, bot));
    }
    bot.token_file = Some(sources.environment.get(TOKEN_FILE)?.into());
    Some((TOKEN_FILE, bot))
}

/// The room as a receiver names it, and the variable that says so.
fn room(
    settings: &mut Settings,
    sources: &Sources,
    places: &mut Places,
) -> Option<(&'static str, String)> {
    if let Some(room) = sources.environment.get(ROOM) {
        return Some((ROOM, room.trim().to_owned()));
    }
    let id_file = Some(sources.environment.get(ROOM_FILE)?.into());
    // A room of the file that is called so is another one.
    let is_taken = settings.rooms.contains_key(DEFAULT_RECEIVER);
    let name = if is_taken {
        ROOM_FILE
    } else {
        DEFAULT_RECEIVER
    };
    places.set_by(&["rooms", name], ROOM_FILE);
    let room = Room::File(RoomFile { id_file });
    settings.rooms.insert(name.to_owned(), room);
    Some((ROOM_FILE, name.to_owned()))
}

/// What [`CONVERSATION`] says; nothing where that is no conversation.
fn conversation(sources: &Sources) -> Option<settings::Conversation> {
    let Some(written) = sources.environment.get(CONVERSATION) else {
        return Some(settings::Conversation::New);
    };
    let written: StrDeserializer<'_, ValueError> = written.trim().into_deserializer();
    settings::Conversation::deserialize(written).ok()
}

fn problem(severity: Severity, variable: &str, message: String, hint: String) -> Problem {
    Problem {
        severity,
        key: String::new(),
        place: Place::Variable(variable.to_owned()),
        message,
        hint,
    }
}

fn no_conversation() -> Problem {
    let key = ["receivers", DEFAULT_RECEIVER, "conversation"].map(str::to_owned);
    let expected = expected(&key);
    let (message, hint) = (expected.misfit(None, true), expected.hint(true));
    problem(Severity::Error, CONVERSATION, message, hint)
}

/// Which of two was meant cannot be told.
fn both(one: &str, other: &str) -> Problem {
    let message = format!("{one} is set as well, and says the same thing otherwise");
    let hint = "unset one of the two".to_owned();
    problem(Severity::Error, other, message, hint)
}

/// Whether the settings hold what a variable says.
type Used<'a> = &'a dyn Fn(&String) -> bool;

/// A variable that the file makes useless: whoever set it will look for its effect.
pub(super) fn without_effect(settings: &Settings, sources: &Sources) -> Vec<Problem> {
    let set = |variable: &str| sources.environment.get(variable);
    let uses_token = |_: &String| {
        let mut bots = settings.bots.values();
        bots.any(|bot| bot.token_env.as_deref() == Some(TOKEN))
    };
    let uses_token_file = |file: &String| {
        let mut bots = settings.bots.values();
        bots.any(|bot| bot.token_file.as_deref() == Some(Path::new(file)))
    };
    let uses_room = |room: &String| {
        let mut receivers = settings.receivers.values();
        receivers.any(|receiver| receiver.rooms.iter().any(|name| name == room.trim()))
    };
    let uses_room_file = |file: &String| {
        let id_file = Some(file.into());
        let wanted = Room::File(RoomFile { id_file });
        settings.rooms.values().any(|room| *room == wanted)
    };
    let uses_conversation =
        |_: &String| set(ROOM).is_some_and(uses_room) || set(ROOM_FILE).is_some_and(uses_room_file);
    let variables: [(&str, &str, Used<'_>); 5] = [
        (TOKEN, "bots", &uses_token),
        (TOKEN_FILE, "bots", &uses_token_file),
        (ROOM, "receivers", &uses_room),
        (ROOM_FILE, "receivers", &uses_room_file),
        (CONVERSATION, "receivers", &uses_conversation),
    ];
    let unused = variables.into_iter().filter(|(variable, _, is_used)| {
        // Of two that say the same, an error tells.
        let is_second = [(TOKEN, TOKEN_FILE), (ROOM, ROOM_FILE)]
            .iter()
            .any(|(first, second)| second == variable && set(first).is_some());
        set(variable).is_some_and(|value| !is_used(value)) && !is_second
    });
    unused
        .map(|(variable, table, _)| {
            let message = format!("this has no effect, because the file has `{table}` of its own");
            let hint = "unset it, or remove those from the file".to_owned();
            problem(Severity::Warning, variable, message, hint)
        })
        .collect()
}
