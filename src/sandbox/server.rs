//! The sandbox on the network: the Webex API under `/v1`, the control API under
//! `/control/v1`, and the page at `/`.
//!
//! A thin shell: it turns actix-web's types into those of the core and back, and breaks
//! connections. What is answered is decided elsewhere.
//!
//! **How a connection is broken.** The answer gets a body that fails when it is first asked
//! for. actix-http encodes the head into a buffer, polls the body *before* it flushes that
//! buffer, and ends the connection at once on an error (`h1/dispatcher.rs`, `poll_response`),
//! so not one byte is sent. It is an order of steps inside a dependency; a test over a real
//! socket holds it. What was considered: duplicating the socket in `on_connect` and shutting
//! it down costs a second descriptor for each connection.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::{BODY_LIMIT, Broken, Error, Extension, Sandbox, control, page};

/// Two serve 10,000 requests a second; more would only cost memory.
const WORKERS: usize = 2;

/// How many connections a worker serves at once: answers that nobody reads are bounded by it.
const MOST_CONNECTIONS: usize = 2_000;

/// How long an idle connection is kept. Longer than a client's pool keeps one: a connection that
/// the server closes just when the client uses it again would look like a fault nobody set.
const KEEP_ALIVE: Duration = Duration::from_secs(120);

/// How long a stop waits for answers that are under way; those that hang are broken at once.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// A sandbox that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    sandbox: Sandbox,
    extension: Option<Arc<dyn Extension>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Listens on `address`; port 0 takes a free one. Connections wait until
    /// [`Server::run_until`] takes them.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`].
    pub fn bind(sandbox: Sandbox, address: SocketAddr) -> Result<Self, Error> {
        let bind = |source| Error::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self {
            listener,
            address,
            sandbox,
            extension: None,
        })
    }

    /// Answers paths below `/dev/` by this.
    #[must_use]
    pub fn with_extension(mut self, extension: Arc<dyn Extension>) -> Self {
        self.extension = Some(extension);
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What a Webex client takes for its base URL, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The sandbox that it serves.
    #[must_use]
    pub fn sandbox(&self) -> Sandbox {
        self.sandbox.clone()
    }

    /// Serves until `stop` is done. Requests that hang are broken then, the others answered.
    ///
    /// # Errors
    ///
    /// [`Error::Serve`] where the server ends on its own.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let stopped = CancellationToken::new();
        let shared = web::Data::new(Shared {
            sandbox: self.sandbox,
            extension: self.extension,
            stopped: stopped.clone(),
        });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .default_service(web::to(serve))
        })
        .workers(WORKERS)
        .disable_signals()
        .keep_alive(KEEP_ALIVE)
        .max_connections(MOST_CONNECTIONS)
        // A caller that closes has given up: its hanging request ends with it.
        .h1_allow_half_closed(false)
        .shutdown_timeout(STOP_WITHIN.as_secs())
        .listen(self.listener)
        .map_err(Error::Serve)?
        .run();
        let handle = server.handle();
        tokio::pin!(server);
        tokio::select! {
            result = &mut server => return result.map_err(Error::Serve),
            () = stop => {}
        }
        stopped.cancel();
        let (result, ()) = tokio::join!(server, handle.stop(true));
        result.map_err(Error::Serve)
    }
}

struct Shared {
    sandbox: Sandbox,
    extension: Option<Arc<dyn Extension>>,
    stopped: CancellationToken,
}

async fn serve(
    shared: web::Data<Shared>,
    head: HttpRequest,
    payload: web::Payload,
) -> HttpResponse<AnyBody> {
    let Ok(request) = read(&head, payload).await else {
        return broken();
    };
    let path = request.uri().path();
    if !["/v1/", "/control/", "/dev/"]
        .iter()
        .any(|part| path.starts_with(part))
    {
        return written(page::answer(&request));
    }
    tokio::select! {
        answer = answer(&shared, request) => answer.unwrap_or_else(|Broken| broken()),
        () = shared.stopped.cancelled() => broken(),
    }
}

async fn answer(
    shared: &web::Data<Shared>,
    request: http::Request<Bytes>,
) -> Result<HttpResponse<AnyBody>, Broken> {
    let path = request.uri().path();
    if path.starts_with("/v1/") {
        return shared.sandbox.answer(request).await.map(written);
    }
    if path.starts_with("/dev/") {
        if let Some(refusal) = control::refusal(&request) {
            return Ok(written(refusal));
        }
        return Ok(written(match &shared.extension {
            Some(extension) => extension.answer(request).await,
            None => control::no_extension(),
        }));
    }
    let dev = shared.extension.is_some();
    Ok(
        match control::answer(&shared.sandbox, &request, dev).await {
            control::Answer::Whole(response) => written(response),
            control::Answer::Events(head, events) => {
                let stopped = shared.stopped.clone();
                let lines = stream::unfold((events, stopped), async |(mut events, stopped)| {
                    tokio::select! {
                        lines = events.next() => Some((lines, (events, stopped))),
                        () = stopped.cancelled() => None,
                    }
                });
                with_body(&head.into_parts().0, AnyBody::Stream(Box::pin(lines)))
            }
        },
    )
}

/// Reads the whole request, or just over the limit of its body: the core refuses that.
async fn read(
    head: &HttpRequest,
    mut payload: web::Payload,
) -> Result<http::Request<Bytes>, Broken> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        // The caller is gone, or does not speak HTTP.
        body.extend_from_slice(&chunk.map_err(|_| Broken)?);
        if body.len() > BODY_LIMIT {
            break;
        }
    }
    let mut request = http::Request::builder()
        .method(head.method().as_str())
        .uri(head.uri().to_string());
    for (name, value) in head.headers() {
        request = request.header(name.as_str(), value.as_bytes());
    }
    // Both are the same format, parsed twice; what one takes, the other does.
    request.body(body.freeze()).map_err(|_| Broken)
}

fn written(response: http::Response<Bytes>) -> HttpResponse<AnyBody> {
    let (head, body) = response.into_parts();
    with_body(&head, AnyBody::Whole(body))
}

fn with_body(head: &http::response::Parts, body: AnyBody) -> HttpResponse<AnyBody> {
    let status = actix_web::http::StatusCode::from_u16(head.status.as_u16())
        .unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::with_body(status, body);
    response.headers_mut().insert(
        HeaderName::from_static("x-sandbox"),
        HeaderValue::from_static("alertmanager-webex; this is not Webex"),
    );
    for (name, value) in &head.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_str().as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn broken() -> HttpResponse<AnyBody> {
    HttpResponse::with_body(actix_web::http::StatusCode::OK, AnyBody::Broken)
}

/// A body, or the end of the connection.
enum AnyBody {
    Whole(Bytes),
    Stream(Pin<Box<dyn Stream<Item = Bytes>>>),
    Broken,
}

impl MessageBody for AnyBody {
    type Error = Broken;

    fn size(&self) -> BodySize {
        match self {
            Self::Whole(body) => body.size(),
            Self::Stream(_) | Self::Broken => BodySize::Stream,
        }
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(match &mut *self {
            Self::Stream(lines) => {
                return lines.as_mut().poll_next(context).map(|next| next.map(Ok));
            }
            Self::Whole(body) if body.is_empty() => None,
            Self::Whole(body) => Some(Ok(std::mem::take(body))),
            Self::Broken => Some(Err(Broken)),
        })
    }
}
