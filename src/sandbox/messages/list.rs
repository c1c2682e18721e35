//! `GET /v1/messages` (docs/facts/webex-api.md §2).

use jiff::Timestamp;

use super::super::Sandbox;
use super::super::bots::Caller;
use super::super::call::Call;
use super::super::ids;
use super::super::model::RoomType;
use super::super::refusal::Refusal;
use super::super::reply::Reply;
use super::json::{ItemsJson, MessageJson};
use super::{member_room, mentions};

/// `GET /v1/messages`: newest first.
pub(in super::super) fn list(
    sandbox: &Sandbox,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, Refusal> {
    let room_id = call
        .parameter("roomId")
        .filter(|id| !id.is_empty())
        .ok_or(Refusal::MissingParameter("roomId"))?;
    let mentioned = call.parameter("mentionedPeople");
    let mentions_me = mentioned.is_some_and(|who| who == "me" || who == caller.person.id);
    let max = match call.parameter("max").map(str::parse::<usize>) {
        None => 50,
        // A: at most 100 with `mentionedPeople`. That more is refused, not cut, is U.
        Some(Ok(max)) if max >= 1 && (max <= 100 || mentioned.is_none()) => max,
        Some(_) => return Err(Refusal::InvalidParameter("max")),
    };
    let before = match call.parameter("before").map(str::parse::<Timestamp>) {
        None => None,
        Some(Ok(before)) => Some(before),
        Some(Err(_)) => return Err(Refusal::InvalidParameter("before")),
    };
    let messages = sandbox.read(|state| {
        let room =
            state
                .room_by_id_or_uuid(room_id)
                .ok_or_else(|| match ids::key_or_uuid(room_id) {
                    Some(_) => Refusal::Room,
                    None => Refusal::MalformedId,
                })?;
        member_room(state, caller, &room.id)?;
        // A that bots must; C that it is 403.
        if room.room_type == RoomType::Group && !mentions_me {
            return Err(Refusal::ListForbidden);
        }
        let before_number = match call.parameter("beforeMessage") {
            None => u64::MAX,
            Some(id) => state.message(id).ok_or(Refusal::Message)?.number,
        };
        let parent = call.parameter("parentId");
        let found = state.messages(&room.id).rev().filter(|message| {
            (!mentions_me || mentions(message, caller))
                && message.number < before_number
                && before.is_none_or(|before| message.created < before)
                && parent.is_none_or(|parent| message.parent_id.as_deref() == Some(parent))
        });
        Ok(found.take(max).cloned().collect::<Vec<_>>())
    })?;
    Ok(Reply::json(&ItemsJson {
        items: messages
            .iter()
            .map(|message| MessageJson::of(message))
            .collect(),
    }))
}
