//! The bytes' way to Webex and back.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::{Bytes, BytesMut};
use http::uri::InvalidUri;
use http::{Request, Response, Uri};
use reqwest::redirect;
use url::Url;

use super::proxy::{self, ProxyError};
use super::tls::{self, TlsError};
use crate::config;

/// No answer of Webex that we read is longer; what comes after is left unread.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// A connection that cannot be made in this time is not made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Idle connections are kept, so that an alert at night pays no handshake more than needed.
const POOL_IDLE: Duration = Duration::from_secs(90);

/// One request, one answer. Implementations apply their own time limit.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request and reads the answer whole, at most 64 KiB of it.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>>;
}

/// Why there was no answer. What matters is whether Webex may have got the request.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransportError {
    /// No connection was made, so Webex has nothing.
    #[error("cannot connect to Webex at {0}")]
    Connect(String),
    /// The time limit passed after the request was sent; Webex may have it.
    #[error("Webex did not answer in time")]
    Timeout,
    /// The connection broke; Webex may have the request.
    #[error("the connection to Webex broke: {0}")]
    Interrupted(String),
}

impl TransportError {
    /// The word for a metric.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Timeout => "timeout",
            Self::Interrupted(_) => "interrupted",
        }
    }
}

/// HTTP/1.1 or HTTP/2 over TLS, one pool of connections for the process.
#[derive(Clone)]
pub struct Https {
    client: reqwest::Client,
    /// The proxy, as an error tells it.
    through: Option<String>,
    /// The address that was asked last: nearly always the one that is asked next, and to take it
    /// apart costs more than to compare it.
    last: Arc<ArcSwapOption<(Uri, Url)>>,
}

/// Why there is no way to Webex.
#[derive(Debug, thiserror::Error)]
pub enum WayError {
    /// No secure connection can be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The address of Webex cannot be used.
    #[error("`webex.base_url` cannot be used: {0}")]
    BaseUrl(#[from] InvalidUri),
}

impl Https {
    /// Makes the pool, as the configuration says.
    ///
    /// # Errors
    /// When no certificates are to be had, or a file cannot be read or holds something else.
    pub fn new(webex: &config::Webex) -> Result<Self, WayError> {
        tls::install_provider();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("alertmanager-webex/", env!("CARGO_PKG_VERSION")))
            // A redirect could carry the token to another host, and Webex sends none.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(webex.request_timeout)
            .pool_idle_timeout(POOL_IDLE)
            .tcp_nodelay(true);
        let builder = match &webex.ca_file {
            Some(path) => builder.tls_certs_merge(tls::certificates(path)?),
            None => builder,
        };
        let through = proxy::through(&webex.proxy);
        let client = proxy::between(builder, &webex.proxy)?.build();
        let client = client.map_err(|source| match &webex.ca_file {
            None => TlsError::Client(source),
            // Certificates are looked into only here.
            Some(path) => TlsError::Broken {
                path: path.clone(),
                source,
            },
        })?;
        Ok(Self {
            client,
            through,
            last: Arc::default(),
        })
    }
}

/// Without the last address: that of an incoming webhook is a secret.
impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https").finish_non_exhaustive()
    }
}

impl Https {
    /// The address as the HTTP client wants it.
    fn address(&self, uri: &Uri) -> Result<Url, TransportError> {
        if let Some(last) = &*self.last.load()
            && last.0 == *uri
        {
            return Ok(last.1.clone());
        }
        let address =
            Url::parse(&uri.to_string()).map_err(|error| TransportError::Connect(told(error)))?;
        self.last
            .store(Some(Arc::new((uri.clone(), address.clone()))));
        Ok(address)
    }
}

impl Transport for Https {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let mut request = reqwest::Request::new(parts.method, self.address(&parts.uri)?);
            *request.headers_mut() = parts.headers;
            *request.body_mut() = Some(body.into());
            let classify = |error| {
                // A wrong `webex.base_url` is found by the name of its host.
                let host = parts.uri.authority().map_or("", |host| host.as_str());
                classify(error, host, self.through.as_deref().unwrap_or(""))
            };
            let mut answer = self.client.execute(request).await.map_err(classify)?;
            let mut whole = Response::new(Bytes::new());
            *whole.status_mut() = answer.status();
            *whole.headers_mut() = std::mem::take(answer.headers_mut());
            let mut body = BytesMut::new();
            while body.len() < MAX_ANSWER_BYTES {
                match answer.chunk().await {
                    Ok(Some(chunk)) => {
                        let room = MAX_ANSWER_BYTES - body.len();
                        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    }
                    Ok(None) => break,
                    // An error answer counts by its status, also where its body broke off.
                    Err(_) if !whole.status().is_success() => break,
                    Err(error) => return Err(classify(error)),
                }
            }
            *whole.body_mut() = body.freeze();
            Ok(whole)
        })
    }
}

fn classify(error: reqwest::Error, host: &str, through: &str) -> TransportError {
    if error.is_connect() {
        TransportError::Connect(format!("{host}{through}: {}", told(error)))
    } else if error.is_timeout() {
        TransportError::Timeout
    } else {
        TransportError::Interrupted(told(error))
    }
}

/// The innermost cause: reqwest's own words only repeat the address.
fn told(error: impl std::error::Error) -> String {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    super::error::one_line(&cause.to_string())
}
