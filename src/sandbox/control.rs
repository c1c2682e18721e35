//! The control API, `/control/v1`: the knobs of `knobs.rs` over HTTP, and what the page reads.
//!
//! JSON is strict: an unknown field is an error, because a knob that silently does nothing
//! costs an afternoon. There is no login: the sandbox holds nothing but test data and listens
//! on loopback unless told otherwise. A page of another origin is kept out nonetheless.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use http::{Request, Response, StatusCode};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::faults::Fault;
use super::model::{Message, Room};
use super::quota::Quota;
use super::{Behaviour, Error, Sandbox};

/// How many of a room's newest messages the page gets.
const PAGE_MESSAGES: usize = 300;

/// Why a call was refused.
struct Refused {
    status: StatusCode,
    message: String,
}

impl Refused {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::UnknownBot(_)
            | Error::UnknownRoom(_)
            | Error::UnknownMessage(_)
            | Error::UnknownFault(_) => StatusCode::NOT_FOUND,
            Error::BotExists(_) | Error::RoomExists(_) | Error::TokenTaken => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// One call of the control API.
pub(super) fn answer(sandbox: &Sandbox, request: &Request<Bytes>) -> Response<Bytes> {
    let result = guard(request).and_then(|()| route(sandbox, request));
    let (status, value) = match result {
        Ok(Reply::Json(status, value)) => (status, Some(value)),
        Ok(Reply::Nothing) => (StatusCode::NO_CONTENT, None),
        Err(Refused { status, message }) => {
            let value = json!({ "status": "error", "message": message });
            (status, Some(value))
        }
    };
    let body = value.map_or_else(Bytes::new, |value| Bytes::from(value.to_string()));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if status != StatusCode::NO_CONTENT {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

enum Reply {
    Json(StatusCode, Value),
    Nothing,
}

fn done(result: Result<(), Error>) -> Result<Reply, Refused> {
    result?;
    Ok(Reply::Nothing)
}

fn json<T: Serialize>(value: &T) -> Result<Reply, Refused> {
    with_status(StatusCode::OK, value)
}

fn created<T: Serialize>(value: &T) -> Result<Reply, Refused> {
    with_status(StatusCode::CREATED, value)
}

fn with_status<T: Serialize>(status: StatusCode, value: &T) -> Result<Reply, Refused> {
    match serde_json::to_value(value) {
        Ok(value) => Ok(Reply::Json(status, value)),
        Err(error) => Err(Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            error.to_string(),
        )),
    }
}

/// Any web page may make a browser post to loopback; none but our own gets through.
fn guard(request: &Request<Bytes>) -> Result<(), Refused> {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    let Some(origin) = header(ORIGIN) else {
        return Ok(());
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    if host.is_some() && host == header(HOST) {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "the control API takes no calls from pages of other origins",
    ))
}

fn route(sandbox: &Sandbox, request: &Request<Bytes>) -> Result<Reply, Refused> {
    let path = request
        .uri()
        .path()
        .trim_start_matches('/')
        .trim_end_matches('/');
    let parts: Vec<String> = path.split('/').skip(2).map(super::call::decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if !path.starts_with("control/v1") {
        return unknown(path);
    }
    let body = request.body();
    match (parts.as_slice(), request.method().as_str()) {
        (["state"], "GET") => state(sandbox, request),
        (["reset"], "POST") => {
            sandbox.reset();
            Ok(Reply::Nothing)
        }

        (["rooms"], "GET") => json(&sandbox.rooms()),
        (["rooms"], "POST") => {
            let new: NewRoom = parse(body)?;
            created(&sandbox.add_room(&new.name, new.id.as_deref())?)
        }
        (["rooms", room], "DELETE") => done(sandbox.remove_room(room)),
        (["rooms", room, "bots", bot], "PUT") => done(sandbox.add_member(room, bot)),
        (["rooms", room, "bots", bot], "DELETE") => done(sandbox.remove_member(room, bot)),
        (["rooms", room, "messages"], "GET") => messages(sandbox, room),
        (["rooms", room, "messages"], "DELETE") => {
            let deleted = sandbox.clear_messages(Some(room))?;
            json(&json!({ "deleted": deleted }))
        }

        (["messages"], "DELETE") => {
            let deleted = sandbox.clear_messages(None)?;
            json(&json!({ "deleted": deleted }))
        }
        (["messages", id], "DELETE") => done(sandbox.delete_message(id)),

        (["bots"], "GET") => json(&sandbox.bots()),
        (["bots"], "POST") => {
            let new: NewBot = parse(body)?;
            created(&sandbox.add_bot(&new.name, new.token)?)
        }
        (["bots", bot], "PATCH") => change_bot(sandbox, bot, parse(body)?),
        (["bots", bot], "DELETE") => done(sandbox.remove_bot(bot)),

        (["faults"], "GET") => json(&sandbox.faults()),
        (["faults"], "POST") => {
            let fault: Fault = parse(body)?;
            created(&json!({ "id": sandbox.set_fault(fault)? }))
        }
        (["faults"], "DELETE") => {
            sandbox.clear_faults();
            Ok(Reply::Nothing)
        }
        (["faults", id], "DELETE") => {
            // A number that is none of a fault gets the same answer as no number.
            done(sandbox.clear_fault(id.parse().unwrap_or(0)))
        }

        (["behaviour"], "GET") => json(&sandbox.behaviour()),
        (["behaviour"], "PATCH") => change_behaviour(sandbox, &parse(body)?),

        (["requests"], "GET") => json(&sandbox.requests()),
        (["requests"], "DELETE") => {
            sandbox.clear_requests();
            Ok(Reply::Nothing)
        }
        (_, method) if is_known(&parts) => Err(Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("`/{path}` has no method {method}; docs/sandbox.md lists what there is"),
        )),
        _ => unknown(path),
    }
}

fn unknown<T>(path: &str) -> Result<T, Refused> {
    let message = format!("there is no `/{path}`; docs/sandbox.md lists what there is");
    Err(Refused::new(StatusCode::NOT_FOUND, message))
}

fn is_known(parts: &[&str]) -> bool {
    matches!(
        parts,
        ["state" | "reset" | "rooms" | "messages" | "bots" | "faults" | "behaviour" | "requests"]
            | ["rooms" | "messages" | "bots" | "faults", _]
            | ["rooms", _, "messages"]
            | ["rooms", _, "bots", _]
    )
}

/// Says which field is wrong. Bodies may hold tokens, and serde repeats some values, so this
/// goes to the one who sent them and nowhere else.
fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." {
            String::new()
        } else {
            format!("`{path}`: ")
        };
        Refused::new(StatusCode::BAD_REQUEST, format!("{place}{}", error.inner()))
    })?;
    json.end()
        .map_err(|error| Refused::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok(value)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    name: String,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBot {
    name: String,
    #[serde(deserialize_with = "secret")]
    token: SecretString,
}

/// What is left out stays; `"quota": null` lifts it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BotPatch {
    #[serde(default, deserialize_with = "some_secret")]
    token: Option<SecretString>,
    revoked: Option<bool>,
    #[serde(default)]
    quota: QuotaPatch,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn some_secret<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    secret(deserializer).map(Some)
}

/// Left out, `null` and a value are three different wishes.
#[derive(Default)]
enum QuotaPatch {
    #[default]
    Keep,
    Set(Option<Quota>),
}

impl<'de> Deserialize<'de> for QuotaPatch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Set)
    }
}

fn change_bot(sandbox: &Sandbox, bot: &str, patch: BotPatch) -> Result<Reply, Refused> {
    // All that can be refused is looked at before anything is changed.
    if let QuotaPatch::Set(Some(quota)) = patch.quota {
        quota.check()?;
    }
    if let Some(token) = patch.token {
        sandbox.set_token(bot, token)?;
    }
    if let QuotaPatch::Set(quota) = patch.quota {
        sandbox.set_quota(bot, quota)?;
    }
    match patch.revoked {
        Some(true) => sandbox.revoke_token(bot)?,
        Some(false) => sandbox.restore_token(bot)?,
        None => {}
    }
    let bots = sandbox.bots();
    let changed = bots.iter().find(|known| known.name == bot);
    json(&changed.ok_or_else(|| Error::UnknownBot(bot.to_owned()))?)
}

/// Fields that are left out stay as they are.
fn change_behaviour(
    sandbox: &Sandbox,
    patch: &serde_json::Map<String, Value>,
) -> Result<Reply, Refused> {
    let wrong = |error: serde_json::Error| Refused::new(StatusCode::BAD_REQUEST, error.to_string());
    let mut merged = serde_json::to_value(sandbox.behaviour()).map_err(wrong)?;
    if let Some(known) = merged.as_object_mut() {
        known.extend(patch.clone());
    }
    let bytes = Bytes::from(merged.to_string());
    let behaviour: Behaviour = parse(&bytes)?;
    sandbox.set_behaviour(behaviour);
    json(&behaviour)
}

fn messages(sandbox: &Sandbox, room: &str) -> Result<Reply, Refused> {
    let rooms = sandbox.rooms();
    let found = rooms
        .iter()
        .find(|known| known.id == room)
        .or_else(|| rooms.iter().find(|known| known.title == room))
        .ok_or_else(|| Error::UnknownRoom(room.to_owned()))?;
    json(&sandbox.messages(&found.id))
}

/// What the page shows. `since` is the revision that it knows: 204 where nothing has changed.
fn state(sandbox: &Sandbox, request: &Request<Bytes>) -> Result<Reply, Refused> {
    #[derive(Serialize)]
    struct State {
        revision: u64,
        limit: usize,
        rooms: Vec<Room>,
        bots: Vec<super::Bot>,
        faults: Vec<super::StandingFault>,
        messages: Vec<PageMessage>,
    }
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let parameter = |name: &str| {
        url::form_urlencoded::parse(query)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let since = match parameter("since").as_deref().map(str::parse::<u64>) {
        None => None,
        Some(Ok(since)) => Some(since),
        Some(Err(_)) => {
            let message = "`since` must be a revision, a whole number";
            return Err(Refused::new(StatusCode::BAD_REQUEST, message));
        }
    };
    // Before the rest: what changes meanwhile is seen again with the next call.
    let revision = *sandbox.revisions().borrow();
    if since == Some(revision) {
        return Ok(Reply::Nothing);
    }
    let mut messages = parameter("room").map_or_else(Vec::new, |room| sandbox.messages(&room));
    messages.drain(..messages.len().saturating_sub(PAGE_MESSAGES));
    json(&State {
        revision,
        limit: super::MESSAGE_LIMIT,
        rooms: sandbox.rooms(),
        bots: sandbox.bots(),
        faults: sandbox.faults(),
        messages: messages.into_iter().map(PageMessage::of).collect(),
    })
}

/// A message, with HTML that may be put into the page.
#[derive(Serialize)]
struct PageMessage {
    page_html: Option<String>,
    #[serde(flatten)]
    message: Message,
}

impl PageMessage {
    fn of(mut message: Message) -> Self {
        let page_html = message.page_html();
        // What is not sanitised is not even sent to the page.
        message.html = None;
        Self { page_html, message }
    }
}
