//! The files that a configuration is made of, and what they held when it was read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::outline::{Changes, Names, digest};
use super::settings::Settings;

/// The files that a configuration is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The configuration itself.
    pub config: Option<PathBuf>,
    /// The folder of templates.
    pub templates: Option<PathBuf>,
    /// Files that keys name, such as `bots.default.token_file`.
    pub by_key: BTreeMap<String, PathBuf>,
}

impl Files {
    /// The files of settings: whatever a key whose name ends in `_file` or `_files` holds.
    pub(super) fn of(config: Option<&Path>, settings: &Settings) -> Self {
        let mut by_key = BTreeMap::new();
        collect(
            &mut Vec::new(),
            &serde_json::to_value(settings).unwrap_or_default(),
            &mut by_key,
        );
        Self {
            config: config.map(Path::to_owned),
            templates: settings.templates.directory.clone(),
            by_key,
        }
    }
}

fn collect(path: &mut Vec<String>, value: &Value, files: &mut BTreeMap<String, PathBuf>) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                // What templates see as `settings` is none of our business.
                if path.first().is_some_and(|first| first == "receivers")
                    && path.len() == 2
                    && key == "settings"
                {
                    continue;
                }
                path.push(key.clone());
                collect(path, value, files);
                path.pop();
            }
        }
        Value::Array(list) => {
            for (number, value) in list.iter().enumerate() {
                path.push(number.to_string());
                collect(path, value, files);
                path.pop();
            }
        }
        Value::String(file)
            if path
                .iter()
                .any(|key| key.ends_with("_file") || key.ends_with("_files")) =>
        {
            files.insert(super::places::written(path), file.into());
        }
        _ => {}
    }
}

/// What the names of templates end with.
const TEMPLATES: [&str; 2] = [".md", ".card.json"];

/// What the files held, as hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    config: Option<u64>,
    templates: BTreeMap<String, u64>,
    by_key: BTreeMap<String, Option<u64>>,
}

impl Files {
    /// What the files hold now.
    #[must_use]
    pub fn look(&self) -> Seen {
        let by_key = self.by_key.iter();
        Seen {
            config: self.config.as_deref().and_then(hash),
            templates: self.templates.as_deref().map(templates).unwrap_or_default(),
            by_key: by_key
                .map(|(key, file)| (key.clone(), hash(file)))
                .collect(),
        }
    }

    /// The folders to watch. A file is often replaced, by an editor or by Kubernetes, which
    /// swaps a link beside it; whoever watches the file itself sees the first change only.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::new();
        for file in self.config.iter().chain(self.by_key.values()) {
            for file in [Some(file.clone()), file.canonicalize().ok()]
                .into_iter()
                .flatten()
            {
                let Some(folder) = file.parent() else {
                    continue;
                };
                // `config.toml` alone stands in the working directory, whose name is empty.
                let is_here = folder.as_os_str().is_empty();
                folders.insert(if is_here { ".".into() } else { folder.into() });
            }
        }
        if let Some(folder) = &self.templates {
            folders.insert(folder.clone());
            folders.extend(folder.canonicalize());
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let target = entry.path().canonicalize().ok();
                folders.extend(target.as_deref().and_then(Path::parent).map(Path::to_owned));
            }
        }
        folders.retain(|folder| folder.is_dir());
        folders
    }
}

impl Seen {
    /// Adds to the changes of settings what changed in the files they name.
    pub fn add_changes(&self, new: &Self, changes: &mut Changes) {
        changes.templates = Names::between(&self.templates, &new.templates);
        // A key that is new, or names another file, is a change of its entry.
        changes.files = Names::between(&self.by_key, &new.by_key).changed;
    }
}

fn templates(folder: &Path) -> BTreeMap<String, u64> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_template =
                !name.starts_with('.') && TEMPLATES.iter().any(|end| name.ends_with(end));
            let hash = is_template.then(|| hash(&entry.path())).flatten()?;
            Some((name, hash))
        })
        .collect()
}

/// The hash of what a file holds. Nothing for what is no file: to read a pipe would wait.
fn hash(file: &Path) -> Option<u64> {
    let found = std::fs::metadata(file).ok()?;
    if !found.is_file() {
        return None;
    }
    std::fs::read(file).ok().map(|content| digest(&content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn every_file_that_a_key_names_is_known() {
        let text = "[bots.a]\ntoken_file = \"/t\"\n[receivers.\"x/y\"]\nbearer_token_file = \"/b\"\n\
                    settings = { some_file = \"/no\" }\n[webex]\nca_file = \"/c\"\n";
        let files = Files::of(None, &settings(text)).by_key;
        let found: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(
            found,
            [
                "bots.a.token_file",
                "receivers.\"x/y\".bearer_token_file",
                "webex.ca_file"
            ]
        );
    }

    #[test]
    fn what_changed_in_files_is_told_by_key_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a.md", "a");
        write("b.md", "b");
        write("token", "t");
        let files = Files {
            templates: Some(folder.path().to_owned()),
            by_key: BTreeMap::from([("bots.a.token_file".to_owned(), folder.path().join("token"))]),
            config: None,
        };
        let before = files.look();
        assert_eq!(before, files.look());
        write("a.md", "changed");
        write("c.md", "c");
        std::fs::remove_file(folder.path().join("b.md")).unwrap();
        std::fs::remove_file(folder.path().join("token")).unwrap();
        let mut changes = Changes::default();
        before.add_changes(&files.look(), &mut changes);
        assert_eq!(changes.templates.changed, ["a.md"]);
        assert_eq!(changes.templates.added, ["c.md"]);
        assert_eq!(changes.templates.removed, ["b.md"]);
        assert_eq!(changes.files, ["bots.a.token_file"]);
    }
}
