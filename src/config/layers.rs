//! From file and environment to typed settings, with every problem found on the way.
//!
//! The layers are the built-in defaults, the file, then variables such as
//! `ALERTMANAGER_WEBEX__SERVER__LISTEN`. Serde stops at the first wrong value, and whoever
//! mends a configuration wants them all: so a value that cannot be read is noted, taken
//! out, and the rest is read again.
//!
//! What does not belong here: whether the settings make sense together (`resolve`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use config::{ConfigError as Fault, Environment, File, FileFormat, Source, Value, ValueKind};
use serde_path_to_error::Segment;

use super::expected::expected;
use super::places::{Places, written};
use super::problem::{ConfigError, Place, Problem, Severity};
use super::rooms::RoomFile;
use super::settings::{BasicAuth, Bot, Mention, Receiver, Rewrite, RoomFrom, Settings, Webhook};

/// Variables that set a key begin with this; two underscores stand for a dot.
pub(super) const PREFIX: &str = "ALERTMANAGER_WEBEX";
/// Tables whose entries the author names. A variable would lose the name's case.
pub(super) const NAMED: [&str; 4] = ["bots", "rooms", "webhooks", "receivers"];

/// Where a configuration comes from. Holds secrets from the environment, which `Debug` does
/// not show.
#[derive(Clone, Default)]
pub struct Sources {
    /// The TOML file, if there is one.
    pub file: Option<PathBuf>,
    /// The process's environment, or what stands for it in a test.
    pub environment: BTreeMap<String, String>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Sources {
    /// The file, if one is given, and this process's environment. Variables that are no
    /// text are left out: none of ours can be one.
    #[must_use]
    pub fn new(file: Option<PathBuf>) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { file, environment }
    }
}

/// Settings as far as they could be read, and what was wrong with the rest.
pub(super) struct Layers {
    pub(super) settings: Settings,
    pub(super) problems: Vec<Problem>,
    pub(super) places: Places,
}

/// Reads all layers.
///
/// # Errors
/// When the file cannot be read or is no TOML; then nothing more can be said about it.
pub(super) fn read(sources: &Sources) -> Result<Layers, ConfigError> {
    let text = match &sources.file {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.clone(),
            source,
        })?,
    };
    read_text(sources, &text)
}

/// As [`read`], where the file holds this.
///
/// # Errors
/// When that is no TOML.
pub(super) fn read_text(sources: &Sources, text: &str) -> Result<Layers, ConfigError> {
    let places = Places::new(sources, text)?;
    let mut problems = named_variables(sources);
    // The file was parsed above, so what is left is what the `config` crate alone refuses.
    let tree = layered(sources, text).map_err(|_| {
        let message = "file and environment cannot be put together".to_owned();
        let hint = "try with the file alone, then with one variable after the other";
        ConfigError::Invalid(vec![places.problem(&[], message, hint)])
    })?;
    let settings = typed(tree, &places, &mut problems);
    Ok(Layers {
        settings,
        problems,
        places,
    })
}

fn layered(sources: &Sources, text: &str) -> Result<Value, Fault> {
    let variables = sources
        .environment
        .iter()
        .filter(|(name, _)| !sets_named(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let table = config::Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .add_source(
            Environment::with_prefix(PREFIX)
                .prefix_separator("__")
                .separator("__")
                .source(Some(variables)),
        )
        .build()?
        .collect()?;
    Ok(Value::new(None, ValueKind::Table(table)))
}

/// Whether a variable tries to set an entry of a table whose entries the author names.
pub(super) fn sets_named(variable: &str) -> bool {
    NAMED.iter().any(|table| {
        variable
            .to_ascii_lowercase()
            .starts_with(&format!("{PREFIX}__{table}__").to_ascii_lowercase())
    })
}

fn named_variables(sources: &Sources) -> Vec<Problem> {
    sources
        .environment
        .keys()
        .filter(|name| sets_named(name))
        .map(|name| Problem {
            severity: Severity::Error,
            key: String::new(),
            place: Place::Variable(name.clone()),
            message: "a variable cannot set an entry of `bots`, `rooms` or `receivers`".to_owned(),
            hint: "names lose their case in the environment; write the entry into the file"
                .to_owned(),
        })
        .collect()
}

/// Reads the tree into settings; each turn of the loop takes out one value that does not fit.
fn typed(mut tree: Value, places: &Places, problems: &mut Vec<Problem>) -> Settings {
    loop {
        let mut unknown = Vec::new();
        let mut note = |path: serde_ignored::Path<'_>| unknown.push(segments_of(&path));
        let ignoring = serde_ignored::Deserializer::new(tree.clone(), &mut note);
        let fault = match serde_path_to_error::deserialize(ignoring) {
            Ok(settings) => {
                problems.extend(unknown.iter().map(|path| unknown_key(path, places)));
                return settings;
            }
            Err(fault) => fault,
        };
        let path: Vec<String> = fault
            .path()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Map { key } => Some(key.clone()),
                Segment::Seq { index } => Some(index.to_string()),
                Segment::Enum { .. } | Segment::Unknown => None,
            })
            .collect();
        let removed = remove(&mut tree, &path);
        problems.push(misfit(&path, removed.as_ref(), places));
        if removed.is_none() {
            // Nothing more can be learned, and the problem that is noted refuses the file.
            return Settings::default();
        }
    }
}

fn segments_of(path: &serde_ignored::Path<'_>) -> Vec<String> {
    use serde_ignored::Path as Ignored;
    match path {
        Ignored::Root => Vec::new(),
        Ignored::Seq { parent, index } => joined(segments_of(parent), index.to_string()),
        Ignored::Map { parent, key } => joined(segments_of(parent), key.clone()),
        Ignored::Some { parent }
        | Ignored::NewtypeStruct { parent }
        | Ignored::NewtypeVariant { parent } => segments_of(parent),
    }
}

fn joined(mut path: Vec<String>, last: String) -> Vec<String> {
    path.push(last);
    path
}

/// Takes a value out of the tree, if it is there.
fn remove(tree: &mut Value, path: &[String]) -> Option<Value> {
    match (path, &mut tree.kind) {
        ([last], ValueKind::Table(table)) => table.remove(last),
        ([first, rest @ ..], ValueKind::Table(table)) => remove(table.get_mut(first)?, rest),
        ([last], ValueKind::Array(array)) => {
            let index = last.parse().ok().filter(|index| *index < array.len())?;
            Some(array.remove(index))
        }
        ([first, rest @ ..], ValueKind::Array(array)) => {
            remove(array.get_mut(first.parse::<usize>().ok()?)?, rest)
        }
        _ => None,
    }
}

/// A value that its key does not take.
fn misfit(path: &[String], value: Option<&Value>, places: &Places) -> Problem {
    let expected = expected(path);
    let in_variable = matches!(places.of(path), Place::Variable(_));
    places.problem(
        path,
        expected.misfit(value.map(|value| &value.kind), in_variable),
        &expected.hint(in_variable),
    )
}

fn unknown_key(path: &[String], places: &Places) -> Problem {
    let (table, key) = path.split_at(path.len().saturating_sub(1));
    let known = known_keys(table);
    let home = home_of(&key.concat());
    let near = closest(key.concat().as_str(), known.iter().map(String::as_str));
    let hint = match (near, places.of(path)) {
        (None, Place::File(..)) if home.is_some() => {
            format!("write it below `[{}]`", home.unwrap_or_default())
        }
        (Some(near), Place::Variable(_)) => {
            let whole = [&[PREFIX.to_owned()], table, &[near.to_owned()]].concat();
            format!("did you mean {}?", whole.join("__").to_uppercase())
        }
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, _) if known.is_empty() => "nothing can stand below it; remove it".to_owned(),
        (None, _) if table.is_empty() => format!("known sections: {}", listed(&known)),
        (None, _) => format!("known in `[{}]`: {}", written(table), listed(&known)),
    };
    places.problem(path, "this key is unknown".to_owned(), &hint)
}

/// The section that a key belongs to, where it stands in another.
fn home_of(key: &str) -> Option<&'static str> {
    const SECTIONS: [(&str, &[&str]); 13] = [
        ("server", &["server"]),
        ("server.tls", &["server", "tls"]),
        ("delivery", &["delivery"]),
        ("webex", &["webex"]),
        ("templates", &["templates"]),
        ("links", &["links"]),
        ("bots.NAME", &["bots", "NAME"]),
        ("rooms.NAME", &["rooms", "NAME"]),
        ("webhooks.NAME", &["webhooks", "NAME"]),
        ("receivers.NAME", &["receivers", "NAME"]),
        ("receivers.NAME.mention", &["receivers", "NAME", "mention"]),
        (
            "receivers.NAME.room_from",
            &["receivers", "NAME", "room_from"],
        ),
        ("log", &["log"]),
    ];
    let holds = |path: &[&str]| {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        known_keys(&path).iter().any(|known| known == key)
    };
    let mut homes = SECTIONS.iter().filter(|(_, path)| holds(path));
    homes.next().map(|(section, _)| *section)
}

/// The keys that a table may hold, told from the defaults.
fn known_keys(table: &[String]) -> Vec<String> {
    let keys = |value: Result<serde_json::Value, _>| -> Vec<String> {
        match value {
            Ok(serde_json::Value::Object(map)) => map.keys().cloned().collect(),
            _ => Vec::new(),
        }
    };
    match table.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bots", _] => keys(serde_json::to_value(Bot::default())),
        ["rooms", _] => keys(serde_json::to_value(RoomFile::default())),
        ["webhooks", _] => keys(serde_json::to_value(Webhook::default())),
        ["receivers", _] => keys(serde_json::to_value(Receiver::default())),
        ["receivers", _, "basic_auth", _] => keys(serde_json::to_value(BasicAuth::default())),
        ["receivers", _, "mention"] => keys(serde_json::to_value(Mention::default())),
        ["receivers", _, "room_from"] => keys(serde_json::to_value(RoomFrom::default())),
        ["links", "rewrite", _] => keys(serde_json::to_value(Rewrite::default())),
        ref path => {
            let mut table = serde_json::to_value(Settings::default()).unwrap_or_default();
            for key in path {
                table = table
                    .get_mut(key)
                    .map(serde_json::Value::take)
                    .unwrap_or_default();
            }
            keys(Ok::<_, serde_json::Error>(table))
        }
    }
}

/// The name that was probably meant.
pub(super) fn closest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(written, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// Names for a hint: `` `a`, `b` ``.
pub(super) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    quoted.join(", ")
}
