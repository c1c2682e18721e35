//! Stands in for the chat: takes every message at once, unless it is told to be slow or to
//! refuse what is too much. Runs on a thread of its own; counts what it sees.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::wire::Wire;

/// What the alert's name begins with, by which a message is known.
const MARK: &str = "Alert";
/// How long the number behind it is.
const NUMBER: usize = 8;

/// A chat that listens.
pub(crate) struct Chat {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
}

/// What it has seen, and how it is to be.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    messages: AtomicUsize,
    limited: AtomicUsize,
    delay_ms: AtomicU64,
    quota: Mutex<Option<Quota>>,
    /// Whether it takes no message at all, and says to come back in an hour.
    closed: AtomicBool,
    /// The numbers of the alerts in messages that were taken, while somebody wants to know.
    marks: Mutex<Option<BTreeSet<String>>>,
}

/// Messages that are taken a second, and as many at once.
#[derive(Clone, Copy)]
struct Quota {
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Quota {
    fn take(&mut self) -> bool {
        let now = Instant::now();
        let grown = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.left = (self.left + grown).min(self.per_second);
        self.at = now;
        let takes = self.left >= 1.0;
        if takes {
            self.left -= 1.0;
        }
        takes
    }
}

impl Chat {
    /// Listens on a free port of loopback.
    pub(crate) fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _entered = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
            // Some relays make a connection for each message.
            socket.listen(4096)?
        };
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let theirs = Arc::clone(&seen);
        // It ends with the process.
        std::thread::Builder::new()
            .name("chat".to_owned())
            .spawn(move || runtime.block_on(accept(listener, theirs)))?;
        Ok(Self { address, seen })
    }

    /// Connections that were made to it so far.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// Messages that it refused with 429 so far.
    pub(crate) fn limited(&self) -> usize {
        self.seen.limited.load(Ordering::Relaxed)
    }

    /// Answers after so long from now on.
    pub(crate) fn delay(&self, delay: Duration) {
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.seen.delay_ms.store(milliseconds, Ordering::Relaxed);
    }

    /// Takes so many messages a second from now on; any number without.
    pub(crate) fn quota(&self, per_second: Option<u32>) {
        let quota = per_second.map(|per_second| Quota {
            per_second: per_second.into(),
            left: per_second.into(),
            at: Instant::now(),
        });
        *self
            .seen
            .quota
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = quota;
    }

    /// Takes no message from now on, and says to come back in an hour.
    pub(crate) fn close(&self) {
        self.seen.closed.store(true, Ordering::Relaxed);
    }

    /// Notes from now on which alerts it is told of; forgets those of before.
    pub(crate) fn note_marks(&self) {
        *self
            .seen
            .marks
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(BTreeSet::new());
    }

    /// How many alerts it was told of.
    pub(crate) fn marks(&self) -> usize {
        let marks = self
            .seen
            .marks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        marks.as_ref().map_or(0, BTreeSet::len)
    }
}

async fn accept(listener: TcpListener, seen: Arc<Seen>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        seen.connections.fetch_add(1, Ordering::Relaxed);
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            // Who breaks off a connection does so with every relay that is stopped.
            let _ = converse(stream, &seen).await;
        });
    }
}

async fn converse(stream: TcpStream, seen: &Seen) -> Result<()> {
    let mut wire = Wire::new(stream)?;
    loop {
        let Some(request) = wire.read().await? else {
            return Ok(());
        };
        let is_message = request.line.starts_with("POST ");
        let delay = seen.delay_ms.load(Ordering::Relaxed);
        if is_message && delay > 0 {
            let wait = Duration::from_millis(delay);
            let answer = answer(is_message, request.body, seen);
            tokio::time::sleep(wait).await;
            wire.stream.write_all(&answer).await?;
            continue;
        }
        let answer = answer(is_message, request.body, seen);
        wire.stream.write_all(&answer).await?;
    }
}

fn answer(is_message: bool, body: &[u8], seen: &Seen) -> Vec<u8> {
    if !is_message {
        return response(
            "200 OK",
            "",
            r#"{"id":"UEVPUExF","displayName":"Bench","type":"bot"}"#,
        );
    }
    let refusal = |retry_after| {
        seen.limited.fetch_add(1, Ordering::Relaxed);
        let headers = format!("retry-after: {retry_after}\r\n");
        response(
            "429 Too Many Requests",
            &headers,
            r#"{"message":"slow down"}"#,
        )
    };
    if seen.closed.load(Ordering::Relaxed) {
        return refusal(3600);
    }
    let mut quota = seen.quota.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(quota) = quota.as_mut()
        && !quota.take()
    {
        return refusal(1);
    }
    drop(quota);
    let number = seen.messages.fetch_add(1, Ordering::Relaxed);
    let mut marks = seen.marks.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(marks) = marks.as_mut() {
        let text = String::from_utf8_lossy(body);
        marks.extend(numbers(&text).map(str::to_owned));
    }
    drop(marks);
    response(
        "200 OK",
        "",
        &format!(
            r#"{{"id":"TUVTU0FHRQ{number:08x}","roomId":"Uk9PTQ","roomType":"group","text":"It is told.","personEmail":"bench@webex.bot","created":"2026-01-01T00:00:00.000Z"}}"#
        ),
    )
}

/// The numbers of the alerts that a text names.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(MARK).filter_map(|(at, _)| {
        let number = text.get(at + MARK.len()..at + MARK.len() + NUMBER)?;
        number
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then_some(number)
    })
}

fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json;charset=UTF-8\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Where a message goes; what the chat makes of it is the same for all.
pub(crate) fn room() -> &'static str {
    // base64 of ciscospark://us/ROOM/bench-bench-bench-bench-bench-bench
    "Y2lzY29zcGFyazovL3VzL1JPT00vYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2g"
}

/// Waits until it was told of so many alerts, or for so long at most. Says of how many it was.
pub(crate) fn wait_for_marks(chat: &Chat, wanted: usize, most: Duration) -> usize {
    let begun = Instant::now();
    loop {
        let marks = chat.marks();
        if marks >= wanted || begun.elapsed() > most {
            return marks;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_the_numbers_of_its_alerts() {
        let text = "**Alert0000002a, Alertmanager and Alert000000ff** Alert12";
        let found: Vec<_> = numbers(text).collect();
        assert_eq!(found, ["0000002a", "000000ff"]);
    }

    #[test]
    fn past_its_quota_it_takes_nothing_more() {
        let mut quota = Quota {
            per_second: 2.0,
            left: 2.0,
            at: Instant::now(),
        };
        assert!(quota.take());
        assert!(quota.take());
        assert!(!quota.take());
    }
}
