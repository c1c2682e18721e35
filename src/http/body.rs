//! Reads a request's body: bounded in size and in time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Payload;
use bytesize::ByteSize;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::answers::Rejection;

/// Bodies that are read at the same time may be this large together: each is small, and a
/// stranger may announce any number of large ones.
const TOGETHER: usize = 64 * 1024 * 1024;

/// Room for a body of which nothing has come yet.
const UNSEEN: usize = 64 * 1024;

/// How large bodies may be, how long they may take, and how many bytes are in memory now.
pub(super) struct Bodies {
    limit: ByteSize,
    time: Duration,
    together: usize,
    held: AtomicUsize,
}

impl Bodies {
    pub(super) fn new(limit: ByteSize, time: Duration) -> Self {
        Self {
            limit,
            time,
            together: TOGETHER.max(as_usize(limit).saturating_mul(2)),
            held: AtomicUsize::new(0),
        }
    }
}

/// A body in memory.
pub(super) struct Body<'a> {
    bytes: Vec<u8>,
    /// How long it is to become, as its head says.
    announced: Option<usize>,
    /// What is accounted for, which is told back when this is dropped.
    accounted: usize,
    bodies: &'a Bodies,
}

impl Body<'_> {
    fn push(&mut self, chunk: &[u8]) -> Result<(), Rejection> {
        let held = self.bodies.held.fetch_add(chunk.len(), Ordering::Relaxed);
        self.accounted += chunk.len();
        if held + chunk.len() > self.bodies.together {
            return Err(Rejection::Busy);
        }
        self.make_room(chunk.len());
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// Makes room for so many more bytes. Nobody is given much for what is only announced, and
    /// nothing for more than that: doubled, bodies would be most of what is in memory.
    fn make_room(&mut self, more: usize) {
        let length = self.bytes.len();
        if self.bytes.capacity() - length < more {
            let wanted = match self.announced {
                Some(announced) => announced.min(2 * length.max(UNSEEN / 2)),
                None => 2 * length,
            };
            let room = wanted.saturating_sub(length).max(more);
            self.bytes.reserve_exact(room);
        }
    }
}

impl std::ops::Deref for Body<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Body<'_> {
    fn drop(&mut self) {
        self.bodies
            .held
            .fetch_sub(self.accounted, Ordering::Relaxed);
    }
}

fn as_usize(size: ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}

/// Whether the body says that it is JSON.
pub(super) fn is_json(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads the whole body.
pub(super) async fn read<'a>(
    request: &HttpRequest,
    mut payload: Payload,
    bodies: &'a Bodies,
) -> Result<Body<'a>, Rejection> {
    let (limit, most) = (bodies.limit, as_usize(bodies.limit));
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(Rejection::TooLarge(limit));
    }
    let reading = async {
        let mut body = Body {
            bytes: Vec::new(),
            announced,
            accounted: 0,
            bodies,
        };
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Rejection::Interrupted)?;
            if body.len() + chunk.len() > most {
                return Err(Rejection::TooLarge(limit));
            }
            body.push(&chunk)?;
        }
        Ok(body)
    };
    timeout(bodies.time, reading)
        .await
        .unwrap_or(Err(Rejection::TooSlow(bodies.time)))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use actix_web::FromRequest as _;
    use actix_web::error::PayloadError;
    use actix_web::test::TestRequest;
    use actix_web::web::Bytes;
    use futures_util::{Stream, stream};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up_in_time() {
        let request = TestRequest::post().to_http_request();
        let begun = stream::iter([Ok::<_, PayloadError>(Bytes::from_static(b"{"))]);
        let stuck: Pin<Box<dyn Stream<Item = _>>> = Box::pin(begun.chain(stream::pending()));
        let payload = Payload::from_request(&request, &mut stuck.into())
            .await
            .unwrap();
        let start = Instant::now();
        let bodies = Bodies::new(ByteSize::kib(1), Duration::from_secs(5));
        let error = read(&request, payload, &bodies).await.err().unwrap();
        assert!(matches!(error, Rejection::TooSlow(_)), "{error}");
        assert_eq!(start.elapsed(), bodies.time);
        assert_eq!(bodies.held.load(Ordering::Relaxed), 0, "it is given back");
    }

    #[test]
    fn a_body_takes_no_more_memory_than_was_announced_or_than_twice_what_came() {
        let bodies = Bodies::new(ByteSize::mib(4), Duration::from_secs(5));
        for (announced, most) in [(Some(100_000), 100_000), (None, 200_000)] {
            let mut body = Body {
                bytes: Vec::new(),
                announced,
                accounted: 0,
                bodies: &bodies,
            };
            for _ in 0..100 {
                assert!(body.push(&[b'x'; 1000]).is_ok());
                let held = body.bytes.capacity();
                assert!(held <= most.min(UNSEEN.max(2 * body.len())), "{held}");
            }
        }
    }

    #[tokio::test]
    async fn bodies_that_are_too_large_together_are_turned_away() {
        let bodies = Bodies {
            together: 10,
            ..Bodies::new(ByteSize::kib(1), Duration::from_secs(5))
        };
        let payload = async || {
            let chunk = Ok::<_, PayloadError>(Bytes::from_static(b"123456"));
            let stream: Pin<Box<dyn Stream<Item = _>>> = Box::pin(stream::iter([chunk]));
            let request = TestRequest::post().to_http_request();
            let payload = Payload::from_request(&request, &mut stream.into())
                .await
                .unwrap();
            (request, payload)
        };
        let (request, first) = payload().await;
        let first = read(&request, first, &bodies).await.ok().unwrap();
        let (request, second) = payload().await;
        let error = read(&request, second, &bodies).await.err().unwrap();
        assert!(matches!(error, Rejection::Busy), "{error}");
        drop(first);
        let (request, third) = payload().await;
        assert_eq!(read(&request, third, &bodies).await.ok().unwrap().len(), 6);
    }
}
