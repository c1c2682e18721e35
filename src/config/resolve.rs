//! From settings to a configuration that can be run: names become destinations, and what
//! belongs together across keys is checked.
//!
//! Parse, don't validate: whoever holds a [`Config`] need not ask again whether a bot exists.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use url::Url;

use super::layers::{Layers, Places, Sources, closest, listed};
use super::problem::{ConfigError, Problem, Severity};
use super::secret::SecretSource;
use super::settings::{self, Settings};
use crate::routing::{DEFAULT_RECEIVER, Destination, Receiver, Routes};

/// Sets the token of the one bot where no file does.
const TOKEN_VARIABLE: &str = "WEBEX_TOKEN";
/// Sets the room of the one receiver where no file does.
const ROOM_VARIABLE: &str = "WEBEX_ROOM";
/// Alertmanager ends a flush after `max(group_interval, 10s)`; answering later is a loop of
/// aborted requests.
const FLUSH: Duration = Duration::from_secs(10);
/// Longer than any id that Webex has handed out.
const MAX_ROOM_ID: usize = 512;

/// A configuration that holds together.
#[derive(Debug, Clone)]
pub struct Config {
    /// How Alertmanager reaches us.
    pub server: settings::Server,
    /// When a delivery ends and what is remembered of it.
    pub delivery: settings::Delivery,
    /// How Webex is reached.
    pub webex: Webex,
    /// Where templates come from.
    pub templates: settings::Templates,
    /// What is logged.
    pub log: settings::Log,
    /// The Webex identities, by name; never empty.
    pub bots: BTreeMap<Arc<str>, Bot>,
    /// The receivers; never empty.
    pub routes: Routes,
    /// What works, but hardly as meant.
    pub warnings: Vec<Problem>,
}

/// How Webex is reached.
#[derive(Debug, Clone)]
pub struct Webex {
    /// Where the API is; its path has no slash at the end.
    pub base_url: Url,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// Certificates to trust besides the system's.
    pub ca_file: Option<std::path::PathBuf>,
}

/// A Webex identity.
#[derive(Debug, Clone)]
pub struct Bot {
    /// Where its token comes from.
    pub token: SecretSource,
    /// A ceiling on what it posts.
    pub messages_per_minute: NonZeroU32,
    /// How many messages may go out at once before the ceiling holds them back.
    pub burst: NonZeroU32,
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
            problems,
            places,
        } = super::layers::read(sources)?;
        from_variables_alone(&mut settings, sources);
        Ok(Self {
            sources,
            settings,
            problems,
            places,
        })
    }

    /// Where templates come from.
    #[must_use]
    pub fn templates(&self) -> &settings::Templates {
        &self.settings.templates
    }

    /// Notes what is wrong with the templates.
    pub fn template_problem(&mut self, message: String) {
        let path = ["templates".to_owned(), "directory".to_owned()];
        self.problems.push(self.places.problem(&path, message, ""));
    }

    /// Judges the whole.
    ///
    /// `templates` are the known names; `None` where the templates could not be loaded,
    /// which is a problem of its own.
    ///
    /// # Errors
    /// With everything that is wrong, all at once.
    pub fn finish(self, templates: Option<&[String]>) -> Result<Config, ConfigError> {
        let mut judge = Judge {
            places: &self.places,
            problems: self.problems,
        };
        let Settings {
            server,
            delivery,
            webex,
            templates: template_settings,
            bots,
            rooms,
            receivers,
            log,
        } = self.settings;

        judge.times(&server, &delivery, &webex);
        let webex = judge.webex(webex);
        let names: Vec<Arc<str>> = bots.keys().map(|name| name.as_str().into()).collect();
        let bots = judge.bots(&bots, self.sources);
        for (name, id) in &rooms {
            judge.room_id(&["rooms", name], id);
        }
        judge.presence(&names, receivers.is_empty());
        let routes = receivers
            .iter()
            .filter_map(|(name, receiver)| {
                judge.receiver(name, receiver, &names, &rooms, templates)
            })
            .collect();

        let (errors, warnings): (Vec<_>, Vec<_>) = judge
            .problems
            .into_iter()
            .partition(|problem| problem.severity == Severity::Error);
        match webex {
            Some(webex) if errors.is_empty() => Ok(Config {
                server,
                delivery,
                webex,
                templates: template_settings,
                log,
                bots,
                routes,
                warnings,
            }),
            _ => Err(ConfigError::Invalid(errors)),
        }
    }
}

/// `WEBEX_TOKEN` and `WEBEX_ROOM` fill in what the file leaves out.
fn from_variables_alone(settings: &mut Settings, sources: &Sources) {
    if settings.bots.is_empty() && sources.environment.contains_key(TOKEN_VARIABLE) {
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
        settings.receivers.insert(
            DEFAULT_RECEIVER.to_owned(),
            settings::Receiver {
                rooms: vec![room.trim().to_owned()],
                ..settings::Receiver::default()
            },
        );
    }
}

struct Judge<'a> {
    places: &'a Places,
    problems: Vec<Problem>,
}

impl Judge<'_> {
    fn note(&mut self, severity: Severity, path: &[&str], message: impl Into<String>, hint: &str) {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        self.problems.push(Problem {
            severity,
            ..self.places.problem(&path, message.into(), hint)
        });
    }

    fn error(&mut self, path: &[&str], message: impl Into<String>, hint: &str) {
        self.note(Severity::Error, path, message, hint);
    }

    fn warn(&mut self, path: &[&str], message: impl Into<String>, hint: &str) {
        self.note(Severity::Warning, path, message, hint);
    }

    fn times(
        &mut self,
        server: &settings::Server,
        delivery: &settings::Delivery,
        webex: &settings::Webex,
    ) {
        for (path, time) in [
            (["delivery", "answer_within"], delivery.answer_within),
            (["delivery", "give_up_after"], delivery.give_up_after),
            (["webex", "request_timeout"], webex.request_timeout),
        ] {
            if time.is_zero() {
                self.error(&path, "this time is zero", "write it like `9s` or `1m 30s`");
            }
        }
        if delivery.answer_within >= FLUSH {
            self.warn(
                &["delivery", "answer_within"],
                "Alertmanager hangs up after its group_interval, which may be 10 s, \
                 and sends again at once",
                "stay below 10s, unless every group_interval is longer",
            );
        }
        if server.shutdown_grace < webex.request_timeout {
            self.warn(
                &["server", "shutdown_grace"],
                "a post that is under way may be cut off at shutdown and arrive twice",
                "make it longer than `webex.request_timeout`",
            );
        }
        if server.body_limit.as_u64() == 0 {
            self.error(
                &["server", "body_limit"],
                "no body would be read",
                "write it like `4MiB`",
            );
        }
    }

    fn webex(&mut self, webex: settings::Webex) -> Option<Webex> {
        let path = ["webex", "base_url"];
        let hint = "write it like `https://webexapis.com/v1`";
        let base_url = match Url::parse(webex.base_url.trim_end_matches('/')) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            Ok(_) => {
                self.error(&path, "this is no http or https address", hint);
                return None;
            }
            Err(_) => {
                self.error(&path, "this is no URL", hint);
                return None;
            }
        };
        if base_url.query().is_some()
            || base_url.fragment().is_some()
            || !base_url.username().is_empty()
        {
            self.error(&path, "the address holds more than host and path", hint);
            return None;
        }
        Some(Webex {
            base_url,
            request_timeout: webex.request_timeout,
            ca_file: webex.ca_file,
        })
    }

    fn bots(
        &mut self,
        bots: &BTreeMap<String, settings::Bot>,
        sources: &Sources,
    ) -> BTreeMap<Arc<str>, Bot> {
        let mut resolved = BTreeMap::new();
        for (name, bot) in bots {
            if let Some(token) = self.token(name, bot, sources) {
                let bot = Bot {
                    token,
                    messages_per_minute: bot.messages_per_minute,
                    burst: bot.burst,
                };
                resolved.insert(name.as_str().into(), bot);
            }
        }
        resolved
    }

    fn token(
        &mut self,
        name: &str,
        bot: &settings::Bot,
        sources: &Sources,
    ) -> Option<SecretSource> {
        match (&bot.token_file, &bot.token_env) {
            (Some(file), None) => Some(SecretSource::File(file.clone())),
            (None, Some(variable)) => {
                if let Some(value) = sources.environment.get(variable) {
                    Some(SecretSource::Variable(
                        variable.clone(),
                        value.as_str().into(),
                    ))
                } else {
                    self.error(
                        &["bots", name, "token_env"],
                        format!("the environment variable {variable} is not set"),
                        "set it, or use `token_file`",
                    );
                    None
                }
            }
            (None, None) => {
                self.error(
                    &["bots", name],
                    "this bot has no token",
                    "set `token_file` or `token_env`",
                );
                None
            }
            (Some(_), Some(_)) => {
                self.error(
                    &["bots", name],
                    "this bot has two tokens",
                    "keep one of `token_file` and `token_env`",
                );
                None
            }
        }
    }

    /// Without a bot or a receiver there is nothing to run.
    fn presence(&mut self, bots: &[Arc<str>], no_receivers: bool) {
        if bots.is_empty() {
            self.error(
                &["bots"],
                "there is no bot, so nothing can be posted",
                "set WEBEX_TOKEN, or write `[bots.default]` with a `token_file`",
            );
        }
        if no_receivers {
            self.error(
                &["receivers"],
                "there is no receiver, so nobody can be told",
                "set WEBEX_ROOM, or write `[receivers.default]` with `rooms`",
            );
        }
    }

    fn receiver(
        &mut self,
        name: &str,
        receiver: &settings::Receiver,
        bots: &[Arc<str>],
        rooms: &BTreeMap<String, String>,
        templates: Option<&[String]>,
    ) -> Option<Receiver> {
        self.receiver_name(name);
        let bot = self.bot_of(name, receiver, bots);
        let path = ["receivers", name, "rooms"];
        if receiver.rooms.is_empty() {
            self.error(
                &path,
                "this receiver has no room",
                "write `rooms = [\"…\"]` with names from `[rooms]` or room ids",
            );
        }
        let resolved: Vec<_> = receiver
            .rooms
            .iter()
            .enumerate()
            .filter_map(|(index, room)| {
                let index = index.to_string();
                self.room(&["receivers", name, "rooms", &index], room, rooms)
            })
            .collect();
        for (number, (_, id)) in resolved.iter().enumerate() {
            if resolved[..number].iter().any(|(_, earlier)| earlier == id) {
                self.error(
                    &path,
                    "one room stands here twice, so each message would be posted twice",
                    "name each room once",
                );
            }
        }
        if let Some(templates) = templates {
            self.template(name, &receiver.template, templates);
        }
        let bot = bot?;
        Some(Receiver {
            name: name.into(),
            destinations: resolved
                .into_iter()
                .map(|(room_name, room_id)| Destination {
                    bot: Arc::clone(&bot),
                    room_name,
                    room_id,
                })
                .collect(),
            template: receiver.template.clone(),
            bearer_token: receiver.bearer_token_file.clone().map(SecretSource::File),
            dry_run: receiver.dry_run,
        })
    }

    fn template(&mut self, receiver: &str, wanted: &str, known: &[String]) {
        if known.iter().any(|name| name == wanted) {
            return;
        }
        let near = closest(wanted, known.iter().map(String::as_str));
        let hint = near.map_or_else(
            || format!("known templates: {}", listed(known)),
            |near| format!("did you mean `{near}`?"),
        );
        self.error(
            &["receivers", receiver, "template"],
            format!("no template is named `{wanted}`"),
            &hint,
        );
    }

    /// The name stands in a URL path.
    fn receiver_name(&mut self, name: &str) {
        let strange = name.is_empty()
            || name != name.trim_matches('/')
            || name
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || "?#%\\".contains(c));
        if strange {
            self.error(
                &["receivers", name],
                "this name cannot stand in a URL path",
                "use letters, digits, `-`, `_`, `.` and `/` inside",
            );
        }
    }

    fn bot_of(
        &mut self,
        name: &str,
        receiver: &settings::Receiver,
        bots: &[Arc<str>],
    ) -> Option<Arc<str>> {
        match (&receiver.bot, bots) {
            (None, [only]) => Some(Arc::clone(only)),
            (None, []) => None, // That there is no bot at all is said once.
            (None, _) => {
                self.error(
                    &["receivers", name],
                    "it is not said which bot posts, and there are several",
                    &format!("write `bot = \"…\"` with one of {}", listed(bots)),
                );
                None
            }
            (Some(wanted), _) => {
                let found = bots.iter().find(|bot| bot.as_ref() == wanted).cloned();
                if found.is_none() {
                    let near = closest(wanted, bots.iter().map(AsRef::as_ref));
                    let hint = near.map_or_else(
                        || format!("write `[bots.{wanted}]`, or name one of {}", listed(bots)),
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.error(
                        &["receivers", name, "bot"],
                        format!("no bot is named `{wanted}`"),
                        &hint,
                    );
                }
                found
            }
        }
    }

    /// A room's name for people, and its id.
    fn room(
        &mut self,
        path: &[&str],
        written: &str,
        rooms: &BTreeMap<String, String>,
    ) -> Option<(Arc<str>, Arc<str>)> {
        if let Some(id) = rooms.get(written) {
            return Some((written.into(), id.as_str().into()));
        }
        let near = closest(written, rooms.keys().map(String::as_str));
        if looks_like_an_id(written) && near.is_none() {
            self.room_id(path, written);
            return Some((written.into(), written.into()));
        }
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if rooms.is_empty() => {
                "write its id, or give it a name under `[rooms]`".to_owned()
            }
            None => format!(
                "known rooms: {}; a room id is taken as well",
                listed(&rooms.keys().collect::<Vec<_>>())
            ),
        };
        self.error(path, format!("no room is named `{written}`"), &hint);
        None
    }

    /// Ids are opaque to us: only what can never be one is refused.
    fn room_id(&mut self, path: &[&str], id: &str) {
        let plausible = !id.is_empty()
            && id.len() <= MAX_ROOM_ID
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-+/=".contains(&byte));
        if !plausible {
            self.error(
                path,
                "this is no Webex room id",
                "copy the id from the Webex API (`GET /rooms`); it looks like `Y2lzY29zcGFyazovL3VzL1JPT00v…`",
            );
        } else if let Some(kind) = kind_of_id(id).filter(|kind| kind != "ROOM") {
            self.warn(
                path,
                format!("this is the id of a {kind}, not of a ROOM"),
                "copy the id of the room itself",
            );
        }
    }
}

/// Names are short words; ids are long or UUIDs.
fn looks_like_an_id(text: &str) -> bool {
    text.len() >= 32
}

/// What Webex's id stands for, where it can be told: ids are unpadded base64 of
/// `ciscospark://<cluster>/<TYPE>/<key>`, and Webex itself hands out some that are not
/// canonical.
fn kind_of_id(id: &str) -> Option<String> {
    use base64::alphabet::{STANDARD, URL_SAFE};
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let forgiving = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = [STANDARD, URL_SAFE].iter().find_map(|alphabet| {
        GeneralPurpose::new(alphabet, forgiving)
            .decode(id)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    })?;
    let mut parts = decoded.strip_prefix("ciscospark://")?.split('/');
    parts.next()?;
    let kind = parts.next()?;
    let told = !kind.is_empty()
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    told.then(|| kind.to_owned())
}
