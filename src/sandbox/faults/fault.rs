//! A fault as it is given: its effect, its conditions, its end.

use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::Error;
use super::super::quota::Quota;

/// One thing that goes wrong. All conditions must hold for a request to meet it; those left
/// out always hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub effect: Effect,
    /// Only requests of this method, such as `POST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests whose path matches, such as `/v1/messages` or `/v1/messages/*`. A `*`
    /// stands for any characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests about this room: its id, or its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Only requests of this bot, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<String>,
    /// Ends after so many requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Ends after so many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// 429 before anything is done.
    TooManyRequests {
        /// The header's value; left out, there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
        /// What the answer holds.
        #[serde(default)]
        body: FaultBody,
    },
    /// Any status before anything is done. A 2xx holds no message id: a captive portal.
    Status {
        /// 200 to 599.
        code: u16,
        /// The header's value; left out, there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
        /// What the answer holds.
        #[serde(default)]
        body: FaultBody,
    },
    /// The connection closes without an answer, before anything is done.
    Reset,
    /// The request is carried out; then the connection closes, or a gateway's error is
    /// answered. The caller cannot know that its message is there.
    AcceptThenDrop {
        /// 500 to 599; left out, the connection closes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        /// What the answer holds.
        #[serde(default)]
        body: FaultBody,
    },
    /// No answer, ever, until the caller gives up.
    Hang {
        /// Whether the request is carried out first.
        #[serde(default)]
        accepted: bool,
    },
    /// The request waits so long before it is looked at; other faults still apply.
    Latency {
        /// Milliseconds, at most an hour.
        ms: u64,
    },
    /// Each bot has a quota of its own under this fault; beyond it, 429 with a true
    /// `Retry-After`.
    Quota(Quota),
    /// 401, as if the token had been revoked.
    TokenRevoked,
    /// 404, as if the bot had been taken out of the room. Only requests about a room meet it.
    BotRemoved,
    /// A reply is refused, as if its parent had been deleted.
    ParentGone {
        /// 404 unless it is given; or 400.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
    },
    /// 400 for a message with a card.
    CardRefused,
    /// 400 for an edit.
    EditRefused,
}

/// The value of a `Retry-After` header, sound or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "`retry_after` must be a whole number of seconds, a text, or {\"date_in_seconds\": N}"
)]
pub enum RetryAfter {
    /// A number: also zero, negative or absurd.
    Seconds(i64),
    /// An HTTP date so many seconds from the answer on.
    Date {
        /// Seconds; negative for a date that has passed.
        date_in_seconds: i64,
    },
    /// Anything, such as `rand(30),add(30)`, which was seen in production.
    Text(String),
}

/// What the answer of a fault holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// Webex's error object.
    #[default]
    Json,
    /// Nothing.
    Empty,
    /// A gateway's page, as in the documentation's own sample of a 429.
    Html,
}

impl RetryAfter {
    /// The header's value as of `now`.
    pub(in super::super) fn header(&self, now: Timestamp) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Text(text) => text.clone(),
            Self::Date { date_in_seconds } => now
                .checked_add(SignedDuration::from_secs(*date_in_seconds))
                .unwrap_or(now)
                .strftime("%a, %d %b %Y %H:%M:%S GMT")
                .to_string(),
        }
    }
}

impl Fault {
    /// A fault that every request meets until it is cleared.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self {
            effect,
            method: None,
            path: None,
            room: None,
            bot: None,
            times: None,
            for_ms: None,
        }
    }

    /// Ends after so many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Ends after so long (in whole milliseconds).
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.for_ms = Some(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Only requests of this method and path; `*` stands for any characters.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// Only requests about this room, by id or title.
    #[must_use]
    pub fn room(mut self, room: impl Into<String>) -> Self {
        self.room = Some(room.into());
        self
    }

    /// Only requests of this bot, by name.
    #[must_use]
    pub fn bot(mut self, bot: impl Into<String>) -> Self {
        self.bot = Some(bot.into());
        self
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |why: &str| {
            Err(Error::Invalid {
                what: "fault",
                why: why.to_owned(),
            })
        };
        let header = match &self.effect {
            Effect::Status { code, .. } if !(200..=599).contains(code) => {
                return wrong("`code` must be from 200 to 599");
            }
            Effect::AcceptThenDrop {
                code: Some(code), ..
            } if !(500..=599).contains(code) => {
                return wrong("`code` of `accept_then_drop` must be from 500 to 599");
            }
            Effect::ParentGone { code: Some(code) } if !matches!(code, 400 | 404) => {
                return wrong("`code` of `parent_gone` must be 400 or 404");
            }
            Effect::Quota(quota) => {
                quota.check()?;
                None
            }
            Effect::Latency { ms } if *ms > 3_600_000 => {
                return wrong("`ms` must be at most 3600000, an hour");
            }
            Effect::Status { retry_after, .. } | Effect::TooManyRequests { retry_after, .. } => {
                retry_after.as_ref()
            }
            _ => None,
        };
        if let Some(RetryAfter::Text(text)) = header
            && http::HeaderValue::from_str(text).is_err()
        {
            return wrong("`retry_after` holds characters that no header can hold");
        }
        if self.times == Some(0) {
            return wrong("`times` must be at least 1");
        }
        if let Some(method) = &self.method
            && method.parse::<Method>().is_err()
        {
            return wrong("`method` is not an HTTP method");
        }
        Ok(())
    }
}
