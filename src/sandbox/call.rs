//! A request to the Webex API, taken apart once: where it goes, who sent it, what it holds.
//!
//! What is done with it is in `answer.rs`.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request};

use super::BODY_LIMIT;
use super::draft::Draft;
use super::refusal::Refusal;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Messages,
    Message(String),
    Me,
    Rooms,
    Room(String),
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
    /// Takes a request apart; the body of a POST or PUT stands beside it.
    pub(super) fn of(request: &Request<Bytes>) -> (Self, Result<Draft, Refusal>) {
        let (uri, headers) = (request.uri(), request.headers());
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or(uri.authority().map(http::uri::Authority::as_str));
        let has_body = matches!(*request.method(), Method::POST | Method::PUT);
        let draft = if has_body {
            draft(headers, request.body())
        } else {
            Ok(Draft::default())
        };
        let call = Self {
            method: request.method().clone(),
            path: uri.path().to_owned(),
            route: Route::of(uri.path()),
            query: url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect(),
            origin: format!("http://{}", host.unwrap_or("localhost")),
        };
        (call, draft)
    }

    /// The first value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }
}

fn draft(headers: &HeaderMap, body: &Bytes) -> Result<Draft, Refusal> {
    let given = headers
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("multipart/form-data") {
        // Webex takes it; saying so is better than an answer that looks like Webex's.
        return Err(Refusal::ContentType(
            "multipart/form-data (taken by Webex, but not yet by this sandbox)".to_owned(),
        ));
    }
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::ContentType(essence.to_owned()));
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
