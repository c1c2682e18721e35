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
use crate::telemetry::{MessageKind, SpanKind, Trace};
use crate::webex::{self, Accepted, Attachment, IncomingMessage, NewMessage, Recipient};

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

/// What a message names to get there. A webhook is named by its URL alone.
#[must_use]
pub fn recipient(target: &Target) -> Option<Recipient<'_>> {
    match target {
        Target::Room(id) => Some(Recipient::Room(id)),
        Target::Person(address) => Some(Recipient::Person(address)),
        Target::Webhook(_) => None,
    }
}

impl Bot {
    /// Makes one request, and says what it means. What is rare has memory of its own: each
    /// message in flight would have room for it else.
    pub(super) async fn attempt(
        &self,
        engine: &Engine,
        job: &mut Job,
        token: &Arc<SecretString>,
    ) -> Attempt {
        if job.is_digest() {
            if Box::pin(engine.takes_out_of_digest(job)).await {
                return Attempt::of(Settled::Again);
            }
        } else if job.first().delivery.kept.is_some() {
            return Box::pin(self.tell(engine, job, token)).await;
        }
        let (text, form) = notes::text(engine, job);
        match self.post(engine, job, token, (&text, form), None).await {
            Ok(_) => {
                if job.is_digest() {
                    Box::pin(engine.told_by_digest(job)).await;
                }
                Attempt::of(Settled::Accepted)
            }
            Err(error) => Box::pin(self.judged(engine, job, token, form, &error)).await,
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
        let client = &engine.loaded().client;
        let Some(to) = recipient(&job.destination().target) else {
            let message = IncomingMessage { markdown, text };
            let asked = self.asks(job, "POST /webhooks/incoming/{id}");
            let answer = client.post_incoming(token, &message).await;
            self.answered(asked, answer.as_ref().err());
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
        let asked = self.asks(job, "POST /messages");
        let answer = client.post_message(token, &message).await;
        self.answered(asked, answer.as_ref().err());
        if let Ok(accepted) = &answer {
            engine.tell_posted(job, accepted);
        }
        answer
    }

    /// A request leaves. It is a part of the first notification's trace, and the other ones
    /// of a digest are linked to it. Neither address nor ids: of a webhook they are secret.
    pub(super) fn asks(&self, job: &Job, name: &'static str) -> Asked {
        let (receiver, room) = job.names();
        let (method, path) = name.split_once(' ').unwrap_or((name, ""));
        let trace = job.first().delivery.trace.child(name, SpanKind::Client);
        for (_, item) in job.items.iter().skip(1) {
            trace.link(&item.delivery.trace);
        }
        trace.set("http.request.method", method);
        trace.set("url.template", path);
        trace.set("peer.service", "webex");
        trace.set("alertmanager_webex.bot", &self.name);
        trace.set("alertmanager_webex.receiver", receiver);
        trace.set("alertmanager_webex.room", room);
        trace.count("http.request.resend_count", resent(job));
        Asked {
            start: Instant::now(),
            trace,
        }
    }

    /// Counts a request, and notes that the token is good.
    pub(super) fn answered(&self, asked: Asked, error: Option<&webex::Error>) {
        let code = error.map_or("200", webex::Error::code);
        self.metrics
            .requested(&self.name, code, asked.start.elapsed());
        let trace = asked.trace;
        let status = match error {
            None => Some(200),
            Some(webex::Error::Status { status, .. }) => Some(status.as_u16()),
            Some(_) => None,
        };
        if let Some(status) = status {
            trace.count("http.response.status_code", status.into());
        }
        if error.is_some() {
            trace.failed(code);
        }
        trace.end();
        if error.is_none() && self.token.accepted() {
            let bot = &self.name;
            tracing::info!(%bot, "Webex takes the token of bot `{bot}` again");
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
        let (bot, sender, (receiver, room)) = (&self.name, self.sender(), job.names());
        tracing::debug!(
            %bot, %receiver, %room, %error,
            "a request of {sender} for room `{room}` brought no success: {error}",
        );
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
                self.token_refused(engine, token, error).await;
                Settled::Again
            }
            Verdict::Plainer if job.is_digest() => Settled::MessageRefused(error.to_string()),
            Verdict::Plainer => return self.plainer(job, form, error),
            Verdict::RoomRefused if is_webhook && self.token.reread(token).await => {
                tracing::info!(%bot, "the URL of {sender} was read anew, and another one is there now");
                Settled::Again
            }
            Verdict::RoomRefused => Settled::RoomRefused(error.to_string()),
            Verdict::MessageRefused => Settled::MessageRefused(error.to_string()),
        };
        Attempt::of(settled)
    }

    /// Webex refused the token: a line when that begins, and one when another token is there.
    async fn token_refused(
        &self,
        engine: &Engine,
        token: &Arc<SecretString>,
        error: &webex::Error,
    ) {
        let bot = &self.name;
        let was_well = self.token.lack(Instant::now()).is_none();
        let random = engine.random();
        if self.token.refused(token, Instant::now(), random).await {
            tracing::info!(%bot, "the token of bot `{bot}` was read anew, and another one is there now");
        } else if was_well && self.token.lack(Instant::now()).is_some() {
            let source = self.token.source();
            tracing::warn!(
                %bot, %source, %error,
                "Webex refuses the token of bot `{bot}`, which comes from {source}; put a valid one there, and it is taken up without a restart: {error}",
            );
        }
    }

    /// The same once more: without its card, or as plain text.
    fn plainer(&self, job: &Job, form: Form, error: &webex::Error) -> Attempt {
        let (receiver, room) = job.names();
        let message = job.first().message();
        let plainer = if form == Form::Card {
            self.metrics.card_refused(receiver);
            tracing::warn!(
                %receiver, %room, %error,
                "Webex refused the card of receiver `{receiver}` for room `{room}`, so the message is sent without it; `check` tells what is wrong with a card: {error}",
            );
            (Form::Markdown, notes::without_card(message, error).into())
        } else {
            self.metrics.markdown_refused(receiver);
            tracing::warn!(
                %receiver, %room, %error,
                "Webex refused the Markdown of receiver `{receiver}` for room `{room}`, so the message is sent as plain text; look at its template: {error}",
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

/// A request that is under way.
pub(super) struct Asked {
    start: Instant,
    trace: Trace,
}

/// How often it was tried before.
fn resent(job: &Job) -> usize {
    usize::try_from(job.first().failures).unwrap_or(usize::MAX)
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
