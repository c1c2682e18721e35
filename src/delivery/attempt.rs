//! One request to Webex, and what its answer means for what was to be sent.
//!
//! What does not belong here: what is sent next (`queue`), and what becomes of all that waits
//! (`bot`).

use std::sync::Arc;

use secrecy::SecretString;
use tokio::time::Instant;

use super::Engine;
use super::bot::Bot;
use super::conversation::Kind;
use super::job::{Item, Job, Settled};
use super::notes;
use super::retry::{Form, Verdict, judge, judge_webhook};
use crate::routing::Target;
use crate::telemetry::MessageKind;
use crate::webex::{self, Accepted, Attachment, IncomingMessage, NewMessage};

/// What an attempt came to.
pub(super) struct Attempt {
    pub(super) settled: Settled,
    /// Another form and the message in it, where it is to be sent so from now on.
    pub(super) plainer: Option<(Form, Box<str>)>,
    /// Why it is to be tried again.
    pub(super) failure: Option<String>,
}

impl Attempt {
    pub(super) fn of(settled: Settled) -> Self {
        Self {
            settled,
            plainer: None,
            failure: None,
        }
    }
}

impl Engine {
    /// Tells who watches that Webex has a message, new or edited.
    pub(super) fn tell_posted(&self, job: &Job, accepted: &Accepted) {
        let Some(observer) = &self.observer else {
            return;
        };
        let deliveries: Vec<_> = job.deliveries().iter().map(|one| one.id).collect();
        let room = match accepted.room_id.as_str() {
            "" => job.destination().id().as_ref(),
            room => room,
        };
        observer.posted(&deliveries, room, &accepted.id);
    }
}

impl Bot {
    /// Makes one request, and says what it means.
    pub(super) async fn attempt(
        &self,
        engine: &Engine,
        job: &mut Job,
        token: &Arc<SecretString>,
    ) -> Attempt {
        if job.is_digest() {
            if engine.takes_out_of_digest(job).await {
                return Attempt::of(Settled::Again);
            }
        } else if job.first().delivery.kept.is_some() {
            return self.tell(engine, job, token).await;
        }
        let (text, form) = notes::text(engine, job);
        match self.post(engine, job, token, (&text, form), None).await {
            Ok(_) => {
                if job.is_digest() {
                    engine.told_by_digest(job).await;
                }
                Attempt::of(Settled::Accepted)
            }
            Err(error) => self.judged(engine, job, token, form, &error).await,
        }
    }

    /// Posts a message: in what form, and as a reply to what.
    pub(super) async fn post(
        &self,
        engine: &Engine,
        job: &Job,
        token: &Arc<SecretString>,
        (text, form): (&String, Form),
        parent: Option<&str>,
    ) -> Result<Accepted, webex::Error> {
        let card = match form {
            Form::Card => job.first().message().card.as_ref(),
            Form::Markdown | Form::Text => None,
        };
        let markdown = (form != Form::Text).then_some(text.as_str());
        let text = (form == Form::Text).then_some(text.as_str());
        let start = Instant::now();
        let client = &engine.loaded().client;
        let Some(to) = job.destination().target.recipient() else {
            let message = IncomingMessage { markdown, text };
            let answer = client.post_incoming(token, &message).await;
            self.answered(start, answer.as_ref().err());
            // Nothing tells which message it is, nor in which room.
            return answer.map(|()| Accepted {
                id: String::new(),
                room_id: String::new(),
            });
        };
        let message = NewMessage {
            to,
            markdown,
            text,
            parent_id: parent,
            attachments: card
                .and_then(|card| Attachment::card(card.json()))
                .map(|card| [card]),
        };
        let answer = client.post_message(token, &message).await;
        self.answered(start, answer.as_ref().err());
        if let Ok(accepted) = &answer {
            engine.tell_posted(job, accepted);
        }
        answer
    }

    /// Counts a request, and notes that the token is good.
    pub(super) fn answered(&self, start: Instant, error: Option<&webex::Error>) {
        let code = error.map_or("200", webex::Error::code);
        self.metrics.requested(&self.name, code, start.elapsed());
        if error.is_none() && self.token.accepted() {
            tracing::info!(bot = %self.name, "Webex takes the token of bot `{}` again", self.name);
        }
    }

    /// What an answer means that is no success.
    pub(super) async fn judged(
        &self,
        engine: &Engine,
        job: &Job,
        token: &Arc<SecretString>,
        form: Form,
        error: &webex::Error,
    ) -> Attempt {
        tracing::debug!(bot = %self.name, %error, "a request failed: {error}");
        self.note_error(error);
        let is_webhook = matches!(job.destination().target, Target::Webhook(_));
        let verdict = if is_webhook {
            judge_webhook(error, form)
        } else {
            judge(error, form)
        };
        let settled = match verdict {
            Verdict::CloseGate(wait) => Settled::Limited(wait),
            Verdict::Retry {
                ambiguous,
                at_least,
            } => {
                // What is changed twice is not there twice.
                if ambiguous && !job.first().changes_a_message() {
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
                if self
                    .token
                    .refused(token, Instant::now(), engine.random())
                    .await
                {
                    tracing::info!(bot = %self.name, "bot `{}` has a new token", self.name);
                }
                Settled::Again
            }
            Verdict::Plainer if job.is_digest() => Settled::MessageRefused(error.to_string()),
            Verdict::Plainer => return self.plainer(job, form, error),
            Verdict::RoomRefused if is_webhook && self.token.reread(token).await => {
                tracing::info!(bot = %self.name, "`{}` has a new URL", self.name);
                Settled::Again
            }
            Verdict::RoomRefused => Settled::RoomRefused(error.to_string()),
            Verdict::MessageRefused => Settled::MessageRefused(error.to_string()),
        };
        Attempt::of(settled)
    }

    /// The same once more: without its card, or as plain text.
    fn plainer(&self, job: &Job, form: Form, error: &webex::Error) -> Attempt {
        let (receiver, room) = job.names();
        let message = job.first().message();
        let plainer = if form == Form::Card {
            self.metrics.card_refused(receiver);
            tracing::warn!(
                %receiver, %room, %error,
                "Webex refused the card for room `{room}`; trying without: {error}",
            );
            (Form::Markdown, notes::without_card(message, error).into())
        } else {
            self.metrics.markdown_refused(receiver);
            tracing::warn!(
                %receiver, %room, %error,
                "Webex refused the Markdown for room `{room}`; trying plain text: {error}",
            );
            (Form::Text, notes::plain(message, error).into())
        };
        Attempt {
            plainer: Some(plainer),
            ..Attempt::of(Settled::Again)
        }
    }

    pub(super) fn count_accepted(&self, job: &Job) {
        for (_, item) in &job.items {
            let kind = if job.is_digest() {
                Some(MessageKind::Digest)
            } else {
                message_kind(item)
            };
            if let Some(kind) = kind {
                self.metrics.accepted(&item.delivery.receiver.name, kind);
            }
        }
    }
}

/// What a metric calls it; nothing is said of what is deleted.
fn message_kind(item: &Item) -> Option<MessageKind> {
    match item.kind() {
        Some(Kind::Delete(_)) => None,
        Some(Kind::Edit(_)) => Some(MessageKind::Edit),
        _ if item.is_plainer() => Some(MessageKind::Fallback),
        Some(Kind::Reply) => Some(MessageKind::Reply),
        Some(Kind::Root | Kind::Part) | None => Some(MessageKind::New),
    }
}
