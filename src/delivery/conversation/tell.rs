//! Makes the requests of a conversation, and keeps what comes of them.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::time::Instant;

use super::Conversation;
use super::plan::edits_for;
use super::script::Kind;
use super::store::{Claim, Key};
use crate::delivery::Engine;
use crate::delivery::attempt::Attempt;
use crate::delivery::bot::Bot;
use crate::delivery::job::{Item, Job, Settled};
use crate::delivery::notes;
use crate::delivery::retry::{Edited, Form, is_about_parent, judge_edit};
use crate::routing::Conversation as Mode;
use crate::webex::{Accepted, Edit, Error};

impl Item {
    /// Names the conversation that it belongs to.
    fn key(&self) -> Key {
        Key::new(
            &self.delivery.receiver,
            self.destination(),
            self.delivery.order,
        )
    }

    /// It begins a new conversation: the message that it was to reply to is gone.
    fn begin_anew(&mut self) {
        let script = self.script.take();
        self.dead_root = script.and_then(|script| script.root);
    }
}

impl Bot {
    /// Makes the next request of a notification that belongs to a conversation.
    pub(in crate::delivery) async fn tell(
        &self,
        engine: &Engine,
        job: &mut Job,
        token: &Arc<SecretString>,
    ) -> Attempt {
        let claim = engine.conversations.claim(job.first().key()).await;
        let now = Instant::now();
        let item = job.first_mut();
        let known = claim.conversation();
        if item
            .script
            .as_ref()
            .is_none_or(|script| script.is_outdated(known))
        {
            let dead = item.dead_root.as_deref();
            let Some(script) = engine.script(&item.delivery, known, dead, now) else {
                // Only what is kept is in a conversation.
                return Attempt::of(Settled::Broken);
            };
            item.set_script(script);
        }
        let Some(kind) = item.script.as_ref().map(|script| script.kind().clone()) else {
            return Attempt::of(Settled::Broken);
        };
        match kind {
            Kind::Edit(id) => self.edit(engine, job, token, claim, &id).await,
            Kind::Delete(id) => self.delete(engine, job, token, claim, &id).await,
            Kind::Root | Kind::Part | Kind::Reply => self.reply(engine, job, token, claim).await,
        }
    }

    /// Posts the root, a further part of it, or a reply.
    async fn reply(
        &self,
        engine: &Engine,
        job: &mut Job,
        token: &Arc<SecretString>,
        claim: Box<dyn Claim>,
    ) -> Attempt {
        let (text, form) = notes::text(engine, job);
        let parent = job
            .first()
            .script
            .as_ref()
            .and_then(|script| script.parent());
        let answer = self
            .post(engine, job, token, (&text, form), parent.as_deref())
            .await;
        let error = match answer {
            Ok(accepted) => {
                keep(job, claim, Some(&accepted)).await;
                return Attempt::of(Settled::Accepted);
            }
            Err(error) => error,
        };
        if parent.is_none() || !is_about_parent(&error) {
            return self.judged(engine, job, token, form, &error).await;
        }
        let (receiver, room) = job.names();
        tracing::info!(
            %receiver, %room, %error,
            "room `{room}` does not take a reply for receiver `{receiver}`, so the message is posted as a new one: {error}",
        );
        self.note_error(&error);
        let item = job.first_mut();
        let script = item.script.as_mut();
        if !script.is_some_and(|script| script.goes_on_flat()) {
            item.begin_anew();
        }
        Attempt::of(Settled::Again)
    }

    /// Brings a message up to date.
    async fn edit(
        &self,
        engine: &Engine,
        job: &mut Job,
        token: &Arc<SecretString>,
        claim: Box<dyn Claim>,
        id: &str,
    ) -> Attempt {
        let script = job.first().script.as_ref();
        let is_end = script.is_some_and(|script| script.is_end);
        let is_root = script.and_then(|script| script.root.as_deref()) == Some(id);
        let known = claim.conversation();
        let edits = known.map_or(0, |known| known.edits_of(id));
        if edits >= edits_for(is_end || !is_root) {
            instead_of_edit(job, is_root);
            return Attempt::of(Settled::Again);
        }
        let (text, _) = notes::text(engine, job);
        let room = known.and_then(Conversation::room);
        let edit = Edit {
            room_id: room.unwrap_or(job.destination().id()),
            markdown: &text,
        };
        let asked = self.asks(job, "PUT /messages/{id}");
        let answer = engine.loaded().client.edit_message(token, id, &edit).await;
        self.answered(asked, answer.as_ref().err());
        let error = match answer {
            Ok(accepted) => {
                engine.tell_posted(job, &accepted);
                keep(job, claim, Some(&accepted)).await;
                return Attempt::of(Settled::Accepted);
            }
            Err(error) => error,
        };
        let edited = judge_edit(&error);
        let change = |known: &mut Conversation| match edited {
            // Webex may have made it, and then it counts.
            Edited::Unknown => known.edited(id),
            Edited::Gone => known.lost(id),
            Edited::Refused if is_root => known.freeze(),
            Edited::Refused | Edited::NotMade => {}
        };
        if let Some(mut known) = claim.conversation().cloned() {
            change(&mut known);
            claim.keep(known).await;
        }
        match edited {
            Edited::Gone => {
                told_log(job, "is gone", &error);
                let item = job.first_mut();
                if is_root {
                    item.begin_anew();
                } else {
                    item.script_mut(|script| script.replace(false));
                }
            }
            Edited::Refused => {
                told_log(job, "takes no edit, so it is told otherwise", &error);
                instead_of_edit(job, is_root);
            }
            Edited::Unknown | Edited::NotMade => {
                let judged = self.judged(engine, job, token, Form::Markdown, &error);
                return judged.await;
            }
        }
        self.note_error(&error);
        Attempt::of(Settled::Again)
    }

    /// Deletes a message that shows what is not so any more.
    async fn delete(
        &self,
        engine: &Engine,
        job: &mut Job,
        token: &Arc<SecretString>,
        claim: Box<dyn Claim>,
        id: &str,
    ) -> Attempt {
        let asked = self.asks(job, "DELETE /messages/{id}");
        let answer = engine.loaded().client.delete_message(token, id).await;
        self.answered(asked, answer.as_ref().err());
        if let Err(error) = answer {
            match judge_edit(&error) {
                Edited::Gone => {}
                // Nothing more can be done about it, and nothing is lost.
                Edited::Refused => told_log(job, "cannot be deleted", &error),
                Edited::Unknown | Edited::NotMade => {
                    return self
                        .judged(engine, job, token, Form::Markdown, &error)
                        .await;
                }
            }
        }
        keep(job, claim, None).await;
        Attempt::of(Settled::Accepted)
    }
}

/// Keeps what the room was told, now that the next request was accepted.
async fn keep(job: &mut Job, claim: Box<dyn Claim>, accepted: Option<&Accepted>) {
    if let Some(script) = &mut job.first_mut().script {
        let now = Instant::now();
        let conversation = script.accepted(claim.conversation(), accepted, now);
        claim.keep(conversation).await;
    }
}

/// A root that takes no edit is replied to; a further part is replaced.
fn instead_of_edit(job: &mut Job, is_root: bool) {
    let item = job.first_mut();
    if is_root {
        item.script = None;
    } else {
        item.script_mut(|script| script.replace(true));
    }
}

fn told_log(job: &Job, what: &str, error: &Error) {
    let (receiver, room) = job.names();
    tracing::info!(
        %receiver, %room, what, %error,
        "a message of receiver `{receiver}` in room `{room}` {what}: {error}",
    );
}

impl Engine {
    /// Marks what must not go into a digest: a message that is to be brought up to date would
    /// go on saying what the digest has overtaken. Says whether there is such a one.
    pub(in crate::delivery) async fn takes_out_of_digest(&self, job: &mut Job) -> bool {
        let mut found = false;
        for (_, item) in &mut job.items {
            if !matches!(item.delivery.receiver.conversation, Mode::Update { .. }) {
                continue;
            }
            let claim = self.conversations.claim(item.key()).await;
            let fires = item.delivery.content.fires();
            let known = claim.conversation();
            if known.is_some_and(|known| known.root(fires, None, Instant::now()).is_some()) {
                item.batch = 1;
                found = true;
            }
        }
        found
    }

    /// A digest has told the room of these. It is nobody's root.
    pub(in crate::delivery) async fn told_by_digest(&self, job: &Job) {
        for (_, item) in &job.items {
            if item.delivery.kept.is_none() {
                continue;
            }
            let claim = self.conversations.claim(item.key()).await;
            let fires = item.delivery.content.fires();
            let now = Instant::now();
            let lives = |known: &&Conversation| known.lives(fires, now);
            let mut known = claim.conversation().filter(lives).cloned();
            let known = known.get_or_insert_with(|| Conversation {
                began: now,
                root: None,
                told: Arc::default(),
                ended: false,
            });
            known.told = Arc::clone(item.delivery.content.alerts());
            known.ended = !fires;
            claim.keep(known.clone()).await;
        }
    }
}
