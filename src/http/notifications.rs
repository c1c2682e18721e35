//! `POST /alertmanager[/RECEIVER]`: a notification.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::RequestHead;
use actix_web::http::Method;
use actix_web::web::{Data, Payload};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::FutureExt as _;
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use super::answers::{Answer, Reason, Rejection};
use super::connection::Peer;
use super::{Current, Service, body, query};
use crate::alertmanager::Notification;
use crate::delivery::Answered;
use crate::routing::Receiver;
use crate::telemetry::Trace;

/// Names templates that `dev` tries out; nothing in `serve` looks at it.
pub const TRY_HEADER: &str = "x-try-templates";

/// Takes a notification and says what became of it.
pub(super) async fn receive(
    request: HttpRequest,
    payload: Payload,
    service: Data<Service>,
) -> HttpResponse {
    let start = Instant::now();
    let path = request.match_info().get("receiver").unwrap_or("");
    let path = percent_decode_str(path).decode_utf8_lossy();
    // One whole configuration, also where a reload comes in between.
    let current = service.current.load_full();
    let receiver = current.loaded.routes().find(&path);
    // A panic costs this request and no other, and Alertmanager tries again.
    let answer = answer(&request, payload, (&service, &current), (&path, receiver));
    let answer = AssertUnwindSafe(answer)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Rejection::Panicked.into());
    let trace = trace_of(&request);
    let name = receiver.map_or(&service.unknown, |receiver| &receiver.name);
    trace.set("alertmanager_webex.receiver", name);
    trace.set("alertmanager_webex.reason", answer.reason.as_str());
    note(&service, receiver, request.head(), &answer, start.elapsed());
    answer.into_response()
}

/// The answer to a client that asks whether it may send a body, if it may not. What else is
/// wrong it learns when it sends the request.
pub(super) fn refusal(
    service: &Service,
    head: &RequestHead,
    peer: Option<&Peer>,
) -> Option<Answer> {
    let start = Instant::now();
    let path = head.uri.path().strip_prefix(service.prefix.as_str())?;
    let path = path.strip_prefix("/alertmanager")?;
    if head.method != Method::POST || !(path.is_empty() || path.starts_with('/')) {
        return None;
    }
    let path = percent_decode_str(path).decode_utf8_lossy();
    let current = service.current.load();
    let receiver = current.loaded.routes().find(&path);
    let rejection = current.callers.admit(&path, receiver, head, peer).err()?;
    let answer = Answer::from(rejection);
    note(service, receiver, head, &answer, start.elapsed());
    Some(answer)
}

/// Counts and logs an answer.
fn note(
    service: &Service,
    receiver: Option<&Arc<Receiver>>,
    head: &RequestHead,
    answer: &Answer,
    took: Duration,
) {
    let name = receiver.map_or(&service.unknown, |receiver| &receiver.name);
    let (status, reason) = (answer.status.as_u16(), answer.reason.as_str());
    service.metrics.answered(name, reason, took);
    let message = answer.message();
    let told = Answered {
        status,
        reason,
        message,
    };
    if receiver.is_some() {
        let is_rejection = answer.is_rejection();
        service.engine.note_answer(name, &told, is_rejection);
    }
    if let Some(observer) = service.engine.observer() {
        observer.answered(name, &told);
    }
    let (told, took_seconds) = (answer.message(), took.as_secs_f64());
    // What a delivery comes to is logged there; what never became one is logged here.
    let is_foreign = matches!(
        answer.reason,
        Reason::ForeignNamespace | Reason::RoomNotAllowed
    );
    if !answer.is_rejection() && !is_foreign {
        tracing::debug!(
            receiver = %name, status, reason, took_seconds,
            "answered {status} for receiver `{name}`: {told}",
        );
        return;
    }
    // Who knocks without end does not fill the disk: the log leaves out what is too much.
    let from = head.peer_addr.map(|peer| peer.ip().to_canonical());
    let from = from.map_or_else(|| "(unknown)".to_owned(), |ip| ip.to_string());
    tracing::warn!(
        receiver = %name, from, status, reason,
        "refused a request from {from} for receiver `{name}`: {told}",
    );
}

async fn answer(
    request: &HttpRequest,
    payload: Payload,
    (service, current): (&Service, &Current),
    (path, receiver): (&str, Option<&Arc<Receiver>>),
) -> Answer {
    if request.method() != Method::POST {
        return Rejection::MethodNotAllowed("POST").into();
    }
    let peer = request.conn_data::<Rc<Peer>>().map(AsRef::as_ref);
    let receiver = match current.callers.admit(path, receiver, request.head(), peer) {
        Ok(receiver) => receiver,
        Err(rejection) => return with_near(rejection, current).into(),
    };
    let room = match query::room(request.query_string(), receiver) {
        Ok(room) => room,
        Err(rejection) => return rejection.into(),
    };
    if !body::is_json(request) {
        return Rejection::UnsupportedMediaType.into();
    }
    let body = match body::read(request, payload, &current.bodies).await {
        Ok(body) => body,
        Err(rejection) => return rejection.into(),
    };
    let dispatch = trace_of(request).in_scope(|| match Notification::parse(&body) {
        Ok(notification) => {
            let receiver = &chosen(service, request, receiver);
            let (engine, loaded) = (&service.engine, &current.loaded);
            let dispatch = engine.dispatch(loaded, receiver, room.as_deref(), &notification);
            if let Some(observer) = engine.observer() {
                for delivery in dispatch.deliveries() {
                    observer.received(&receiver.name, delivery, &body);
                }
            }
            Ok(dispatch)
        }
        Err(error) => Err(Rejection::from(error)),
    });
    let dispatch = match dispatch {
        Ok(dispatch) => dispatch,
        Err(rejection) => return rejection.into(),
    };
    // What waits for Webex is the rendered message; the body is not needed any more.
    drop(body);
    dispatch.outcome().await.into()
}

/// The span of a request.
fn trace_of(request: &HttpRequest) -> Trace {
    request.extensions().get().cloned().unwrap_or_default()
}

/// The receiver, or one like it with the templates that the request names: those that are
/// tried out, where somebody watches who knows of such.
fn chosen(service: &Service, request: &HttpRequest, found: &Arc<Receiver>) -> Arc<Receiver> {
    let stand_in = service.engine.observer().and_then(|observer| {
        let tried = request.headers().get(TRY_HEADER)?.to_str().ok()?;
        observer.stand_in(found, tried)
    });
    stand_in.unwrap_or_else(|| Arc::clone(found))
}

/// A name that nothing has, with the one that was probably meant.
pub(super) fn with_near(rejection: Rejection, current: &Current) -> Rejection {
    match rejection {
        Rejection::UnknownReceiver(asked) => match current.loaded.routes().near(&asked) {
            Some(near) => Rejection::NearReceiver(asked, Arc::clone(&near.name)),
            None => Rejection::UnknownReceiver(asked),
        },
        other => other,
    }
}
