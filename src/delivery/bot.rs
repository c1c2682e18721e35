//! A bot at work: a task that sends what its queue says, and makes of each answer what it
//! means for all that waits.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use secrecy::SecretString;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Engine;
use super::job::{Job, News, Settled, Step};
use super::notes;
use super::outcome::{Outcome, RefusalCause, Trouble};
use super::queue::Queue;
use super::retry::{Form, Verdict, judge};
use super::token::{Token, Use};
use crate::config;
use crate::telemetry::{MessageKind, Metrics};
use crate::webex::{self, Attachment, Client, NewMessage};

/// What waits is looked through so often for what nobody asks for any more.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// A Webex identity and the limits that Webex puts on it.
pub(super) struct Bot {
    pub(super) name: Arc<str>,
    queue: Mutex<Queue>,
    /// Something has changed that the task waits for.
    changed: Notify,
    token: Token,
    /// What Webex said last where it was not well.
    last_error: Mutex<Option<String>>,
    metrics: Arc<Metrics>,
}

impl Bot {
    pub(super) fn new(
        name: Arc<str>,
        settings: &config::Bot,
        digest_after: Duration,
        token: Token,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            name,
            queue: Mutex::new(Queue::new(settings, digest_after)),
            changed: Notify::new(),
            token,
            last_error: Mutex::new(None),
            metrics,
        }
    }

    /// A reload: another ceiling, another token, or the same. Queue, gate and pace stay.
    pub(super) fn change(
        &self,
        settings: &config::Bot,
        digest_after: Duration,
        token: SecretString,
    ) {
        self.queue().change(settings, digest_after);
        self.token.change(settings.token.clone(), token);
        self.wake();
    }

    /// It has no place in the configuration any more.
    pub(super) fn leave(&self) {
        self.queue().leaving = true;
    }

    /// Whether it has none.
    pub(super) fn is_leaving(&self) -> bool {
        self.queue().leaving
    }

    /// It has a place in the configuration.
    pub(super) fn stay(&self) {
        self.queue().leaving = false;
    }

    /// Whether nobody sends what waits. Who asks does from now on.
    pub(super) fn needs_task(&self) -> bool {
        !std::mem::replace(&mut self.queue().tended, true)
    }

    /// Whether it has left: it was removed and nothing waits. Then its task ends.
    fn has_left(&self) -> bool {
        let mut queue = self.queue();
        let has_left = queue.leaving && queue.counts() == (0, 0);
        queue.tended = !has_left;
        has_left
    }

    /// The queue, for a look or a change; whoever puts something in says so with
    /// [`Self::wake`].
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the task that there is something new.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// What keeps this bot from sending, where something does.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let now = Instant::now();
        let (closed_for, outage) = {
            let queue = self.queue();
            (queue.closed_for(now), queue.is_outage())
        };
        if self.token.is_refused() {
            let said = self.last_error().unwrap_or_default();
            return Some(Trouble::TokenRefused {
                detail: format!("{said}; it comes from {}", self.token.source()),
            });
        }
        if !closed_for.is_zero() {
            return Some(Trouble::RateLimited { closed_for });
        }
        let detail = self.last_error().filter(|_| outage)?;
        Some(Trouble::Unavailable { detail })
    }

    fn last_error(&self) -> Option<String> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note_error(&self, error: &webex::Error) {
        let mut last = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(error.to_string());
    }

    /// Sends until the engine is gone.
    pub(super) async fn run(self: Arc<Self>, engine: Weak<Engine>, gone: CancellationToken) {
        let mut next_sweep = Instant::now() + SWEEP_EVERY;
        while let Some(engine) = engine.upgrade() {
            let now = Instant::now();
            if now >= next_sweep {
                engine.give_up(&self);
                self.queue().forget_idle_rooms();
                next_sweep = now + SWEEP_EVERY;
            }
            let (step, waiting) = {
                let mut queue = self.queue();
                let step = queue.next(&engine.loaded().renderer, &self.token, now);
                (step, queue.counts().0 > 0)
            };
            match step {
                Step::Send(job, token) => self.spawn(&engine, job, token),
                Step::RefuseAll => {
                    let detail = self.token_detail();
                    let through = self.queue().refuse_all(RefusalCause::Token, &detail);
                    engine.through(&self, through);
                }
                Step::Wait(_) if self.has_left() => {
                    engine.left(&self);
                    return;
                }
                Step::Wait(until) => {
                    drop(engine);
                    let until = until.map_or(next_sweep, |until| until.min(next_sweep));
                    tokio::select! {
                        () = self.changed.notified() => {}
                        () = sleep_until(until), if waiting => {}
                        () = gone.cancelled() => return,
                    }
                }
            }
        }
    }

    /// Sends in a task of its own. A panic there ends these notifications and no others.
    fn spawn(self: &Arc<Self>, engine: &Arc<Engine>, job: Job, token: Arc<SecretString>) {
        let span = job.span();
        let (bot, engine) = (Arc::clone(self), Arc::clone(engine));
        let runtime = engine.runtime.clone();
        runtime.spawn(
            async move {
                let attempt = AssertUnwindSafe(bot.attempt(&engine, &job, &token)).catch_unwind();
                let attempt = attempt
                    .await
                    .unwrap_or_else(|_| Attempt::of(Settled::Broken));
                bot.settle(&engine, job, attempt);
            }
            .instrument(span),
        );
    }

    /// Posts once, and says what it means.
    async fn attempt(&self, engine: &Engine, job: &Job, token: &Arc<SecretString>) -> Attempt {
        let (text, form) = notes::text(engine, job);
        let card = match form {
            Form::Card => job.first().message().card.as_ref(),
            Form::Markdown | Form::Text => None,
        };
        let message = NewMessage {
            room_id: &job.destination().room_id,
            markdown: (form != Form::Text).then_some(&text),
            text: (form == Form::Text).then_some(&text),
            parent_id: None,
            attachments: card
                .and_then(|card| Attachment::card(card.json()))
                .map(|card| [card]),
        };
        let start = Instant::now();
        let client = &engine.loaded().client;
        let answer = client.post_message(token, &message).await;
        let code = answer.as_ref().map_or_else(webex::Error::code, |_| "200");
        self.metrics.requested(&self.name, code, start.elapsed());
        let Err(error) = answer else {
            if self.token.accepted() {
                tracing::info!(bot = %self.name, "Webex takes the token of bot `{}` again", self.name);
            }
            return Attempt::of(Settled::Accepted);
        };
        tracing::debug!(bot = %self.name, %error, "a post failed: {error}");
        self.note_error(&error);
        let settled = match judge(&error, form) {
            Verdict::CloseGate(wait) => Settled::Limited(wait),
            Verdict::Retry {
                ambiguous,
                at_least,
            } => {
                if ambiguous {
                    self.metrics.ambiguous(&self.name);
                }
                return Attempt {
                    failure: Some(error.to_string()),
                    ..Attempt::of(Settled::Retry {
                        at_least,
                        random: engine.random(),
                    })
                };
            }
            Verdict::Token => {
                if self.token.refused(token, Instant::now()).await {
                    tracing::info!(bot = %self.name, "bot `{}` has a new token", self.name);
                }
                Settled::Again
            }
            Verdict::Plainer if job.is_digest() => Settled::MessageRefused(error.to_string()),
            Verdict::Plainer if form == Form::Card => {
                let receiver = &job.first().delivery.receiver.name;
                self.metrics.card_refused(receiver);
                tracing::warn!(
                    %receiver, room = %job.destination().room_name, %error,
                    "Webex refused the card for room `{}`; trying without: {error}",
                    job.destination().room_name,
                );
                let text = notes::without_card(job.first().message(), &error);
                return Attempt {
                    plainer: Some((Form::Markdown, text.into())),
                    ..Attempt::of(Settled::Again)
                };
            }
            Verdict::Plainer => {
                let receiver = &job.first().delivery.receiver.name;
                self.metrics.markdown_refused(receiver);
                tracing::warn!(
                    %receiver, room = %job.destination().room_name, %error,
                    "Webex refused the Markdown for room `{}`; trying plain text: {error}",
                    job.destination().room_name,
                );
                let text = notes::plain(job.first().message(), &error);
                return Attempt {
                    plainer: Some((Form::Text, text.into())),
                    ..Attempt::of(Settled::Again)
                };
            }
            Verdict::RoomRefused => Settled::RoomRefused(error.to_string()),
            Verdict::MessageRefused => Settled::MessageRefused(error.to_string()),
        };
        Attempt::of(settled)
    }

    /// Tells the queue, and then whoever is through.
    fn settle(self: &Arc<Self>, engine: &Arc<Engine>, mut job: Job, attempt: Attempt) {
        if let Some((form, text)) = attempt.plainer {
            job.make_plainer(form, &text);
        }
        let broken = matches!(attempt.settled, Settled::Broken);
        if matches!(attempt.settled, Settled::Accepted) {
            self.count_accepted(&job);
        }
        let deliveries = job.deliveries();
        let now = Instant::now();
        let (through, news, closed_for) = {
            let mut queue = self.queue();
            let (through, news) = queue.settle(job, attempt.settled, now);
            (through, news, queue.closed_for(now))
        };
        for news in news {
            self.tell_log(news, closed_for);
        }
        if broken {
            for delivery in &deliveries {
                engine.end_early(self, delivery, &Outcome::Broken);
            }
        } else if let Some(detail) = attempt.failure {
            for delivery in &deliveries {
                let detail = detail.clone();
                delivery.troubled(Trouble::Unavailable { detail });
            }
        }
        engine.through(self, through);
        if engine.is_draining() {
            engine.give_back(self);
        }
        self.wake();
    }

    fn count_accepted(&self, job: &Job) {
        for (_, item) in &job.items {
            let delivery = &item.delivery;
            let kind = if job.is_digest() {
                MessageKind::Digest
            } else if delivery.plainer || item.plainer.is_some() {
                MessageKind::Fallback
            } else {
                MessageKind::New
            };
            self.metrics.accepted(&delivery.receiver.name, kind);
        }
    }

    /// A change of state is a line in the log; a repetition is not.
    fn tell_log(&self, news: News, closed_for: Duration) {
        let bot = &self.name;
        match news {
            News::GateClosed => {
                let closed_seconds = closed_for.as_secs();
                tracing::warn!(%bot, closed_seconds, "Webex limits bot `{bot}`: nothing is sent for {closed_seconds} s");
            }
            News::GateOpened => {
                tracing::info!(%bot, "Webex takes messages of bot `{bot}` again");
            }
            News::OutageBegan => {
                let error = self.last_error().unwrap_or_default();
                tracing::warn!(%bot, "Webex is not available for bot `{bot}`: {error}");
            }
            News::OutageEnded => {
                tracing::info!(%bot, "Webex is available for bot `{bot}` again");
            }
        }
    }

    /// Asks Webex who it is, and tells the log. Nothing depends on the answer: Alertmanager
    /// needs our 503 and its reason rather than a process that does not start.
    pub(super) async fn introduce(&self, client: &Client) {
        let bot = &self.name;
        let Use::Now(token) = self.token.look(Instant::now()) else {
            return;
        };
        match client.identify(&token).await {
            Ok(person) => {
                tracing::info!(%bot, "bot `{bot}` is known to Webex as \"{}\"", person.display_name);
            }
            Err(error) => {
                tracing::warn!(
                    %bot, %error,
                    "bot `{bot}` cannot be verified, its notifications will be answered 503: {error}",
                );
            }
        }
    }

    fn token_detail(&self) -> String {
        let said = self.last_error().unwrap_or_default();
        format!("bot `{}`, {}: {said}", self.name, self.token.source())
    }
}

/// What an attempt came to.
struct Attempt {
    settled: Settled,
    /// Another form and the message in it, where it is to be sent so from now on.
    plainer: Option<(Form, Box<str>)>,
    /// Why it is to be tried again.
    failure: Option<String>,
}

impl Attempt {
    fn of(settled: Settled) -> Self {
        Self {
            settled,
            plainer: None,
            failure: None,
        }
    }
}
