//! How the control API answers: JSON, nothing, or why not.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::Error;

/// Why a call was refused.
pub(super) struct Refused {
    status: StatusCode,
    message: String,
    /// For the `Allow` header.
    pub(super) allow: Option<&'static [&'static str]>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            allow: None,
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::UnknownBot(_)
            | Error::UnknownRoom(_)
            | Error::UnknownMessage(_)
            | Error::UnknownWebhook(_)
            | Error::UnknownFault(_) => StatusCode::NOT_FOUND,
            Error::TooManyListeners | Error::TooManyWaiters => StatusCode::SERVICE_UNAVAILABLE,
            Error::BotExists(_)
            | Error::RoomExists(_)
            | Error::WebhookExists(_)
            | Error::ClientTaken
            | Error::TokenTaken => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// An answer before it is written.
pub(super) enum Reply {
    Json(StatusCode, Value),
    /// JSON that is there already.
    Text(&'static str),
    Nothing,
}

pub(super) fn done(result: Result<(), Error>) -> Result<Reply, Refused> {
    result?;
    Ok(Reply::Nothing)
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<Reply, Refused> {
    with_status(StatusCode::OK, value)
}

pub(super) fn created<T: Serialize>(value: &T) -> Result<Reply, Refused> {
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

impl Refused {
    pub(super) fn written(self) -> Response<Bytes> {
        let value = json!({ "status": "error", "message": self.message });
        let mut response = Reply::Json(self.status, value).written();
        let allow = self.allow.map(|methods| methods.join(", "));
        if let Some(Ok(allow)) = allow.map(HeaderValue::try_from) {
            response.headers_mut().insert(ALLOW, allow);
        }
        response
    }
}

impl Reply {
    pub(super) fn written(self) -> Response<Bytes> {
        let (status, body) = match self {
            Self::Json(status, value) => (status, Bytes::from(value.to_string())),
            Self::Text(json) => (StatusCode::OK, Bytes::from_static(json.as_bytes())),
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

/// Nothing is stored by caches, nor read as anything but what it says.
pub(super) fn protect(headers: &mut http::HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Says which field is wrong. Bodies may hold tokens, and serde repeats some values, so this
/// goes to the one who sent them and nowhere else.
pub(super) fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
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
