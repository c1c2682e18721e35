//! What the commands say: data on stdout, and on stderr what failed and what is going on.

use std::process::ExitCode;

use anyhow::Context as _;

use super::USAGE;
use crate::app::StartError;
use crate::config::ConfigError;

/// Says on stderr what failed. A configuration's problems are a list of their own.
pub(super) fn failed(error: &anyhow::Error) -> ExitCode {
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        tell_config(error);
        return ExitCode::from(USAGE);
    }
    if let Some(StartError::Rooms(absent)) = error.downcast_ref::<StartError>() {
        for problem in absent {
            tell(&problem.to_string());
        }
        return ExitCode::FAILURE;
    }
    tell(&format!("error: {}", causes(error)));
    ExitCode::FAILURE
}

/// Says what is wrong with a configuration, all of it.
pub(super) fn tell_config(error: &ConfigError) {
    match error {
        ConfigError::Invalid(problems) => {
            for problem in problems {
                tell(&format!("{problem}"));
            }
            let errors = counted(problems.len(), "error");
            tell(&format!("the configuration has {errors}"));
        }
        ConfigError::Unreadable { .. } => tell(&format!("error: {error}")),
    }
}

/// The error and its causes, each once: many errors already tell their source.
pub(super) fn causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    if text.contains(&error.root_cause().to_string()) {
        return text;
    }
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// `1 room`, `2 rooms`.
pub(super) fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Writes a line to stderr. Where that fails, nobody can be told, and `eprintln!` would panic.
pub(super) fn tell(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes data to stdout. Whoever reads it may have gone, as `head` does; that is no failure.
pub(super) fn print(data: &str) -> anyhow::Result<()> {
    use std::io::{ErrorKind, Write as _};
    match writeln!(std::io::stdout().lock(), "{data}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        _ => Ok(()),
    }
}

/// Says on stderr what somebody should know, without failing.
pub(super) fn warn(what: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stderr().lock(), "warning: {what}").context("cannot write to stderr")
}
