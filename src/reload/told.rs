//! What is to be said of a configuration, as lines of the log: one each, with key, file and
//! line as fields.

use std::fmt::Display;

use crate::config::{ConfigError, Problem};

/// Why a configuration is refused.
pub(super) enum Complaint {
    /// Something that its author wrote.
    Problem(Problem),
    /// Something that it names cannot be used.
    Other(String),
}

impl Complaint {
    /// All that is wrong.
    pub(super) fn of(error: ConfigError) -> Vec<Self> {
        match error {
            ConfigError::Invalid(problems) => problems.into_iter().map(Self::Problem).collect(),
            error @ ConfigError::Unreadable { .. } => vec![Self::Other(error.to_string())],
        }
    }

    /// Each of these errors.
    pub(super) fn all<E: Display>(errors: Vec<E>) -> Vec<Self> {
        let errors = errors.into_iter();
        errors.map(|error| Self::Other(error.to_string())).collect()
    }

    /// As `check` prints it.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Problem(problem) => problem.to_string(),
            Self::Other(error) => format!("error: {error}"),
        }
    }

    /// Tells the log.
    pub(super) fn log(&self) {
        match self {
            Self::Problem(problem) => {
                let (what, hint) = (problem.in_a_sentence(), &problem.hint);
                tracing::error!(
                    key = key(problem),
                    file = problem.file(),
                    line = problem.line(),
                    hint,
                    "the new configuration cannot be used: {what}; {hint}",
                );
            }
            Self::Other(error) => {
                // Two-line errors end with a remedy on a line of its own.
                let error = error.replace("\n  hint: ", "; ");
                tracing::error!(
                    error,
                    "what the new configuration names cannot be used: {error}"
                );
            }
        }
    }
}

/// Tells the log of something that works, but hardly as meant.
pub fn log_warning(problem: &Problem) {
    let (what, hint) = (problem.in_a_sentence(), &problem.hint);
    tracing::warn!(
        key = key(problem),
        file = problem.file(),
        line = problem.line(),
        hint,
        "the configuration works, but hardly as meant: {what}; {hint}",
    );
}

/// The key, where it is about one.
fn key(problem: &Problem) -> Option<&str> {
    Some(problem.key.as_str()).filter(|key| !key.is_empty())
}
