//! The delivery engine: from a notification to the certainty that Webex has it.
//!
//! [`Engine::submit`] renders the notification at once, so that its body can be dropped,
//! and starts a task of its own: a client that hangs up cancels nothing. The caller holds a
//! [`Ticket`] and is told an [`Outcome`], at the latest after `delivery.answer_within`.
//!
//! `memory` joins what is the same, `work` posts and tries again as `retry` judges, `bot`
//! holds a token and stands at its `gate`.
//!
//! What does not belong here: HTTP statuses for Alertmanager (`http`), how a message looks
//! (`render`), how a request to Webex is made (`webex`).

mod bot;
mod gate;
mod memory;
mod outcome;
mod retry;
mod ticket;
mod token;
mod work;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

pub use outcome::{Outcome, Refusal, RefusalCause, Trouble};
pub use ticket::Ticket;

use crate::alertmanager::Notification;
use crate::config;
use crate::render::{Renderer, Subject};
use crate::routing::Receiver;
use crate::telemetry::Metrics;
use crate::webex::Client;
use bot::Bot;
use memory::{Content, GroupId, Known, Memory, Names};
use ticket::{Claim, Delivery};
use work::{Waiting, Work};

/// Delivers notifications.
pub struct Engine {
    settings: config::Delivery,
    bots: BTreeMap<Arc<str>, Bot>,
    renderer: Arc<Renderer>,
    metrics: Arc<Metrics>,
    runtime: Handle,
    names: Names,
    memory: Mutex<Memory>,
    waiting: AtomicUsize,
    tasks: TaskTracker,
    draining: CancellationToken,
    /// A sequence of its own, so that tests can repeat one.
    random: Mutex<fastrand::Rng>,
}

/// What an engine is made of.
pub struct Parts {
    /// When a delivery ends and what is remembered.
    pub settings: config::Delivery,
    /// The bots by name.
    pub bots: BTreeMap<Arc<str>, config::Bot>,
    /// The way to Webex.
    pub client: Client,
    /// Makes messages.
    pub renderer: Arc<Renderer>,
    /// Where to count.
    pub metrics: Arc<Metrics>,
    /// Where deliveries run.
    pub runtime: Handle,
    /// Randomness for pauses.
    pub random: fastrand::Rng,
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
#[error("bot `{bot}` has no token: {source}")]
pub struct StartError {
    bot: Arc<str>,
    source: config::SecretError,
}

impl Engine {
    /// Reads the bots' tokens and stands ready.
    ///
    /// # Errors
    /// When a token cannot be read.
    pub fn new(parts: Parts) -> Result<Arc<Self>, StartError> {
        let bots = parts
            .bots
            .into_iter()
            .map(|(name, settings)| {
                let (client, metrics) = (parts.client.clone(), Arc::clone(&parts.metrics));
                Bot::new(Arc::clone(&name), &settings, client, metrics)
                    .map(|bot| (Arc::clone(&name), bot))
                    .map_err(|source| StartError { bot: name, source })
            })
            .collect::<Result<_, _>>()?;
        let memory = Memory::new(
            parts.settings.duplicate_window,
            parts.settings.give_up_after,
        );
        Ok(Arc::new(Self {
            settings: parts.settings,
            bots,
            renderer: parts.renderer,
            metrics: parts.metrics,
            runtime: parts.runtime,
            names: Names::default(),
            memory: Mutex::new(memory),
            waiting: AtomicUsize::new(0),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            random: Mutex::new(parts.random),
        }))
    }

    /// Takes a notification for a receiver. Renders it at once and keeps nothing of it.
    pub fn submit(
        self: &Arc<Self>,
        receiver: &Arc<Receiver>,
        notification: &Notification<'_>,
    ) -> Ticket {
        let known = |outcome| Ticket(Claim::Known(outcome));
        if receiver.dry_run {
            self.dry_run(receiver, notification);
            return known(Outcome::DryRun);
        }
        let (group, content) = self.names.identify(&receiver.destinations, notification);
        if let Some(ticket) = self.joined(&mut self.memory(), receiver, group, content) {
            return ticket;
        }
        if self.draining.is_cancelled() {
            return known(Outcome::Draining);
        }
        if self.waiting.load(Ordering::Acquire) >= self.settings.max_waiting {
            return known(Outcome::Overloaded);
        }
        let rendered = self.render(receiver, notification);
        let delivery = Arc::new(Delivery::new());
        {
            let mut memory = self.memory();
            // A peer may have begun the same while we rendered.
            if let Some(ticket) = self.joined(&mut memory, receiver, group, content) {
                return ticket;
            }
            memory.begin(group, content, Arc::clone(&delivery));
        }
        let (engine, task_receiver) = (Arc::clone(self), Arc::clone(receiver));
        self.start(
            Work::new(engine, task_receiver, rendered, Arc::clone(&delivery)),
            group,
        );
        Ticket(Claim::Underway {
            delivery,
            engine: Arc::clone(self),
            group,
            content,
        })
    }

    /// Asks Webex who each bot is, and tells the log.
    pub async fn introduce_bots(&self) {
        for bot in self.bots.values() {
            bot.introduce().await;
        }
    }

    /// Takes no new work, gives back what has not begun, and waits for the rest, at most
    /// for `grace`. Says whether all ended.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.draining.cancel();
        self.tasks.close();
        tokio::time::timeout(grace, self.tasks.wait()).await.is_ok()
    }

    /// Whether [`Self::drain`] was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    fn joined(
        self: &Arc<Self>,
        memory: &mut Memory,
        receiver: &Receiver,
        group: GroupId,
        content: Content,
    ) -> Option<Ticket> {
        let claim = match memory.look_up(group, content, Instant::now()) {
            Known::New => return None,
            Known::Underway(delivery) => {
                delivery.asked();
                Claim::Underway {
                    delivery,
                    engine: Arc::clone(self),
                    group,
                    content,
                }
            }
            Known::Accepted(of) => {
                self.metrics.duplicate(&receiver.name);
                Claim::Known(Outcome::Repeat { of })
            }
        };
        Some(Ticket(claim))
    }

    fn start(self: &Arc<Self>, work: Work, group: GroupId) {
        let engine = Arc::clone(self);
        let waiting = Waiting::new(self, &work.receiver);
        let task = async move {
            let outcome = AssertUnwindSafe(work.run())
                .catch_unwind()
                .await
                .unwrap_or(Outcome::Broken);
            engine.ended(&work, &outcome, waiting.elapsed());
            let accepted = matches!(outcome, Outcome::Delivered { .. } | Outcome::Partial { .. });
            engine.memory().end(group, &work.delivery, accepted);
            work.delivery.finish(outcome);
        };
        // Log lines of the delivery carry the id of the request that began it.
        self.tasks.spawn_on(task.in_current_span(), &self.runtime);
    }

    /// Tells the log and the metrics how a delivery ended, once.
    fn ended(&self, work: &Work, outcome: &Outcome, took: Duration) {
        let receiver = &work.receiver.name;
        let duration_ms = took.as_millis();
        match outcome {
            Outcome::Delivered { messages } => {
                self.metrics.delivered(receiver);
                tracing::info!(%receiver, messages, duration_ms, "delivered a notification of receiver `{receiver}`");
            }
            Outcome::Partial { refused, .. } => {
                self.metrics.delivered(receiver);
                for refusal in refused {
                    tracing::warn!(%receiver, room = %refusal.room, duration_ms, "delivered a notification of receiver `{receiver}` in part: {refusal}");
                }
            }
            Outcome::Refused(refused) => {
                for refusal in refused {
                    tracing::warn!(%receiver, room = %refusal.room, duration_ms, "could not deliver a notification of receiver `{receiver}`: {refusal}");
                }
            }
            Outcome::GivenUp => {
                tracing::warn!(%receiver, duration_ms, "gave up a notification of receiver `{receiver}`: nobody asks for it any more");
            }
            Outcome::Draining => {
                tracing::info!(%receiver, duration_ms, "gave back a notification of receiver `{receiver}` to Alertmanager at shutdown");
            }
            Outcome::Broken => {
                tracing::error!(%receiver, duration_ms, "a delivery of receiver `{receiver}` panicked; please report this defect");
            }
            Outcome::Repeat { .. }
            | Outcome::DryRun
            | Outcome::Unfinished(_)
            | Outcome::Overloaded => {}
        }
    }

    fn dry_run(&self, receiver: &Receiver, notification: &Notification<'_>) {
        let rendered = self.render(receiver, notification);
        for message in &rendered.messages {
            tracing::info!(
                receiver = %receiver.name, bytes = message.markdown.len(),
                "dry run of receiver `{}`, nothing is posted:\n{}", receiver.name, message.markdown,
            );
        }
    }

    fn render(
        &self,
        receiver: &Receiver,
        notification: &Notification<'_>,
    ) -> crate::render::Rendered {
        let rendered = self.renderer.render(&Subject {
            notification,
            receiver: &receiver.name,
            template: &receiver.template,
            data: Some(&receiver.messages),
            // What was delivered last is not known here yet.
            changed: None,
            now: jiff::Timestamp::now(),
        });
        if let Some(fallback) = &rendered.fallback {
            self.metrics.template_failed(&receiver.name);
            tracing::warn!(receiver = %receiver.name, "a fallback stands in for a template: {fallback}");
        }
        rendered
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uniform in 0..1.
    fn random(&self) -> f64 {
        self.random
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .f64()
    }
}

/// What can be told only when somebody looks: how long each gate stays closed.
#[derive(Clone)]
pub struct Gates(pub Arc<Engine>);

impl std::fmt::Debug for Gates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gates")
    }
}

impl Collector for Gates {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let gauge = ConstGauge::new(0.0_f64);
        let mut family = encoder.encode_descriptor(
            "bot_gate_closed",
            "How long the bot still waits because Webex answered 429",
            Some(&Unit::Seconds),
            gauge.metric_type(),
        )?;
        for bot in self.0.bots.values() {
            let closed = ConstGauge::new(bot.gate.closed_for().as_secs_f64());
            let labels = [("bot", bot.name.as_ref())];
            closed.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
