//! The work of one delivery: each message into each room, until Webex has it or refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, sleep_until};

use super::Engine;
use super::bot::{Bot, Posted};
use super::outcome::{Outcome, Refusal, RefusalCause, Trouble};
use super::retry::{Form, Verdict, pause};
use super::ticket::Delivery;
use crate::render::{self, Message};
use crate::routing::{Destination, Receiver};
use crate::telemetry::MessageKind;
use crate::webex;

/// One notification on its way: rendered, so that nothing of its body is held.
pub(super) struct Work {
    pub(super) engine: Arc<Engine>,
    pub(super) receiver: Arc<Receiver>,
    pub(super) messages: Vec<Message>,
    /// Whether the messages are plainer than the receiver's template would have them.
    pub(super) plainer: bool,
    pub(super) delivery: Arc<Delivery>,
    accepted: AtomicUsize,
    sending: AtomicBool,
}

/// A room that has all messages, or why not.
type InRoom = Result<(), Refusal>;

impl Work {
    pub(super) fn new(
        engine: Arc<Engine>,
        receiver: Arc<Receiver>,
        rendered: render::Rendered,
        delivery: Arc<Delivery>,
    ) -> Self {
        Self {
            engine,
            receiver,
            plainer: rendered.fallback.is_some(),
            messages: rendered.messages,
            delivery,
            accepted: AtomicUsize::new(0),
            sending: AtomicBool::new(false),
        }
    }

    /// Delivers, unless nobody asks any more or the process is to end before it began.
    pub(super) async fn run(&self) -> Outcome {
        tokio::select! {
            outcome = self.deliver() => outcome,
            () = self.delivery.abandoned(self.engine.settings.give_up_after) => Outcome::GivenUp,
            () = self.given_back() => Outcome::Draining,
        }
    }

    /// Returns when the process is to end and this delivery has not begun: Alertmanager's
    /// retry reaches the next process, and finishing here as well would post it twice.
    async fn given_back(&self) {
        self.engine.draining.cancelled().await;
        let begun =
            self.accepted.load(Ordering::Acquire) > 0 || self.sending.load(Ordering::Acquire);
        if begun {
            std::future::pending::<()>().await;
        }
    }

    async fn deliver(&self) -> Outcome {
        let rooms = self.receiver.destinations.iter();
        let results = join_all(rooms.map(|destination| self.fill_room(destination))).await;
        let refused: Vec<Refusal> = results.into_iter().filter_map(Result::err).collect();
        let messages = self.accepted.load(Ordering::Acquire);
        if refused.is_empty() {
            Outcome::Delivered { messages }
        } else if refused.len() == self.receiver.destinations.len() {
            Outcome::Refused(refused)
        } else {
            Outcome::Partial { messages, refused }
        }
    }

    async fn fill_room(&self, destination: &Destination) -> InRoom {
        let refusal = |cause, detail: String| Refusal {
            cause,
            room: Arc::clone(&destination.room_name),
            detail,
        };
        let Some(bot) = self.engine.bots.get(&destination.bot) else {
            // The configuration is checked, so this is a defect; it is told like a refusal.
            let detail = format!("there is no bot `{}`", destination.bot);
            return Err(refusal(RefusalCause::Message, detail));
        };
        for message in &self.messages {
            self.post_until_settled(bot, destination, message)
                .await
                .map_err(|(cause, detail)| refusal(cause, detail))?;
        }
        Ok(())
    }

    /// Tries one message until Webex has it or refuses it for good.
    async fn post_until_settled(
        &self,
        bot: &Bot,
        destination: &Destination,
        message: &Message,
    ) -> Result<(), (RefusalCause, String)> {
        let card = message.card.as_ref();
        let first = if card.is_some() {
            Form::Card
        } else {
            Form::Markdown
        };
        let mut form = first;
        let mut plainer = String::new();
        let mut failures = 0;
        loop {
            let text = if form == first {
                &message.markdown
            } else {
                &plainer
            };
            let closed_for = bot.gate.closed_for();
            if !closed_for.is_zero() {
                self.delivery.troubled(Trouble::RateLimited { closed_for });
            }
            let sending = || self.sending.store(true, Ordering::Release);
            let posted = bot
                .post(&destination.room_id, text, card, form, sending)
                .await;
            self.sending.store(false, Ordering::Release);
            match posted {
                Posted::Accepted => {
                    self.was_accepted(form != first);
                    return Ok(());
                }
                Posted::TokenChanged => {}
                Posted::TokenWait(when, error) => {
                    self.token_refused(bot, error.as_ref());
                    sleep_until(when).await;
                }
                Posted::TokenRefused => {
                    let detail = format!("bot `{}`, {}", bot.name, bot.token_source());
                    return Err((RefusalCause::Token, detail));
                }
                Posted::Failed(verdict, error) => match verdict {
                    Verdict::CloseGate(closed_for) => {
                        self.delivery.troubled(Trouble::RateLimited { closed_for });
                    }
                    Verdict::Retry { at_least, .. } => {
                        failures += 1;
                        self.wait_after(failures, at_least, &error).await;
                    }
                    Verdict::Plainer if form == Form::Card => {
                        self.engine.metrics.card_refused(&self.receiver.name);
                        tracing::warn!(
                            receiver = %self.receiver.name, room = %destination.room_name, %error,
                            "Webex refused the card for room `{}`; trying without: {error}",
                            destination.room_name,
                        );
                        plainer = without_card(message, &error).markdown;
                        form = Form::Markdown;
                    }
                    Verdict::Plainer => {
                        self.engine.metrics.markdown_refused(&self.receiver.name);
                        tracing::warn!(
                            receiver = %self.receiver.name, room = %destination.room_name, %error,
                            "Webex refused the Markdown for room `{}`; trying plain text: {error}",
                            destination.room_name,
                        );
                        plainer = as_plain_text(message, &error);
                        form = Form::Text;
                    }
                    Verdict::RoomRefused => return Err((RefusalCause::Room, error.to_string())),
                    Verdict::MessageRefused | Verdict::Token => {
                        return Err((RefusalCause::Message, error.to_string()));
                    }
                },
            }
        }
    }

    fn was_accepted(&self, plainer: bool) {
        self.accepted.fetch_add(1, Ordering::AcqRel);
        let kind = if self.plainer || plainer {
            MessageKind::Fallback
        } else {
            MessageKind::New
        };
        self.engine.metrics.accepted(&self.receiver.name, kind);
    }

    fn token_refused(&self, bot: &Bot, error: Option<&webex::Error>) {
        let detail = match error {
            Some(error) => format!("{error}; it comes from {}", bot.token_source()),
            None => format!("it comes from {}", bot.token_source()),
        };
        self.delivery.troubled(Trouble::TokenRefused { detail });
    }

    async fn wait_after(&self, failures: u32, at_least: Duration, error: &webex::Error) {
        self.delivery.troubled(Trouble::Unavailable {
            detail: error.to_string(),
        });
        let wait = pause(failures, self.engine.random(), at_least);
        tracing::debug!(
            receiver = %self.receiver.name, failures, wait_ms = wait.as_millis(), %error,
            "a post failed and is tried again"
        );
        sleep(wait).await;
    }
}

/// The same without its card, with a word on why.
fn without_card(message: &Message, error: &webex::Error) -> Message {
    let mut noted = Message {
        card: None,
        ..message.clone()
    };
    noted.append_note(&format!(
        "Shown without its card, because Webex refused it: {error}"
    ));
    noted
}

/// The same as plain text, with a word on why.
fn as_plain_text(message: &Message, error: &webex::Error) -> String {
    let mut noted = message.clone();
    noted.append_note(&format!(
        "Shown as plain text, because Webex refused the Markdown: {error}"
    ));
    render::plain_text(&noted.markdown)
}

/// Keeps count of what waits, also where a delivery panics.
pub(super) struct Waiting {
    engine: Arc<Engine>,
    gauge: prometheus_client::metrics::gauge::Gauge,
    since: Instant,
}

impl Waiting {
    pub(super) fn new(engine: &Arc<Engine>, receiver: &Receiver) -> Self {
        let gauge = engine.metrics.waiting(&receiver.name);
        gauge.inc();
        engine.waiting.fetch_add(1, Ordering::AcqRel);
        Self {
            engine: Arc::clone(engine),
            gauge,
            since: Instant::now(),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gauge.dec();
        self.engine.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}
