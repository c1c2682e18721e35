//! One attempt at a reload: reads everything, then swaps, or changes nothing.

use std::sync::Arc;

use super::told::Complaint;
use crate::config::{Changes, Config, Files, Outline, Problem, Seen, Sources};
use crate::delivery::Engine;
use crate::http::Service;
use crate::prepared::{configuration, prepare};
use crate::telemetry::LogLevel;
use crate::webex::{Client, Https, Transport};

/// The way to Webex.
#[derive(Clone)]
pub enum Way {
    /// As the configuration says, through a pool of its own.
    Configured,
    /// This one, whatever the configuration says.
    Given(Arc<dyn Transport>),
}

/// What is there from the start.
pub(super) struct Base {
    pub(super) sources: Sources,
    pub(super) way: Way,
    pub(super) engine: Arc<Engine>,
    pub(super) service: Arc<Service>,
    /// What the process was started with.
    pub(super) started: Outline,
}

/// What is known of the configuration that counts.
pub(super) struct Known {
    pub(super) outline: Outline,
    pub(super) seen: Seen,
}

/// A configuration that counts now.
pub(super) struct Accepted {
    pub(super) changes: Changes,
    pub(super) known: Known,
    pub(super) files: Files,
    pub(super) warnings: Vec<Problem>,
}

/// Reads the configuration, and swaps it in if it holds together. Reads files, so it blocks.
///
/// # Errors
/// With everything that is wrong; then nothing was changed.
pub(super) fn attempt(
    base: &Base,
    known: &Known,
    log: Option<&LogLevel>,
) -> Result<Accepted, Vec<Complaint>> {
    let prepared = prepare(&base.sources).map_err(Complaint::of)?;
    let config = prepared.config;
    if !config.absent.is_empty() {
        return Err(config.absent.into_iter().map(Complaint::Problem).collect());
    }
    let mut changes = known.outline.changes(&config.outline);
    changes.restart = base.started.changes(&config.outline).restart;
    known.seen.add_changes(&prepared.seen, &mut changes);
    let client = client(base, &config, &changes)?;
    let levels = match log {
        Some(log) if changes.keys.iter().any(|key| key == "log.level") => {
            let levels = log.read(&config.log.level);
            Some((log, levels.map_err(|error| Complaint::all(vec![error]))?))
        }
        _ => None,
    };
    let configuration = configuration(&config, prepared.renderer, client);
    let read = base.engine.read(configuration).map_err(Complaint::all)?;
    let current = base
        .service
        .read(Arc::clone(read.loaded()), &config.server)
        .map_err(Complaint::all)?;
    // Nothing can fail from here on. Requests are the last to see it, so that whatever they
    // find in it is there.
    if let Some((log, levels)) = levels {
        log.apply(levels);
    }
    base.engine.swap(read);
    base.service.swap(current);
    Ok(Accepted {
        changes,
        known: Known {
            outline: config.outline,
            seen: prepared.seen,
        },
        files: config.files,
        warnings: config.warnings,
    })
}

/// The way to Webex, with a pool of its own only where it is another one: connections are
/// not made anew for nothing.
fn client(base: &Base, config: &Config, changes: &Changes) -> Result<Client, Vec<Complaint>> {
    let is_other = |key: &String| key.starts_with("webex.");
    if !changes.keys.iter().chain(&changes.files).any(is_other) {
        return Ok(base.engine.loaded().client().clone());
    }
    let transport = match &base.way {
        Way::Given(transport) => Arc::clone(transport),
        Way::Configured => {
            let https = Https::new(&config.webex);
            Arc::new(https.map_err(|error| Complaint::all(vec![error]))?)
        }
    };
    Client::new(&config.webex.base_url, transport).map_err(|error| Complaint::all(vec![error]))
}
