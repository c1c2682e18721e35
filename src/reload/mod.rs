//! Reads the configuration again while the service runs: when its files change, at SIGHUP,
//! and at `POST /-/reload`.
//!
//! All or nothing: everything is read and judged first (`attempt`), secrets and certificates
//! as well, and only what holds together is swapped in. What is refused changes nothing, is
//! told once in the log, and stands in a metric until it is mended.
//!
//! What does not belong here: what a swap means for deliveries (`delivery::loaded`).

mod attempt;
mod told;
mod watch;

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{Changes, Files, Outline, Seen, Sources};
use crate::delivery::Engine;
use crate::http::{Asked, Refused, ReloadRequests, Service, Status};
use crate::telemetry::{LogLevel, Metrics};
use attempt::{Accepted, attempt};
use told::Complaint;
use watch::Watch;

pub use attempt::Way;
pub use told::log_warning;

/// What a reload works with.
pub struct Parts {
    /// Where the configuration comes from.
    pub sources: Sources,
    /// The way to Webex.
    pub way: Way,
    /// What works by it.
    pub engine: Arc<Engine>,
    /// What works by it, too.
    pub service: Arc<Service>,
    /// Where it is told.
    pub metrics: Arc<Metrics>,
    /// Who asks.
    pub requests: ReloadRequests,
    /// What was loaded at start.
    pub started: Started,
}

/// What the process was started with.
pub struct Started {
    /// What it said.
    pub outline: Outline,
    /// What it was read from.
    pub files: Files,
    /// What these held.
    pub seen: Seen,
}

/// Reloads when it is time to.
pub struct Reloader {
    base: Arc<attempt::Base>,
    metrics: Arc<Metrics>,
    asked: tokio::sync::mpsc::Receiver<Asked>,
    status: tokio::sync::watch::Sender<Status>,
    /// What counts now.
    current: Arc<attempt::Known>,
    files: Files,
    /// `None` where somebody else sees to logs.
    level: Option<LogLevel>,
}

/// Why it is time to.
enum Trigger {
    /// Somebody asked.
    Asked(Asked),
    /// SIGHUP.
    Signal,
    /// Files may have changed.
    Files,
}

impl Reloader {
    /// A reloader that has nothing to do yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Started {
            outline,
            files,
            seen,
        } = parts.started;
        Self {
            base: Arc::new(attempt::Base {
                sources: parts.sources,
                way: parts.way,
                engine: parts.engine,
                service: parts.service,
                started: outline.clone(),
            }),
            metrics: parts.metrics,
            asked: parts.requests.asked,
            status: parts.requests.status,
            current: Arc::new(attempt::Known { outline, seen }),
            files,
            level: None,
        }
    }

    /// Changes the log's level as well.
    #[must_use]
    pub fn changing(self, level: LogLevel) -> Self {
        Self {
            level: Some(level),
            ..self
        }
    }

    /// Answers who asks for a reload.
    pub async fn run(mut self) {
        while let Some(asked) = self.asked.recv().await {
            self.reload(Trigger::Asked(asked)).await;
        }
    }

    /// Answers who asks, and reloads at SIGHUP and when files change.
    pub async fn run_and_watch(mut self, mut hangups: Hangups) {
        let mut watch = Watch::new();
        self.follow(&mut watch).await;
        // What changed between the start and now was not watched.
        self.look().await;
        loop {
            let trigger = tokio::select! {
                asked = self.asked.recv() => match asked {
                    Some(asked) => Trigger::Asked(asked),
                    None => return,
                },
                () = hangups.next() => Trigger::Signal,
                () = watch.time_to_look() => Trigger::Files,
            };
            let reloaded = match trigger {
                Trigger::Files => self.look().await,
                trigger => {
                    self.reload(trigger).await;
                    true
                }
            };
            if reloaded {
                self.follow(&mut watch).await;
                // A change while files were read may have been read by half, and looks
                // afterwards as if it had been there before.
                if watch.is_pending() {
                    self.reload(Trigger::Files).await;
                }
            }
        }
    }

    async fn follow(&self, watch: &mut Watch) {
        let files = self.files.clone();
        let folders = tokio::task::spawn_blocking(move || files.folders()).await;
        watch.follow(folders.unwrap_or_default());
    }

    /// Reloads if the files hold something else than what was read, or if what was read last
    /// was refused: what it lacks may be there by now. Says whether it did.
    async fn look(&mut self) -> bool {
        let files = self.files.clone();
        let seen = tokio::task::spawn_blocking(move || files.look()).await;
        let is_new = seen.is_ok_and(|seen| seen != self.current.seen);
        let is_refused = self.status.borrow().refused_at.is_some();
        if is_new || is_refused {
            self.reload(Trigger::Files).await;
        }
        is_new || is_refused
    }

    /// Reads, judges, and swaps or leaves things as they are.
    async fn reload(&mut self, trigger: Trigger) {
        let start = Instant::now();
        let (base, known) = (Arc::clone(&self.base), Arc::clone(&self.current));
        let level = self.level.clone();
        // Files are read and templates parsed: not for a thread that serves others.
        let done =
            tokio::task::spawn_blocking(move || attempt(&base, &known, level.as_ref())).await;
        let done = done.unwrap_or_else(|_| {
            Err(Complaint::all(vec![
                "a defect of this service: reading the configuration panicked\n  hint: please report it",
            ]))
        });
        let done = match done {
            Ok(accepted) => Ok(self.accepted(accepted, &trigger, start)),
            Err(complaints) => Err(self.refused(&complaints, &trigger)),
        };
        if let Trigger::Asked(asked) = trigger {
            // Who asked may have gone.
            let _ = asked.send(done);
        }
    }

    fn accepted(&mut self, accepted: Accepted, trigger: &Trigger, start: Instant) -> Changes {
        let Accepted {
            changes,
            known,
            files,
            warnings,
        } = accepted;
        self.current = Arc::new(known);
        self.files = files;
        self.metrics.config_loaded();
        let before = self.status.send_replace(Status {
            loaded_at: Timestamp::now(),
            refused_at: None,
            errors: Refused::new(),
            restart: changes.restart.clone(),
            warnings: warnings.iter().map(ToString::to_string).collect(),
        });
        let took_seconds = start.elapsed().as_secs_f64();
        let told = changes.told();
        if before.refused_at.is_some() || !changes.is_empty() {
            tracing::info!(
                changes = told,
                took_seconds,
                "configuration reloaded: {told}"
            );
            for warning in &warnings {
                log_warning(warning);
            }
        } else if matches!(trigger, Trigger::Files) {
            tracing::debug!(
                took_seconds,
                "configuration read again, and nothing changed"
            );
        } else {
            tracing::info!(took_seconds, "configuration read again: nothing changed");
        }
        if before.restart != changes.restart && !changes.restart.is_empty() {
            let keys = changes.restart.join(", ");
            tracing::warn!(keys, "these changes count only after a restart: {keys}");
        }
        changes
    }

    /// Tells everybody, and returns what is to be told who asked.
    fn refused(&mut self, complaints: &[Complaint], trigger: &Trigger) -> Refused {
        self.metrics.config_refused();
        let errors: Refused = complaints.iter().map(Complaint::told).collect();
        let mut is_new = false;
        self.status.send_modify(|status| {
            is_new = status.errors != errors;
            status.refused_at = Some(Timestamp::now());
            status.errors.clone_from(&errors);
        });
        // Files are looked at again and again; what is wrong with them is told once.
        if is_new || !matches!(trigger, Trigger::Files) {
            let loaded_at = self.status.borrow().loaded_at;
            let loaded_at = format!("{loaded_at:.0}");
            tracing::error!(
                errors = errors.len(),
                loaded_at,
                "the new configuration is refused, and the one of {loaded_at} stays",
            );
            for complaint in complaints {
                complaint.log();
            }
        }
        errors
    }
}

/// SIGHUPs, from the moment this is made.
pub struct Hangups(Option<Signal>);

impl Hangups {
    /// Takes the signal from now on. Must be called on a runtime.
    #[must_use]
    pub fn new() -> Self {
        Self(signal(SignalKind::hangup()).ok())
    }

    /// Waits for one; for ever where that cannot be had.
    async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

impl Default for Hangups {
    fn default() -> Self {
        Self::new()
    }
}
