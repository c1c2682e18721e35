//! Reads the template files of a directory.
//!
//! The directory is usually a mounted `ConfigMap`: its files are links through `..data` into
//! a directory whose name begins with `..` as well. Links are followed, names that begin
//! with a dot are not looked at, and neither is anything that is no `NAME.md` or
//! `NAME.card.json` file.
//!
//! What does not belong here: what is in the files (`engine`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Options;
use super::error::Error;

/// What a template's file name ends with.
pub(super) const SUFFIX: &str = ".md";

/// What the file name of a card's template ends with.
pub(super) const CARD_SUFFIX: &str = ".card.json";

/// A template as it was found.
#[derive(Debug)]
pub(super) struct File {
    /// Such as `team.md`.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// The error is told together with those of the other templates.
    pub(super) content: io::Result<String>,
}

/// The templates that are not built in: of the directory, then single files, then those in
/// memory. Of a name that stands twice the last counts.
pub(super) fn all(options: &Options) -> Result<Vec<File>, Error> {
    let mut files = match &options.directory {
        Some(directory) => read(directory)?,
        None => Vec::new(),
    };
    for path in &options.files {
        add(&mut files, path, fs::read_to_string(path));
    }
    for (name, content) in &options.sources {
        add(&mut files, Path::new(name), Ok(content.clone()));
    }
    Ok(files)
}

/// All templates of a directory, sorted by name so that errors come in a stable order.
fn read(directory: &Path) -> Result<Vec<File>, Error> {
    let unreadable = |source| Error::Directory {
        path: directory.to_path_buf(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = template_name(&path) else {
            continue;
        };
        // `fs::metadata` follows links, as opposed to the entry's own file type.
        let content = match fs::metadata(&path) {
            Ok(found) if found.is_file() => fs::read_to_string(&path),
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        files.push(File {
            name,
            path,
            content,
        });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Adds one file, which takes the place of another of its name.
fn add(files: &mut Vec<File>, path: &Path, content: io::Result<String>) {
    let Some(name) = template_name(path) else {
        return;
    };
    files.retain(|file| file.name != name);
    files.push(File {
        name,
        path: path.to_path_buf(),
        content,
    });
}

fn template_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = name
        .strip_suffix(SUFFIX)
        .or_else(|| name.strip_suffix(CARD_SUFFIX))?;
    (!stem.is_empty() && !name.starts_with('.')).then(|| name.to_owned())
}
