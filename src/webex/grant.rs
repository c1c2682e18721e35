//! `POST /access_token`: a service app's access token for its refresh token.
//!
//! Source: developer.webex.com, "Integrations & Authorization" and "Service Apps"; the answer
//! tells how long the token lasts, which differs between apps.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::client::{Client, read};
use super::error::Error;

/// Lifetimes beyond a century are a mistake, and would overflow clocks.
const LONGEST_SECONDS: u64 = 3_155_760_000;

/// What is shown for an access token.
pub struct Renewal<'a> {
    /// The app's client id.
    pub client_id: &'a str,
    /// Its client secret.
    pub client_secret: &'a SecretString,
    /// Its refresh token.
    pub refresh_token: &'a SecretString,
}

/// What Webex gives for it.
pub struct Grant {
    /// The access token.
    pub access_token: SecretString,
    /// How long it lasts, where the answer says so.
    pub expires_in: Option<Duration>,
    /// The refresh token from now on, where the answer names one: it may be another one, and
    /// then the one before is refused.
    pub refresh_token: Option<SecretString>,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Body {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<String>,
}

impl Client {
    /// Gets an access token for a refresh token.
    ///
    /// # Errors
    /// 400 or 401 where Webex refuses the app or its refresh token. Where the answer was
    /// lost, Webex may have replaced the refresh token all the same.
    pub async fn renew(&self, renewal: &Renewal<'_>) -> Result<Grant, Error> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", renewal.client_id)
            .append_pair("client_secret", renewal.client_secret.expose_secret())
            .append_pair("refresh_token", renewal.refresh_token.expose_secret())
            .finish();
        let mut request = Request::new(Bytes::from(form));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.access_token.clone();
        request.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let answer = self.transport.send(request).await?;
        let status = answer.status();
        let secrets = [renewal.client_secret, renewal.refresh_token];
        let body: Body = read(&answer, &secrets.map(SecretString::expose_secret))?;
        let is_token =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_token(&body.access_token) {
            return Err(Error::NotWebex { status });
        }
        let seconds = body.expires_in.filter(|seconds| *seconds > 0);
        Ok(Grant {
            access_token: body.access_token.into(),
            expires_in: seconds.map(|seconds| Duration::from_secs(seconds.min(LONGEST_SECONDS))),
            refresh_token: body
                .refresh_token
                .filter(|text| is_token(text))
                .map(SecretString::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};

    use http::Response;

    use super::*;
    use crate::webex::{Transport, TransportError};

    /// Answers the same to all, and keeps what was sent.
    struct Answering(u16, &'static str, Mutex<Option<Request<Bytes>>>);

    impl Transport for Answering {
        fn send(
            &self,
            request: Request<Bytes>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>>
        {
            *self.2.lock().unwrap() = Some(request);
            let answer = Response::builder().status(self.0);
            let answer = answer.body(Bytes::from_static(self.1.as_bytes())).unwrap();
            Box::pin(async move { Ok(answer) })
        }
    }

    async fn renew(status: u16, body: &'static str) -> (Result<Grant, Error>, Request<Bytes>) {
        let transport = Arc::new(Answering(status, body, Mutex::default()));
        let base = "https://webex.invalid/v1".parse().unwrap();
        let client = Client::new(&base, transport.clone()).unwrap();
        let grant = client
            .renew(&Renewal {
                client_id: "C&1",
                client_secret: &"s=cret".to_owned().into(),
                refresh_token: &"refr+sh".to_owned().into(),
            })
            .await;
        let request = transport.2.lock().unwrap().take().unwrap();
        (grant, request)
    }

    #[tokio::test]
    async fn the_form_is_encoded_and_has_no_authorization() {
        let body = r#"{"access_token":"a","expires_in":3600,"refresh_token":"b"}"#;
        let (grant, request) = renew(200, body).await;
        let grant = grant.unwrap();
        assert_eq!(grant.access_token.expose_secret(), "a");
        assert_eq!(grant.expires_in, Some(Duration::from_secs(3600)));
        assert_eq!(grant.refresh_token.unwrap().expose_secret(), "b");
        assert_eq!(request.uri().path(), "/v1/access_token");
        assert!(request.headers().get("authorization").is_none());
        assert_eq!(
            request.body(),
            "grant_type=refresh_token&client_id=C%261&client_secret=s%3Dcret&refresh_token=refr%2Bsh"
        );
    }

    #[tokio::test]
    async fn what_is_no_grant_is_not_taken_for_one() {
        for body in [
            "<html>log in</html>",
            "{}",
            r#"{"access_token":""}"#,
            "{\"access_token\":\"a\\nb\"}",
        ] {
            let (grant, _) = renew(200, body).await;
            assert!(
                matches!(grant.unwrap_err(), Error::NotWebex { .. }),
                "{body}"
            );
        }
        let (grant, _) = renew(200, r#"{"access_token":"a","expires_in":0}"#).await;
        assert_eq!(grant.unwrap().expires_in, None);
    }

    #[tokio::test]
    async fn an_answer_that_repeats_the_secret_is_not_quoted() {
        let body = r#"{"message":"bad token refr+sh","trackingId":"T_1"}"#;
        let (grant, _) = renew(400, body).await;
        let told = grant.unwrap_err().to_string();
        assert_eq!(told, "Webex answered 400 Bad Request, trackingId T_1");
    }
}
