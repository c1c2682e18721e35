//! `/v1/memberships`: who is in a room (docs/facts/webex-api.md §5, §9).
//!
//! Bots may add and remove whom they like: who moderates is kept, and has no effect (U).

use serde::{Deserialize, Serialize};

use super::Sandbox;
use super::bots::Caller;
use super::call::Call;
use super::changes::Subject;
use super::ids::{self, Kind};
use super::messages::{ItemsJson, member_room, webex_time};
use super::model::{Person, RoomType};
use super::refusal::Refusal;
use super::reply::Reply;
use super::state::{RoomEntry, State};

/// How many people may be in a room, beside bots: a bound on memory.
const MOST_PEOPLE: usize = 1_000;

/// The body of a POST or PUT. Fields that Webex does not know are ignored (U).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MembershipDraft {
    pub(super) room_id: Option<String>,
    person_id: Option<String>,
    person_email: Option<String>,
    is_moderator: Option<bool>,
}

/// Somebody in a room.
#[derive(Debug, Clone)]
struct Member {
    person: Person,
    is_bot: Option<String>,
    is_moderator: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MembershipJson {
    id: String,
    room_id: String,
    room_type: RoomType,
    person_id: String,
    person_email: String,
    person_display_name: String,
    person_org_id: String,
    is_moderator: bool,
    is_monitor: bool,
    created: String,
}

impl MembershipJson {
    fn of(state: &State, room: &RoomEntry, member: &Member) -> Self {
        Self {
            id: membership_id(state, room, &member.person),
            room_id: room.id.clone(),
            room_type: room.room_type,
            person_id: member.person.id.clone(),
            person_email: member.person.email.clone(),
            person_display_name: member.person.name.clone(),
            person_org_id: state.organization_id(),
            is_moderator: member.is_moderator,
            is_monitor: false,
            created: webex_time(room.created),
        }
    }
}

/// `<uuid of the person>:<uuid of the room>`, as in Webex' samples.
fn membership_id(state: &State, room: &RoomEntry, person: &Person) -> String {
    let key = |id: &str| {
        ids::key_or_uuid(id)
            .unwrap_or_else(|| ids::stable_uuid(&[b"key", id.as_bytes()]).to_string())
    };
    let both = format!("{}:{}", key(&person.id), key(&room.id));
    ids::encode_key(&state.cluster, Kind::Membership, both)
}

/// Bots first, then people, each in the order of their names.
fn members(state: &State, room: &RoomEntry) -> Vec<Member> {
    let is_moderator = |person: &Person| room.moderators.contains(&person.id);
    let bots = room.bots.iter().filter_map(|name| {
        let person = state.person_of_bot(name)?;
        Some(Member {
            is_bot: Some(name.to_string()),
            is_moderator: is_moderator(&person),
            person,
        })
    });
    let people = room.peer.iter().chain(room.people.values());
    let people = people.map(|person| Member {
        person: person.clone(),
        is_bot: None,
        is_moderator: is_moderator(person),
    });
    bots.chain(people).collect()
}

/// Finds a membership that the bot may see: one in a room that it is in.
fn find(state: &State, caller: &Caller, id: &str) -> Result<(String, Member), Refusal> {
    if !ids::is_well_formed(id) {
        return Err(Refusal::MalformedId);
    }
    for room in state.rooms.values().filter(|room| room.holds(caller)) {
        for member in members(state, room) {
            if membership_id(state, room, &member.person) == id {
                return Ok((room.id.clone(), member));
            }
        }
    }
    Err(Refusal::Resource)
}

fn one(state: &State, room_id: &str, member: &Member) -> Result<Reply, Refusal> {
    let room = state.room(room_id).ok_or(Refusal::Room)?;
    Ok(Reply::json(&MembershipJson::of(state, room, member)))
}

/// `GET /v1/memberships`: of a room, or of the bot in all its rooms.
pub(super) fn list(sandbox: &Sandbox, caller: &Caller, call: &Call) -> Result<Reply, Refusal> {
    // A: 1 to 1000, 100 unless given. That other numbers are refused is U.
    let max = match call.parameter("max").map(str::parse::<usize>) {
        None => 100,
        Some(Ok(max)) if (1..=1000).contains(&max) => max,
        Some(_) => return Err(Refusal::InvalidParameter("max")),
    };
    let person_id = call.parameter("personId");
    let email = call.parameter("personEmail");
    sandbox.read(|state| {
        let rooms: Vec<&RoomEntry> = if let Some(id) = call.parameter("roomId") {
            let room = state
                .room_by_id_or_uuid(id)
                .ok_or_else(|| match ids::key_or_uuid(id) {
                    Some(_) => Refusal::Room,
                    None => Refusal::MalformedId,
                })?;
            member_room(state, caller, &room.id)?;
            vec![room]
        } else {
            let mut rooms = state.rooms();
            rooms.retain(|room| room.holds(caller));
            rooms
        };
        let only_own = call.parameter("roomId").is_none() && person_id.is_none() && email.is_none();
        let mut items = Vec::new();
        for room in rooms {
            for member in members(state, room) {
                let person = &member.person;
                let is_wanted = person_id.is_none_or(|id| {
                    id == person.id || (id == "me" && person.id == caller.person.id)
                }) && email
                    .is_none_or(|email| person.email.eq_ignore_ascii_case(email))
                    && (!only_own || person.id == caller.person.id);
                if is_wanted && items.len() < max {
                    items.push(MembershipJson::of(state, room, &member));
                }
            }
        }
        Ok(Reply::json(&ItemsJson { items }))
    })
}

/// `POST /v1/memberships`.
pub(super) fn create(
    sandbox: &Sandbox,
    caller: &Caller,
    draft: &MembershipDraft,
) -> Result<Reply, Refusal> {
    let room_id = draft
        .room_id
        .as_deref()
        .filter(|id| !id.is_empty())
        .ok_or(Refusal::MissingParameter("roomId"))?;
    sandbox.change(|state| {
        let person = match (&draft.person_id, &draft.person_email) {
            (Some(id), None) if !ids::is_well_formed(id) => return Err(Refusal::MalformedId),
            (Some(id), None) => state.person_by_id(id).ok_or(Refusal::Person)?,
            (None, Some(email)) => state.person_by_email(email).ok_or(Refusal::Email)?,
            (None, None) => return Err(Refusal::MissingParameter("personId")),
            // U
            (Some(_), Some(_)) => return Err(Refusal::InvalidParameter("personEmail")),
        };
        member_room(state, caller, room_id)?;
        let room = state.room(room_id).ok_or(Refusal::Room)?;
        if room.room_type == RoomType::Direct {
            return Err(Refusal::DirectRoom);
        }
        let members = members(state, room);
        if members.iter().any(|member| member.person.id == person.id) {
            return Err(Refusal::AlreadyMember);
        }
        let bot = state.bot_of_person(&person.id);
        if bot.is_none() && room.people.len() >= MOST_PEOPLE {
            return Err(Refusal::FullRoom);
        }
        let member = Member {
            is_bot: bot.as_deref().map(str::to_owned),
            is_moderator: draft.is_moderator.unwrap_or(false),
            person: person.clone(),
        };
        let revision = state.changed(Subject::Rooms);
        let Some(room) = state.rooms.get_mut(room_id) else {
            return Err(Refusal::Room);
        };
        room.revision = revision;
        match bot {
            Some(bot) => {
                room.bots.insert(bot);
            }
            None => {
                room.people.insert(person.email.to_lowercase(), person);
            }
        }
        set_moderator(room, &member.person.id, member.is_moderator);
        one(state, room_id, &member)
    })
}

fn set_moderator(room: &mut RoomEntry, person_id: &str, is_moderator: bool) {
    if is_moderator {
        room.moderators.insert(person_id.to_owned());
    } else {
        room.moderators.remove(person_id);
    }
}

/// `GET /v1/memberships/{id}`.
pub(super) fn get(sandbox: &Sandbox, caller: &Caller, id: &str) -> Result<Reply, Refusal> {
    sandbox.read(|state| {
        let (room_id, member) = find(state, caller, id)?;
        one(state, &room_id, &member)
    })
}

/// `PUT /v1/memberships/{id}`: whether somebody moderates.
pub(super) fn update(
    sandbox: &Sandbox,
    caller: &Caller,
    id: &str,
    draft: &MembershipDraft,
) -> Result<Reply, Refusal> {
    let is_moderator = draft
        .is_moderator
        .ok_or(Refusal::MissingParameter("isModerator"))?;
    sandbox.change(|state| {
        let (room_id, mut member) = find(state, caller, id)?;
        member.is_moderator = is_moderator;
        let revision = state.changed(Subject::Rooms);
        if let Some(room) = state.rooms.get_mut(&room_id) {
            room.revision = revision;
            set_moderator(room, &member.person.id, is_moderator);
        }
        one(state, &room_id, &member)
    })
}

/// `DELETE /v1/memberships/{id}`: the room is 404 to a bot that was in it.
pub(super) fn delete(sandbox: &Sandbox, caller: &Caller, id: &str) -> Result<Reply, Refusal> {
    sandbox.change(|state| {
        let (room_id, member) = find(state, caller, id)?;
        let revision = state.changed(Subject::Rooms);
        let Some(room) = state.rooms.get_mut(&room_id) else {
            return Err(Refusal::Resource);
        };
        if room.room_type == RoomType::Direct {
            return Err(Refusal::DirectRoom);
        }
        room.revision = revision;
        room.moderators.remove(&member.person.id);
        match member.is_bot {
            Some(bot) => {
                room.bots.remove(bot.as_str());
            }
            None => {
                room.people.remove(&member.person.email.to_lowercase());
            }
        }
        Ok(Reply::no_content())
    })
}
