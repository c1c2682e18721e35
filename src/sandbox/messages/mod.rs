//! `/v1/messages`: post, get, edit, delete, list (docs/facts/webex-api.md §1 to §3).
//!
//! Each function checks, renders outside the lock, and changes the state in one go. The
//! letters in comments are the certainty tags of docs/facts/webex-api.md; U is nobody's knowledge.

mod json;
mod list;

use std::sync::Arc;

use jiff::Timestamp;

use super::behaviour::{CardEdits, CardWithoutText};
use super::bots::Caller;
use super::draft::{Draft, given, is_filled};
use super::ids;
use super::markdown::{self, Mention, Rendered};
use super::model::{Message, Person, RoomType};
use super::refusal::Refusal;
use super::reply::Reply;
use super::state::State;
use super::{EDIT_LIMIT, Sandbox};
use json::MessageJson;
pub(super) use json::{ItemsJson, as_answered, webex_time};
pub(super) use list::list;

/// `POST /v1/messages`.
pub(super) fn create(
    sandbox: &Sandbox,
    caller: &Caller,
    origin: &str,
    draft: Draft,
) -> Result<Reply, Refusal> {
    let message = post(sandbox, draft, Post::Bot { caller, origin })?;
    Ok(Reply::json(&MessageJson::of(&message)).about(&message))
}

/// Who posts.
pub(super) enum Post<'a> {
    /// A bot, which names a destination. Files that it uploads are below `origin`.
    Bot { caller: &'a Caller, origin: &'a str },
    /// An incoming webhook, which has one.
    Webhook { room: String, person: Arc<Person> },
}

/// Posts a message.
pub(super) fn post(
    sandbox: &Sandbox,
    mut draft: Draft,
    by: Post<'_>,
) -> Result<Arc<Message>, Refusal> {
    let behaviour = sandbox.read(|state| state.behaviour);
    let has_file = draft.has_file();
    // C: before the recipient is looked up.
    let may_lack_text =
        has_file || (draft.has_card() && behaviour.card_without_text == CardWithoutText::Allow);
    if !draft.has_text() && !may_lack_text {
        return Err(Refusal::Empty);
    }
    let destination = match &by {
        Post::Bot { caller, .. } => Some((Destination::of(&draft)?, *caller)),
        Post::Webhook { .. } => None,
    };
    draft.check(&behaviour)?;
    let rendered = rendered(sandbox, &draft);

    sandbox.change(|state| {
        let (room_id, person, origin) = match (destination, by) {
            (Some((destination, caller)), Post::Bot { origin, .. }) => (
                destination.room(state, caller)?,
                Arc::clone(&caller.person),
                origin,
            ),
            (_, Post::Bot { .. }) => return Err(Refusal::NoDestination),
            (_, Post::Webhook { room, person }) => (room, person, ""),
        };
        let room = state.room(&room_id).ok_or(Refusal::Room)?;
        let (room_type, to) = (room.room_type, room.peer.clone());
        let parent_id = match given(draft.parent_id.as_ref()) {
            Some(parent) => parent_of(state, parent, &room_id)?,
            None => None,
        };
        let mut message = Message {
            id: String::new(),
            room_id,
            room_type,
            parent_id,
            to,
            text: None,
            markdown: None,
            html: None,
            files: draft.files.take().unwrap_or_default(),
            upload: draft.upload.take(),
            card: None,
            person,
            mentioned_people: Vec::new(),
            mentioned_groups: Vec::new(),
            created: Timestamp::UNIX_EPOCH,
            updated: None,
            edits: 0,
            size: 0,
            card_bytes: 0,
            revision: 0,
            number: 0,
        };
        if message.upload.is_some() {
            let number = state.next_number().to_le_bytes();
            let uuid = ids::stable_uuid(&[b"content", &number]);
            let id = ids::encode(&state.cluster, ids::Kind::Content, uuid);
            message.files.push(format!("{origin}/v1/contents/{id}"));
        }
        fill(&mut message, draft, rendered);
        Ok(state.post(message))
    })
}

/// Exactly one of three.
enum Destination {
    Room(String),
    Email(String),
    PersonId(String),
}

impl Destination {
    fn of(draft: &Draft) -> Result<Self, Refusal> {
        let room = given(draft.room_id.as_ref()).map(|id| Self::Room(id.to_owned()));
        let email = given(draft.to_person_email.as_ref()).map(|to| Self::Email(to.to_owned()));
        let person = given(draft.to_person_id.as_ref()).map(|id| Self::PersonId(id.to_owned()));
        let mut all = [room, email, person].into_iter().flatten();
        match (all.next(), all.next()) {
            (None, _) => Err(Refusal::NoDestination),
            (Some(destination), None) => Ok(destination),
            (Some(_), Some(_)) => Err(Refusal::ManyDestinations),
        }
    }

    fn room(&self, state: &mut State, caller: &Caller) -> Result<String, Refusal> {
        let person = match self {
            Self::Room(id) => return member_room(state, caller, id).map(|()| id.clone()),
            Self::Email(email) => state.person_by_email(email).ok_or(Refusal::Email)?,
            // B for the status of a malformed id.
            Self::PersonId(id) if !ids::is_well_formed(id) => return Err(Refusal::MalformedId),
            Self::PersonId(id) => state.person_by_id(id).ok_or(Refusal::Person)?,
        };
        Ok(state.direct_room(caller, person))
    }
}

/// Whether the room is there and the bot in it; Webex does not tell which (C).
pub(super) fn member_room(state: &State, caller: &Caller, id: &str) -> Result<(), Refusal> {
    match state.room(id) {
        Some(room) if room.holds(caller) => Ok(()),
        Some(_) => Err(Refusal::Room),
        None if ids::is_well_formed(id) => Err(Refusal::Room),
        None => Err(Refusal::Resource),
    }
}

/// The root that a reply goes to, by the knobs for what is contested (D) or unknown (U).
fn parent_of(state: &State, parent: &str, room_id: &str) -> Result<Option<String>, Refusal> {
    let found = state
        .message(parent)
        .filter(|message| message.room_id == room_id);
    let Some(found) = found else {
        return match state.behaviour.deleted_parent.refusal() {
            Some(status) => Err(Refusal::Parent(status)),
            None => Ok(None),
        };
    };
    match (&found.parent_id, state.behaviour.reply_to_reply.refusal()) {
        (None, _) => Ok(Some(found.id.clone())),
        (Some(root), None) => Ok(Some(root.clone())),
        (Some(_), Some(status)) => Err(Refusal::Parent(status)),
    }
}

fn rendered(sandbox: &Sandbox, draft: &Draft) -> Option<Rendered> {
    let markdown = draft
        .markdown
        .as_deref()
        .filter(|text| is_filled(Some(text)))?;
    Some(markdown::render(markdown, |mention| {
        sandbox.read(|state| match mention {
            Mention::All => None,
            Mention::Email(email) => state.person_by_email(email),
            Mention::Id(id) => state.person_by_id(id),
        })
    }))
}

fn fill(message: &mut Message, draft: Draft, rendered: Option<Rendered>) {
    message.size = draft.size();
    message.text = draft.text.filter(|text| !text.is_empty());
    message.markdown = draft.markdown.filter(|text| !text.is_empty());
    message.card = draft.attachments.and_then(|mut cards| cards.pop());
    message.card_bytes = message
        .card
        .as_ref()
        .map_or(0, |card| card.to_string().len());
    let Rendered {
        html,
        text,
        people,
        groups,
    } = rendered.unwrap_or_default();
    if message.text.is_none() {
        message.text = Some(text).filter(|text| !text.is_empty());
    }
    message.html = Some(html).filter(|html| !html.is_empty());
    message.mentioned_people = people;
    message.mentioned_groups = groups;
}

/// Whether the bot may see a message: it is in the room, and wrote it, is mentioned in it, or
/// shares the room with one person (bots see only what mentions them: A; 404 otherwise: C).
fn is_visible(state: &State, caller: &Caller, message: &Message) -> bool {
    state
        .room(&message.room_id)
        .is_some_and(|room| room.holds(caller))
        && (message.room_type == RoomType::Direct
            || message.person.id == caller.person.id
            || mentions(message, caller))
}

/// Whether `mentionedPeople=me` finds it. That `<@all>` counts is U.
fn mentions(message: &Message, caller: &Caller) -> bool {
    message.mentioned_people.contains(&caller.person.id) || !message.mentioned_groups.is_empty()
}

fn visible(state: &State, caller: &Caller, id: &str) -> Result<Arc<Message>, Refusal> {
    match state.message(id) {
        Some(message) if is_visible(state, caller, message) => Ok(Arc::clone(message)),
        None if !ids::is_well_formed(id) => Err(Refusal::Resource),
        _ => Err(Refusal::Message),
    }
}

/// One's own message; somebody else's is 403 (U).
fn own(state: &State, caller: &Caller, id: &str) -> Result<Arc<Message>, Refusal> {
    let message = visible(state, caller, id)?;
    if message.person.id == caller.person.id {
        Ok(message)
    } else {
        Err(Refusal::NotYours)
    }
}

/// `GET /v1/messages/{id}`.
pub(super) fn get(sandbox: &Sandbox, caller: &Caller, id: &str) -> Result<Reply, Refusal> {
    let message = sandbox.read(|state| visible(state, caller, id))?;
    Ok(Reply::json(&MessageJson::of(&message)))
}

/// `DELETE /v1/messages/{id}`.
pub(super) fn delete(sandbox: &Sandbox, caller: &Caller, id: &str) -> Result<Reply, Refusal> {
    sandbox.change(|state| {
        own(state, caller, id)?;
        state.delete(id);
        Ok(Reply::no_content())
    })
}

/// `PUT /v1/messages/{id}`.
pub(super) fn edit(
    sandbox: &Sandbox,
    caller: &Caller,
    id: &str,
    draft: Draft,
) -> Result<Reply, Refusal> {
    let behaviour = sandbox.read(|state| state.behaviour);
    sandbox.read(|state| own(state, caller, id))?;
    // A: `roomId` is required, and `html` must not come with `markdown`. The answers are U.
    let Some(room_id) = given(draft.room_id.as_ref()).map(str::to_owned) else {
        return Err(Refusal::MissingParameter("roomId"));
    };
    if draft.html.is_some() && draft.markdown.is_some() {
        return Err(Refusal::InvalidParameter("html"));
    }
    if !draft.has_text() {
        return Err(Refusal::Empty);
    }
    draft.check(&behaviour)?;
    let rendered = rendered(sandbox, &draft);

    let message = sandbox.change(|state| {
        let old = own(state, caller, id)?;
        member_room(state, caller, &room_id)?;
        if old.room_id != room_id {
            return Err(Refusal::Message);
        }
        let has_file = !old.files.is_empty() || draft.has_file();
        let has_card = old.card.is_some() || draft.has_card();
        // A; of cards, C says the contrary.
        if has_file || (has_card && behaviour.card_edits == CardEdits::Reject) {
            return Err(Refusal::EditUnsupported);
        }
        if old.edits >= EDIT_LIMIT {
            return Err(Refusal::EditLimit);
        }
        let mut message = Message::clone(&old);
        message.edits += 1;
        fill(&mut message, draft, rendered);
        state.edit(message).ok_or(Refusal::Message)
    })?;
    Ok(Reply::json(&MessageJson::of(&message)).about(&message))
}
