//! How the stand-in says no: every refusal with its status and text, in one table.
//!
//! The letter behind each text is the certainty of docs/facts/webex-api.md: **B** Cisco's material,
//! **C** seen in live answers by others, **D** a single claim, **U** unverified, so worded
//! here. Clients must go by the status. Faults that somebody asked for are in `faults.rs`.

use std::borrow::Cow;

use http::StatusCode;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No token, an unknown one, or one that was revoked.
    Token,
    /// The room is unknown, or the bot is not in it: Webex does not tell which.
    Room,
    /// A malformed id, or a path that does not exist.
    Resource,
    /// Nobody has this address.
    Email,
    /// Nobody has this id.
    Person,
    /// A malformed id where Webex answers 400 instead of 404.
    MalformedId,
    /// A query parameter is missing.
    MissingParameter(&'static str),
    /// A query parameter or field has a value that Webex does not take.
    InvalidParameter(&'static str),
    /// Not JSON by its content type.
    ContentType(String),
    /// Not JSON, or a field of the wrong type.
    Syntax,
    /// Nothing to post.
    Empty,
    /// No destination.
    NoDestination,
    /// More than one destination.
    ManyDestinations,
    /// `text` or `markdown` is too long.
    TooLong,
    /// The whole body is too large.
    TooLarge,
    /// More than one file.
    ManyFiles,
    /// More than one card.
    ManyCards,
    /// The card is refused; why.
    Card(String),
    /// A bot may list only what mentions it.
    ListForbidden,
    /// The message does not exist, or the bot may not see it.
    Message,
    /// Somebody else's message.
    NotYours,
    /// Edited as often as is allowed.
    EditLimit,
    /// A message with files or a card.
    EditUnsupported,
    /// The parent is gone, or is itself a reply; the status is a knob.
    Parent(StatusCode),
    /// In the room already.
    AlreadyMember,
    /// A conversation of two has no other members.
    DirectRoom,
    /// As many people are in the room as the sandbox keeps.
    FullRoom,
    /// The client of a service app is unknown, or its secret is wrong.
    Client,
    /// The refresh token is unknown, was replaced, or has expired.
    RefreshToken,
    /// Too fast; come again after so many seconds.
    Quota(u64),
    /// The path exists, the method does not; what there is.
    Method(&'static str),
}

impl Refusal {
    /// Status and text of the answer.
    #[expect(
        clippy::too_many_lines,
        reason = "it is the table, and reads best in one piece"
    )]
    pub(super) fn answer(&self) -> (StatusCode, Cow<'static, str>) {
        let (status, text) = match self {
            // C
            Self::Token => (
                StatusCode::UNAUTHORIZED,
                "The request requires a valid access token set in the Authorization request header.",
            ),
            // B, C
            Self::Room => (
                StatusCode::NOT_FOUND,
                "Could not find a room with provided ID.",
            ),
            // C
            Self::Resource => (
                StatusCode::NOT_FOUND,
                "The requested resource could not be found.",
            ),
            // C
            Self::Email => (
                StatusCode::NOT_FOUND,
                "Failed to find user with specified email address.",
            ),
            // U
            Self::Person => (
                StatusCode::NOT_FOUND,
                "Failed to find user with specified ID.",
            ),
            // B
            Self::MalformedId => (StatusCode::BAD_REQUEST, "Expect base64 ID or UUID."),
            // B
            Self::MissingParameter(name) => {
                return (
                    StatusCode::BAD_REQUEST,
                    format!("Required String parameter '{name}' is not present").into(),
                );
            }
            // U
            Self::InvalidParameter(name) => {
                return (
                    StatusCode::BAD_REQUEST,
                    format!("Parameter '{name}' has an invalid value").into(),
                );
            }
            // B
            Self::ContentType(given) => {
                return (
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    format!("Content type '{given}' not supported").into(),
                );
            }
            // D
            Self::Syntax => (
                StatusCode::BAD_REQUEST,
                "The request could not be understood by the server due to malformed syntax.",
            ),
            // C
            Self::Empty => (
                StatusCode::BAD_REQUEST,
                "Both text and file cannot be empty.",
            ),
            // C
            Self::NoDestination => (
                StatusCode::BAD_REQUEST,
                "Message destination could not be determined. Provide only one destination in \
                 the roomId, toPersonEmail, or toPersonId field",
            ),
            // B, of 2018
            Self::ManyDestinations => (
                StatusCode::BAD_REQUEST,
                "Exactly one of the destination fields must not be empty (roomId, \
                 toPersonEmail, toPersonId)",
            ),
            // C; that the status is 400 is inferred
            Self::TooLong => (
                StatusCode::BAD_REQUEST,
                "Unable to post message to room: Message length limited to 7439 characters \
                 before encryption and 10000 characters after encryption",
            ),
            // C; the status was not recorded
            Self::TooLarge => (
                StatusCode::BAD_REQUEST,
                "Unable to post message to room: \"The request payload is too big\"",
            ),
            // The limits are A, the texts U.
            Self::ManyFiles => (
                StatusCode::BAD_REQUEST,
                "Only one file is supported per message.",
            ),
            Self::ManyCards => (
                StatusCode::BAD_REQUEST,
                "Only one card per message is supported.",
            ),
            Self::Card(why) => {
                return (
                    StatusCode::BAD_REQUEST,
                    format!("Unable to post card: {why}").into(),
                );
            }
            // C; the text is U
            Self::ListForbidden => (
                StatusCode::FORBIDDEN,
                "Bots may list messages of a group room only with mentionedPeople=me.",
            ),
            // B, of 2018, there for GET too
            Self::Message => (StatusCode::NOT_FOUND, "Unable to delete message."),
            // U
            Self::NotYours => (
                StatusCode::FORBIDDEN,
                "Only the author of a message may change it.",
            ),
            // A; the exact texts are U
            Self::EditLimit => (
                StatusCode::BAD_REQUEST,
                "Unable to edit message: the edit limit has been reached",
            ),
            Self::EditUnsupported => (
                StatusCode::BAD_REQUEST,
                "Unable to edit message: this feature is currently unsupported for messages \
                 containing files or attachments",
            ),
            // U
            Self::Parent(status) => (*status, "Unable to reply to the parent message."),
            // B, D
            Self::AlreadyMember => (
                StatusCode::CONFLICT,
                "User is already a participant in the room.",
            ),
            // U
            Self::DirectRoom => (
                StatusCode::FORBIDDEN,
                "A direct room has two members, who stay.",
            ),
            Self::FullRoom => (
                StatusCode::BAD_REQUEST,
                "The sandbox keeps no more people in one room.",
            ),
            // U: RFC 6749 has 401 for this
            Self::Client => (
                StatusCode::UNAUTHORIZED,
                "The client is unknown, or its secret is wrong.",
            ),
            // The text is B, the status C.
            Self::RefreshToken => (
                StatusCode::BAD_REQUEST,
                "The refresh token provided is expired, revoked, malformed, or invalid.",
            ),
            // C
            Self::Quota(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "The user has sent too many requests in a given amount of time. Please refer to \
                 the Retry-After response header to wait before making a new request.",
            ),
            // The status is A, the text U.
            Self::Method(_) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "The request method is not supported for the specified resource.",
            ),
        };
        (status, Cow::Borrowed(text))
    }
}
