//! Where each key stands, so that whoever mends the configuration need not search.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layers::{PREFIX, Sources, sets_named};
use super::problem::{ConfigError, Place, Problem, Severity};

/// Knows where each key stands.
pub(super) struct Places {
    file: Option<PathBuf>,
    lines: BTreeMap<Vec<String>, usize>,
    variables: BTreeMap<Vec<String>, String>,
}

impl Places {
    /// Reads where things stand.
    ///
    /// # Errors
    /// When the file is no TOML; with each line that is not.
    pub(super) fn new(sources: &Sources, text: &str) -> Result<Self, ConfigError> {
        let (table, faults) = DeTable::parse_recoverable(text);
        if let Some(path) = sources.file.as_deref().filter(|_| !faults.is_empty()) {
            let mut problems: Vec<_> = faults
                .iter()
                .map(|fault| not_toml(path, text, fault))
                .collect();
            problems.sort_by_key(Problem::line);
            // One slip leads the parser to several on its line.
            problems.dedup_by_key(|problem| problem.line());
            return Err(ConfigError::Invalid(problems));
        }
        let mut lines = BTreeMap::new();
        let breaks = Breaks::of(text);
        note_lines(&breaks, &table.into_inner(), &mut Vec::new(), &mut lines);
        let variables = sources
            .environment
            .keys()
            .filter(|name| !sets_named(name))
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

    /// This key was not in the file: that variable has set it.
    pub(super) fn set_by(&mut self, path: &[&str], variable: &str) {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        self.variables.insert(path, variable.to_owned());
    }

    /// The place of a key, or of the nearest table above it that stands somewhere.
    pub(super) fn of(&self, path: &[String]) -> Place {
        for length in (1..=path.len()).rev() {
            let path = &path[..length];
            if let Some(name) = self.variables.get(path) {
                return Place::Variable(name.clone());
            }
            if let (Some(file), Some(line)) = (&self.file, self.lines.get(path)) {
                return Place::File(file.clone(), Some(*line));
            }
        }
        match &self.file {
            Some(file) => Place::File(file.clone(), None),
            None => Place::Nowhere,
        }
    }

    /// An error at a key.
    pub(super) fn problem(&self, path: &[String], message: String, hint: &str) -> Problem {
        Problem {
            severity: Severity::Error,
            place: self.of(path),
            key: written(path),
            message,
            hint: hint.to_owned(),
        }
    }
}

/// A path as it is written in TOML: a name that is no bare key stands in quotes. Which of
/// several in a list is meant is said by the line.
pub(super) fn written<S: AsRef<str>>(path: &[S]) -> String {
    let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    let path = match path[..] {
        [
            "receivers",
            _,
            "rooms" | "people" | "webhooks" | "namespaces" | "basic_auth" | "client_subjects",
            _,
        ] => path[..3].to_vec(),
        ["receivers", name, "basic_auth", _, key] => vec!["receivers", name, "basic_auth", key],
        ["receivers", _, "mention" | "room_from", _, _] => path[..4].to_vec(),
        ["links", "rewrite", _] => path[..2].to_vec(),
        ["links", "rewrite", _, key] => vec!["links", "rewrite", key],
        _ => path,
    };
    let bare = |key: &str| {
        let in_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !key.is_empty() && key.bytes().all(in_bare)
    };
    let keys: Vec<String> = path
        .iter()
        .map(|key| {
            if bare(key) {
                (*key).to_owned()
            } else {
                format!("{key:?}")
            }
        })
        .collect();
    keys.join(".")
}

fn note_lines(
    breaks: &Breaks,
    table: &DeTable<'_>,
    path: &mut Vec<String>,
    lines: &mut BTreeMap<Vec<String>, usize>,
) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        lines.insert(path.clone(), breaks.line_of(key.span().start));
        note_value(breaks, value, path, lines);
        path.pop();
    }
}

fn note_value(
    breaks: &Breaks,
    value: &Spanned<DeValue<'_>>,
    path: &mut Vec<String>,
    lines: &mut BTreeMap<Vec<String>, usize>,
) {
    match value.get_ref() {
        DeValue::Table(table) => note_lines(breaks, table, path, lines),
        DeValue::Array(array) => {
            for (index, element) in array.iter().enumerate() {
                path.push(index.to_string());
                lines.insert(path.clone(), breaks.line_of(element.span().start));
                note_value(breaks, element, path, lines);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Where lines end. Counting from the top for each of ten thousand keys would take a second.
struct Breaks(Vec<usize>);

impl Breaks {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line of an offset, counted from 1.
    fn line_of(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|at| *at < offset)
    }
}

/// A syntax error. The line itself is not shown: a token may stand on it.
fn not_toml(path: &Path, text: &str, fault: &toml::de::Error) -> Problem {
    let said = fault.message();
    let hint = if said.contains("duplicate key") {
        "this name was given already; keep one of the two"
    } else if said.contains("string") {
        "text stands in quotes, as in `listen = \"0.0.0.0:9091\"`"
    } else {
        "a line is `[section]`, `key = value` or `# comment`"
    };
    Problem {
        severity: Severity::Error,
        key: String::new(),
        place: Place::File(
            path.to_owned(),
            fault
                .span()
                .map(|span| Breaks::of(text).line_of(span.start)),
        ),
        message: format!("this is not TOML: {}", said.replace('\n', ", ")),
        hint: hint.to_owned(),
    }
}
