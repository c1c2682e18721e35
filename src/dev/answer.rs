//! Answers of the calls below `/dev/`: JSON, never kept by a browser.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};
use serde::Serialize;

use super::error::Error;
use super::playground::Problem;

#[derive(Serialize)]
struct Refusal<'a> {
    status: &'static str,
    message: String,
    /// What is wrong with a template, place by place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem<'a>>,
}

/// 200 with a body.
pub(super) fn json(body: &impl Serialize) -> Response<Bytes> {
    with_status(StatusCode::OK, body)
}

/// An error, as the control API tells them.
pub(super) fn refused(error: &Error) -> Response<Bytes> {
    let problems = match error {
        Error::Broken(broken) => broken.iter().map(Problem::from).collect(),
        _ => Vec::new(),
    };
    let mut response = with_status(
        error.status(),
        &Refusal {
            status: "error",
            message: error.to_string(),
            problems,
        },
    );
    if let Error::MethodNotAllowed(method) = error {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(method));
    }
    response
}

fn with_status(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    // Strings, numbers and JSON that was read before: they always serialise.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
