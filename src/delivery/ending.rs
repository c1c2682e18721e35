//! How deliveries end: through with every room, given back, or given up; remembered,
//! counted, logged, and told, each once.

use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use tokio::time::Instant;

use super::Engine;
use super::bot::Bot;
use super::job::Through;
use super::outcome::{Outcome, Refusal};
use super::standing::DeadRoom;
use super::ticket::Delivery;
use super::told::tell_log;

impl Engine {
    /// Gives back to Alertmanager what has not begun: its retry reaches the next process,
    /// and finishing here as well would post it twice.
    pub(super) fn give_back(&self, bot: &Bot) {
        let removed = bot.queue().remove(|delivery| !delivery.has_begun());
        for delivery in removed {
            self.end_early(bot, &delivery, &Outcome::Draining);
        }
    }

    /// Gives up what nobody asks for any more.
    pub(super) fn give_up(&self, bot: &Bot) {
        let now = Instant::now();
        let limit = self.loaded().settings.give_up_after;
        let removed = bot
            .queue()
            .remove(|delivery| delivery.unasked_for(now) >= limit);
        let trouble = bot.trouble();
        for delivery in removed {
            if let Some(trouble) = &trouble {
                delivery.troubled(trouble.clone());
            }
            self.metrics.given_up(&delivery.receiver.name);
            self.end_early(bot, &delivery, &Outcome::GivenUp);
        }
    }

    /// Ends a delivery for all its rooms.
    pub(super) fn end_early(&self, bot: &Bot, delivery: &Arc<Delivery>, outcome: &Outcome) {
        if delivery.end_early() {
            bot.queue()
                .remove(|other| std::ptr::eq(other, &raw const **delivery));
            self.ended(delivery, outcome);
        }
    }

    /// Some deliveries are through with a room; those for which it was the last one end.
    pub(super) fn through(&self, bot: &Bot, through: Vec<Through>) {
        for Through {
            delivery,
            room,
            refusal,
        } in through
        {
            self.room_answered(bot, &delivery.receiver.name, &room, refusal.as_ref());
            if let Some(outcome) = delivery.destination_done(refusal) {
                self.ended(&delivery, &outcome);
            }
        }
    }

    /// A permanent refusal is a line in the log when it begins and when it ends. What one room
    /// accepts says nothing of the others, which may not have answered yet.
    fn room_answered(
        &self,
        bot: &Bot,
        receiver: &Arc<str>,
        room: &Arc<str>,
        refusal: Option<&Refusal>,
    ) {
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        if refusing.is_empty() && refusal.is_none() {
            return;
        }
        let key = (Arc::clone(receiver), Arc::clone(room));
        match refusal {
            Some(refusal) => {
                let since = refusing.get(&key).map(|dead| dead.since);
                let dead = DeadRoom {
                    refusal: refusal.clone(),
                    since: since.unwrap_or_else(Timestamp::now),
                };
                if refusing.insert(key, dead).is_none() {
                    let bot = &bot.name;
                    tracing::warn!(
                        %receiver, %room, %bot, %refusal,
                        "receiver `{receiver}` cannot be delivered to: {refusal}",
                    );
                }
            }
            None => {
                if refusing.remove(&key).is_some() {
                    tracing::info!(%receiver, %room, "room `{room}` takes messages of receiver `{receiver}` again");
                }
            }
        }
    }

    /// A delivery ended: it is remembered or forgotten, counted, logged, and told.
    pub(super) fn ended(&self, delivery: &Arc<Delivery>, outcome: &Outcome) {
        let accepted = matches!(outcome, Outcome::Delivered { .. } | Outcome::Partial { .. });
        if accepted {
            self.metrics.delivered(&delivery.receiver.name);
        }
        self.note_last(delivery, outcome);
        if let Some(observer) = &self.observer {
            observer.ended(delivery.id, outcome);
        }
        delivery.span.in_scope(|| tell_log(delivery, outcome));
        self.memory().end(delivery, accepted);
        delivery.tell(outcome);
        self.ended_waiting(delivery);
    }
}
