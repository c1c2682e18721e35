//! The calls that we make.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode, Uri};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::error::{Error, RetryAfter, one_line};
use super::transport::{Transport, TransportError, WayError};
use super::types::{Accepted, Edit, ErrorBody, IncomingMessage, NewMessage, Person};

/// Room for the body of a request. More is found where it takes more.
const BODY_BYTES: usize = 1000;

/// Speaks to Webex through a [`Transport`]; the token comes with each call.
#[derive(Clone)]
pub struct Client {
    pub(super) transport: Arc<dyn Transport>,
    messages: Uri,
    me: Uri,
    pub(super) rooms: Uri,
    pub(super) access_token: Uri,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the API at `base_url`, such as `https://webexapis.com/v1`.
    ///
    /// # Errors
    /// When the address with `/messages` behind it is no URI.
    pub fn new(base_url: &Url, transport: Arc<dyn Transport>) -> Result<Self, WayError> {
        let base = base_url.as_str().trim_end_matches('/');
        Ok(Self {
            transport,
            messages: format!("{base}/messages").parse()?,
            me: format!("{base}/people/me").parse()?,
            rooms: format!("{base}/rooms").parse()?,
            access_token: format!("{base}/access_token").parse()?,
        })
    }

    /// Posts a message: `POST /messages`.
    ///
    /// # Errors
    /// Whenever Webex did not say that it has the message; the error tells whether it may
    /// have it all the same.
    pub async fn post_message(
        &self,
        token: &SecretString,
        message: &NewMessage<'_>,
    ) -> Result<Accepted, Error> {
        self.accepted(Method::POST, self.messages.clone(), message, token)
            .await
    }

    /// Posts to an incoming webhook, whose URL is the secret that comes instead of a token.
    /// Webex answers 200 or 204, and no id.
    ///
    /// # Errors
    /// As [`Self::post_message`].
    pub async fn post_incoming(
        &self,
        url: &SecretString,
        message: &IncomingMessage<'_>,
    ) -> Result<(), Error> {
        // Strings always serialise.
        let mut request =
            Request::new(Bytes::from(serde_json::to_vec(message).unwrap_or_default()));
        *request.method_mut() = Method::POST;
        // It was judged when it was read; nothing was sent.
        *request.uri_mut() = url.expose_secret().parse().map_err(|_| {
            TransportError::Connect("the URL of the webhook is no address".to_owned())
        })?;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = self.transport.send(request).await?;
        match answer.status() {
            StatusCode::NO_CONTENT => Ok(()),
            StatusCode::OK if !is_page(&answer) => Ok(()),
            status if status.is_success() => Err(Error::NotWebex { status }),
            status => Err(refused(status, &answer, &within(url.expose_secret()))),
        }
    }

    /// Edits one's own message: `PUT /messages/{id}`.
    ///
    /// # Errors
    /// Whenever Webex did not say that the message is so now. It may be all the same, and
    /// then the edit counts among the ten that a message takes.
    pub async fn edit_message(
        &self,
        token: &SecretString,
        id: &str,
        edit: &Edit<'_>,
    ) -> Result<Accepted, Error> {
        let uri = self.message(id)?;
        self.accepted(Method::PUT, uri, edit, token).await
    }

    /// Deletes one's own message: `DELETE /messages/{id}`.
    ///
    /// # Errors
    /// Whenever Webex did not say that the message is gone; 404 where it was gone before.
    pub async fn delete_message(&self, token: &SecretString, id: &str) -> Result<(), Error> {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = Method::DELETE;
        *request.uri_mut() = self.message(id)?;
        let answer = self.send(request, token).await?;
        match answer.status() {
            StatusCode::NO_CONTENT => Ok(()),
            status if status.is_success() => Err(Error::NotWebex { status }),
            status => Err(refused(status, &answer, &[token.expose_secret()])),
        }
    }

    /// Where a message is. Ids are base64 and opaque.
    fn message(&self, id: &str) -> Result<Uri, Error> {
        let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        let uri = format!("{}/{id}", self.messages).parse();
        // Only an absurdly long id makes no URI; nothing was sent.
        uri.map_err(|_| {
            TransportError::Connect("a message's id makes no address".to_owned()).into()
        })
    }

    async fn accepted(
        &self,
        method: Method,
        uri: Uri,
        body: &impl Serialize,
        token: &SecretString,
    ) -> Result<Accepted, Error> {
        // Strings and JSON that was read before: they always serialise.
        let mut json = Vec::with_capacity(BODY_BYTES);
        serde_json::to_writer(&mut json, body).unwrap_or_default();
        let mut request = Request::new(Bytes::from(json));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let accepted: Accepted = self.ask(request, token).await?;
        if accepted.id.is_empty() {
            return Err(Error::NotWebex {
                status: StatusCode::OK,
            });
        }
        Ok(accepted)
    }

    /// Asks who a token belongs to: `GET /people/me`.
    ///
    /// # Errors
    /// When Webex cannot be reached or refuses the token.
    pub async fn identify(&self, token: &SecretString) -> Result<Person, Error> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.me.clone();
        self.ask(request, token).await
    }

    /// Sends with the token, and reads the JSON that was asked for.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        request: Request<Bytes>,
        token: &SecretString,
    ) -> Result<T, Error> {
        let answer = self.send(request, token).await?;
        read(&answer, &[token.expose_secret()])
    }

    pub(super) async fn send(
        &self,
        mut request: Request<Bytes>,
        token: &SecretString,
    ) -> Result<Response<Bytes>, Error> {
        request.headers_mut().insert(AUTHORIZATION, bearer(token)?);
        Ok(self.transport.send(request).await?)
    }
}

fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
        // Tokens are checked when they are read; nothing was sent.
        .map_err(|_| TransportError::Connect("the token cannot stand in a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether this is a page for people, as a captive portal shows.
fn is_page(answer: &Response<Bytes>) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
        || answer.body().trim_ascii_start().starts_with(b"<")
}

/// What is secret in the URL of an incoming webhook: all of it, and the end of its path, which is
/// what a server repeats that does not know the path.
pub(super) fn within(url: &str) -> [&str; 2] {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let end = path.trim_end_matches('/').rsplit('/').next();
    [url, end.unwrap_or_default()]
}

/// Success with the JSON that was asked for; anything else is not Webex's success. Words that
/// repeat one of the secrets that were sent are not quoted.
pub(super) fn read<T: DeserializeOwned>(
    answer: &Response<Bytes>,
    secrets: &[&str],
) -> Result<T, Error> {
    let status = answer.status();
    if status.is_success() {
        return serde_json::from_slice(answer.body()).map_err(|_| Error::NotWebex { status });
    }
    Err(refused(status, answer, secrets))
}

pub(super) fn refused(status: StatusCode, answer: &Response<Bytes>, secrets: &[&str]) -> Error {
    let body: ErrorBody = serde_json::from_slice(answer.body()).unwrap_or_default();
    let header = |name: &str| answer.headers().get(name).map(HeaderValue::as_bytes);
    let tracking_id = body.tracking_id.or_else(|| {
        let header = header("trackingid")?;
        Some(String::from_utf8_lossy(header).into_owned())
    });
    // Before it is cut: the beginning of a token is too much as well.
    let repeats = |text: &str| {
        let mut secrets = secrets.iter().filter(|secret| !secret.is_empty());
        secrets.any(|secret| text.contains(*secret))
    };
    let quoted = |text: String| (!repeats(&text)).then(|| one_line(&text));
    Error::Status {
        status,
        message: body.message.and_then(quoted),
        tracking_id: tracking_id.and_then(quoted),
        retry_after: RetryAfter::parse(header(RETRY_AFTER.as_str()), jiff::Timestamp::now()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        Response::builder()
            .status(status)
            .header("Trackingid", "HEADER_1")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
    }

    #[test]
    fn accepted_is_success_with_an_id_and_nothing_else() {
        let accepted: Accepted = read(&answer(200, r#"{"id":"m"}"#), &[]).unwrap();
        assert_eq!(accepted.id, "m");
        for (status, body) in [(200, "<html>log in here</html>"), (200, "{}"), (204, "")] {
            let error = read::<Accepted>(&answer(status, body), &[]).unwrap_err();
            assert!(matches!(error, Error::NotWebex { .. }), "{status} {body}");
        }
    }

    #[test]
    fn an_error_carries_webexs_words_and_tracking_id() {
        let body = r#"{"message":"Could not find a room with provided ID.","trackingId":"R_1"}"#;
        assert_eq!(
            read::<Accepted>(&answer(404, body), &[])
                .unwrap_err()
                .to_string(),
            "Webex answered 404 Not Found: Could not find a room with provided ID., trackingId R_1"
        );
        assert_eq!(
            read::<Accepted>(&answer(502, "<html>"), &[])
                .unwrap_err()
                .to_string(),
            "Webex answered 502 Bad Gateway, trackingId HEADER_1"
        );
    }

    #[test]
    fn an_answer_that_repeats_what_is_secret_is_not_quoted_nor_is_the_beginning_of_it() {
        let token = "Y2lzY29zcGFyazovL3VzL0FQUExJ";
        for before in [0, 190] {
            let words = format!("{}bad token {token}", "x".repeat(before));
            let body = format!(r#"{{"message":"{words}","trackingId":"R_1"}}"#);
            let told = refused(StatusCode::UNAUTHORIZED, &answer(401, &body), &[token]);
            assert_eq!(
                told.to_string(),
                "Webex answered 401 Unauthorized, trackingId R_1"
            );
        }
        let url = format!("https://webexapis.com/v1/webhooks/incoming/{token}");
        let body = format!(r#"{{"message":"Cannot POST /v1/webhooks/incoming/{token}"}}"#);
        for behind in ["", "/", "?from=hub", "/?from=hub", "#"] {
            let url = format!("{url}{behind}");
            let told = refused(StatusCode::NOT_FOUND, &answer(404, &body), &within(&url));
            assert!(!told.to_string().contains("Y2lz"), "{behind}: {told}");
        }
    }

    #[test]
    fn the_token_is_marked_so_that_no_debug_shows_it() {
        let header = bearer(&"s3cret".to_owned().into()).unwrap();
        assert!(!format!("{header:?}").contains("s3cret"));
    }
}
