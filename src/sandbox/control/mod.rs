//! The control API, `/control/v1`: the knobs of `knobs.rs` over HTTP, and what the page reads.
//!
//! JSON is strict: an unknown field is an error, because a knob that silently does nothing
//! costs an afternoon. There is no login: the sandbox holds nothing but test data and listens
//! on loopback unless told otherwise. A page of another origin is kept out nonetheless.

mod bots;
mod feed;
mod messages;
mod query;
mod reply;
mod view;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue, ORIGIN};
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::changes::Events;
use super::faults::{Fault, catalogue};
use super::{BODY_LIMIT, Behaviour, Error, Sandbox};
use query::Query;
use reply::{Refused, Reply, created, done, json, parse, protect};

/// Every path with its methods; `{…}` stands for one part. The description in `docs/` and this
/// are held to each other by a test.
pub(super) const ROUTES: &[(&str, &[&str])] = &[
    ("behaviour", &["GET", "PATCH"]),
    ("bots", &["GET", "POST"]),
    ("bots/{name}", &["PATCH", "DELETE"]),
    (EVENTS, &["GET"]),
    ("faults", &["GET", "POST", "DELETE"]),
    ("faults/catalogue", &["GET"]),
    ("faults/{id}", &["DELETE"]),
    ("messages", &["GET", "DELETE"]),
    ("messages/{id}", &["GET", "DELETE"]),
    ("openapi.json", &["GET"]),
    ("requests", &["GET", "DELETE"]),
    ("reset", &["POST"]),
    ("rooms", &["GET", "POST"]),
    ("rooms/{room}", &["DELETE"]),
    ("rooms/{room}/bots/{name}", &["PUT", "DELETE"]),
    ("rooms/{room}/messages", &["GET", "DELETE"]),
    ("state", &["GET"]),
    ("webhooks", &["GET", "POST"]),
    ("webhooks/{name}", &["DELETE"]),
];

/// The stream of changes.
const EVENTS: &str = "events";

/// What is served as `openapi.json`.
const OPENAPI: &str = include_str!("../../../docs/sandbox-openapi.json");

/// An answer of the control API.
pub(super) enum Answer {
    /// All of it.
    Whole(Response<Bytes>),
    /// The head of an answer, and the events that follow it until somebody hangs up.
    Events(Response<()>, Events),
}

/// One call of the control API. `dev` tells the page whether the server has an extension.
pub(super) async fn answer(sandbox: &Sandbox, request: &Request<Bytes>, dev: bool) -> Answer {
    let place = guard(request).and_then(|()| Place::of(request));
    let result = match place {
        Ok(place) if place.is(EVENTS) => match events(sandbox, request) {
            Ok(events) => return Answer::Events(events_head(), events),
            Err(refused) => Err(refused),
        },
        Ok(place) => called(sandbox, request, &place, dev).await,
        Err(refused) => Err(refused),
    };
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

/// Where a call goes: a row of [`ROUTES`], a method of it, and what stands for its `{…}`.
struct Place {
    pattern: &'static str,
    method: String,
    parts: Vec<String>,
}

impl Place {
    fn of(request: &Request<Bytes>) -> Result<Self, Refused> {
        let (path, method) = (request.uri().path(), request.method().as_str());
        let unknown = || {
            let message =
                format!("there is no `{path}`; /control/v1/openapi.json lists what there is");
            Refused::new(StatusCode::NOT_FOUND, message)
        };
        let rest = path.strip_prefix("/control/v1/").ok_or_else(unknown)?;
        let given: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
        let (pattern, methods) = ROUTES
            .iter()
            .find(|(pattern, _)| matches(pattern, &given))
            .ok_or_else(unknown)?;
        if !methods.contains(&method) {
            let message = format!(
                "`{path}` has no method {method}; it has {}",
                methods.join(", ")
            );
            let mut refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, message);
            refused.allow = Some(methods);
            return Err(refused);
        }
        let parts = pattern.split('/').zip(given);
        Ok(Self {
            pattern,
            method: method.to_owned(),
            parts: parts
                .filter(|(part, _)| part.starts_with('{'))
                .map(|(_, given)| super::call::decode(given))
                .collect(),
        })
    }

    fn is(&self, pattern: &str) -> bool {
        self.pattern == pattern
    }
}

fn matches(pattern: &str, given: &[&str]) -> bool {
    let parts: Vec<&str> = pattern.split('/').collect();
    parts.len() == given.len()
        && parts
            .iter()
            .zip(given)
            .all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
}

async fn called(
    sandbox: &Sandbox,
    request: &Request<Bytes>,
    place: &Place,
    dev: bool,
) -> Result<Reply, Refused> {
    let parts: Vec<&str> = place.parts.iter().map(String::as_str).collect();
    let at = (place.pattern, place.method.as_str(), parts.as_slice());
    // These two have parameters of their own; a test awaits messages with one of them.
    match at {
        ("messages", "GET", []) => return messages::list(sandbox, request, None).await,
        ("rooms/{room}/messages", "GET", [room]) => {
            return messages::list(sandbox, request, Some(room)).await;
        }
        ("state", "GET", []) => return feed::state(sandbox, request, dev),
        _ => {
            Query::of(request, &[])?;
        }
    }
    let body = request.body();
    match at {
        ("behaviour", "GET", []) => json(&sandbox.behaviour()),
        ("behaviour", "PATCH", []) => change_behaviour(sandbox, &parse(body)?),

        ("bots", "GET", []) => json(&sandbox.bots()),
        ("bots", "POST", []) => bots::add(sandbox, parse(body)?),
        ("bots/{name}", "PATCH", [bot]) => bots::change(sandbox, bot, parse(body)?),
        ("bots/{name}", "DELETE", [bot]) => done(sandbox.remove_bot(bot)),

        ("faults", "GET", []) => json(&sandbox.faults()),
        ("faults", "POST", []) => {
            let fault: Fault = parse(body)?;
            created(&json!({ "id": sandbox.set_fault(fault)? }))
        }
        ("faults", "DELETE", []) => {
            sandbox.clear_faults();
            Ok(Reply::Nothing)
        }
        ("faults/catalogue", "GET", []) => json(&catalogue::catalogue()),
        // A number that is none of a fault gets the same answer as no number.
        ("faults/{id}", "DELETE", [id]) => done(sandbox.clear_fault(id.parse().unwrap_or(0))),

        ("messages", "DELETE", []) => deleted(sandbox.clear_messages(None)),
        ("messages/{id}", "GET", [id]) => view::message(sandbox, id),
        ("messages/{id}", "DELETE", [id]) => done(sandbox.delete_message(id)),

        ("openapi.json", "GET", []) => Ok(Reply::Text(OPENAPI)),

        ("requests", "GET", []) => json(&sandbox.requests()),
        ("requests", "DELETE", []) => {
            sandbox.clear_requests();
            Ok(Reply::Nothing)
        }

        ("reset", "POST", []) => {
            sandbox.reset();
            Ok(Reply::Nothing)
        }

        ("rooms", "GET", []) => json(&sandbox.rooms()),
        ("rooms", "POST", []) => {
            let new: NewRoom = parse(body)?;
            created(&sandbox.add_room(&new.name, new.id.as_deref())?)
        }
        ("rooms/{room}", "DELETE", [room]) => done(sandbox.remove_room(room)),
        ("rooms/{room}/bots/{name}", "PUT", [room, bot]) => done(sandbox.add_member(room, bot)),
        ("rooms/{room}/bots/{name}", "DELETE", [room, bot]) => {
            done(sandbox.remove_member(room, bot))
        }
        ("rooms/{room}/messages", "DELETE", [room]) => deleted(sandbox.clear_messages(Some(room))),

        ("webhooks", "GET", []) => json(&sandbox.webhooks()),
        ("webhooks", "POST", []) => {
            let new: NewWebhook = parse(body)?;
            created(&sandbox.add_webhook(&new.name, &new.room)?)
        }
        ("webhooks/{name}", "DELETE", [webhook]) => done(sandbox.remove_webhook(webhook)),
        // A row of the table without an arm here, which the test of the table would find.
        _ => Err(Refused::new(
            StatusCode::NOT_FOUND,
            format!("`{}` is not built", place.pattern),
        )),
    }
}

fn deleted(count: Result<usize, Error>) -> Result<Reply, Refused> {
    json(&json!({ "deleted": count? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    name: String,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    name: String,
    room: String,
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
