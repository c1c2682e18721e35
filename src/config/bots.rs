//! Who posts: the bots, and where their tokens come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::identity::{Identity, ServiceApp};
use super::judge::Judge;
use super::layers::Sources;
use super::resolve::Bot;
use super::settings;
use crate::routing::WEBHOOK_BOT;
use crate::secrets::{SecretSource, could_be_a_secret};

/// The keys of a service app; all are needed.
const OF_APP: [&str; 3] = ["client_id", "client_secret_file", "refresh_token_file"];
/// Where a service app gets what these keys hold.
const WHERE_FROM: &str = "https://developer.webex.com/my-apps shows all three once an \
                          administrator has authorised the app";

impl Judge<'_> {
    pub(super) fn bots(
        &mut self,
        bots: &BTreeMap<String, settings::Bot>,
        sources: &Sources,
    ) -> BTreeMap<Arc<str>, Bot> {
        let mut resolved = BTreeMap::new();
        let mut refresh_tokens = BTreeMap::new();
        for (name, bot) in bots {
            if name.starts_with(WEBHOOK_BOT) {
                self.error(
                    &["bots", name],
                    format!("names that begin with `{WEBHOOK_BOT}` are kept for webhooks"),
                    "give the bot another name",
                );
            }
            if let Some(file) = &bot.refresh_token_file {
                self.refresh_token_is_its_own(name, file, &mut refresh_tokens);
            }
            if let Some(identity) = self.identity(name, bot, sources) {
                let bot = Bot {
                    identity,
                    messages_per_minute: bot.messages_per_minute,
                    burst: bot.burst,
                    room_messages_per_minute: bot.room_messages_per_minute,
                };
                resolved.insert(name.as_str().into(), bot);
            }
        }
        resolved
    }

    fn identity(&mut self, name: &str, bot: &settings::Bot, sources: &Sources) -> Option<Identity> {
        let app = (
            &bot.client_id,
            &bot.client_secret_file,
            &bot.refresh_token_file,
        );
        if let (None, None, None) = app
            && !OF_APP.iter().any(|key| self.noted(&["bots", name, key]))
        {
            return self.token(name, bot, sources).map(Identity::Token);
        }
        if bot.token_file.is_some() || bot.token_env.is_some() {
            self.error(
                &["bots", name],
                "this bot has both a token and keys of a service app",
                "keep `token_file` or `token_env`, or else `client_id`, `client_secret_file` \
                 and `refresh_token_file`",
            );
            return None;
        }
        self.app(name, app).map(Identity::ServiceApp)
    }

    fn app(
        &mut self,
        name: &str,
        (id, secret, refresh): (&Option<String>, &Option<PathBuf>, &Option<PathBuf>),
    ) -> Option<ServiceApp> {
        let path = |key| ["bots", name, key];
        let is_there = [id.is_some(), secret.is_some(), refresh.is_some()];
        let missing: Vec<String> = OF_APP
            .iter()
            .zip(is_there)
            .filter(|(key, is_there)| !is_there && !self.noted(&path(key)))
            .map(|(key, _)| format!("`{key}`"))
            .collect();
        if !missing.is_empty() {
            self.error(
                &["bots", name],
                format!("this service app lacks {}", missing.join(" and ")),
                &format!("write what is missing below it; {WHERE_FROM}"),
            );
        }
        if let Some(id) = id
            && (id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            self.error(
                &path("client_id"),
                "this is no client id: it is empty, or holds blanks or characters that no id has",
                "copy the client id of the service app from https://developer.webex.com/my-apps",
            );
        }
        for (key, file) in [
            ("client_secret_file", secret),
            ("refresh_token_file", refresh),
        ] {
            if let Some(file) = file {
                self.file(&path(key), file);
            }
        }
        if let (Some(secret), Some(refresh)) = (secret, refresh)
            && secret == refresh
            && !secret.as_os_str().is_empty()
        {
            self.error(
                &path("refresh_token_file"),
                "this is the file of the client secret",
                "write each of the two into a file of its own",
            );
        }
        Some(ServiceApp {
            client_id: id.clone()?,
            client_secret: SecretSource::File(secret.clone()?),
            refresh_token: SecretSource::File(refresh.clone()?),
        })
    }

    /// Two bots that renew with one refresh token would take it from each other.
    fn refresh_token_is_its_own<'b>(
        &mut self,
        name: &'b str,
        file: &'b Path,
        known: &mut BTreeMap<&'b Path, &'b str>,
    ) {
        if let Some(other) = known.insert(file, name) {
            self.error(
                &["bots", name, "refresh_token_file"],
                format!("bot `{other}` has the same refresh token"),
                "make one bot of the two; several receivers may share a bot",
            );
        }
    }

    fn token(
        &mut self,
        name: &str,
        bot: &settings::Bot,
        sources: &Sources,
    ) -> Option<SecretSource> {
        let (file_key, env_key) = (["bots", name, "token_file"], ["bots", name, "token_env"]);
        match (&bot.token_file, &bot.token_env) {
            (Some(file), None) => {
                self.file(&file_key, file);
                Some(SecretSource::File(file.clone()))
            }
            (None, Some(variable)) => self.variable(&env_key, variable, sources),
            (None, None) => {
                if !self.noted(&file_key) && !self.noted(&env_key) {
                    self.error(
                        &["bots", name],
                        "this bot has no token",
                        "write `token_file` or `token_env` below it",
                    );
                }
                None
            }
            (Some(_), Some(_)) => {
                self.error(
                    &["bots", name],
                    "this bot has both `token_file` and `token_env`",
                    "keep one of the two",
                );
                None
            }
        }
    }

    fn variable(
        &mut self,
        path: &[&str],
        variable: &str,
        sources: &Sources,
    ) -> Option<SecretSource> {
        if let Some(value) = sources.environment.get(variable) {
            return Some(SecretSource::Variable(
                variable.to_owned(),
                value.as_str().into(),
            ));
        }
        if is_name_of_variable(variable) {
            self.error(
                path,
                format!("the environment variable {variable} is not set"),
                "set it, or use `token_file`",
            );
        } else {
            self.error(
                path,
                "this is not the name of an environment variable",
                "write the name of a variable that holds the token, such as `WEBEX_TOKEN`; \
                 the token itself does not belong into this file",
            );
        }
        None
    }
}

/// Names are shown, and a token that stands where a name should is not: names of variables
/// are capitals by custom, and what is not is short.
pub(super) fn is_name_of_variable(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty()
        && text.bytes().all(word)
        && (!could_be_a_secret(text) || text.len() <= 64 && text.bytes().all(capital))
}
