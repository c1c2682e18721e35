//! The delivery engine: from a notification to the certainty that Webex has it.
//!
//! [`Engine::submit`] renders the notification at once, so that its body can be dropped,
//! and puts it into the queue of its bot, whose task sends: a client that hangs up cancels
//! nothing. The caller holds a [`Ticket`] and is told an [`Outcome`], at the latest after
//! `delivery.answer_within`.
//!
//! `memory` joins what is the same, which `content` tells; `rendering` makes its messages; `queue`
//! decides what is next (`lanes`, `gate`, `pace`, `window`, `outage`, `dead_rooms`); `bot` sends it
//! and makes of each answer what `retry` judges; `ticket` is the state of one delivery.
//!
//! What does not belong here: HTTP statuses for Alertmanager (`http`), how a message looks
//! (`render`), how a request to Webex is made (`webex`).

mod attempt;
mod bot;
mod content;
mod conversation;
mod dead_rooms;
mod dispatch;
mod ending;
mod failing;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gate;
mod job;
mod lanes;
mod lease;
mod loaded;
mod memory;
mod notes;
mod observer;
mod outage;
mod outcome;
mod pace;
mod queue;
mod quota;
mod rendering;
mod renewal;
mod retry;
mod snapshot;
mod standing;
mod ticket;
mod token;
mod told;
mod waits;
mod window;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use attempt::recipient;
pub use dispatch::Dispatch;
pub use loaded::{Configuration, Loaded, Read, TokenError};
pub use observer::{Answered, DeliveryId, Observer};
pub use outcome::{Outcome, Refusal, RefusalCause, Trouble};
pub(crate) use quota::TokioClock;
pub use snapshot::{BotState, Gauges, Snapshot};
pub use standing::{DeadRoom, Last, RefusedRequest, Standing, Told};
pub use ticket::Ticket;

use crate::alertmanager::{Compact, Notification};
use crate::config;
use crate::render::Subject;
use crate::routing::{Conversation, Receiver, Remembered};
use crate::telemetry::Metrics;
use bot::Bot;
use content::{GroupId, Names};
use conversation::{Conversations, InMemory};
use memory::{Known, Memory};
use rendering::renderer_of;
use ticket::{Claim, Delivery, What};
use waits::Waits;

/// Rooms that refuse, by the names of the receiver and of the room.
type DeadByReceiver = HashMap<(Arc<str>, Arc<str>), DeadRoom>;

/// Delivers notifications.
pub struct Engine {
    /// What it works by; a reload swaps it.
    loaded: ArcSwap<Loaded>,
    /// Bots that a reload removed and that still have something to send.
    leaving: Mutex<Vec<Arc<Bot>>>,
    metrics: Arc<Metrics>,
    runtime: Handle,
    names: Names,
    memory: Mutex<Memory>,
    conversations: Box<dyn Conversations>,
    /// Which room each alert went to, where alerts say so.
    rooms: Mutex<Remembered>,
    /// Deliveries that have not ended, and what they hold in bytes.
    waiting: watch::Sender<usize>,
    waiting_bytes: AtomicUsize,
    waits: Waits,
    withdrawn: AtomicBool,
    /// The log was told that too much waits.
    told_full: AtomicBool,
    draining: CancellationToken,
    /// Receivers and rooms that refuse them, so that the log tells each change once.
    refusing: Mutex<DeadByReceiver>,
    /// Receivers whose template failed last, so that the log tells each change once.
    plainer: Mutex<HashSet<Arc<str>>>,
    /// What became of the notifications of each receiver, by its name.
    standings: Mutex<HashMap<Arc<str>, Standing>>,
    observer: Option<Arc<dyn Observer>>,
    /// A sequence of its own, so that tests can repeat one.
    random: Mutex<fastrand::Rng>,
    /// Ends the bots' tasks.
    gone: CancellationToken,
    _gone: DropGuard,
}

/// What an engine is made of.
pub struct Parts {
    /// What it works by at first.
    pub configuration: Configuration,
    /// Where to count.
    pub metrics: Arc<Metrics>,
    /// Where deliveries run.
    pub runtime: Handle,
    /// Randomness for pauses.
    pub random: fastrand::Rng,
    /// Who watches, if anybody does.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Engine {
    /// Reads the bots' tokens and begins to send what is submitted.
    ///
    /// # Errors
    /// With every token that cannot be read.
    pub fn new(parts: Parts) -> Result<Arc<Self>, Vec<TokenError>> {
        let settings = &parts.configuration.settings;
        let memory = Memory::new(settings.duplicate_window, settings.give_up_after);
        let read = loaded::read(parts.configuration, &parts.metrics, |_| None)?;
        let gone = CancellationToken::new();
        let engine = Arc::new(Self {
            loaded: ArcSwap::new(Arc::clone(read.loaded())),
            leaving: Mutex::default(),
            metrics: parts.metrics,
            runtime: parts.runtime,
            names: Names::default(),
            memory: Mutex::new(memory),
            conversations: Box::new(InMemory::new()),
            rooms: Mutex::default(),
            waiting: watch::Sender::new(0),
            waiting_bytes: AtomicUsize::new(0),
            waits: Waits::default(),
            withdrawn: AtomicBool::new(false),
            told_full: AtomicBool::new(false),
            draining: CancellationToken::new(),
            refusing: Mutex::default(),
            plainer: Mutex::default(),
            standings: Mutex::default(),
            observer: parts.observer,
            random: Mutex::new(parts.random),
            gone: gone.clone(),
            _gone: gone.drop_guard(),
        });
        engine.swap(read);
        Ok(engine)
    }

    /// Takes a notification for a receiver. Renders it at once and keeps nothing of it, or
    /// keeps what conversations will tell of it.
    pub fn submit(
        self: &Arc<Self>,
        receiver: &Arc<Receiver>,
        notification: &Notification<'_>,
    ) -> Ticket {
        self.submit_by(&self.loaded(), receiver, notification)
    }

    /// As [`Self::submit`], by the configuration that the receiver was found in. All its
    /// destinations are reached by one bot, as those of [`Receiver::ways`] are.
    pub fn submit_by(
        self: &Arc<Self>,
        loaded: &Loaded,
        receiver: &Arc<Receiver>,
        notification: &Notification<'_>,
    ) -> Ticket {
        let known = |outcome| Ticket(Claim::Known(outcome));
        if receiver.dry_run {
            self.dry_run(loaded, receiver, notification);
            return known(Outcome::DryRun);
        }
        let (group, content, alerts) = self.names.identify(&receiver.destinations, notification);
        let (known_already, changed) = {
            let mut memory = self.memory();
            let known = memory.look_up(group, &content, Instant::now());
            (known, memory.changed(group, &alerts))
        };
        if let Some(ticket) = self.joined(&known_already, receiver, group) {
            return ticket;
        }
        if self.draining.is_cancelled() {
            return known(Outcome::Draining);
        }
        let is_full = self.is_full(&loaded.settings);
        self.tell_full(is_full);
        if is_full {
            return known(Outcome::Overloaded);
        }
        let Some(bot) = loaded.bot_of(receiver) else {
            // The configuration is checked, so this is a defect; Alertmanager keeps it.
            return known(Outcome::Broken);
        };
        let subject = Subject {
            notification,
            receiver: &receiver.name,
            template: &receiver.template,
            data: Some(&receiver.messages),
            changed: changed.as_deref(),
            conversation: None,
            now: jiff::Timestamp::now(),
        };
        let what = if receiver.conversation == Conversation::New {
            What::Messages(self.render(loaded, receiver, &subject))
        } else {
            What::Conversation(Compact::of(notification))
        };
        let entry = renderer_of(loaded, receiver).entry(&subject);
        let delivery = Arc::new(Delivery::new(
            Arc::clone(receiver),
            (group, self.names.group(&[], notification), content),
            what,
            entry,
            notification,
        ));
        if let Some(ticket) = self.begin(bot, &delivery) {
            return ticket;
        }
        Ticket(Claim::Underway {
            delivery,
            engine: Arc::clone(self),
        })
    }

    /// Puts a delivery into its queue, unless a peer has begun the same meanwhile.
    fn begin(self: &Arc<Self>, bot: &Arc<Bot>, delivery: &Arc<Delivery>) -> Option<Ticket> {
        let now = Instant::now();
        let mut memory = self.memory();
        let known = memory.look_up(delivery.group, &delivery.content, now);
        if let Some(ticket) = self.joined(&known, &delivery.receiver, delivery.group) {
            return Some(ticket);
        }
        self.begun(delivery);
        let through = {
            let mut queue = bot.queue();
            if let Known::Newer(older) = known
                && delivery.content.covers(&older.content)
                && queue.withdraw(&older)
            {
                self.waits.takes_over(delivery, &older);
                self.ended_waiting(&older);
                if let Some(observer) = &self.observer {
                    observer.superseded(older.id, delivery.id);
                }
                delivery.cover(older);
            }
            queue.push(delivery, now)
        };
        memory.begin(delivery);
        drop(memory);
        self.through(bot, through);
        if self.is_draining() {
            // It came between the question and the drain, which did not see it.
            self.give_back(bot);
        }
        self.give_task(bot);
        bot.send_ready(self);
        None
    }

    fn joined(
        self: &Arc<Self>,
        known: &Known,
        receiver: &Receiver,
        group: GroupId,
    ) -> Option<Ticket> {
        let claim = match known {
            Known::New | Known::Newer(_) => return None,
            Known::Underway(delivery) => {
                delivery.asked();
                Claim::Underway {
                    delivery: Arc::clone(delivery),
                    engine: Arc::clone(self),
                }
            }
            Known::Accepted(of) => {
                self.metrics.duplicate(&receiver.name);
                Claim::Repeat { of: *of, group }
            }
        };
        Some(Ticket(claim))
    }

    /// Asks Webex who each bot is, and tells the log.
    pub async fn introduce_bots(&self) {
        let loaded = self.loaded();
        for bot in loaded.bots.values() {
            bot.introduce(&loaded.client).await;
        }
    }

    /// Says from now on that it is not ready, but still takes work: whoever sends here
    /// needs a moment to learn of it.
    pub fn withdraw(&self) {
        self.withdrawn.store(true, Ordering::Release);
    }

    /// Whether new work should come here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.withdrawn.load(Ordering::Acquire) && !self.is_draining()
    }

    /// Takes no new work, gives back what has not begun, and waits for the rest, at most
    /// for `grace`. Says whether all ended.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.draining.cancel();
        for bot in self.all_bots() {
            self.give_back(&bot);
        }
        let mut waiting = self.waiting.subscribe();
        let empty = waiting.wait_for(|waiting| *waiting == 0);
        tokio::time::timeout(grace, empty).await.is_ok()
    }

    /// Whether [`Self::drain`] was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    fn begun(&self, delivery: &Delivery) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        self.waiting_bytes
            .fetch_add(delivery.bytes(), Ordering::AcqRel);
        self.waits.begins(delivery);
        self.metrics.waiting(&delivery.receiver.name).inc();
    }

    fn ended_waiting(&self, delivery: &Delivery) {
        self.waits.ends(delivery);
        self.metrics.waiting(&delivery.receiver.name).dec();
        self.waiting_bytes
            .fetch_sub(delivery.bytes(), Ordering::AcqRel);
        self.waiting
            .send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }

    fn is_full(&self, settings: &config::Delivery) -> bool {
        let most_bytes = usize::try_from(settings.max_waiting_bytes.as_u64());
        *self.waiting.borrow() >= settings.max_waiting
            || self.waiting_bytes.load(Ordering::Acquire) >= most_bytes.unwrap_or(usize::MAX)
    }

    /// Who watches, if anybody does.
    #[must_use]
    pub fn observer(&self) -> Option<&dyn Observer> {
        self.observer.as_deref()
    }

    /// What keeps a receiver's bot from sending.
    fn trouble(&self, receiver: &Receiver) -> Option<Trouble> {
        let bot = &receiver.destinations.first()?.bot;
        let bots = self.all_bots();
        let bot = bots.iter().find(|one| one.name == *bot)?;
        bot.trouble().or_else(|| bot.holds_back(&receiver.name))
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
