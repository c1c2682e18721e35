//! What is sent to Webex and what comes back, as far as we use it.

use serde::{Deserialize, Serialize};

/// The body of `POST /messages`.
///
/// Source: webex/webex-openapi-specs, `public-spec/webex-messaging.json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewMessage<'a> {
    /// The room it goes to.
    pub room_id: &'a str,
    /// Webex's Markdown, at most 7,439 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown: Option<&'a str>,
    /// Plain text, at most 7,439 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
}

/// Webex has the message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    /// The message's id.
    pub id: String,
}

/// The body of an error answer. Each field may be missing: gateways answer with HTML.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ErrorBody {
    pub(super) message: Option<String>,
    pub(super) tracking_id: Option<String>,
}

/// Who a token belongs to: the answer of `GET /people/me`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The bot's name as people see it.
    #[serde(default)]
    pub display_name: String,
}
