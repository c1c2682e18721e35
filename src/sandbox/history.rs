//! What a message was before it was edited, and the requests that made it what it is.
//!
//! For looking at one message closely. Everything is bounded: a request's body is cut, and
//! of all messages together the oldest histories go first. Tokens are never kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Serialize, Serializer};

use super::model::{Message, Outcome};

/// How much of a request's body is kept, in bytes.
const BODY_KEPT: usize = 64 * 1024;

/// How much all histories may hold, in bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// How many headers of a request are kept, and how long a value.
const MOST_HEADERS: usize = 50;
const LONGEST_VALUE: usize = 500;

/// A request that posted or edited a message, and what its sender was answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exchange {
    /// What was asked.
    pub request: SentRequest,
    /// What became of it: the status that the sender saw, or none.
    pub outcome: Outcome,
    /// What was answered; nothing where the connection broke.
    pub answer: Option<GivenAnswer>,
}

/// A request as it came in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SentRequest {
    /// `POST` or `PUT`.
    pub method: String,
    /// The path, without a query.
    pub path: String,
    /// Names and values; secrets are replaced by `[redacted]`.
    pub headers: Headers,
    /// The body, of which the first 64 KiB are kept.
    #[serde(serialize_with = "as_text")]
    pub body: Bytes,
    /// How long the body was, in bytes.
    pub body_bytes: usize,
}

/// An answer as it went out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GivenAnswer {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Headers,
    /// The body; `null` where it is the message as it was then.
    #[serde(serialize_with = "as_optional_text")]
    pub body: Option<Bytes>,
}

/// Headers, as lines of one text: a map of them would take ten times the room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(String);

impl Headers {
    /// The headers in `map`, secrets redacted.
    pub(super) fn of(map: &HeaderMap) -> Self {
        let mut lines = String::with_capacity(256);
        for (name, value) in map.iter().take(MOST_HEADERS) {
            lines.push_str(name.as_str());
            lines.push('\n');
            if is_secret(name.as_str()) {
                let value = value.to_str().unwrap_or_default();
                // The scheme helps; it is no secret where something follows it.
                if let Some(scheme) = ["Bearer ", "Basic "]
                    .into_iter()
                    .find(|scheme| value.starts_with(scheme))
                {
                    lines.push_str(scheme);
                }
                lines.push_str("[redacted]");
            } else {
                let text = String::from_utf8_lossy(value.as_bytes());
                lines.push_str(super::requests::cut(&text, LONGEST_VALUE));
            }
            lines.push('\n');
        }
        lines.shrink_to_fit();
        Self(lines)
    }

    /// Names and values, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        // Values hold no line break: HTTP allows none.
        let mut lines = self.0.lines();
        std::iter::from_fn(move || Some((lines.next()?, lines.next()?)))
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

fn is_secret(name: &str) -> bool {
    name == "cookie"
        || ["auth", "token", "secret", "password", "key", "session"]
            .iter()
            .any(|part| name.contains(part))
}

fn as_text<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn as_optional_text<S: Serializer>(
    bytes: &Option<Bytes>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => as_text(bytes, serializer),
        None => serializer.serialize_none(),
    }
}

impl SentRequest {
    pub(super) fn of(method: &str, path: &str, headers: &HeaderMap, body: &Bytes) -> Self {
        Self {
            method: method.to_owned(),
            path: super::requests::cut(path, super::requests::LONGEST_PATH).to_owned(),
            headers: Headers::of(headers),
            // Copied: a slice would keep the whole buffer of the socket alive.
            body: Bytes::copy_from_slice(&body[..body.len().min(BODY_KEPT)]),
            body_bytes: body.len(),
        }
    }
}

impl GivenAnswer {
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: Option<&Bytes>) -> Self {
        Self {
            status: status.as_u16(),
            headers: Headers::of(headers),
            body: body.cloned(),
        }
    }
}

/// One state of a message: how it was posted, or what an edit made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The message then.
    pub message: Arc<Message>,
    /// The request that made it so; nothing where it is no longer kept.
    pub exchange: Option<Arc<Exchange>>,
}

/// What is kept of one message beside what it is now.
#[derive(Debug, Default)]
struct History {
    earlier: Vec<Arc<Message>>,
    /// By how often the message had been edited then.
    exchanges: BTreeMap<u32, Arc<Exchange>>,
    bytes: usize,
}

/// What is kept of all messages, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Histories {
    kept: BTreeMap<u64, History>,
    bytes: usize,
}

impl Histories {
    /// Keeps what a message was until now.
    pub(super) fn keep(&mut self, old: Arc<Message>) {
        let (number, bytes) = (old.number, old.weight());
        self.add(number, bytes, |history| history.earlier.push(old));
    }

    /// Keeps the request that made a message what it was after so many edits.
    pub(super) fn note(&mut self, number: u64, edits: u32, exchange: Exchange) {
        let answered = exchange.answer.as_ref().map_or(0, |answer| {
            answer.headers.0.len() + answer.body.as_ref().map_or(0, Bytes::len)
        });
        let bytes = exchange.request.headers.0.len() + exchange.request.body.len() + answered;
        self.add(number, bytes, |history| {
            history.exchanges.insert(edits, Arc::new(exchange));
        });
    }

    fn add(&mut self, number: u64, bytes: usize, change: impl FnOnce(&mut History)) {
        let history = self.kept.entry(number).or_default();
        history.bytes += bytes;
        self.bytes += bytes;
        change(history);
        while self.bytes > MOST_BYTES
            && let Some((_, oldest)) = self.kept.pop_first()
        {
            self.bytes -= oldest.bytes;
        }
    }

    pub(super) fn forget(&mut self, number: u64) {
        if let Some(history) = self.kept.remove(&number) {
            self.bytes -= history.bytes;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Every state that is kept of a message, the oldest first and `now` last.
    pub(super) fn versions(&self, now: &Arc<Message>) -> Vec<Version> {
        let history = self.kept.get(&now.number);
        let earlier = history.map_or(&[][..], |history| &history.earlier);
        let version = |message: &Arc<Message>| Version {
            message: Arc::clone(message),
            exchange: history.and_then(|history| history.exchanges.get(&message.edits).cloned()),
        };
        earlier.iter().chain([now]).map(version).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_histories_go_first_where_there_is_too_much() {
        let body = Bytes::from(vec![b'x'; BODY_KEPT]);
        let exchange = || Exchange {
            request: SentRequest::of("POST", "/v1/messages", &HeaderMap::new(), &body),
            outcome: Outcome::Broken,
            answer: None,
        };
        let mut histories = Histories::default();
        let fitting = (MOST_BYTES / BODY_KEPT) as u64;
        for number in 0..fitting {
            histories.note(number, 0, exchange());
        }
        assert!(histories.kept.contains_key(&0));
        histories.note(fitting, 0, exchange());
        assert!(!histories.kept.contains_key(&0));
        assert!(histories.kept.contains_key(&1));
        for number in 0..=fitting {
            histories.forget(number);
        }
        assert_eq!(histories.bytes, 0);
    }
}
