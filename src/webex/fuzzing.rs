//! Whatever answers in Webex's place: it is told in a line, and makes no secret known. See
//! `crate::fuzzing`.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use super::client::{read, refused, within};
use super::error::{CODES, Error};
use super::types::{Accepted, Person, Rooms};

/// What stands in an input for the token.
const HERE: &str = "T0KEN";

/// As long as a bot's.
const TOKEN: &str =
    "Y2lzY29zcGFyazovL3VzL0FQUExJQ0FUSU9OL2ZhY2VkZmE_PF84_1eb65fdf-9643-417f-9974-ad72cae0e10f";

/// So much of a token is told of none.
const TOLD: usize = 16;

/// A line with control characters in it is none; a longer one is cut.
const LINE_CHARS: usize = 600;

const STATUSES: [u16; 16] = [
    200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 423, 429, 500, 502, 503, 599,
];

/// The first byte chooses the status. The first line is `Retry-After`, the next one the tracking
/// id; the rest is the body.
pub(crate) fn answer(input: &[u8]) {
    let [status, rest @ ..] = input else { return };
    // A part of the token alone, which the fuzzer reads out of this program, is no token.
    if rest
        .windows(TOLD)
        .any(|part| *part == TOKEN.as_bytes()[..TOLD])
    {
        return;
    }
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let status = StatusCode::from_u16(status).expect("they are statuses");
    let mut lines = rest.splitn(3, |byte| *byte == b'\n');
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    for name in [RETRY_AFTER, HeaderName::from_static("trackingid")] {
        let value = with_token(lines.next().unwrap_or_default());
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    *answer.body_mut() = with_token(lines.next().unwrap_or_default()).into();

    let url = format!("https://webexapis.com/v1/webhooks/incoming/{TOKEN}");
    if let Ok(accepted) = read::<Accepted>(&answer, &[TOKEN]) {
        assert!(status.is_success());
        // What is not read is not looked into either, and may hold what is no text.
        if let Ok(body) = serde_json::from_slice::<serde_json::Value>(answer.body()) {
            // Serde takes a list for a struct, field by field.
            let id = body.get("id").or_else(|| body.get(0));
            assert_eq!(id.and_then(|id| id.as_str()), Some(accepted.id.as_str()));
        }
    }
    let told = [
        read::<Accepted>(&answer, &[TOKEN]).err(),
        read::<Person>(&answer, &[TOKEN]).err(),
        read::<Rooms>(&answer, &[TOKEN]).err(),
        Some(refused(status, &answer, &within(&url))),
    ];
    for error in told.into_iter().flatten() {
        is_a_line_without_secrets(&error);
    }
}

fn is_a_line_without_secrets(error: &Error) {
    let told = error.to_string();
    assert!(!told.contains(char::is_control), "{told:?}");
    assert!(told.chars().count() <= LINE_CHARS, "{told}");
    assert!(!told.contains(&TOKEN[..TOLD]), "{told}");
    assert!(!format!("{error:?}").contains(&TOKEN[..TOLD]));
    assert!(CODES.contains(&error.code()));
}

fn with_token(input: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some(at) = rest
        .windows(HERE.len())
        .position(|found| found == HERE.as_bytes())
    {
        output.extend_from_slice(&rest[..at]);
        output.extend_from_slice(TOKEN.as_bytes());
        rest = &rest[at + HERE.len()..];
    }
    output.extend_from_slice(rest);
    output
}
