//! Incoming webhooks of Webex: rooms that are posted to by an address alone, which is a secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::bots::is_name_of_variable;
use super::identity::Identity;
use super::judge::Judge;
use super::layers::Sources;
use super::resolve::Bot;
use super::settings;
use crate::routing::{Target, WEBHOOK_BOT};
use crate::secrets::{SecretSource, WebhookRule, could_be_a_secret};

/// Whether a receiver posts anything by a bot.
pub(super) fn needs_bot(receiver: &settings::Receiver) -> bool {
    receiver.webhooks.is_empty()
        || !receiver.rooms.is_empty()
        || !receiver.people.is_empty()
        || receiver.room_from != settings::RoomFrom::default()
}

impl Judge<'_> {
    /// The webhooks, each by the name of the bot of its own that it is to the engine: what
    /// Webex limits or breaks there holds up nothing else.
    pub(super) fn webhooks(
        &mut self,
        webhooks: &BTreeMap<String, settings::Webhook>,
        sources: &Sources,
        base_url: Option<&Url>,
        allow_http: bool,
    ) -> BTreeMap<Arc<str>, Bot> {
        let mut resolved = BTreeMap::new();
        for (name, webhook) in webhooks {
            let source = self.url(name, webhook, sources);
            let (Some(source), Some(base_url)) = (source, base_url) else {
                continue;
            };
            let rule = WebhookRule {
                base_url: base_url.clone(),
                allow_http,
            };
            let bot = Bot {
                identity: Identity::Token(SecretSource::Webhook(Box::new(source), Arc::new(rule))),
                messages_per_minute: webhook.messages_per_minute,
                burst: webhook.burst,
                room_messages_per_minute: None,
            };
            resolved.insert(bot_name(name), bot);
        }
        resolved
    }

    fn url(
        &mut self,
        name: &str,
        webhook: &settings::Webhook,
        sources: &Sources,
    ) -> Option<SecretSource> {
        let (file_key, env_key) = (
            ["webhooks", name, "url_file"],
            ["webhooks", name, "url_env"],
        );
        let no_place = "the URL itself does not belong into this file: who knows it may post";
        match (&webhook.url_file, &webhook.url_env) {
            (Some(file), None) => {
                if file.to_str().is_some_and(could_be_a_secret) {
                    let hint = format!(
                        "write the path of a file that holds the URL, such as \
                         `/run/secrets/webex/webhook`; {no_place}"
                    );
                    self.error(&file_key, "this is not the path of a file", &hint);
                } else {
                    self.file(&file_key, file);
                }
                Some(SecretSource::File(file.clone()))
            }
            (None, Some(variable)) => {
                if let Some(url) = sources.environment.get(variable) {
                    return Some(SecretSource::Variable(
                        variable.clone(),
                        url.as_str().into(),
                    ));
                }
                if is_name_of_variable(variable) {
                    self.error(
                        &env_key,
                        format!("the environment variable {variable} is not set"),
                        "set it, or use `url_file`",
                    );
                } else {
                    let hint = format!(
                        "write the name of a variable that holds the URL, such as \
                         `WEBEX_WEBHOOK`; {no_place}"
                    );
                    self.error(
                        &env_key,
                        "this is not the name of an environment variable",
                        &hint,
                    );
                }
                None
            }
            (None, None) => {
                if !self.noted(&file_key) && !self.noted(&env_key) {
                    self.error(
                        &["webhooks", name],
                        "this webhook has no URL",
                        "write `url_file` or `url_env` below it",
                    );
                }
                None
            }
            (Some(_), Some(_)) => {
                self.error(
                    &["webhooks", name],
                    "this webhook has both `url_file` and `url_env`",
                    "keep one of the two",
                );
                None
            }
        }
    }

    /// The webhooks that a receiver posts to.
    pub(super) fn webhooks_of(
        &mut self,
        name: &str,
        receiver: &settings::Receiver,
        known: &[Arc<str>],
    ) -> Vec<(Arc<str>, Target)> {
        let mut found: Vec<&Arc<str>> = Vec::new();
        for (index, wanted) in receiver.webhooks.iter().enumerate() {
            let index = index.to_string();
            let path = ["receivers", name, "webhooks", &index];
            match known.iter().find(|webhook| ***webhook == **wanted) {
                Some(webhook) if found.contains(&webhook) => self.error(
                    &path,
                    format!("webhook `{webhook}` stands here twice"),
                    "name it once; each message would be posted twice",
                ),
                Some(webhook) => found.push(webhook),
                None if could_be_a_secret(wanted) => self.error(
                    &path,
                    "no webhook has this name",
                    "write a name of `[webhooks.NAME]`, whose `url_file` names a file with the \
                     URL; the URL itself does not belong into this file",
                ),
                None => {
                    let (message, hint) = super::receivers::unknown("webhook", wanted, known);
                    self.error(&path, message, &hint);
                }
            }
        }
        if !found.is_empty() && receiver.conversation != settings::Conversation::New {
            self.warn(
                &["receivers", name, "conversation"],
                "webhooks have no threads and no edits: each notification is a message of its \
                 own there",
                "use a bot and its rooms where that matters; rooms beside webhooks keep it",
            );
        }
        let found = found.into_iter();
        found
            .map(|name| (Arc::clone(name), Target::Webhook(Arc::clone(name))))
            .collect()
    }
}

/// What the engine calls the bot that a webhook is to it.
pub(super) fn bot_name(webhook: &str) -> Arc<str> {
    format!("{WEBHOOK_BOT}{webhook}").into()
}
