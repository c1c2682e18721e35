//! The one table from what happened to what Alertmanager is told.
//!
//! Alertmanager retries 5xx and network errors and nothing else, and ignores `Retry-After`.
//! It logs the body, so that is short, names the remedy and holds no secret. Never here:
//! 429, 3xx, and 2xx before Webex accepted.

mod reason;
mod rejection;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use serde::Serialize;

use super::reload::Refused;
use crate::config::Changes;
use crate::delivery::{Outcome, RefusalCause, Trouble};
use crate::routing::NotAssigned;

pub use reason::Reason;
pub(super) use rejection::Rejection;

/// The longest message of an answer; Alertmanager logs it whole.
const MAX_MESSAGE_CHARS: usize = 500;

/// What Alertmanager is told.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) reason: Reason,
    message: String,
    /// Whoever is not let in keeps no connection.
    is_rejection: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    reason: Reason,
    message: &'a str,
}

impl Answer {
    fn new(status: StatusCode, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            message: message.into(),
            is_rejection: false,
        }
    }

    /// Whether the request never became a notification.
    pub(super) fn is_rejection(&self) -> bool {
        self.is_rejection
    }

    /// The message, for the log.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let mut message: &str = &self.message;
        // There are at least as many bytes as characters.
        if message.len() > MAX_MESSAGE_CHARS
            && let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS)
        {
            message = &message[..end];
        }
        let body = Body {
            status: match self.reason {
                Reason::Partial => "partial",
                _ if self.status.is_success() => "ok",
                _ => "error",
            },
            reason: self.reason,
            message,
        };
        let mut response = HttpResponse::build(self.status);
        if self.is_rejection {
            response.force_close();
        }
        match self.reason {
            // The next process listens at the same address; a kept connection would come here.
            Reason::Draining => {
                response.force_close();
            }
            // The same for every receiver: what one asks for is no stranger's business.
            Reason::Unauthorized => {
                response.append_header((header::WWW_AUTHENTICATE, "Bearer"));
                let basic = r#"Basic realm="alertmanager-webex", charset="UTF-8""#;
                response.append_header((header::WWW_AUTHENTICATE, basic));
            }
            Reason::MethodNotAllowed => {
                response.insert_header((header::ALLOW, allowed(message)));
            }
            _ => {}
        }
        response.json(body)
    }
}

/// What comes of a reload; `None` where nobody reads the configuration any more.
pub(super) fn reloaded(done: Option<Result<Changes, Refused>>) -> HttpResponse {
    #[derive(Serialize)]
    struct Reloaded {
        #[serde(flatten)]
        body: Body<'static>,
        #[serde(skip_serializing_if = "Option::is_none")]
        changes: Option<Changes>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        errors: Refused,
    }
    let body = |status, reason, message| Body {
        status,
        reason,
        message,
    };
    match done {
        None => Answer::from(Outcome::Draining).into_response(),
        Some(Ok(changes)) => HttpResponse::Ok().json(Reloaded {
            body: body(
                "ok",
                Reason::Reloaded,
                "the configuration was read again and counts now",
            ),
            changes: Some(changes),
            errors: Vec::new(),
        }),
        Some(Err(errors)) => HttpResponse::UnprocessableEntity().json(Reloaded {
            body: body(
                "error",
                Reason::ConfigRefused,
                "the configuration is wrong, and the old one stays; mend what `errors` says",
            ),
            changes: None,
            errors,
        }),
    }
}

/// The method stands in the message's own words.
fn allowed(message: &str) -> &'static str {
    if message.contains("POST") {
        "POST"
    } else if message.contains("HEAD") {
        "GET, HEAD"
    } else {
        "GET"
    }
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        use StatusCode as S;
        match outcome {
            Outcome::Delivered { messages } => {
                let messages = counted(messages, "message");
                Self::new(
                    S::OK,
                    Reason::Delivered,
                    format!("Webex accepted {messages}"),
                )
            }
            Outcome::Partial { messages, refused } => Self::new(
                S::OK,
                Reason::Partial,
                format!(
                    "Webex accepted {}, but {}",
                    counted(messages, "message"),
                    listed(&refused)
                ),
            ),
            Outcome::Repeat { of } => Self::new(
                S::OK,
                Reason::Duplicate,
                format!(
                    "the same notification was accepted at {of:.0}, so it was not posted again"
                ),
            ),
            Outcome::DryRun => Self::new(
                S::OK,
                Reason::DryRun,
                "rendered and logged; this receiver posts nothing (`dry_run`)",
            ),
            Outcome::Refused(refused) => {
                let reason = match refused.first().map(|refusal| refusal.cause) {
                    Some(RefusalCause::Room) => Reason::RoomRefused,
                    Some(RefusalCause::Token) => Reason::TokenRefused,
                    Some(RefusalCause::NotAssigned) => Reason::RoomNotAllowed,
                    Some(RefusalCause::Message) | None => Reason::MessageRefused,
                };
                Self::new(S::UNPROCESSABLE_ENTITY, reason, listed(&refused))
            }
            Outcome::NotAssigned(why) => {
                let reason = match why {
                    NotAssigned::Foreign { .. } => Reason::ForeignNamespace,
                    NotAssigned::NoRoom { .. } => Reason::RoomNotAllowed,
                };
                Self::new(S::FORBIDDEN, reason, why.to_string())
            }
            Outcome::Unfinished(trouble) => {
                let reason = match trouble {
                    Trouble::Waiting => Reason::Waiting,
                    Trouble::RateLimited { .. } => Reason::RateLimited,
                    Trouble::OverQuota { .. } => Reason::OverQuota,
                    Trouble::Unavailable { .. } => Reason::WebexUnavailable,
                    Trouble::TokenRefused { .. } => Reason::TokenRefused,
                };
                let message = format!("not delivered yet, and the delivery goes on: {trouble}");
                Self::new(S::SERVICE_UNAVAILABLE, reason, message)
            }
            Outcome::GivenUp => Self::new(
                S::SERVICE_UNAVAILABLE,
                Reason::GivenUp,
                "nobody asked for this notification any more, so it was given up; send it again",
            ),
            Outcome::Overloaded => Self::new(
                S::SERVICE_UNAVAILABLE,
                Reason::Overloaded,
                "too many notifications wait already (`delivery.max_waiting`); send it again later",
            ),
            Outcome::Draining => Self::new(
                S::SERVICE_UNAVAILABLE,
                Reason::Draining,
                "this process is about to end; the next one will take it",
            ),
            Outcome::Broken => Self::new(
                S::INTERNAL_SERVER_ERROR,
                Reason::Internal,
                "a defect of this service: the delivery panicked; please report it",
            ),
        }
    }
}

impl From<Rejection> for Answer {
    fn from(rejection: Rejection) -> Self {
        Self::refused(&rejection)
    }
}

impl Answer {
    /// What is told of a rejection.
    pub(super) fn refused(rejection: &Rejection) -> Self {
        use StatusCode as S;
        let (status, reason) = match rejection {
            Rejection::Payload(_) => (S::BAD_REQUEST, Reason::BadPayload),
            Rejection::Interrupted => (S::BAD_REQUEST, Reason::TooSlow),
            Rejection::Unauthorized | Rejection::AdminOnly => {
                (S::UNAUTHORIZED, Reason::Unauthorized)
            }
            Rejection::LocalOnly => (S::FORBIDDEN, Reason::Unauthorized),
            // Alertmanager tries again soon after a 503, and 429 would end its flush.
            Rejection::LockedOut => (S::SERVICE_UNAVAILABLE, Reason::LockedOut),
            Rejection::Busy => (S::SERVICE_UNAVAILABLE, Reason::Overloaded),
            Rejection::UnknownReceiver(_) | Rejection::NearReceiver(..) => {
                (S::NOT_FOUND, Reason::UnknownReceiver)
            }
            Rejection::BadQuery { .. } | Rejection::BadStatusQuery(_) => {
                (S::BAD_REQUEST, Reason::BadQuery)
            }
            Rejection::NotFound | Rejection::StatusElsewhere => (S::NOT_FOUND, Reason::NotFound),
            Rejection::MethodNotAllowed(_) => (S::METHOD_NOT_ALLOWED, Reason::MethodNotAllowed),
            Rejection::TooSlow(_) => (S::REQUEST_TIMEOUT, Reason::TooSlow),
            Rejection::TooLarge(_) => (S::PAYLOAD_TOO_LARGE, Reason::TooLarge),
            Rejection::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, Reason::UnsupportedMediaType)
            }
            Rejection::Panicked => (S::INTERNAL_SERVER_ERROR, Reason::Internal),
        };
        Self {
            is_rejection: true,
            ..Self::new(status, reason, rejection.to_string())
        }
    }
}

fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

fn listed(refused: &[crate::delivery::Refusal]) -> String {
    let texts: Vec<String> = refused.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

#[cfg(test)]
mod tests;
