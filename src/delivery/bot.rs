//! A bot at work: sends what its queue says, and makes of each answer what it means for all
//! that waits. A task keeps the time for what cannot leave at once.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use secrecy::SecretString;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Engine;
use super::attempt::Attempt;
use super::failing::Failing;
use super::job::{Job, Settled, Step};
use super::lease::Lack;
use super::outcome::{Outcome, RefusalCause, Trouble};
use super::queue::Queue;
use super::token::{Secrets, Token, Use};
use super::told::{QueueState, Run};
use crate::config;
use crate::routing::Sender;
use crate::telemetry::{Metrics, Moment};
use crate::webex::{self, Client};

/// What waits is looked through so often for what nobody asks for any more.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// What is left once all is sent that may leave.
struct Remainder {
    /// When something may leave again, where that is a matter of time.
    until: Option<Instant>,
    is_any: bool,
    /// Whether the bot's task has to see to something: to this, to its own end, or to a sweep.
    is_for_task: bool,
}

/// A Webex identity and the limits that Webex puts on it.
pub(super) struct Bot {
    pub(super) name: Arc<str>,
    queue: Mutex<Queue>,
    /// Something has changed that the task waits for.
    changed: Notify,
    pub(super) token: Token,
    /// What Webex said last where it was not well.
    last_error: Mutex<Option<String>>,
    /// The log was told that Webex limits it.
    pub(super) told_limited: AtomicBool,
    pub(super) failing: Mutex<Failing>,
    pub(super) metrics: Arc<Metrics>,
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
            told_limited: AtomicBool::new(false),
            failing: Mutex::default(),
            metrics,
        }
    }

    /// A reload: another ceiling, another token, or the same. Queue, gate and pace stay.
    pub(super) fn change(&self, settings: &config::Bot, digest_after: Duration, secrets: Secrets) {
        let is_other = self.token.change(secrets);
        let mut queue = self.queue();
        queue.change(settings, digest_after);
        if is_other && self.is_webhook() {
            // Another URL may well lead to a room that takes messages.
            queue.revive();
        }
        drop(queue);
        self.wake();
    }

    /// What people are told that it is.
    pub(super) fn sender(&self) -> Sender {
        Sender::named(&self.name)
    }

    /// Whether it is an incoming webhook, which has a URL instead of an identity.
    pub(super) fn is_webhook(&self) -> bool {
        self.sender().is_webhook()
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
        let lack = self.token.lack(now);
        if let Some(Lack::Refused(said)) = lack {
            let said = self.refusal(said);
            return Some(Trouble::TokenRefused {
                detail: format!("{said}; it comes from {}", self.token.source()),
            });
        }
        if !closed_for.is_zero() {
            return Some(Trouble::RateLimited {
                sender: self.sender(),
                closed_for,
            });
        }
        let detail = match lack {
            Some(Lack::Absent(said)) => {
                format!("bot `{}` has no access token yet: {said}", self.name)
            }
            _ => self.last_error().filter(|_| outage)?,
        };
        Some(Trouble::Unavailable { detail })
    }

    /// The ceiling of its own that holds a receiver back, where one does.
    pub(super) fn holds_back(&self, receiver: &Arc<str>) -> Option<Trouble> {
        let per_minute = self.queue().holds_back(receiver, Instant::now())?;
        Some(Trouble::OverQuota { per_minute })
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn note_error(&self, error: &webex::Error) {
        let mut last = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(error.to_string());
    }

    /// Sends until the engine is gone. What may leave at once is sent by whoever brings it
    /// ([`Self::send_ready`]); this task sends what had to wait.
    pub(super) async fn run(self: Arc<Self>, engine: Weak<Engine>, gone: CancellationToken) {
        let mut next_sweep = Instant::now() + SWEEP_EVERY;
        self.queue().next_sweep = next_sweep;
        while let Some(engine) = engine.upgrade() {
            let now = Instant::now();
            if now >= next_sweep {
                engine.give_up(&self);
                next_sweep = now + SWEEP_EVERY;
                let mut queue = self.queue();
                queue.forget_idle_quotas(now);
                queue.next_sweep = next_sweep;
            }
            let Some(rest) = self.send_all(&engine) else {
                let detail = self.token_detail();
                let through = self.queue().refuse_all(RefusalCause::Token, &detail);
                engine.through(&self, through);
                continue;
            };
            if self.has_left() {
                engine.left(&self);
                return;
            }
            drop(engine);
            let until = rest.until.map_or(next_sweep, |until| until.min(next_sweep));
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(until), if rest.is_any => {}
                () = gone.cancelled() => return,
            }
        }
    }

    /// Sends what may leave now, and wakes the task if that is not all.
    pub(super) fn send_ready(self: &Arc<Self>, engine: &Arc<Engine>) {
        // What concerns others than who brought this is for the task, whose log lines bear
        // nobody's request.
        let rest = self.send_all(engine);
        if rest.is_none_or(|rest| rest.is_for_task) {
            self.wake();
        }
    }

    /// Sends what may leave now, and says what is left. `None` where the token is refused for
    /// good, so that nothing that waits can be sent.
    fn send_all(self: &Arc<Self>, engine: &Arc<Engine>) -> Option<Remainder> {
        loop {
            let now = Instant::now();
            let mut queue = self.queue();
            let step = queue.next(&engine.loaded().renderer, &self.token, now);
            match step {
                Step::Send(job, token) => {
                    drop(queue);
                    self.spawn(engine, job, token);
                }
                Step::RefuseAll => return None,
                Step::Wait(until) => {
                    let is_any = queue.counts().0 > 0;
                    return Some(Remainder {
                        until,
                        is_any,
                        is_for_task: is_any || queue.leaving || now >= queue.next_sweep,
                    });
                }
            }
        }
    }

    /// Sends in a task of its own. A panic there ends these notifications and no others.
    fn spawn(self: &Arc<Self>, engine: &Arc<Engine>, job: Job, token: Arc<SecretString>) {
        for (_, item) in &job.items {
            item.delivery.trace.waited(item.since);
        }
        let span = job.span();
        let (bot, engine) = (Arc::clone(self), Arc::clone(engine));
        let runtime = engine.runtime.clone();
        runtime.spawn(
            async move {
                let mut job = job;
                let attempt = bot.attempt(&engine, &mut job, &token);
                let attempt = AssertUnwindSafe(attempt).catch_unwind();
                let attempt = attempt
                    .await
                    .unwrap_or_else(|_| Attempt::of(Settled::Broken));
                bot.settle(&engine, job, attempt);
            }
            .instrument(span),
        );
    }

    /// Tells the queue, and then whoever is through.
    fn settle(self: &Arc<Self>, engine: &Arc<Engine>, mut job: Job, attempt: Attempt) {
        for (_, item) in &mut job.items {
            item.since = Moment::now();
        }
        let run = Run::of(&attempt);
        if let Some((form, text)) = attempt.plainer {
            job.make_plainer(form, &text);
        }
        let broken = matches!(attempt.settled, Settled::Broken);
        if matches!(attempt.settled, Settled::Accepted) {
            self.count_accepted(&job);
        }
        let deliveries = job.deliveries();
        let room = Arc::clone(&job.destination().name);
        let now = Instant::now();
        let (through, changes, state) = {
            let mut queue = self.queue();
            let (through, changes) = queue.settle(job, attempt.settled, now);
            let state = QueueState {
                closed_for: queue.closed_for(now),
                pace: queue.rate(now),
                is_outage: queue.is_outage(),
            };
            (through, changes, state)
        };
        for &change in &changes {
            self.tell_log(change, &state);
        }
        self.tell_run(&run, &room, &changes, state.is_outage);
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
        self.send_ready(engine);
    }

    /// Asks Webex who it is, and tells the log. Nothing depends on the answer: Alertmanager
    /// needs our 503 and its reason rather than a process that does not start.
    pub(super) async fn introduce(&self, client: &Client) {
        if self.is_webhook() {
            return; // It has no identity, and only a message would tell whether it works.
        }
        let bot = &self.name;
        let Use::Now(token) = self.token.look(Instant::now()) else {
            return;
        };
        match client.identify(&token).await {
            Ok(person) => {
                let known_as = &person.display_name;
                tracing::info!(%bot, %known_as, "bot `{bot}` is known to Webex as \"{known_as}\"");
            }
            Err(error) => {
                tracing::warn!(
                    %bot, %error,
                    "bot `{bot}` cannot be verified, and its notifications are answered 503 until it can: {error}",
                );
            }
        }
    }

    /// What Webex said when it refused: to a renewal, else to a message.
    fn refusal(&self, said: String) -> String {
        if said.is_empty() {
            self.last_error().unwrap_or_default()
        } else {
            said
        }
    }

    fn token_detail(&self) -> String {
        let said = match self.token.lack(Instant::now()) {
            Some(Lack::Refused(said)) => said,
            _ => String::new(),
        };
        let said = self.refusal(said);
        format!("bot `{}`, {}: {said}", self.name, self.token.source())
    }
}
