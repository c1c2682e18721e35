//! From settings to a configuration that can be run: names become destinations, and what
//! belongs together across keys is checked.
//!
//! Parse, don't validate: whoever holds a [`Config`] need not ask again whether a bot exists.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

use super::expected::expected;
use super::files::{self, Files};
use super::identity::Identity;
use super::judge::Judge;
use super::layers::{Layers, Sources};
use super::messages;
use super::outline::Outline;
use super::places::Places;
use super::problem::{ConfigError, Place, Problem, Severity};
use super::receivers::Known;
use super::settings::{self, Settings};
use super::webex::Webex;
use super::webhooks::needs_bot;
use crate::render;
use crate::routing::{DEFAULT_RECEIVER, Routes, Target};

/// Sets the token of the one bot where no file does.
const TOKEN_VARIABLE: &str = "WEBEX_TOKEN";
/// Sets the room of the one receiver where no file does.
const ROOM_VARIABLE: &str = "WEBEX_ROOM";
/// Says for the same receiver what becomes of later notifications of a group.
const CONVERSATION_VARIABLE: &str = "WEBEX_CONVERSATION";

/// A configuration that holds together.
#[derive(Debug, Clone)]
pub struct Config {
    /// How Alertmanager reaches us.
    pub server: settings::Server,
    /// When a delivery ends and what is remembered of it.
    pub delivery: settings::Delivery,
    /// How Webex is reached.
    pub webex: Webex,
    /// What is logged.
    pub log: settings::Log,
    /// The Webex identities, by name. There is one, or a webhook.
    pub bots: BTreeMap<Arc<str>, Bot>,
    /// The incoming webhooks, each as the bot of its own that it is to the engine.
    pub webhooks: BTreeMap<Arc<str>, Bot>,
    /// The receivers; never empty.
    pub routes: Routes,
    /// The files that all of this was read from.
    pub files: Files,
    /// What it says, to be told apart from another.
    pub outline: Outline,
    /// What works, but hardly as meant.
    pub warnings: Vec<Problem>,
}

/// A Webex identity.
#[derive(Debug, Clone)]
pub struct Bot {
    /// Where its token comes from.
    pub identity: Identity,
    /// A ceiling on what it posts.
    pub messages_per_minute: NonZeroU32,
    /// How many messages may go out at once before the ceiling holds them back.
    pub burst: NonZeroU32,
    /// A ceiling for each room on its own.
    pub room_messages_per_minute: Option<NonZeroU32>,
}

/// Settings that were read but not yet judged: the templates must be loaded first, so that
/// a receiver's template can be looked up with everything else.
pub struct Draft<'a> {
    sources: &'a Sources,
    settings: Settings,
    problems: Vec<Problem>,
    places: Places,
}

impl<'a> Draft<'a> {
    /// Reads file and environment.
    ///
    /// # Errors
    /// When the file cannot be read or is no TOML. Anything else is told by [`Self::finish`].
    pub fn read(sources: &'a Sources) -> Result<Self, ConfigError> {
        let Layers {
            mut settings,
            mut problems,
            mut places,
        } = super::layers::read(sources)?;
        problems.extend(from_variables_alone(&mut settings, sources, &mut places));
        problems.extend(without_effect(&settings, sources));
        Ok(Self {
            sources,
            settings,
            problems,
            places,
        })
    }

    /// What the templates need. What is wrong with it is told by [`Self::finish`].
    #[must_use]
    pub fn render_options(&self) -> render::Options {
        render::Options {
            directory: self.settings.templates.directory.clone(),
            files: Vec::new(),
            sources: Vec::new(),
            timezone: messages::timezone(&self.settings.templates.timezone)
                .unwrap_or(TimeZone::UTC),
            links: messages::rewrites(&self.settings.links),
        }
    }

    /// Notes what is wrong with the templates as a whole.
    pub fn template_problem(&mut self, message: String) {
        let path = ["templates", "directory"].map(str::to_owned);
        self.problems.push(self.places.problem(&path, message, ""));
    }

    /// Notes what is wrong with one template.
    pub fn broken_template(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Judges the whole.
    ///
    /// `templates` are the known names; `None` where the templates could not be loaded,
    /// which is a problem of its own.
    ///
    /// # Errors
    /// With everything that is wrong, all at once.
    pub fn finish(self, templates: Option<&[String]>) -> Result<Config, ConfigError> {
        let mut judge = Judge::new(&self.places, self.problems);
        let files = Files::of(self.sources.file.as_deref(), &self.settings);
        let outline = Outline::new(&self.settings);
        let exposed = files::exposed(&self.settings);
        let Settings {
            server,
            delivery,
            webex,
            templates: template_settings,
            links,
            bots,
            rooms,
            webhooks,
            receivers,
            log,
        } = self.settings;

        for (path, file) in exposed {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            judge.warn(
                &path,
                "every user of this machine can read this secret",
                &format!("run `chmod o= {}`", file.display()),
            );
        }
        judge.limits(&server, &delivery);
        judge.times(&server, &delivery, &webex);
        judge.doors(&server, &receivers);
        judge.log(&log);
        judge.timezone(&template_settings.timezone);
        judge.links(&links);
        let allow_http = webex.allow_http;
        let webex = judge.webex(webex, self.sources);
        let names: Vec<Arc<str>> = bots.keys().map(|name| name.as_str().into()).collect();
        let bots = judge.bots(&bots, self.sources);
        for (name, id) in &rooms {
            judge.room_id(&["rooms", name], id);
        }
        let base_url = webex.as_ref().map(|webex| &webex.base_url);
        let webhook_names: Vec<Arc<str>> =
            webhooks.keys().map(|name| name.as_str().into()).collect();
        let webhooks = judge.webhooks(&webhooks, self.sources, base_url, allow_http);
        let wants_bot = webhook_names.is_empty() || receivers.values().any(needs_bot);
        judge.presence(names.is_empty() && wants_bot, receivers.is_empty());
        let by_name = rooms
            .iter()
            .map(|(name, id)| (name.as_str().into(), Target::Room(id.as_str().into())));
        let known = Known {
            bots: &names,
            rooms: &rooms,
            webhooks: &webhook_names,
            named: &Arc::new(by_name.collect()),
            templates,
        };
        let routes = receivers
            .iter()
            .filter_map(|(name, receiver)| judge.receiver(name, receiver, &known))
            .collect();

        let (errors, warnings): (Vec<_>, Vec<_>) = judge
            .problems()
            .into_iter()
            .partition(|problem| problem.severity == Severity::Error);
        match webex {
            Some(webex) if errors.is_empty() => Ok(Config {
                server,
                delivery,
                webex,
                log,
                bots,
                webhooks,
                routes,
                files,
                outline,
                warnings,
            }),
            _ => Err(ConfigError::Invalid(errors)),
        }
    }
}

/// `WEBEX_TOKEN` and `WEBEX_ROOM` fill in what the file leaves out.
/// `WEBEX_CONVERSATION` goes with the latter.
fn from_variables_alone(
    settings: &mut Settings,
    sources: &Sources,
    places: &mut Places,
) -> Option<Problem> {
    let mut problem = None;
    if settings.bots.is_empty() && sources.environment.contains_key(TOKEN_VARIABLE) {
        places.set_by(&["bots", DEFAULT_RECEIVER], TOKEN_VARIABLE);
        settings.bots.insert(
            DEFAULT_RECEIVER.to_owned(),
            settings::Bot {
                token_env: Some(TOKEN_VARIABLE.to_owned()),
                ..settings::Bot::default()
            },
        );
    }
    if settings.receivers.is_empty()
        && let Some(room) = sources.environment.get(ROOM_VARIABLE)
    {
        places.set_by(&["receivers", DEFAULT_RECEIVER], ROOM_VARIABLE);
        let conversation = conversation(sources).unwrap_or_else(|| {
            problem = Some(no_conversation());
            settings::Conversation::New
        });
        settings.receivers.insert(
            DEFAULT_RECEIVER.to_owned(),
            settings::Receiver {
                rooms: vec![room.trim().to_owned()],
                conversation,
                ..settings::Receiver::default()
            },
        );
    }
    problem
}

/// What [`CONVERSATION_VARIABLE`] says; nothing where that is no conversation.
fn conversation(sources: &Sources) -> Option<settings::Conversation> {
    let Some(written) = sources.environment.get(CONVERSATION_VARIABLE) else {
        return Some(settings::Conversation::New);
    };
    let written: StrDeserializer<'_, ValueError> = written.trim().into_deserializer();
    settings::Conversation::deserialize(written).ok()
}

fn no_conversation() -> Problem {
    let key = ["receivers", DEFAULT_RECEIVER, "conversation"].map(str::to_owned);
    let expected = expected(&key);
    Problem {
        severity: Severity::Error,
        key: String::new(),
        place: Place::Variable(CONVERSATION_VARIABLE.to_owned()),
        message: expected.misfit(None, true),
        hint: expected.hint(true),
    }
}

/// A variable that the file makes useless: whoever set it will look for its effect.
fn without_effect(settings: &Settings, sources: &Sources) -> Vec<Problem> {
    let mut tokens = settings.bots.values().map(|bot| &bot.token_env);
    let uses_token = tokens.any(|name| name.as_deref() == Some(TOKEN_VARIABLE));
    let uses_room = |room: &String| {
        let mut receivers = settings.receivers.values();
        receivers.any(|receiver| receiver.rooms.iter().any(|name| name == room.trim()))
    };
    let room = sources.environment.get(ROOM_VARIABLE);
    let token = sources.environment.get(TOKEN_VARIABLE);
    let conversation = sources.environment.get(CONVERSATION_VARIABLE);
    [
        (TOKEN_VARIABLE, "bots", token.is_some() && !uses_token),
        (
            ROOM_VARIABLE,
            "receivers",
            room.is_some_and(|room| !uses_room(room)),
        ),
        (
            CONVERSATION_VARIABLE,
            "receivers",
            conversation.is_some() && !room.is_some_and(uses_room),
        ),
    ]
    .into_iter()
    .filter(|(_, _, unused)| *unused)
    .map(|(variable, table, _)| Problem {
        severity: Severity::Warning,
        key: String::new(),
        place: Place::Variable(variable.to_owned()),
        message: format!("this has no effect, because the file has `{table}` of its own"),
        hint: "unset it, or remove those from the file".to_owned(),
    })
    .collect()
}
