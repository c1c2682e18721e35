//! From file and environment to typed settings, with every problem found on the way.
//!
//! The layers are the built-in defaults, the file, then variables such as
//! `ALERTMANAGER_WEBEX__SERVER__LISTEN`. Serde stops at the first wrong value, and whoever
//! mends a configuration wants them all: so a value that cannot be read is noted, taken
//! out, and the rest is read again.
//!
//! What does not belong here: whether the settings make sense together (`resolve`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{ConfigError as Fault, Environment, File, FileFormat, Source, Value, ValueKind};
use serde_path_to_error::Segment;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{ConfigError, Place, Problem, Severity};
use super::settings::{Bot, Receiver, Settings};

/// Variables that set a key begin with this; two underscores stand for a dot.
const PREFIX: &str = "ALERTMANAGER_WEBEX";
/// Tables whose entries the author names. A variable would lose the name's case.
const NAMED: [&str; 3] = ["bots", "rooms", "receivers"];

/// Where a configuration comes from. Holds secrets from the environment, so it has no
/// `Debug`.
#[derive(Default)]
pub struct Sources {
    /// The TOML file, if there is one.
    pub file: Option<PathBuf>,
    /// The process's environment, or what stands for it in a test.
    pub environment: BTreeMap<String, String>,
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
    let places = Places::new(sources, &text)?;
    let mut problems = named_variables(sources);
    let tree = layered(sources, &text)
        .map_err(|fault| ConfigError::Invalid(vec![places.problem(&[], reason(&fault), "")]))?;
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
fn sets_named(variable: &str) -> bool {
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
                problems.extend(unknown.into_iter().map(|path| unknown_key(&path, places)));
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
        problems.push(places.problem(&path, reason(fault.inner()), ""));
        if !removed {
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

/// Takes a value out of the tree; says whether it was there.
fn remove(tree: &mut Value, path: &[String]) -> bool {
    match (path, &mut tree.kind) {
        ([last], ValueKind::Table(table)) => table.remove(last).is_some(),
        ([first, rest @ ..], ValueKind::Table(table)) => table
            .get_mut(first)
            .is_some_and(|value| remove(value, rest)),
        ([first, rest @ ..], ValueKind::Array(array)) => {
            let Some(index) = first.parse().ok().filter(|index| *index < array.len()) else {
                return false;
            };
            if rest.is_empty() {
                array.remove(index);
                true
            } else {
                remove(&mut array[index], rest)
            }
        }
        _ => false,
    }
}

fn unknown_key(path: &[String], places: &Places) -> Problem {
    let known = known_keys(&path[..path.len().saturating_sub(1)]);
    let written = path.last().map_or("", String::as_str);
    let hint = closest(written, known.iter().map(String::as_str)).map_or_else(
        || format!("known here: {}", listed(&known)),
        |near| format!("did you mean `{near}`?"),
    );
    places.problem(path, "this key is unknown".to_owned(), &hint)
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
        ["receivers", _] => keys(serde_json::to_value(Receiver::default())),
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

/// Says what is wrong with a value without repeating it.
fn reason(fault: &Fault) -> String {
    use config::ConfigError::{At, Message, Type};
    match fault {
        At { error, .. } => reason(error),
        Type {
            unexpected,
            expected,
            ..
        } => {
            // It is shown as a kind and a value: "string \"…\"", "floating point `…`".
            let found = unexpected.to_string();
            let kind = found.split(['`', '"']).next().unwrap_or_default().trim();
            format!("expected {expected}, found a {kind}")
        }
        Message(text) => text.clone(),
        _ => "this cannot be read".to_owned(),
    }
}

/// Knows where each key stands.
pub(super) struct Places {
    file: Option<PathBuf>,
    lines: BTreeMap<Vec<String>, usize>,
    variables: BTreeMap<Vec<String>, String>,
}

impl Places {
    fn new(sources: &Sources, text: &str) -> Result<Self, ConfigError> {
        let (table, faults) = DeTable::parse_recoverable(text);
        if let Some(path) = sources.file.as_deref().filter(|_| !faults.is_empty()) {
            return Err(ConfigError::Invalid(
                faults
                    .iter()
                    .map(|fault| not_toml(path, text, fault))
                    .collect(),
            ));
        }
        let mut lines = BTreeMap::new();
        note_lines(text, &table.into_inner(), &mut Vec::new(), &mut lines);
        let variables = sources
            .environment
            .keys()
            .filter_map(|name| {
                let key = name.strip_prefix(PREFIX)?.strip_prefix("__")?;
                let path = key.to_lowercase().split("__").map(str::to_owned).collect();
                Some((path, name.clone()))
            })
            .collect();
        Ok(Self {
            file: sources.file.clone(),
            lines,
            variables,
        })
    }

    /// The place of a key, or of the nearest table above it that stands somewhere.
    pub(super) fn of(&self, path: &[String]) -> Place {
        if let Some(name) = self.variables.get(path) {
            return Place::Variable(name.clone());
        }
        let line = (0..=path.len())
            .rev()
            .find_map(|length| self.lines.get(&path[..length]).copied());
        match &self.file {
            Some(file) => Place::File(file.clone(), line),
            None => Place::Nowhere,
        }
    }

    /// An error at a key.
    pub(super) fn problem(&self, path: &[String], message: String, hint: &str) -> Problem {
        Problem {
            severity: Severity::Error,
            place: self.of(path),
            key: path.join("."),
            message,
            hint: hint.to_owned(),
        }
    }
}

fn note_lines(
    text: &str,
    table: &DeTable<'_>,
    path: &mut Vec<String>,
    lines: &mut BTreeMap<Vec<String>, usize>,
) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        lines.insert(path.clone(), line_of(text, key.span().start));
        note_value(text, value, path, lines);
        path.pop();
    }
}

fn note_value(
    text: &str,
    value: &Spanned<DeValue<'_>>,
    path: &mut Vec<String>,
    lines: &mut BTreeMap<Vec<String>, usize>,
) {
    match value.get_ref() {
        DeValue::Table(table) => note_lines(text, table, path, lines),
        DeValue::Array(array) => {
            for (index, element) in array.iter().enumerate() {
                path.push(index.to_string());
                lines.insert(path.clone(), line_of(text, element.span().start));
                note_value(text, element, path, lines);
                path.pop();
            }
        }
        _ => {}
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
}

/// A syntax error. The line itself is not shown: a token may stand on it.
fn not_toml(path: &Path, text: &str, fault: &toml::de::Error) -> Problem {
    Problem {
        severity: Severity::Error,
        key: String::new(),
        place: Place::File(
            path.to_owned(),
            fault.span().map(|span| line_of(text, span.start)),
        ),
        message: format!("this is not TOML: {}", fault.message().replace('\n', ", ")),
        hint: "text stands in quotes, as in `listen = \"0.0.0.0:9091\"`".to_owned(),
    }
}
