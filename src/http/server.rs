//! The listeners, and what stands between them and the routes.

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::body::{BoxBody, MessageBody};
use actix_http::error::DispatchError;
use actix_http::{ConnectionType, HttpService, Request, Response};
use actix_service::{ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::{AppConfig, Server, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpMessage as _, web};
use tokio::net::TcpStream;
use tracing_actix_web::{RequestId, TracingLogger};
use uuid::Uuid;

use super::connection::{Connection, KEEP_ALIVE, LINGER, Peer, Times};
use super::{Door, Service, notifications, routes};
use crate::telemetry::{Trace, trace_id as trace_id_of};

/// Serves on a listener that is bound already. Signals are the caller's matter.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(listener: TcpListener, service: Arc<Service>, door: Door) -> std::io::Result<Server> {
    let limits = service.limits;
    let times = Times {
        head: limits.head_time,
        keep_alive: KEEP_ALIVE,
    };
    let (workers, connections) = match door {
        Door::Main => (limits.workers, limits.connections),
        // Prometheus, probes, a person.
        Door::Admin => (1, 64),
    };
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections((connections / workers).max(1))
        // Deliveries were given their time before; what is left is to write the answers.
        .shutdown_timeout(1)
        .disable_signals();
    let shutdown = builder.graceful_shutdown_signal();
    let server = builder.listen("http", listener, move || {
        let accepting = Arc::clone(&service);
        let app = actix_service::IntoServiceFactory::into_factory(app(&service, door))
            .map_err(|error: actix_web::Error| error.error_response());
        let shutdown = shutdown.clone();
        let expecting = Arc::clone(&service);
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(times.head)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(|connection: &Connection, data| {
                data.insert(connection.peer());
            })
            .expect(fn_service(move |request: Request| {
                std::future::ready(expected(request, &expecting))
            }))
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let tls = accepting.current.load().tls.clone();
            async move {
                let accepted = Connection::accept(stream, tls, times).await;
                accepted.map_err(|error| {
                    tracing::debug!(%error, "a connection came to nothing: {error}");
                    DispatchError::Io(error)
                })
            }
        })
        .and_then(http)
    })?;
    Ok(server.run())
}

/// The routes with all that stands around each request, without a listener.
pub fn app(
    service: &Arc<Service>,
    door: Door,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = actix_web::Error,
        InitError = (),
    > + use<>,
> {
    let data = web::Data::from(Arc::clone(service));
    App::new()
        .app_data(data)
        .app_data(web::Data::new(door))
        .wrap(from_fn(around))
        .wrap(TracingLogger::<Spans>::new())
        .configure(|config| routes(config, service, door))
}

/// A client that asks before it sends a body is answered at once, if it may not send it.
fn expected(request: Request, service: &Service) -> Result<Request, Response<BoxBody>> {
    let peer = request.conn_data::<Rc<Peer>>().map(AsRef::as_ref);
    let id = Uuid::now_v7().to_string();
    let (span, _) = request_span(Some(&id), request.headers(), false);
    match span.in_scope(|| notifications::refusal(service, request.head(), peer)) {
        None => Ok(request),
        Some(answer) => {
            if let Some(peer) = peer {
                peer.close();
            }
            let mut response = answer.into_response();
            name(response.headers_mut(), &id);
            guard(response.headers_mut());
            Err(response.into())
        }
    }
}

/// What every request and every answer gets.
async fn around(
    request: ServiceRequest,
    next: actix_web::middleware::Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let peer = request.conn_data::<Rc<Peer>>().cloned();
    let under_way = peer.as_ref().map(|peer| peer.begin());
    let id = request.extensions().get::<RequestId>().copied();
    let trace = request.extensions().get::<Trace>().cloned();
    let mut response = next.call(request).await?;
    if let Some(trace) = trace {
        let status = response.status();
        trace.count("http.response.status_code", status.as_u16().into());
        if status.is_server_error() {
            trace.failed(status.as_str());
        }
        trace.end();
    }
    drop(under_way);
    if let Some(peer) = peer
        && response.response().head().connection_type() == ConnectionType::Close
    {
        peer.close();
    }
    let headers = response.headers_mut();
    if let Some(id) = id {
        name(
            headers,
            id.hyphenated().encode_lower(&mut Uuid::encode_buffer()),
        );
    }
    guard(headers);
    Ok(response)
}

/// Tells the id under which the log knows the request.
fn name(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::try_from(id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}

/// What keeps a browser from making more of an answer than it is. A page that needs more says
/// so itself.
fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// What lines within a request carry. Everywhere, also where only warnings are logged.
/// The trace goes on here, if the request is to be traced.
fn request_span(id: Option<&str>, headers: &HeaderMap, is_traced: bool) -> (tracing::Span, Trace) {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let parent = header("traceparent");
    let trace = if is_traced {
        Trace::request(parent, header("tracestate"))
    } else {
        Trace::default()
    };
    let trace_id = trace.id();
    let trace_id = trace_id.as_deref().or_else(|| parent.and_then(trace_id_of));
    let span = tracing::error_span!("request", request_id = id, trace_id);
    (span, trace)
}

/// A span holds the ids of the request and of its trace, and nothing of the request itself.
struct Spans;

impl tracing_actix_web::RootSpanBuilder for Spans {
    fn on_request_start(request: &ServiceRequest) -> tracing::Span {
        let id = request.extensions().get::<RequestId>().copied();
        // Probes and metrics would be most of the traces, and the least of them.
        let is_traced = request.path().contains("/alertmanager");
        let mut buffer = Uuid::encode_buffer();
        let id = id.map(|id| &*id.hyphenated().encode_lower(&mut buffer));
        let (span, trace) = request_span(id, request.headers(), is_traced);
        request.extensions_mut().insert(trace);
        span
    }

    fn on_request_end<B: MessageBody>(
        _span: tracing::Span,
        _outcome: &Result<ServiceResponse<B>, actix_web::Error>,
    ) {
    }
}
