//! What is wrong with a configuration, said so that its author can mend it.
//!
//! A problem names the key, says where it stands, and ends with a remedy. It never repeats
//! a value: a token may stand in the wrong place (a misplaced secret is still a secret).

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether the configuration can be used all the same.
    pub severity: Severity,
    /// The key as a path, such as `receivers.ops.rooms`; empty for the file as a whole.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It works, but hardly as meant.
    Warning,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, and the line where it is known (counted from 1).
    File(PathBuf, Option<usize>),
    /// An environment variable.
    Variable(String),
    /// A template: the file with line and column where they are known, and the line itself
    /// with a mark below what is meant.
    Template(String, String),
    /// Nowhere: it is missing, and no file was given.
    Nowhere,
}

impl Place {
    fn line(&self) -> Option<usize> {
        match self {
            Self::File(_, line) => *line,
            Self::Variable(_) | Self::Template(..) | Self::Nowhere => None,
        }
    }
}

impl Problem {
    /// What is wrong, with key and place, in one line. The remedy is [`Self::hint`].
    #[must_use]
    pub fn in_a_sentence(&self) -> String {
        let mut sentence = String::new();
        if !self.key.is_empty() {
            sentence = format!("`{}`: ", self.key);
        }
        sentence += &self.message;
        let place = match (&self.place, self.file()) {
            (Place::Variable(name), _) => format!("environment variable {name}"),
            (_, None) => return sentence,
            (place, Some(file)) => match place.line() {
                Some(line) => format!("{file}:{line}"),
                None => file,
            },
        };
        format!("{sentence} ({place})")
    }

    /// The file, where it stands in one; of a template with line and column.
    #[must_use]
    pub fn file(&self) -> Option<String> {
        match &self.place {
            Place::File(path, _) => Some(path.display().to_string()),
            Place::Template(place, _) => Some(place.clone()),
            Place::Variable(_) | Place::Nowhere => None,
        }
    }

    /// The line of the file, where it is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.line()
    }

    /// In the order in which a person goes through the file, then the environment.
    pub(super) fn order(&self) -> (bool, Option<usize>, &str) {
        let variable = match &self.place {
            Place::Variable(name) => name.as_str(),
            Place::File(..) | Place::Template(..) | Place::Nowhere => "",
        };
        (!variable.is_empty(), self.line(), variable)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: ")?;
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        write!(f, "{}", self.message)?;
        match &self.place {
            Place::File(path, Some(line)) => write!(f, "\n  --> {}:{line}", path.display())?,
            Place::File(path, None) => write!(f, "\n  --> {}", path.display())?,
            Place::Variable(name) => write!(f, "\n  --> environment variable {name}")?,
            Place::Template(place, excerpt) => {
                write!(f, "\n  --> {place}")?;
                if !excerpt.is_empty() {
                    write!(f, "\n{excerpt}")?;
                }
            }
            Place::Nowhere => {}
        }
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", self.hint)?;
        }
        Ok(())
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}\n  hint: name an existing file with `--config`, readable for the user that runs this", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file was read, and these things are wrong with it: all of them.
    #[error("{}", Listed(.0))]
    Invalid(Vec<Problem>),
}

/// Problems, one below the other.
struct Listed<'a>(&'a [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}
