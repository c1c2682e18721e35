//! Incoming webhooks: `POST /v1/webhooks/incoming/{id}` (docs/facts/webex-api.md §8).
//!
//! Whoever knows the address may post, without a token. Only Markdown or text goes this way:
//! no card, no file, no reply. Nothing comes back, so what was posted cannot be edited.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::changes::Subject;
use super::draft::Draft;
use super::ids::{self, Kind};
use super::messages::{self, Post};
use super::model::Person;
use super::refusal::Refusal;
use super::reply::Reply;
use super::state::State;
use super::{Error, Sandbox, knobs};

/// How many webhooks there may be: a bound on memory, not on use.
const MOST_WEBHOOKS: usize = 1_000;

/// The body: `markdown` or `text`. That anything beside them is refused is U.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookDraft {
    markdown: Option<String>,
    text: Option<String>,
}

impl WebhookDraft {
    pub(super) fn into_draft(self) -> Result<Draft, Refusal> {
        let draft = Draft {
            markdown: self.markdown,
            text: self.text,
            ..Draft::default()
        };
        if draft.markdown.is_some() && draft.text.is_some() {
            return Err(Refusal::InvalidParameter("text"));
        }
        Ok(draft)
    }
}

/// An incoming webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// The last part of its address; who knows it may post.
    pub id: String,
    /// Under which name it posts.
    pub name: String,
    /// The room that it posts to.
    pub room_id: String,
    /// Its address below the sandbox' own, such as `/v1/webhooks/incoming/Y2lz…`.
    pub path: String,
}

pub(super) struct WebhookEntry {
    pub(super) webhook: Webhook,
    person: Arc<Person>,
}

impl State {
    /// Adds a webhook for a room that is there.
    pub(super) fn add_webhook(&mut self, name: &str, room_id: String) -> Webhook {
        let uuid = ids::stable_uuid(&[b"webhook", name.as_bytes()]);
        let id = ids::encode(&self.cluster, Kind::Webhook, uuid);
        let webhook = Webhook {
            path: format!("/v1/webhooks/incoming/{id}"),
            id,
            name: name.to_owned(),
            room_id,
        };
        let email = format!("{name}@incoming.webex.bot");
        let person = Arc::new(self.person(name, &email));
        self.webhooks.push(WebhookEntry {
            webhook: webhook.clone(),
            person,
        });
        self.changed(Subject::Webhooks);
        webhook
    }

    pub(super) fn webhook(&self, id: &str) -> Option<&WebhookEntry> {
        self.webhooks.iter().find(|entry| entry.webhook.id == id)
    }
}

/// `POST /v1/webhooks/incoming/{id}`.
pub(super) fn post(sandbox: &Sandbox, id: &str, draft: Draft) -> Result<Reply, Refusal> {
    let (room, person) = sandbox.read(|state| {
        let entry = state.webhook(id).ok_or(Refusal::Resource)?;
        let room = state
            .room(&entry.webhook.room_id)
            .ok_or(Refusal::Resource)?;
        Ok((room.id.clone(), Arc::clone(&entry.person)))
    })?;
    let message = messages::post(sandbox, draft, Post::Webhook { room, person })?;
    let status = sandbox.read(|state| state.behaviour.incoming_webhook.status());
    Ok(Reply::empty(status).about(&message))
}

impl Sandbox {
    /// All incoming webhooks, in the order in which they were made.
    #[must_use]
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.read(|state| {
            let entries = state.webhooks.iter();
            entries.map(|entry| entry.webhook.clone()).collect()
        })
    }

    /// Adds an incoming webhook that posts to a room, named by id or title. Its id follows from
    /// its name.
    ///
    /// # Errors
    ///
    /// Where there is no such room, the name is taken or none, or there are a thousand.
    pub fn add_webhook(&self, name: &str, room: &str) -> Result<Webhook, Error> {
        knobs::check_name("webhook", name)?;
        self.change(|state| {
            let room = knobs::room_id(state, room)?;
            if state
                .webhooks
                .iter()
                .any(|known| known.webhook.name == name)
            {
                return Err(Error::WebhookExists(name.to_owned()));
            }
            if state.webhooks.len() >= MOST_WEBHOOKS {
                return Err(knobs::full("webhooks", MOST_WEBHOOKS));
            }
            Ok(state.add_webhook(name, room))
        })
    }

    /// Removes an incoming webhook, named by name or id: its address is 404 from now on.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWebhook`].
    pub fn remove_webhook(&self, webhook: &str) -> Result<(), Error> {
        self.change(|state| {
            let before = state.webhooks.len();
            state
                .webhooks
                .retain(|known| known.webhook.name != webhook && known.webhook.id != webhook);
            if state.webhooks.len() == before {
                return Err(Error::UnknownWebhook(webhook.to_owned()));
            }
            state.changed(Subject::Webhooks);
            Ok(())
        })
    }
}
