//! How the Webex API answers: a reply, a refusal, or a failure that a fault asked for.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use super::Sandbox;
use super::faults::{FaultBody, RetryAfter};
use super::model::Message;
use super::refusal::Refusal;

const JSON: &str = "application/json;charset=UTF-8";
const TRACKING_ID: HeaderName = HeaderName::from_static("trackingid");

/// What a gateway shows instead of the API.
const GATEWAY_PAGE: &str = "<html>\n<head><title>Sandbox</title></head>\n<body>\
    <h1>This page came from a gateway, not from the API</h1></body>\n</html>\n";

/// An answer before it is written.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// The `Link` header.
    pub(super) link: Option<String>,
    /// The message that was posted or edited: its number, and how often it was edited.
    pub(super) about: Option<(u64, u32)>,
}

impl Reply {
    /// 200 with `value` as JSON.
    pub(super) fn json(value: &impl Serialize) -> Self {
        Self {
            status: StatusCode::OK,
            body: to_json(value),
            link: None,
            about: None,
        }
    }

    /// The answer is this message, which the request posted or edited.
    pub(super) fn about(mut self, message: &Message) -> Self {
        self.about = Some((message.number, message.edits));
        self
    }

    /// 204.
    pub(super) fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// A status, and nothing else.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: Bytes::new(),
            link: None,
            about: None,
        }
    }
}

fn to_json(value: &impl Serialize) -> Bytes {
    // Only maps with keys that are no strings could fail, and there are none.
    Bytes::from(serde_json::to_vec(value).unwrap_or_default())
}

impl Sandbox {
    /// The answer that a call was given.
    pub(super) fn written(&self, reply: Reply) -> Response<Bytes> {
        let has_body = !reply.body.is_empty();
        let mut response = Response::new(reply.body);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        }
        insert(headers, TRACKING_ID, &self.tracking_id());
        if let Some(link) = &reply.link {
            insert(headers, http::header::LINK, link);
        }
        response
    }

    /// The answer to what is refused.
    pub(super) fn refusal(&self, refusal: &Refusal) -> Response<Bytes> {
        let (status, text) = refusal.answer();
        let mut response = self.failure(status, None, FaultBody::Json, Some(&text));
        match refusal {
            Refusal::Quota(seconds) => {
                insert(response.headers_mut(), RETRY_AFTER, &seconds.to_string());
            }
            Refusal::Method(methods) => insert(response.headers_mut(), ALLOW, methods),
            _ => {}
        }
        response
    }

    /// An answer of an error's shape; `text` says what a JSON body says, which is otherwise the
    /// status' own name.
    pub(super) fn failure(
        &self,
        status: StatusCode,
        retry_after: Option<&RetryAfter>,
        body: FaultBody,
        text: Option<&str>,
    ) -> Response<Bytes> {
        let tracking_id = self.tracking_id();
        let text = text.or(status.canonical_reason()).unwrap_or("Error");
        // HTTP allows these no body; one would be read as the next answer on the connection.
        let may_have_body = !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let (content_type, body) = match body {
            _ if !may_have_body => ("", Bytes::new()),
            FaultBody::Json => (JSON, to_json(&ErrorBody::new(text, &tracking_id))),
            FaultBody::Html => ("text/html", Bytes::from_static(GATEWAY_PAGE.as_bytes())),
            FaultBody::Empty => ("", Bytes::new()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        insert(headers, TRACKING_ID, &tracking_id);
        if let Some(retry_after) = retry_after {
            insert(headers, RETRY_AFTER, &retry_after.header(Timestamp::now()));
        }
        response
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // What callers choose (a host in a link, say) was a header before, and faults are checked.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Webex's error object (docs/facts/webex-api.md §5).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    message: &'a str,
    errors: [ErrorDescription<'a>; 1],
    tracking_id: &'a str,
}

#[derive(Serialize)]
struct ErrorDescription<'a> {
    description: &'a str,
}

impl<'a> ErrorBody<'a> {
    fn new(message: &'a str, tracking_id: &'a str) -> Self {
        Self {
            message,
            errors: [ErrorDescription {
                description: message,
            }],
            tracking_id,
        }
    }
}
