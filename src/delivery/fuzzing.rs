//! Whatever `Retry-After` says, the wait is one that ends. See `crate::fuzzing`.

use std::time::Duration;

use http::StatusCode;

use super::retry::{Form, Verdict, judge};
use crate::webex::{Error, RetryAfter};

/// What a 429 may close the gate for, and what any other answer may hold up its message for.
const GATE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3600)];
const PAUSE: Duration = Duration::from_secs(30);

/// Takes the value of the header.
pub(crate) fn retry_after(header: &[u8]) {
    let now = "2026-03-04T14:05:30Z";
    let now = now.parse().expect("it is a time");
    let read = RetryAfter::parse(Some(header), now);
    let text = std::str::from_utf8(header)
        .map(str::trim)
        .unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match read {
        RetryAfter::Missing => panic!("it is there"),
        RetryAfter::Malformed => assert!(!digits || text.len() > 38, "{text}"),
        RetryAfter::Wait(wait) if digits => {
            let seconds = text.parse().unwrap_or(u64::MAX);
            assert_eq!(wait, Duration::from_secs(seconds));
        }
        // A date, or a negative number; a date has digits at least.
        RetryAfter::Wait(_) => assert!(text.contains(|c: char| c.is_ascii_digit()), "{text}"),
    }
    for code in 400..=599 {
        let error = Error::Status {
            status: StatusCode::from_u16(code).expect("it is a status"),
            message: None,
            tracking_id: None,
            retry_after: read,
        };
        match judge(&error, Form::Text) {
            Verdict::CloseGate(wait) => {
                assert!(GATE[0] <= wait && wait <= GATE[1], "{wait:?}");
            }
            Verdict::Retry { at_least, .. } => assert!(at_least <= PAUSE, "{at_least:?}"),
            _ => {}
        }
    }
}
