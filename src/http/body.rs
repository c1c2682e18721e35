//! Reads a request's body: bounded in size and in time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{BytesMut, Payload};
use bytesize::ByteSize;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::answers::Rejection;

/// A body that takes longer comes from a client that is stuck or means harm.
const BODY_TIME: Duration = Duration::from_secs(5);

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
pub(super) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limit: ByteSize,
) -> Result<BytesMut, Rejection> {
    let most = usize::try_from(limit.as_u64()).unwrap_or(usize::MAX);
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(Rejection::TooLarge(limit));
    }
    let reading = async {
        let mut body = BytesMut::with_capacity(announced.unwrap_or(0).min(64 * 1024));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Rejection::Interrupted)?;
            if body.len() + chunk.len() > most {
                return Err(Rejection::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    timeout(BODY_TIME, reading)
        .await
        .unwrap_or(Err(Rejection::TooSlow(BODY_TIME.as_secs())))
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
        let error = read(&request, payload, ByteSize::kib(1)).await.unwrap_err();
        assert!(matches!(error, Rejection::TooSlow(5)), "{error}");
        assert_eq!(start.elapsed(), BODY_TIME);
    }
}
