//! The service as a value: made from a configuration, bound to its port, run until stopped.
//!
//! `main` and the tests use the same; a test binds port 0 and may bring its own transport.

mod unbound;

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::Server;
use futures_util::future::join_all;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::{Config, Problem};
use crate::delivery::{self, Engine, Gauges, Observer, Parts};
use crate::http::{self, Door, Reason, Service, ServiceError};
use crate::prepared::{Prepared, configuration};
use crate::reload::{Hangups, Reloader, Way};
use crate::render::Renderer;
use crate::telemetry::{LogLevel, MetricLabels, Metrics};
use crate::webex::{self, Client, Https, Transport, WayError};
pub use unbound::Unbound;

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Tokens of bots cannot be read.
    #[error("{}", listed(.0))]
    Tokens(Vec<delivery::TokenError>),
    /// Credentials of callers, or the service's certificate, cannot be used.
    #[error("{}", listed(.0))]
    Service(Vec<ServiceError>),
    /// Ids of rooms cannot be read.
    #[error("{}", listed(.0))]
    Rooms(Vec<Problem>),
    /// There is no way to Webex.
    #[error(transparent)]
    Way(#[from] WayError),
    /// The port cannot be bound.
    #[error(
        "cannot listen on {address}: {source}; choose another `{key}`, or stop what listens there"
    )]
    Bind {
        /// The key that names the address.
        key: &'static str,
        /// What was to be bound.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// All of them in one line.
fn listed(errors: &[impl ToString]) -> String {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

impl From<Vec<delivery::TokenError>> for StartError {
    fn from(errors: Vec<delivery::TokenError>) -> Self {
        Self::Tokens(errors)
    }
}

impl From<Vec<ServiceError>> for StartError {
    fn from(errors: Vec<ServiceError>) -> Self {
        Self::Service(errors)
    }
}

/// The service, bound and ready to run.
pub struct App {
    servers: Vec<Server>,
    engine: Arc<Engine>,
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    service: Arc<Service>,
    reloader: Reloader,
    /// `None` where only who asks makes it reload.
    hangups: Option<Hangups>,
}

impl App {
    /// Binds the port and reads the secrets. Must be called on the runtime that is to
    /// deliver.
    ///
    /// # Errors
    /// When a secret cannot be read, the port is taken, or TLS cannot be set up.
    pub fn start(prepared: Prepared) -> Result<Self, StartError> {
        let https = Https::new(&prepared.config.webex)?;
        Self::assemble(prepared, Arc::new(https), Way::Configured, None)
    }

    /// As [`Self::start`], with another way to Webex.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(
        prepared: Prepared,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, StartError> {
        let way = Way::Given(Arc::clone(&transport));
        Self::assemble(prepared, transport, way, None)
    }

    /// As [`Self::start`], and somebody watches what is delivered.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_watched(
        prepared: Prepared,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, StartError> {
        let https = Https::new(&prepared.config.webex)?;
        Self::assemble(prepared, Arc::new(https), Way::Configured, Some(observer))
    }

    fn assemble(
        prepared: Prepared,
        transport: Arc<dyn Transport>,
        way: Way,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, StartError> {
        let (listen, admin_listen) = {
            let server = &prepared.config.server;
            (server.listen, server.admin_listen)
        };
        // Everything is loaded before anything is bound: nobody finds a port that answers for
        // a service that is not ready.
        let Unbound {
            engine,
            service,
            reloader,
            ..
        } = Unbound::new(prepared, transport, way, observer)?;
        let open = |key, address: SocketAddr, door| {
            let bind = |source| StartError::Bind {
                key,
                address,
                source,
            };
            let listener = listener(address).map_err(bind)?;
            let address = listener.local_addr().map_err(bind)?;
            let server = http::serve(listener, Arc::clone(&service), door).map_err(bind)?;
            Ok::<_, StartError>((server, address))
        };
        let (main, address) = open("server.listen", listen, Door::Main)?;
        let mut servers = vec![main];
        let mut admin_address = None;
        if let Some(address) = admin_listen {
            let (admin, address) = open("server.admin_listen", address, Door::Admin)?;
            servers.push(admin);
            admin_address = Some(address);
        }
        Ok(Self {
            servers,
            engine,
            address,
            admin_address,
            service,
            reloader,
            hangups: None,
        })
    }

    /// Takes up another `log.level` at a reload: otherwise it stays as it is.
    #[must_use]
    pub fn changing(mut self, level: LogLevel) -> Self {
        self.reloader = self.reloader.changing(level);
        self
    }

    /// Reloads at SIGHUP and when files of the configuration change, besides when asked. The
    /// signal counts from this call on: before, it ends the process.
    #[must_use]
    pub fn watching(mut self) -> Self {
        self.hangups = Some(Hangups::new());
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics and the like are, if they have an address of their own.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// The engine that delivers, to look at.
    #[must_use]
    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// Runs until `stop` is done, then gives back what has not begun, finishes what has,
    /// and ends.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let handles: Vec<_> = self.servers.iter().map(Server::handle).collect();
        let servers: Vec<_> = self.servers.into_iter().map(tokio::spawn).collect();
        let introduction = tokio::spawn({
            let engine = Arc::clone(&self.engine);
            async move { engine.introduce_bots().await }
        });
        let reloader = tokio::spawn(async move {
            match self.hangups {
                Some(hangups) => self.reloader.run_and_watch(hangups).await,
                None => self.reloader.run().await,
            }
        });
        stop.await;
        introduction.abort();
        reloader.abort();
        let (delay, grace) = self.service.shutdown();
        self.engine.withdraw();
        let (delay_seconds, grace_seconds) = (delay.as_secs(), grace.as_secs());
        tracing::info!(
            delay_seconds,
            "stopping: this process is not ready from now on, and takes requests for {delay_seconds} s more",
        );
        tokio::time::sleep(delay).await;
        tracing::info!(
            grace_seconds,
            "stopping: what has not begun is given back to Alertmanager, and what has is finished within {grace_seconds} s",
        );
        if !self.engine.drain(grace).await {
            tracing::warn!(
                grace_seconds,
                "some deliveries did not end within `server.shutdown_grace`, {grace_seconds} s; Alertmanager sends them again",
            );
        }
        join_all(handles.iter().map(|handle| handle.stop(true))).await;
        for server in servers {
            server.await.map_err(std::io::Error::other)??;
        }
        Ok(())
    }
}

/// The engine that a configuration describes, and the metrics that it counts in.
///
/// # Errors
/// When a bot's token or a room's id cannot be read.
pub fn engine(
    config: &Config,
    renderer: Renderer,
    transport: Arc<dyn Transport>,
) -> Result<(Arc<Engine>, Arc<Metrics>), StartError> {
    watched_engine(config, renderer, transport, None)
}

/// As [`engine`], and somebody may watch what is delivered.
fn watched_engine(
    config: &Config,
    renderer: Renderer,
    transport: Arc<dyn Transport>,
    observer: Option<Arc<dyn Observer>>,
) -> Result<(Arc<Engine>, Arc<Metrics>), StartError> {
    if !config.absent.is_empty() {
        return Err(StartError::Rooms(config.absent.clone()));
    }
    let runtime = tokio::runtime::Handle::current();
    let labels = MetricLabels {
        outcomes: Reason::outcomes(),
        rejections: Reason::rejections(),
        unknown: http::UNKNOWN.into(),
        codes: webex::CODES.to_vec(),
    };
    let metrics = Arc::new(Metrics::new(labels, runtime.clone()));
    let engine = Engine::new(Parts {
        configuration: configuration(
            config,
            renderer,
            Client::new(&config.webex.base_url, transport)?,
        ),
        metrics: Arc::clone(&metrics),
        runtime,
        random: fastrand::Rng::new(),
        observer,
    })?;
    metrics.collect_from(Box::new(Gauges(Arc::clone(&engine))));
    Ok((engine, metrics))
}

/// A listener with a long queue: an incident is hundreds of connections at once.
fn listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    const BACKLOG: i32 = 2048;
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart finds connections of the last process in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
