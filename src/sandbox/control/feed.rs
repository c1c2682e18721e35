//! What the page reads: the messages of a room that it shows, or those that a search finds, and
//! what stands beside them.
//!
//! A room may hold thousands of messages and change twenty times a second. So the page asks for
//! a window, and gets the bodies of those messages only that changed since the revision it knows.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use serde::Serialize;
use serde_json::Value;

use super::super::model::{Message, Room};
use super::super::{Behaviour, Bot, MESSAGE_LIMIT, Sandbox, StandingFault};
use super::query::Query;
use super::reply::{Refused, Reply, json};
use super::view::PageMessage;

/// How many of a room's newest messages are shown unless the page says otherwise.
const USUAL: u64 = 100;

/// More than this is not shown at once.
const MOST: u64 = 5_000;

/// How many messages a search shows, the newest.
const MOST_FOUND: usize = 200;

/// Deeper than this a card is not searched; Webex would not take it.
const DEEPEST: usize = 32;

#[derive(Serialize)]
struct State {
    revision: u64,
    /// Bytes that a message may have.
    limit: usize,
    /// Whether the server has an extension.
    dev: bool,
    rooms: Vec<Room>,
    bots: Vec<Bot>,
    faults: Vec<StandingFault>,
    behaviour: Behaviour,
    /// The room that was asked for.
    room: Option<String>,
    /// What was searched for.
    search: Option<String>,
    #[serde(flatten)]
    window: Window,
    /// Of the messages that are shown, those that changed since what the page knows.
    messages: Vec<PageMessage>,
}

/// Which messages are shown.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Window {
    /// Numbers of the messages, oldest first.
    shown: Vec<u64>,
    /// How many of the room are older than the window.
    earlier: usize,
    /// How many of the room are newer.
    later: usize,
    /// The highest number in the window, or 0: what the page gives as `upto` to stay there.
    newest: u64,
    /// How many messages a search found; of these the newest are shown.
    found: usize,
}

/// `since` is the revision that the page knows: 204 where nothing has changed. `last` and `upto`
/// bound the window: so many messages, up to the one with this number.
pub(super) fn state(
    sandbox: &Sandbox,
    request: &Request<Bytes>,
    dev: bool,
) -> Result<Reply, Refused> {
    let query = Query::of(request, &["room", "since", "last", "upto", "search"])?;
    let since = query.number("since", "a revision")?;
    let last = query.number("last", "how many messages")?.unwrap_or(USUAL);
    let upto = query.number("upto", "the number of a message")?;
    // Before the rest: what changes meanwhile is seen again with the next call.
    let revision = *sandbox.revisions().borrow();
    if since == Some(revision) {
        return Ok(Reply::Nothing);
    }
    let room = query.text("room");
    let search = query.text("search").filter(|text| !text.is_empty());
    let every: Vec<Arc<Message>> = sandbox.read(|state| match (search, room) {
        (Some(_), _) => state.all_messages().cloned().collect(),
        (None, Some(room)) => state.messages(room).cloned().collect(),
        (None, None) => Vec::new(),
    });
    let (window, shown) = match (search, room) {
        (Some(text), _) => found(&every, text),
        (None, Some(_)) => window(
            &every,
            usize::try_from(last.min(MOST)).unwrap_or(usize::MAX),
            upto,
        ),
        (None, None) => (Window::default(), Vec::new()),
    };
    let changed = shown
        .iter()
        .filter(|message| since.is_none_or(|since| message.revision > since));
    json(&State {
        revision,
        limit: MESSAGE_LIMIT,
        dev,
        rooms: sandbox.rooms(),
        bots: sandbox.bots(),
        faults: sandbox.faults(),
        behaviour: sandbox.behaviour(),
        room: room.map(str::to_owned),
        search: search.map(str::to_owned),
        messages: changed
            .map(|message| PageMessage::of(Message::clone(message)))
            .collect(),
        window,
    })
}

/// The newest `last` of `messages` up to the number `upto`, and besides the threads that they
/// belong to: a reply is shown under its root, so without that it could not be shown.
fn window(
    messages: &[Arc<Message>],
    last: usize,
    upto: Option<u64>,
) -> (Window, Vec<&Arc<Message>>) {
    let end = upto.map_or(messages.len(), |upto| {
        messages.partition_point(|message| message.number <= upto)
    });
    let begin = end.saturating_sub(last);
    let roots: HashSet<&str> = messages[begin..end]
        .iter()
        .map(|message| message.parent_id.as_deref().unwrap_or(&message.id))
        .collect();
    let is_shown = |message: &&Arc<Message>| {
        roots.contains(message.parent_id.as_deref().unwrap_or(&message.id))
    };
    let shown: Vec<_> = messages[..end].iter().filter(is_shown).collect();
    let window = Window {
        earlier: end - shown.len(),
        later: messages.len() - end,
        newest: shown.last().map_or(0, |message| message.number),
        shown: shown.iter().map(|message| message.number).collect(),
        found: 0,
    };
    (window, shown)
}

/// The newest of those that hold `text`, whatever its case.
fn found<'a>(messages: &'a [Arc<Message>], text: &str) -> (Window, Vec<&'a Arc<Message>>) {
    let text = text.to_lowercase();
    let mut found: Vec<_> = messages
        .iter()
        .filter(|message| holds(message, &text))
        .collect();
    let amount = found.len();
    found.drain(..amount.saturating_sub(MOST_FOUND));
    let window = Window {
        shown: found.iter().map(|message| message.number).collect(),
        found: amount,
        ..Window::default()
    };
    (window, found)
}

fn holds(message: &Message, text: &str) -> bool {
    let holds = |field: &str| field.to_lowercase().contains(text);
    [&message.text, &message.markdown]
        .into_iter()
        .flatten()
        .any(|field| holds(field))
        || holds(&message.person.name)
        || message
            .card
            .as_ref()
            .is_some_and(|card| card_holds(card, text, DEEPEST))
}

fn card_holds(value: &Value, text: &str, depth: usize) -> bool {
    match value {
        Value::String(field) => field.to_lowercase().contains(text),
        Value::Array(items) if depth > 0 => {
            items.iter().any(|item| card_holds(item, text, depth - 1))
        }
        Value::Object(fields) if depth > 0 => fields
            .values()
            .any(|field| card_holds(field, text, depth - 1)),
        _ => false,
    }
}
