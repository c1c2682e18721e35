//! From settings to a configuration that can be run: names become destinations, and what
//! belongs together across keys is checked.
//!
//! Parse, don't validate: whoever holds a [`Config`] need not ask again whether a bot exists.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::files::{self, Files, Seen};
use super::identity::Identity;
use super::judge::Judge;
use super::layers::{Layers, Sources};
use super::messages;
use super::outline::Outline;
use super::places::Places;
use super::problem::{ConfigError, Problem, Severity};
use super::receivers::Known;
use super::settings::{self, Settings};
use super::variables;
use super::webex::Webex;
use super::webhooks::needs_bot;
use crate::render;
use crate::routing::{Routes, Target};

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
    /// Files with ids of rooms that are not to be had here. What runs needs them; what only
    /// looks at the configuration does not.
    pub absent: Vec<Problem>,
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
    /// What the configuration held just before it was read.
    before: Seen,
}

impl<'a> Draft<'a> {
    /// Reads file and environment.
    ///
    /// # Errors
    /// When the file cannot be read or is no TOML. Anything else is told by [`Self::finish`].
    pub fn read(sources: &'a Sources) -> Result<Self, ConfigError> {
        let config = Files {
            config: sources.file.clone(),
            ..Files::default()
        };
        let before = config.look();
        Ok(Self::of(sources, super::layers::read(sources)?, before))
    }

    pub(super) fn of(sources: &'a Sources, layers: Layers, before: Seen) -> Self {
        let Layers {
            mut settings,
            mut problems,
            mut places,
        } = layers;
        problems.extend(variables::fill_in(&mut settings, sources, &mut places));
        problems.extend(variables::without_effect(&settings, sources));
        Self {
            sources,
            settings,
            problems,
            places,
            before,
        }
    }

    /// What the configuration held before it was read, and what the files that it names hold
    /// now, before they are. So what is written while all of it is read counts as a change at
    /// the next look, and is not taken for read.
    #[must_use]
    pub fn seen(&self) -> Seen {
        let files = Files::of(self.sources.file.as_deref(), &self.settings);
        files.look().with_config_of(&self.before)
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

    /// Where the service listens; and how it cannot be told, if so.
    ///
    /// # Errors
    /// With what is wrong in `[server]`; the rest is not looked at.
    pub fn server(self) -> Result<settings::Server, ConfigError> {
        let mut problems = self.problems;
        problems.retain(|problem| {
            problem.severity == Severity::Error
                && (problem.key == "server" || problem.key.starts_with("server."))
        });
        if problems.is_empty() {
            Ok(self.settings.server)
        } else {
            Err(ConfigError::Invalid(problems))
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
        let (rooms, absent) = judge.rooms(&rooms);
        let base_url = webex.as_ref().map(|webex| &webex.base_url);
        let webhook_names: Vec<Arc<str>> =
            webhooks.keys().map(|name| name.as_str().into()).collect();
        let webhooks = judge.webhooks(&webhooks, self.sources, base_url, allow_http);
        let wants_bot = webhook_names.is_empty() || receivers.values().any(needs_bot);
        judge.presence(names.is_empty() && wants_bot, receivers.is_empty());
        let by_name = rooms.iter().filter_map(|(name, id)| {
            Some((name.as_str().into(), Target::Room(Arc::clone(id.as_ref()?))))
        });
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
                absent,
            }),
            _ => Err(ConfigError::Invalid(errors)),
        }
    }
}
