//! `POST /alertmanager[/RECEIVER]`: a notification.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::FutureExt as _;
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use super::answers::{Answer, Rejection};
use super::{Current, Service, body};
use crate::alertmanager::Notification;
use crate::routing::Receiver;

/// Takes a notification and says what became of it.
pub(super) async fn receive(
    request: HttpRequest,
    payload: Payload,
    service: Data<Service>,
) -> HttpResponse {
    let start = Instant::now();
    let path = percent_decode_str(request.match_info().get("receiver").unwrap_or(""));
    let path = path.decode_utf8_lossy();
    // One whole configuration, also where a reload comes in between.
    let current = service.current.load_full();
    let receiver = current.loaded.routes().find(&path).cloned();
    let answer = match &receiver {
        None => Rejection::UnknownReceiver(visible(&path)).into(),
        Some(receiver) => {
            // A panic costs this request and no other, and Alertmanager tries again.
            AssertUnwindSafe(answer(&request, payload, (&service, &current), receiver))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Rejection::Panicked.into())
        }
    };
    let name = receiver.map_or_else(
        || Arc::clone(&service.unknown),
        |found| Arc::clone(&found.name),
    );
    service
        .metrics
        .answered(&name, answer.reason.as_str(), start.elapsed());
    // What a delivery comes to is logged there; what never became one is logged here.
    if answer.status.is_client_error() && answer.status != 422 {
        tracing::warn!(
            receiver = %name, status = answer.status.as_u16(), reason = answer.reason.as_str(),
            "refused a request for receiver `{name}`: {}", answer.message(),
        );
    } else {
        tracing::debug!(
            receiver = %name, status = answer.status.as_u16(), reason = answer.reason.as_str(),
            "answered: {}", answer.message(),
        );
    }
    answer.into_response()
}

/// A name from outside as it may stand in a log: short, and without control characters.
fn visible(name: &str) -> String {
    const MOST: usize = 100;
    name.chars()
        .take(MOST)
        .collect::<String>()
        .escape_debug()
        .to_string()
}

async fn answer(
    request: &HttpRequest,
    payload: Payload,
    (service, current): (&Service, &Current),
    receiver: &Arc<Receiver>,
) -> Answer {
    if request.method() != Method::POST {
        return Rejection::MethodNotAllowed("POST").into();
    }
    if !current.callers.allow(request, receiver) {
        return Rejection::Unauthorized.into();
    }
    if !body::is_json(request) {
        return Rejection::UnsupportedMediaType.into();
    }
    let body = match body::read(request, payload, current.body_limit).await {
        Ok(body) => body,
        Err(rejection) => return rejection.into(),
    };
    let ticket = match Notification::parse(&body) {
        Ok(notification) => service
            .engine
            .submit_by(&current.loaded, receiver, &notification),
        Err(error) => return Rejection::from(error).into(),
    };
    // What waits for Webex is the rendered message; the body is not needed any more.
    drop(body);
    ticket.outcome().await.into()
}
