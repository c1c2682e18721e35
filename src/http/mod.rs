//! What Alertmanager, Prometheus and Kubernetes reach: one file a route, one table of
//! answers.
//!
//! A request is checked in this order: receiver, method, credentials, content type, size,
//! time, payload. So nobody without credentials makes us read a body.
//!
//! What does not belong here: what a notification becomes, and when it is tried again.

mod answers;
mod body;
mod callers;
mod health;
mod metrics;
mod notifications;

use std::net::TcpListener;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use arc_swap::ArcSwap;
use bytesize::ByteSize;
use tracing_actix_web::{RequestId, TracingLogger};

pub use answers::Reason;

use crate::config::{self, SecretError};
use crate::delivery::{Engine, Loaded};
use crate::routing::Routes;
use crate::telemetry::Metrics;
use answers::{Answer, Rejection};
use callers::Callers;

/// Alertmanager keeps idle connections for 5 minutes; closing earlier than it does makes a
/// request race with the close.
const KEEP_ALIVE: Duration = Duration::from_secs(330);
/// How long the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Receivers that nobody configured are counted under one name, which none can have.
const UNKNOWN: &str = "(unknown)";

/// What a caller would be told of an outcome, in one line.
#[must_use]
pub fn told(outcome: crate::delivery::Outcome) -> String {
    Answer::from(outcome).message().to_owned()
}

/// What the routes need.
pub struct Service {
    current: ArcSwap<Current>,
    engine: Arc<Engine>,
    metrics: Arc<Metrics>,
    unknown: Arc<str>,
}

/// What a request works by, from its head to its answer; a reload replaces the whole.
pub struct Current {
    loaded: Arc<Loaded>,
    callers: Callers,
    body_limit: ByteSize,
}

impl Current {
    /// Reads what callers of these receivers must show.
    ///
    /// # Errors
    /// With every bearer token that cannot be read.
    pub fn read(loaded: Arc<Loaded>, server: &config::Server) -> Result<Self, Vec<CallerError>> {
        let callers = Callers::read(loaded.routes())?;
        Ok(Self {
            loaded,
            callers,
            body_limit: server.body_limit,
        })
    }
}

/// A receiver's bearer token cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("receiver `{receiver}` has no bearer token: {source}")]
pub struct CallerError {
    receiver: Arc<str>,
    source: SecretError,
}

impl Service {
    /// Puts together what the routes need.
    #[must_use]
    pub fn new(current: Current, engine: Arc<Engine>, metrics: Arc<Metrics>) -> Self {
        Self {
            current: ArcSwap::from_pointee(current),
            engine,
            metrics,
            unknown: UNKNOWN.into(),
        }
    }

    /// Requests work by this from now on.
    pub fn swap(&self, current: Current) {
        self.current.store(Arc::new(current));
    }

    /// Names for the label `receiver`.
    #[must_use]
    pub fn labels(routes: &Routes) -> Vec<Arc<str>> {
        routes
            .iter()
            .map(|receiver| Arc::clone(&receiver.name))
            .chain([UNKNOWN.into()])
            .collect()
    }
}

/// Serves on a listener that is bound already. Signals are the caller's matter.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    workers: NonZeroU32,
) -> std::io::Result<Server> {
    let service = web::Data::from(service);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::clone(&service))
            .wrap(from_fn(with_request_id))
            .wrap(TracingLogger::<Spans>::new())
            .configure(routes)
    })
    .workers(usize::try_from(workers.get()).unwrap_or(usize::MAX))
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_TIME)
    // Deliveries were given their time before; what is left is to write the answers.
    .shutdown_timeout(1)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

fn routes(config: &mut web::ServiceConfig) {
    let get =
        |path: &str| web::resource(path.to_owned()).default_service(web::to(async || only("GET")));
    config
        .route("/alertmanager", web::route().to(notifications::receive))
        .route(
            "/alertmanager/{receiver:.*}",
            web::route().to(notifications::receive),
        )
        .service(get("/-/healthy").route(web::get().to(health::healthy)))
        .service(get("/-/ready").route(web::get().to(health::ready)))
        .service(get("/metrics").route(web::get().to(metrics::metrics)))
        .default_service(web::to(|| async {
            Answer::from(Rejection::NotFound).into_response()
        }));
}

fn only(method: &'static str) -> HttpResponse {
    Answer::from(Rejection::MethodNotAllowed(method)).into_response()
}

/// Tells the caller the id under which the log knows the request.
async fn with_request_id(
    request: actix_web::dev::ServiceRequest,
    next: actix_web::middleware::Next<impl actix_web::body::MessageBody>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, actix_web::Error> {
    use actix_web::HttpMessage as _;
    let id = request.extensions().get::<RequestId>().copied();
    let mut response = next.call(request).await?;
    if let Some(value) = id.and_then(|id| HeaderValue::try_from(id.to_string()).ok()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    Ok(response)
}

/// A span holds the request's id and nothing of the request itself.
struct Spans;

impl tracing_actix_web::RootSpanBuilder for Spans {
    fn on_request_start(request: &actix_web::dev::ServiceRequest) -> tracing::Span {
        use actix_web::HttpMessage as _;
        let id = request.extensions().get::<RequestId>().copied();
        tracing::info_span!("request", request_id = id.map(tracing::field::display))
    }

    fn on_request_end<B: actix_web::body::MessageBody>(
        _span: tracing::Span,
        _outcome: &Result<ServiceResponse<B>, actix_web::Error>,
    ) {
    }
}
