//! Which templates there are, as they were written: for whoever begins with one of them.
//!
//! What does not belong here: whether they work (`engine`).

use super::engine::BUILT_IN;
use super::error::Error;
use super::{Options, directory};

/// A template's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Such as `team.md` or `team.card.json`.
    pub name: String,
    /// What is in it.
    pub content: String,
    /// Whether it is compiled in.
    pub built_in: bool,
}

/// All that can be read: the built-in ones, as far as no other takes their place, and the
/// others.
///
/// # Errors
/// When the directory cannot be read.
pub fn written(options: &Options) -> Result<Vec<Written>, Error> {
    let files = directory::all(options)?;
    let overridden = |name: &str| files.iter().any(|file| file.name == name);
    let built_in = BUILT_IN
        .iter()
        .filter(|(name, _)| !overridden(name))
        .map(|(name, content)| Written {
            name: (*name).to_owned(),
            content: (*content).to_owned(),
            built_in: true,
        });
    let mut written: Vec<Written> = built_in.collect();
    written.extend(files.iter().filter_map(|file| {
        Some(Written {
            name: file.name.clone(),
            content: file.content.as_ref().ok()?.clone(),
            built_in: false,
        })
    }));
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_listed_as_they_are_written_each_once() {
        let options = Options {
            sources: vec![("default.md".to_owned(), "mine".to_owned())],
            ..Options::default()
        };
        let written = written(&options).unwrap();
        let default: Vec<_> = written
            .iter()
            .filter(|file| file.name == "default.md")
            .collect();
        assert_eq!(default.len(), 1);
        assert_eq!(default[0].content, "mine");
        assert!(!default[0].built_in);
        let card = written.iter().find(|file| file.name == "compact.card.json");
        assert!(card.is_some_and(|file| file.built_in && file.content.contains("AdaptiveCard")));
    }
}
