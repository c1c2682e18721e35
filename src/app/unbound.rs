//! Puts a configuration together into a service, without a port.

use std::sync::Arc;

use super::{StartError, watched_engine};
use crate::delivery::{Engine, Observer};
use crate::http::{Current, Reloads, Service};
use crate::prepared::Prepared;
use crate::reload::{self, Reloader, Started, Way};
use crate::telemetry::Metrics;
use crate::webex::Transport;

/// The service before it has a port: what delivers, and what requests meet.
pub struct Unbound {
    /// Delivers.
    pub engine: Arc<Engine>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What requests meet.
    pub service: Arc<Service>,
    /// Reads the configuration again when somebody asks; it has to be run.
    pub reloader: Reloader,
}

impl Unbound {
    /// Reads the secrets and puts everything together. Must be called on the runtime that is
    /// to deliver.
    ///
    /// # Errors
    /// When a secret cannot be read, or TLS cannot be set up.
    pub fn new(
        prepared: Prepared,
        transport: Arc<dyn Transport>,
        way: Way,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, StartError> {
        let Prepared {
            config,
            renderer,
            seen,
            sources,
        } = prepared;
        let (engine, metrics) = watched_engine(&config, renderer, transport, observer)?;
        let server = &config.server;
        let current = Current::read(engine.loaded(), server)?;
        let warnings = config.warnings.iter().map(ToString::to_string).collect();
        let (reloads, requests) = Reloads::new(warnings);
        let parts = (Arc::clone(&engine), Arc::clone(&metrics));
        let service = Arc::new(Service::new(current, parts.0, parts.1, reloads, server));
        let reloader = Reloader::new(reload::Parts {
            sources,
            way,
            engine: Arc::clone(&engine),
            service: Arc::clone(&service),
            metrics: Arc::clone(&metrics),
            requests,
            started: Started {
                outline: config.outline,
                files: config.files,
                seen,
            },
        });
        Ok(Self {
            engine,
            metrics,
            service,
            reloader,
        })
    }
}
