//! Why Webex does not have a message, as far as one answer tells.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::transport::TransportError;

/// How much of Webex's own message is kept.
const MAX_MESSAGE_CHARS: usize = 200;

/// One call that brought no message into a room. Never holds a token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Webex answered with something else than success.
    #[error("Webex answered {status}{}{}", Quoted(": ", message.as_deref()), Quoted(", trackingId ", tracking_id.as_deref()))]
    Status {
        /// The answer's status.
        status: StatusCode,
        /// Webex's own words, cut to 200 characters.
        message: Option<String>,
        /// What Cisco's support asks for.
        tracking_id: Option<String>,
        /// What the answer says about trying again.
        retry_after: RetryAfter,
    },
    /// Success without a message's id: a captive portal or a proxy answers so. Whether
    /// Webex has the message is open.
    #[error(
        "the answer {status} holds not what was asked for, so it is hardly Webex that answered"
    )]
    NotWebex {
        /// The answer's status.
        status: StatusCode,
    },
    /// A list of several pages cannot be followed to its end.
    #[error("the list of rooms cannot be read to its end: {0}")]
    Paging(&'static str),
    /// There was no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl Error {
    /// The code for a metric: the status, or the word for what happened instead.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Status { status, .. } => status_code(*status),
            Self::NotWebex { .. } | Self::Paging(_) => "not_webex",
            Self::Transport(error) => error.code(),
        }
    }
}

/// Statuses that Webex documents keep their number; others are told by their class, so
/// that the metric's label stays a closed set.
fn status_code(status: StatusCode) -> &'static str {
    let number = status.as_str();
    let class = match status.as_u16() {
        300..=399 => "3xx",
        400..=499 => "4xx",
        500..=599 => "5xx",
        _ => "other",
    };
    CODES
        .into_iter()
        .find(|code| *code == number)
        .unwrap_or(class)
}

/// All that [`Error::code`] can be, and `200` for success.
pub const CODES: [&str; 26] = [
    "200",
    "400",
    "401",
    "403",
    "404",
    "405",
    "408",
    "409",
    "410",
    "413",
    "415",
    "423",
    "428",
    "429",
    "500",
    "502",
    "503",
    "504",
    "3xx",
    "4xx",
    "5xx",
    "other",
    "not_webex",
    "connect",
    "timeout",
    "interrupted",
];

/// What `Retry-After` says. Webex documents seconds; production has been seen to send
/// `rand(30),add(30)` (`WebexPythonSDK` issue 262).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// There is no such header.
    Missing,
    /// So many seconds, or until a date that is so far away.
    Wait(Duration),
    /// There is one that says nothing.
    Malformed,
}

impl RetryAfter {
    /// Reads the header. A date in the past and a negative number are no wait at all.
    #[must_use]
    pub fn parse(header: Option<&[u8]>, now: jiff::Timestamp) -> Self {
        let Some(header) = header else {
            return Self::Missing;
        };
        let Ok(text) = std::str::from_utf8(header) else {
            return Self::Malformed;
        };
        let text = text.trim();
        if let Ok(seconds) = text.parse::<i128>() {
            let seconds = u64::try_from(seconds.max(0)).unwrap_or(u64::MAX);
            return Self::Wait(Duration::from_secs(seconds));
        }
        // RFC 9110 allows a date as well: `Sun, 06 Nov 1994 08:49:37 GMT`.
        jiff::fmt::rfc2822::parse(text).map_or(Self::Malformed, |date| {
            let wait = date.timestamp().duration_since(now);
            Self::Wait(Duration::try_from(wait).unwrap_or(Duration::ZERO))
        })
    }
}

/// Webex's message as one short line without control characters: it goes into logs and
/// into the answer to Alertmanager.
pub(super) fn one_line(message: &str) -> String {
    let line: String = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_MESSAGE_CHARS)
        .collect();
    line.trim().to_owned()
}

struct Quoted<'a>(&'static str, Option<&'a str>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(text) if !text.is_empty() => write!(f, "{}{text}", self.0),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_all_its_forms() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        let wait = |seconds| RetryAfter::Wait(Duration::from_secs(seconds));
        for (header, expected) in [
            (None, RetryAfter::Missing),
            (Some("20"), wait(20)),
            (Some(" 3600 "), wait(3600)),
            (Some("0"), wait(0)),
            (Some("-5"), wait(0)),
            (Some("1000000000000"), wait(1_000_000_000_000)),
            (Some("99999999999999999999999999"), wait(u64::MAX)),
            (Some("rand(30),add(30)"), RetryAfter::Malformed),
            (Some("1.5"), RetryAfter::Malformed),
            (Some(""), RetryAfter::Malformed),
            (Some("Sun, 06 Nov 1994 08:49:37 GMT"), wait(30)),
            (Some("Sun, 06 Nov 1994 08:00:00 GMT"), wait(0)),
        ] {
            let parsed = RetryAfter::parse(header.map(str::as_bytes), now);
            assert_eq!(parsed, expected, "{header:?}");
        }
    }

    #[test]
    fn every_status_has_a_code_of_the_closed_set() {
        for status in 100..1000 {
            let code = status_code(StatusCode::from_u16(status).unwrap());
            assert!(CODES.contains(&code), "{code}");
        }
    }

    #[test]
    fn webexs_words_cannot_forge_a_log_line() {
        assert_eq!(one_line("no\nroom\r\u{1b}[31m"), "no room  [31m");
        assert_eq!(one_line(&"ä".repeat(500)).chars().count(), 200);
    }
}
