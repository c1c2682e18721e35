//! The control API, `/control/v1`: the knobs of `knobs.rs` over HTTP, and what the page reads.
//!
//! JSON is strict: an unknown field is an error, because a knob that silently does nothing
//! costs an afternoon. There is no login: the sandbox holds nothing but test data and listens
//! on loopback unless told otherwise. A page of another origin is kept out nonetheless.

mod bots;
mod query;
mod view;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use http::{Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::changes::Events;
use super::faults::Fault;
use super::{BODY_LIMIT, Behaviour, Error, Sandbox};
use query::Query;

/// Where the stream of changes is.
const EVENTS: &str = "/control/v1/events";

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
            Error::TooManyListeners => StatusCode::SERVICE_UNAVAILABLE,
            Error::BotExists(_) | Error::RoomExists(_) | Error::TokenTaken => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// An answer of the control API.
pub(super) enum Answer {
    /// All of it.
    Whole(Response<Bytes>),
    /// The head of an answer, and the events that follow it until somebody hangs up.
    Events(Response<()>, Events),
}

/// One call of the control API. `dev` tells the page whether the server has an extension.
pub(super) fn answer(sandbox: &Sandbox, request: &Request<Bytes>, dev: bool) -> Answer {
    if let Err(refused) = guard(request) {
        return Answer::Whole(refused.written());
    }
    if request.uri().path() == EVENTS && request.method() == http::Method::GET {
        return match events(sandbox, request) {
            Ok(events) => Answer::Events(events_head(), events),
            Err(refused) => Answer::Whole(refused.written()),
        };
    }
    let result = route(sandbox, request, dev);
    Answer::Whole(result.map_or_else(Refused::written, Reply::written))
}

fn events(sandbox: &Sandbox, request: &Request<Bytes>) -> Result<Events, Refused> {
    Query::of(request, &[])?;
    let last_event = request.headers().get("last-event-id");
    let last_event = last_event.and_then(|id| id.to_str().ok());
    Ok(Events::new(sandbox, last_event)?)
}

fn events_head() -> Response<()> {
    let mut response = Response::new(());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    protect(headers);
    response
}

impl Refused {
    fn written(self) -> Response<Bytes> {
        let value = json!({ "status": "error", "message": self.message });
        Reply::Json(self.status, value).written()
    }
}

impl Reply {
    fn written(self) -> Response<Bytes> {
        let (status, body) = match self {
            Self::Json(status, value) => (status, Bytes::from(value.to_string())),
            Self::Nothing => (StatusCode::NO_CONTENT, Bytes::new()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        protect(headers);
        response
    }
}

fn protect(headers: &mut http::HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// What is refused before anything is looked at, here and below `/dev/`.
pub(super) fn refusal(request: &Request<Bytes>) -> Option<Response<Bytes>> {
    guard(request).err().map(Refused::written)
}

/// There is nothing below `/dev/` here.
pub(super) fn no_extension() -> Response<Bytes> {
    let message = "there is no receiver in this process, so nothing is below `/dev/`; \
        `alertmanager-webex dev` has one";
    Refused::new(StatusCode::NOT_FOUND, message).written()
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
    if request.body().len() > BODY_LIMIT {
        return Err(Refused::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body has more than {BODY_LIMIT} bytes"),
        ));
    }
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

fn route(sandbox: &Sandbox, request: &Request<Bytes>, dev: bool) -> Result<Reply, Refused> {
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
        (["state"], "GET") => view::state(sandbox, request, dev),
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
        (["rooms", room, "messages"], "GET") => view::messages(sandbox, room),
        (["rooms", room, "messages"], "DELETE") => {
            let deleted = sandbox.clear_messages(Some(room))?;
            json(&json!({ "deleted": deleted }))
        }

        (["messages"], "DELETE") => {
            let deleted = sandbox.clear_messages(None)?;
            json(&json!({ "deleted": deleted }))
        }
        (["messages", id], "GET") => view::message(sandbox, id),
        (["messages", id], "DELETE") => done(sandbox.delete_message(id)),

        (["bots"], "GET") => json(&sandbox.bots()),
        (["bots"], "POST") => bots::add(sandbox, parse(body)?),
        (["bots", bot], "PATCH") => bots::change(sandbox, bot, parse(body)?),
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
        ["state"
            | "events"
            | "reset"
            | "rooms"
            | "messages"
            | "bots"
            | "faults"
            | "behaviour"
            | "requests"]
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
