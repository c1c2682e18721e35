//! What a configuration says, in outline, so that two of them can be told apart.
//!
//! Values are kept as hashes: what changed is told by its key, and never by its value.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;

use super::layers::NAMED;
use super::settings::Settings;

/// Keys that count only from the start of the process. A reload applies the rest.
pub const NEEDS_RESTART: &[&str] = &[
    "log.format",
    "server.admin_listen",
    "server.head_timeout",
    "server.listen",
    "server.max_connections",
    "server.path_prefix",
    "server.workers",
];

/// Hashes of secrets are kept, so the keys are this process's own.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A hash that tells two values apart within this process.
pub(super) fn digest(value: &[u8]) -> u64 {
    KEYS.hash_one(value)
}

/// What a configuration says: the hash of each key's value, by section. Entries of named
/// tables count as one value each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline(BTreeMap<String, BTreeMap<String, u64>>);

/// Names that are there, or that are not there any more, or that mean something else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Names {
    /// New.
    pub added: Vec<String>,
    /// Gone.
    pub removed: Vec<String>,
    /// There before and after, but different.
    pub changed: Vec<String>,
}

/// How two configurations differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Entries of `[bots]`.
    pub bots: Names,
    /// Entries of `[receivers]`.
    pub receivers: Names,
    /// Entries of `[rooms]`.
    pub rooms: Names,
    /// Entries of `[webhooks]`.
    pub webhooks: Names,
    /// Files of `templates.directory`.
    pub templates: Names,
    /// Keys that name a file which holds something else now: tokens, certificates.
    pub files: Vec<String>,
    /// Other keys, such as `delivery.answer_within`, that count from now on.
    pub keys: Vec<String>,
    /// Keys that differ from what the process was started with, and count only after a
    /// restart.
    pub restart: Vec<String>,
}

impl Names {
    /// How `new` differs from `old`.
    #[must_use]
    pub fn between<V: PartialEq>(old: &BTreeMap<String, V>, new: &BTreeMap<String, V>) -> Self {
        let missing = |from: &BTreeMap<String, V>, of: &BTreeMap<String, V>| {
            let names = of.keys().filter(|name| !from.contains_key(*name));
            names.cloned().collect()
        };
        let changed = old.iter().filter(|(name, value)| {
            let new = new.get(*name);
            new.is_some_and(|new| new != *value)
        });
        Self {
            added: missing(old, new),
            removed: missing(new, old),
            changed: changed.map(|(name, _)| name.clone()).collect(),
        }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    fn told(&self, thing: &str, told: &mut Vec<String>) {
        for (names, what) in [
            (&self.added, "added"),
            (&self.removed, "removed"),
            (&self.changed, "changed"),
        ] {
            match names.len() {
                0 => {}
                1 => told.push(format!("1 {thing} {what}")),
                many => told.push(format!("{many} {thing}s {what}")),
            }
        }
    }
}

impl Changes {
    /// Whether nothing changed that counts from now on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let restart = self.restart.clone();
        *self
            == Self {
                restart,
                ..Self::default()
            }
    }

    /// In one line, by numbers: there may be thousands.
    #[must_use]
    pub fn told(&self) -> String {
        let mut told = Vec::new();
        self.receivers.told("receiver", &mut told);
        self.bots.told("bot", &mut told);
        self.rooms.told("room", &mut told);
        self.webhooks.told("webhook", &mut told);
        self.templates.told("template", &mut told);
        match self.files.len() {
            0 => {}
            1 => told.push("1 secret or certificate read anew".to_owned()),
            many => told.push(format!("{many} secrets or certificates read anew")),
        }
        if !self.keys.is_empty() {
            told.push(format!("changed: {}", self.keys.join(", ")));
        }
        if told.is_empty() {
            told.push("nothing changed".to_owned());
        }
        told.join("; ")
    }
}

impl Outline {
    /// The outline of settings.
    pub(super) fn new(settings: &Settings) -> Self {
        let mut sections = BTreeMap::new();
        // Settings are maps of strings: they always serialise.
        if let Ok(Value::Object(tables)) = serde_json::to_value(settings) {
            for (section, value) in tables {
                let mut hashes = BTreeMap::new();
                if NAMED.contains(&section.as_str()) {
                    let Value::Object(entries) = value else {
                        continue;
                    };
                    for (name, entry) in entries {
                        hashes.insert(name, digest(entry.to_string().as_bytes()));
                    }
                } else {
                    flatten(&section, &value, &mut hashes);
                }
                sections.insert(section, hashes);
            }
        }
        Self(sections)
    }

    /// How `new` differs from this. Templates and files are not looked at.
    #[must_use]
    pub fn changes(&self, new: &Self) -> Changes {
        let empty = BTreeMap::new();
        let table = |of: &'_ Self, name: &str| of.0.get(name).unwrap_or(&empty).clone();
        let named = |name: &str| Names::between(&table(self, name), &table(new, name));
        let mut keys = Vec::new();
        for section in new
            .0
            .keys()
            .filter(|section| !NAMED.contains(&section.as_str()))
        {
            let Names {
                added,
                removed,
                changed,
            } = named(section);
            keys.extend(added.into_iter().chain(removed).chain(changed));
        }
        keys.sort();
        let (restart, keys) = keys.into_iter().partition(|key| needs_restart(key));
        Changes {
            bots: named("bots"),
            receivers: named("receivers"),
            rooms: named("rooms"),
            webhooks: named("webhooks"),
            keys,
            restart,
            ..Changes::default()
        }
    }
}

/// Whether a key counts only from the start of the process.
fn needs_restart(key: &str) -> bool {
    NEEDS_RESTART.contains(&key)
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, u64>) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                flatten(&format!("{path}.{key}"), value, into);
            }
        }
        value => {
            into.insert(path.to_owned(), digest(value.to_string().as_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    fn changes(old: &str, new: &str) -> Changes {
        let outline = |text| Outline::new(&settings(text));
        outline(old).changes(&outline(new))
    }

    #[test]
    fn what_changed_is_told_by_name_and_key() {
        let old = "[rooms]\nops = \"a\"\n[receivers.a]\nrooms = [\"ops\"]\n[receivers.b]\n";
        let new = "[rooms]\nops = \"b\"\n[receivers.a]\ntemplate = \"x\"\n[receivers.c]\n\
                   [delivery]\nanswer_within = \"5s\"\n[server]\nlisten = \"127.0.0.1:1\"\n";
        let changes = changes(old, new);
        assert_eq!(changes.receivers.added, ["c"]);
        assert_eq!(changes.receivers.removed, ["b"]);
        assert_eq!(changes.receivers.changed, ["a"]);
        assert_eq!(changes.rooms.changed, ["ops"]);
        assert_eq!(changes.keys, ["delivery.answer_within"]);
        assert_eq!(changes.restart, ["server.listen"]);
        assert_eq!(
            changes.told(),
            "1 receiver added; 1 receiver removed; 1 receiver changed; 1 room changed; changed: delivery.answer_within"
        );
    }

    #[test]
    fn the_same_is_no_change() {
        let text = "[bots.a]\ntoken_file = \"/t\"\n";
        assert!(changes(text, text).is_empty());
        assert_eq!(changes(text, text).told(), "nothing changed");
    }

    #[test]
    fn keys_that_need_a_restart_exist_and_stand_in_the_documentation() {
        let Outline(sections) = Outline::new(&Settings::default());
        for key in NEEDS_RESTART {
            let (section, _) = key.split_once('.').unwrap();
            assert!(sections[section].contains_key(*key), "{key}");
        }
        let page = include_str!("../../docs/reload.md");
        let (_, table) = page.split_once("## What needs a restart").unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
        let told: Vec<_> = rows.filter_map(|row| row.split('`').next()).collect();
        assert_eq!(told, NEEDS_RESTART);
    }
}
