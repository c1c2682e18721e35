//! Why a request is answered as it is, in one word.

use serde::Serialize;

/// Why a request is answered as it is. A closed set, the same as the metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Webex has every message.
    Delivered,
    /// Some rooms have it, the others refuse for good.
    Partial,
    /// It was accepted a moment ago.
    Duplicate,
    /// The receiver posts nothing.
    DryRun,
    /// It waits for its turn.
    Waiting,
    /// Webex said 429.
    RateLimited,
    /// The receiver has posted its `max_messages_per_minute`.
    OverQuota,
    /// Webex cannot be reached or is unwell.
    WebexUnavailable,
    /// Webex refuses the bot's token.
    TokenRefused,
    /// The room is unknown, or the bot is not in it.
    RoomRefused,
    /// Webex refuses the message in every form.
    MessageRefused,
    /// Too much is waiting.
    Overloaded,
    /// This process is about to end.
    Draining,
    /// Nobody asked for it any more.
    GivenUp,
    /// A defect of ours.
    Internal,
    /// The body is no notification.
    BadPayload,
    /// The caller's credentials are missing or wrong.
    Unauthorized,
    /// The caller's credentials were wrong too often to be looked at now.
    LockedOut,
    /// None of the alerts is of a namespace of the receiver.
    ForeignNamespace,
    /// The room that is asked for may not be.
    RoomNotAllowed,
    /// The URL asks for what the receiver does not take.
    BadQuery,
    /// No receiver has this name.
    UnknownReceiver,
    /// There is nothing at this path.
    NotFound,
    /// This path takes another method.
    MethodNotAllowed,
    /// The request took too long to arrive.
    TooSlow,
    /// The body is larger than `server.body_limit`.
    TooLarge,
    /// The body is not JSON by its content type.
    UnsupportedMediaType,
    /// The configuration was read again, and counts.
    Reloaded,
    /// The configuration was read again and is wrong; the old one stays.
    ConfigRefused,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 29] = [
        Self::Delivered,
        Self::Partial,
        Self::Duplicate,
        Self::DryRun,
        Self::Waiting,
        Self::RateLimited,
        Self::OverQuota,
        Self::WebexUnavailable,
        Self::TokenRefused,
        Self::RoomRefused,
        Self::MessageRefused,
        Self::Overloaded,
        Self::Draining,
        Self::GivenUp,
        Self::Internal,
        Self::BadPayload,
        Self::Unauthorized,
        Self::LockedOut,
        Self::ForeignNamespace,
        Self::RoomNotAllowed,
        Self::BadQuery,
        Self::UnknownReceiver,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooSlow,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Reloaded,
        Self::ConfigRefused,
    ];

    /// Those of requests that do not become a notification.
    const REJECTIONS: [Self; 9] = [
        Self::BadPayload,
        Self::Unauthorized,
        Self::LockedOut,
        Self::BadQuery,
        Self::UnknownReceiver,
        Self::MethodNotAllowed,
        Self::TooSlow,
        Self::TooLarge,
        Self::UnsupportedMediaType,
    ];
    /// Those that no receiver has.
    const OTHERS: [Self; 3] = [Self::NotFound, Self::Reloaded, Self::ConfigRefused];

    /// Those that a notification may get, as labels.
    #[must_use]
    pub fn outcomes() -> Vec<&'static str> {
        let is_outcome =
            |one: &Self| !Self::REJECTIONS.contains(one) && !Self::OTHERS.contains(one);
        let outcomes = Self::ALL.into_iter().filter(is_outcome);
        outcomes.map(Self::as_str).collect()
    }

    /// Those of requests that do not become a notification, as labels.
    #[must_use]
    pub fn rejections() -> Vec<&'static str> {
        Self::REJECTIONS.map(Self::as_str).to_vec()
    }

    /// As it stands in answers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Partial => "partial",
            Self::Duplicate => "duplicate",
            Self::DryRun => "dry_run",
            Self::Waiting => "waiting",
            Self::RateLimited => "rate_limited",
            Self::OverQuota => "over_quota",
            Self::WebexUnavailable => "webex_unavailable",
            Self::TokenRefused => "token_refused",
            Self::RoomRefused => "room_refused",
            Self::MessageRefused => "message_refused",
            Self::Overloaded => "overloaded",
            Self::Draining => "draining",
            Self::GivenUp => "given_up",
            Self::Internal => "internal",
            Self::BadPayload => "bad_payload",
            Self::Unauthorized => "unauthorized",
            Self::LockedOut => "locked_out",
            Self::ForeignNamespace => "foreign_namespace",
            Self::RoomNotAllowed => "room_not_allowed",
            Self::BadQuery => "bad_query",
            Self::UnknownReceiver => "unknown_receiver",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooSlow => "too_slow",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Reloaded => "reloaded",
            Self::ConfigRefused => "config_refused",
        }
    }
}
