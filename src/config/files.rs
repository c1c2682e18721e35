//! The files that a configuration is made of, and what they held when it was read.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::layers::NAMED;
use super::outline::{Changes, Names, digest};
use super::places::written;
use super::settings::Settings;

/// The files that a configuration is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The configuration itself.
    pub config: Option<PathBuf>,
    /// The folder of templates.
    pub templates: Option<PathBuf>,
    /// Files that keys name, such as `bots.default.token_file`; of a list, all.
    pub by_key: BTreeMap<String, Vec<PathBuf>>,
}

impl Files {
    /// The files of settings: whatever a key whose name ends in `_file` or `_files` holds.
    pub(super) fn of(config: Option<&Path>, settings: &Settings) -> Self {
        let mut by_key: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for (path, file) in named(settings) {
            by_key.entry(written(&path)).or_default().push(file);
        }
        Self {
            config: config.map(Path::to_owned),
            templates: settings.templates.directory.clone(),
            by_key,
        }
    }
}

/// The secrets among them that every user of this machine can read, by the path of their key.
///
/// What a container's platform mounts is left out: there it is usual, and all users are ours.
pub(super) fn exposed(settings: &Settings) -> Vec<(Vec<String>, PathBuf)> {
    const READ_BY_OTHERS: u32 = 0o004;
    let is_secret = |path: &[String]| {
        let mut keys = path.iter();
        !keys.any(|key| PUBLIC.contains(&key.as_str()))
    };
    let is_open = |file: &Path| {
        let found = std::fs::metadata(file).ok();
        found.is_some_and(|found| found.permissions().mode() & READ_BY_OTHERS != 0)
    };
    let mut files = named(settings);
    files.retain(|(path, file)| is_secret(path) && is_open(file) && !is_mounted(file));
    files
}

/// Whether a platform put the file there: Kubernetes, whose links lead through a folder that
/// begins with two dots, or Docker.
fn is_mounted(file: &Path) -> bool {
    let real = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let mut parts = real.components();
    MOUNTS
        .iter()
        .any(|mount| file.starts_with(mount) || real.starts_with(mount))
        || parts.any(|part| part.as_os_str().as_encoded_bytes().starts_with(b".."))
}

/// All files that keys name, by the path of the key.
fn named(settings: &Settings) -> Vec<(Vec<String>, PathBuf)> {
    let mut files = Vec::new();
    // Settings are maps of strings: they always serialise.
    let settings = serde_json::to_value(settings).unwrap_or_default();
    collect(&mut Vec::new(), &settings, &mut files);
    files
}

fn collect(path: &mut Vec<String>, value: &Value, files: &mut Vec<(Vec<String>, PathBuf)>) {
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
        Value::String(file) if names_file(path) => {
            files.push((path.clone(), file.into()));
        }
        _ => {}
    }
}

/// Whether the key at this path names a file. What the author calls a bot or a room does not
/// count: its name may end as it likes.
fn names_file(path: &[String]) -> bool {
    let is_named = path
        .first()
        .is_some_and(|first| NAMED.contains(&first.as_str()));
    let keys = path.iter().skip(if is_named { 2 } else { 0 });
    let mut keys = keys.filter(|key| key.ends_with("_file") || key.ends_with("_files"));
    keys.next().is_some()
}

/// Keys whose files are shown to everybody anyway.
const PUBLIC: [&str; 4] = ["ca_file", "cert_file", "client_ca_file", "id_file"];
/// Where platforms put secrets.
const MOUNTS: [&str; 2] = ["/run/secrets", "/var/run/secrets"];

/// What the names of templates end with.
const TEMPLATES: [&str; 2] = [".md", ".card.json"];

/// What the files held, as hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    config: Option<u64>,
    templates: BTreeMap<String, u64>,
    by_key: BTreeMap<String, Vec<Option<u64>>>,
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
                .map(|(key, files)| (key.clone(), files.iter().map(|file| hash(file)).collect()))
                .collect(),
        }
    }

    /// The folders to watch. A file is often replaced, by an editor or by Kubernetes, which
    /// swaps a link beside it; whoever watches the file itself sees the first change only.
    #[must_use]
    pub fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::new();
        for file in self.config.iter().chain(self.by_key.values().flatten()) {
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
    /// The same, but for the configuration, which held this at an earlier time.
    pub(super) fn with_config_of(self, earlier: &Self) -> Self {
        Self {
            config: earlier.config,
            ..self
        }
    }

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
    use crate::config::{Draft, Sources};

    fn settings(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn every_file_that_a_key_names_is_known() {
        let text = "[bots.a]\ntoken_file = \"/t\"\n[receivers.\"x/y\"]\nbearer_token_file = \"/b\"\n\
                    settings = { some_file = \"/no\" }\n[webex]\nca_file = \"/c\"\n\
                    [rooms]\na = { id_file = \"/r\" }\nmy_file = \"id\"\n";
        let files = Files::of(None, &settings(text)).by_key;
        let found: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(
            found,
            [
                "bots.a.token_file",
                "receivers.\"x/y\".bearer_token_file",
                "rooms.a.id_file",
                "webex.ca_file"
            ]
        );
    }

    #[test]
    fn what_is_written_while_a_configuration_is_read_is_a_change_later() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(&config, "[server]\nlisten = \"127.0.0.1:1\"\n").unwrap();
        let sources = Sources {
            file: Some(config.clone()),
            ..Sources::default()
        };
        let draft = Draft::read(&sources).unwrap();
        let files = Files {
            config: Some(config.clone()),
            ..Files::default()
        };
        assert_eq!(draft.seen(), files.look());
        std::fs::write(&config, "[server]\nlisten = \"127.0.0.1:2\"\n").unwrap();
        assert_ne!(draft.seen(), files.look());
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
            by_key: BTreeMap::from([(
                "bots.a.token_file".to_owned(),
                vec![folder.path().join("token")],
            )]),
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

    #[test]
    fn a_secret_that_everybody_can_read_is_known_and_a_certificate_or_a_mount_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mounted = folder.path().join("..2026");
        std::fs::create_dir(&mounted).unwrap();
        let file = |path: PathBuf, mode: u32| {
            std::fs::write(&path, "x").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path.display().to_string()
        };
        let text = format!(
            "[bots.open]\ntoken_file = \"{}\"\n[bots.closed]\ntoken_file = \"{}\"\n\
             [bots.mounted]\ntoken_file = \"{}\"\n[webex]\nca_file = \"{}\"\n",
            file(folder.path().join("open"), 0o644),
            file(folder.path().join("closed"), 0o640),
            file(mounted.join("token"), 0o644),
            file(folder.path().join("ca"), 0o644),
        );
        let found = exposed(&settings(&text));
        let keys: Vec<_> = found.iter().map(|(path, _)| written(path)).collect();
        assert_eq!(keys, ["bots.open.token_file"]);
    }
}
