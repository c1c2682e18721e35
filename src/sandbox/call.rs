//! A request to the Webex API, taken apart once: where it goes, who sent it, what it holds.
//!
//! What is done with it is in `answer.rs`.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request};
use serde::de::DeserializeOwned;

use super::apps::{Grant, essence};
use super::draft::Draft;
use super::memberships::MembershipDraft;
use super::refusal::Refusal;
use super::webhooks::WebhookDraft;
use super::{BODY_LIMIT, multipart};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Messages,
    Message(String),
    Me,
    Rooms,
    Room(String),
    Memberships,
    Membership(String),
    AccessToken,
    TokenExpiry,
    Webhook(String),
    Nowhere,
}

impl Route {
    pub(super) fn of(path: &str) -> Self {
        let Some(rest) = path.strip_prefix("/v1/") else {
            return Self::Nowhere;
        };
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            ["messages"] => Self::Messages,
            ["messages", id] if !id.is_empty() => Self::Message(decode(id)),
            ["people", "me"] => Self::Me,
            ["rooms"] => Self::Rooms,
            ["rooms", id] if !id.is_empty() => Self::Room(decode(id)),
            ["memberships"] => Self::Memberships,
            ["memberships", id] if !id.is_empty() => Self::Membership(decode(id)),
            ["access_token"] => Self::AccessToken,
            ["authorizations", "tokenExpiry"] => Self::TokenExpiry,
            ["webhooks", "incoming", id] if !id.is_empty() => Self::Webhook(decode(id)),
            _ => Self::Nowhere,
        }
    }
}

/// Percent-decoding of one part of a path.
pub(super) fn decode(part: &str) -> String {
    // A `+` is itself in a path, and form decoding is the decoder that is at hand.
    let query = format!("x={}", part.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// What a request holds, by where it goes.
pub(super) enum Body {
    Message(Draft),
    Membership(MembershipDraft),
    Grant(Grant),
    Nothing,
}

impl Body {
    /// The message, where it holds one.
    pub(super) fn draft(&self) -> Option<&Draft> {
        match self {
            Self::Message(draft) => Some(draft),
            _ => None,
        }
    }

    pub(super) fn into_draft(self) -> Draft {
        match self {
            Self::Message(draft) => draft,
            _ => Draft::default(),
        }
    }

    /// The room that it names.
    pub(super) fn room_id(&self) -> Option<&str> {
        match self {
            Self::Message(draft) => draft.room_id.as_deref(),
            Self::Membership(draft) => draft.room_id.as_deref(),
            _ => None,
        }
    }
}

/// A request, taken apart once.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) route: Route,
    pub(super) query: Vec<(String, String)>,
    /// Where the caller thinks the API is, such as `http://127.0.0.1:9095`, for links.
    pub(super) origin: String,
}

impl Call {
    /// Takes a request apart; what a POST or PUT holds stands beside it.
    pub(super) fn of(request: &Request<Bytes>) -> (Self, Result<Body, Refusal>) {
        let (uri, headers) = (request.uri(), request.headers());
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or(uri.authority().map(http::uri::Authority::as_str));
        let call = Self {
            method: request.method().clone(),
            path: uri.path().to_owned(),
            route: Route::of(uri.path()),
            query: url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect(),
            origin: format!("http://{}", host.unwrap_or("localhost")),
        };
        let body = call.body(request);
        (call, body)
    }

    fn body(&self, request: &Request<Bytes>) -> Result<Body, Refusal> {
        if !matches!(self.method, Method::POST | Method::PUT) {
            return Ok(Body::Nothing);
        }
        let (headers, body) = (request.headers(), request.body());
        match self.route {
            Route::Messages | Route::Message(_) => draft(headers, body).map(Body::Message),
            Route::Memberships | Route::Membership(_) => json(headers, body).map(Body::Membership),
            Route::AccessToken => Grant::of(request).map(Body::Grant),
            Route::Webhook(_) => {
                let draft: WebhookDraft = json(headers, body)?;
                draft.into_draft().map(Body::Message)
            }
            _ => Ok(Body::Nothing),
        }
    }

    /// The first value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }
}

/// A message: as JSON, or as a form, which may hold a file.
fn draft(headers: &HeaderMap, body: &Bytes) -> Result<Draft, Refusal> {
    if essence(headers).eq_ignore_ascii_case("multipart/form-data") {
        if body.len() > BODY_LIMIT {
            return Err(Refusal::TooLarge);
        }
        let content_type = headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        return multipart::draft(content_type.unwrap_or_default(), body);
    }
    json(headers, body)
}

fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Refusal> {
    let essence = essence(headers);
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::ContentType(essence));
    }
    if body.len() > BODY_LIMIT {
        return Err(Refusal::TooLarge);
    }
    serde_json::from_slice(body).map_err(|_| Refusal::Syntax)
}

/// The token of a request, where it bears one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}
