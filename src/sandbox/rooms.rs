//! `/v1/rooms`, `/v1/people/me`, `/v1/authorizations/tokenExpiry` (docs/facts/webex-api.md §9).

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use super::Sandbox;
use super::bots::Caller;
use super::call::Call;
use super::ids;
use super::messages::{ItemsJson, member_room, webex_time};
use super::model::RoomType;
use super::refusal::Refusal;
use super::reply::Reply;
use super::state::{RoomEntry, State};

/// `GET /v1/people/me`.
pub(super) fn me(sandbox: &Sandbox, caller: &Caller) -> Reply {
    let org_id = sandbox.read(|state| state.organization_id());
    let person = &caller.person;
    Reply::json(&PersonJson {
        id: &person.id,
        emails: [&person.email],
        display_name: &person.name,
        nick_name: &person.name,
        user_name: &person.email,
        org_id: &org_id,
        created: "2024-01-01T00:00:00.000Z",
        r#type: if caller.is_app { "appuser" } else { "bot" },
    })
}

/// `GET /v1/authorizations/tokenExpiry`: milliseconds since 1970.
pub(super) fn token_expiry(caller: &Caller) -> Reply {
    let exp = match caller.until {
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now());
            let left = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
            Timestamp::now().as_millisecond().saturating_add(left)
        }
        // B: a bot's token lasts 100 years; these bots were made in 2024.
        None => 4_859_740_800_000,
    };
    Reply::json(&serde_json::json!({ "exp": exp }))
}

/// `GET /v1/rooms/{id}`.
pub(super) fn get(sandbox: &Sandbox, caller: &Caller, id: &str) -> Result<Reply, Refusal> {
    sandbox.read(|state| {
        member_room(state, caller, id)?;
        let room = state.room(id).ok_or(Refusal::Room)?;
        Ok(Reply::json(&RoomJson::of(room, state)))
    })
}

/// `GET /v1/rooms`: the rooms that the bot is in, oldest first (U).
///
/// The next page is named by the id of the last room seen, so a room that is made or removed
/// meanwhile moves no other across the boundary.
pub(super) fn list(sandbox: &Sandbox, caller: &Caller, call: &Call) -> Result<Reply, Refusal> {
    // A: 1 to 1000, 100 unless given. That other numbers are refused is U.
    let max = match call.parameter("max").map(str::parse::<usize>) {
        None => 100,
        Some(Ok(max)) if (1..=1000).contains(&max) => max,
        Some(_) => return Err(Refusal::InvalidParameter("max")),
    };
    let room_type = match call.parameter("type") {
        None => None,
        Some("direct") => Some(RoomType::Direct),
        Some("group") => Some(RoomType::Group),
        Some(_) => return Err(Refusal::InvalidParameter("type")),
    };
    let cursor = call.parameter("cursor");
    let link = |cursor: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("max", &max.to_string());
        if let Some(room_type) = room_type {
            query.append_pair("type", room_type.as_str());
        }
        query.append_pair("cursor", cursor);
        format!(
            "<{}/v1/rooms?{}>; rel=\"next\"",
            call.origin,
            query.finish()
        )
    };
    sandbox.read(|state| {
        // A: a page may be empty and yet have a next one.
        if state.behaviour.rooms_empty_page && cursor.is_none() {
            let mut reply = Reply::json(&ItemsJson::<RoomJson<'_>> { items: Vec::new() });
            reply.link = Some(link("start"));
            return Ok(reply);
        }
        let mut rooms = state.rooms();
        rooms.retain(|room| {
            room.holds(caller) && room_type.is_none_or(|wanted| room.room_type == wanted)
        });
        let from = match cursor {
            None | Some("start") => 0,
            Some(last) => {
                let position = rooms.iter().position(|room| room.id == last);
                position.ok_or(Refusal::InvalidParameter("cursor"))? + 1
            }
        };
        let rest = &rooms[from..];
        let page = &rest[..rest.len().min(max)];
        let mut reply = Reply::json(&ItemsJson {
            items: page.iter().map(|room| RoomJson::of(room, state)).collect(),
        });
        if let (Some(last), true) = (page.last(), page.len() < rest.len()) {
            reply.link = Some(link(&last.id));
        }
        Ok(reply)
    })
}

impl State {
    /// List calls take a bare UUID too, by their error text (docs/facts/webex-api.md §10, inferred).
    pub(super) fn room_by_id_or_uuid(&self, id: &str) -> Option<&RoomEntry> {
        self.room(id).or_else(|| {
            let key = ids::key_or_uuid(id)?;
            let mut rooms = self.rooms().into_iter();
            rooms.find(|room| ids::key_or_uuid(&room.id).as_ref() == Some(&key))
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PersonJson<'a> {
    id: &'a str,
    emails: [&'a str; 1],
    display_name: &'a str,
    nick_name: &'a str,
    user_name: &'a str,
    org_id: &'a str,
    created: &'a str,
    r#type: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoomJson<'a> {
    id: &'a str,
    title: &'a str,
    r#type: RoomType,
    is_locked: bool,
    is_public: bool,
    is_read_only: bool,
    last_activity: String,
    created: String,
    creator_id: String,
    owner_id: String,
}

impl<'a> RoomJson<'a> {
    fn of(room: &'a RoomEntry, state: &State) -> Self {
        Self {
            id: &room.id,
            title: &room.title,
            r#type: room.room_type,
            is_locked: false,
            is_public: false,
            is_read_only: false,
            last_activity: webex_time(room.last_activity),
            created: webex_time(room.created),
            creator_id: state.person("Admin", "admin@example.org").id,
            owner_id: state.organization_id(),
        }
    }
}
