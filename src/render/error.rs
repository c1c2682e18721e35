//! Why templates cannot be used, with the place and the remedy.
//!
//! What does not belong here: templates that fail while an alert is rendered; those fall
//! back (`fallback`).

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why no [`super::Renderer`] could be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory is missing, no directory, or closed to us.
    #[error(
        "the template directory `{}` cannot be read: {source}; \
         create or mount it, or remove `templates.directory`", path.display()
    )]
    Directory {
        /// As configured.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Templates cannot be read, do not parse, or refer to what does not exist. Never empty.
    #[error("{}", list(.0))]
    Broken(Vec<BrokenTemplate>),
}

/// A place in a template that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenTemplate {
    /// The file, or `built-in NAME`.
    pub file: String,
    /// Line and column, both from 1 on, where they are known.
    pub position: Option<(usize, usize)>,
    /// What is wrong there, in one line.
    pub message: String,
    /// The line of the template, with a mark below what is meant; may be empty.
    pub excerpt: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

impl BrokenTemplate {
    /// The file, with line and column where they are known.
    #[must_use]
    pub fn place(&self) -> String {
        match self.position {
            Some((line, column)) => format!("{}:{line}:{column}", self.file),
            None => self.file.clone(),
        }
    }
}

impl fmt::Display for BrokenTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)?;
        if !self.excerpt.is_empty() {
            write!(f, "\n{}", self.excerpt)?;
        }
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", self.hint)?;
        }
        Ok(())
    }
}

fn list(broken: &[BrokenTemplate]) -> String {
    let mut text = String::new();
    for template in broken {
        text.push_str(&template.to_string());
        text.push('\n');
    }
    text.push_str(match broken {
        [_] => "correct the template, or remove it to get the built-in one",
        _ => "correct the templates, or remove them to get the built-in ones",
    });
    text
}
