//! What Alertmanager, Prometheus and Kubernetes reach: one file a route, one table of
//! answers.
//!
//! A request is checked in this order: method, credentials, receiver, content type, size,
//! time, payload. So nobody without credentials makes us read a body.
//!
//! A way in has its parts in files: `server` (listeners), `tls`, `connection` (deadlines),
//! `callers` (who may), `credentials` (what is shown), `attempts` (who fails).
//!
//! What does not belong here: what a notification becomes, and when it is tried again.

mod answers;
mod attempts;
mod body;
mod callers;
mod connection;
mod credentials;
mod health;
mod metrics;
mod notifications;
mod probe;
mod query;
mod reload;
mod server;
mod status;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use arc_swap::ArcSwap;
use jiff::Timestamp;

pub use answers::Reason;
pub use callers::{CallerError, inspect_credentials};
pub use notifications::TRY_HEADER;
pub use probe::{Probe, ProbeError};
pub use reload::{Asked, Refused, ReloadRequests, Reloads, Status};
pub use server::{app, serve};
pub use tls::{Doubt, ServerTlsError, inspect};

use crate::config;
use crate::delivery::{Engine, Loaded};
use crate::telemetry::Metrics;
use answers::{Answer, Rejection};
use body::Bodies;
use callers::Callers;
use tls::ServerTls;

/// Receivers that nobody configured are counted under one name, which none can have.
pub const UNKNOWN: &str = "(unknown)";

/// What a caller would be told of an outcome, in one line.
#[must_use]
pub fn told(outcome: crate::delivery::Outcome) -> String {
    Answer::from(outcome).message().to_owned()
}

/// The reason and the message that a caller would be told of an outcome.
#[must_use]
pub fn judged(outcome: crate::delivery::Outcome) -> (Reason, String) {
    let answer = Answer::from(outcome);
    (answer.reason, answer.message().to_owned())
}

/// What the routes need.
pub struct Service {
    current: ArcSwap<Current>,
    engine: Arc<Engine>,
    metrics: Arc<Metrics>,
    reloads: Reloads,
    started_at: Timestamp,
    limits: Limits,
    /// What every path begins with: nothing, or a slash and more.
    prefix: String,
    /// Metrics and the like have a listener of their own.
    admin_is_apart: bool,
    unknown: Arc<str>,
}

/// What a request works by, from its head to its answer; a reload replaces the whole.
pub struct Current {
    loaded: Arc<Loaded>,
    callers: Callers,
    bodies: Bodies,
    shutdown_delay: Duration,
    shutdown_grace: Duration,
    /// For connections that begin now.
    tls: Option<Arc<ServerTls>>,
}

impl Current {
    /// Reads what callers of these receivers must show, and the service's certificate.
    ///
    /// # Errors
    /// With everything that cannot be read.
    pub fn read(loaded: Arc<Loaded>, server: &config::Server) -> Result<Self, Vec<ServiceError>> {
        Self::after(None, loaded, server)
    }

    fn after(
        before: Option<&Self>,
        loaded: Arc<Loaded>,
        server: &config::Server,
    ) -> Result<Self, Vec<ServiceError>> {
        let mut errors = Vec::new();
        let tls = tls::load(&server.tls).unwrap_or_else(|error| {
            errors.push(error.into());
            None
        });
        for doubt in inspect(&server.tls).unwrap_or_default() {
            let doubt = doubt.to_string();
            tracing::warn!(
                key = "server.tls.cert_file",
                doubt,
                "callers may refuse the service's certificate: {doubt}",
            );
        }
        let tls = tls.map(Arc::new);
        let callers = Callers::read(
            loaded.routes(),
            server,
            tls.clone(),
            before.map(|before| &before.callers),
        );
        match callers {
            Ok(callers) if errors.is_empty() => Ok(Self {
                loaded,
                callers,
                bodies: Bodies::new(server.body_limit, server.body_timeout),
                shutdown_delay: server.shutdown_delay,
                shutdown_grace: server.shutdown_grace,
                tls,
            }),
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more.into_iter().map(ServiceError::Caller));
                Err(errors)
            }
        }
    }
}

/// What holds for connections.
#[derive(Clone, Copy)]
struct Limits {
    workers: usize,
    connections: usize,
    head_time: Duration,
}

/// Why the routes cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Credentials of callers cannot be read.
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// There is no TLS.
    #[error(transparent)]
    Tls(#[from] ServerTlsError),
}

/// Which listener a connection comes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `server.listen`
    Main,
    /// `server.admin_listen`
    Admin,
}

impl Service {
    /// Puts together what the routes need. What is not in `current` stays as it is here.
    #[must_use]
    pub fn new(
        current: Current,
        engine: Arc<Engine>,
        metrics: Arc<Metrics>,
        reloads: Reloads,
        server: &config::Server,
    ) -> Self {
        let number =
            |number: std::num::NonZeroU32| usize::try_from(number.get()).unwrap_or(usize::MAX);
        Self {
            current: ArcSwap::from_pointee(current),
            engine,
            metrics,
            reloads,
            started_at: Timestamp::now(),
            limits: Limits {
                workers: number(server.workers),
                connections: number(server.max_connections),
                head_time: server.head_timeout,
            },
            prefix: server.path_prefix.clone(),
            admin_is_apart: server.admin_listen.is_some(),
            unknown: UNKNOWN.into(),
        }
    }

    /// Reads as [`Current::read`], for [`Self::swap`]; who has failed to show credentials is
    /// not forgotten.
    ///
    /// # Errors
    /// As [`Current::read`].
    pub fn read(
        &self,
        loaded: Arc<Loaded>,
        server: &config::Server,
    ) -> Result<Current, Vec<ServiceError>> {
        Current::after(Some(&self.current.load()), loaded, server)
    }

    /// How it is to end, as the configuration says now: how long notifications are still
    /// taken, and how long what has begun may take after that.
    #[must_use]
    pub fn shutdown(&self) -> (Duration, Duration) {
        let current = self.current.load();
        (current.shutdown_delay, current.shutdown_grace)
    }

    /// Requests work by this from now on, and connections that begin.
    pub fn swap(&self, current: Current) {
        self.current.store(Arc::new(current));
    }
}

fn routes(config: &mut web::ServiceConfig, service: &Service, door: Door) {
    let prefix = &service.prefix;
    let at = |path: &str| format!("{prefix}{path}");
    let get = |path: &str| web::resource(at(path)).default_service(web::to(async || only("GET")));
    config
        .service(
            get("/-/healthy")
                .route(web::get().to(health::healthy))
                .route(web::head().to(health::healthy)),
        )
        .service(
            get("/-/ready")
                .route(web::get().to(health::ready))
                .route(web::head().to(health::ready)),
        );
    if door == Door::Main {
        let receivers = [at("/alertmanager"), at("/alertmanager/{receiver:.*}")];
        for path in receivers {
            config.route(&path, web::route().to(notifications::receive));
        }
    }
    if door == Door::Admin || !service.admin_is_apart {
        config
            .service(get("/metrics").route(web::get().to(metrics::metrics)))
            .service(
                web::resource(at("/-/reload"))
                    .route(web::post().to(reload::reload))
                    .default_service(web::to(async || only("POST"))),
            );
    }
    status::routes(config, prefix);
    config.default_service(web::to(nothing));
}

/// There is nothing at this path.
async fn nothing() -> HttpResponse {
    Answer::from(Rejection::NotFound).into_response()
}

fn only(method: &'static str) -> HttpResponse {
    Answer::from(Rejection::MethodNotAllowed(method)).into_response()
}
